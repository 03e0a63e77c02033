package stats

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// WritePprint writes r with all keys, sorted, as Python's pprint shows a dict:
// what pprint(future.stats) prints in Lithops. It is a Python literal; the
// seconds are floats in it, as they are for any reader of the JSON form. Long
// lines are not broken.
func WritePprint(w io.Writer, r *Record) error {
	var b []byte
	open := byte('{')
	for _, i := range sortedKeys {
		f := &fields[i]
		b = append(b, open)
		b = appendPython(b, f.Key)
		b = append(b, ": "...)
		b = f.appendPython(b, r)
		b = append(b, ",\n"...)
		open = ' '
	}
	_, err := w.Write(append(b[:len(b)-2], "}\n"...))
	return err
}

var sortedKeys = func() []int {
	at := selectKeys(func(Field) bool { return true })
	slices.SortFunc(at, func(a, b int) int { return cmp.Compare(fields[a].Key, fields[b].Key) })
	return at
}()

func (f *Field) appendPython(b []byte, r *Record) []byte {
	switch at := f.kind.(type) {
	case func(*Record) *Sec:
		if v := at(r); v.OK {
			x, _ := strconv.ParseFloat(string(v.append(nil)), 64) // always a number
			return appendPythonFloat(b, x)
		}
	case func(*Record) *Float:
		if v := at(r); v.OK {
			return appendPythonFloat(b, v.V)
		}
	case func(*Record) *Bool:
		if v := at(r); v.OK && v.V {
			return append(b, "True"...)
		} else if v.OK {
			return append(b, "False"...)
		}
	case textAt:
		if s := *at(r); s != "" {
			return appendPython(b, s)
		}
	case stateAt:
		return appendPython(b, r.State.String())
	case listAt:
		if v := *at(r); v != nil {
			b = append(b, '[')
			for i, x := range v {
				if i > 0 {
					b = append(b, ", "...)
				}
				b = appendPythonFloat(b, x)
			}
			return append(b, ']')
		}
	default:
		mark := len(b)
		if b = f.append(b, r); b[mark] != 'n' { // whole numbers look as in JSON
			return b
		}
		b = b[:mark]
	}
	return append(b, "None"...)
}

// appendPythonFloat writes v as Python's repr does: the shortest form that reads
// back the same, with an exponent below 1e-4 and from 1e16 on.
func appendPythonFloat(b []byte, v float64) []byte {
	if abs := math.Abs(v); abs != 0 && abs < 1e-4 || abs >= 1e16 {
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	mark := len(b)
	b = strconv.AppendFloat(b, v, 'f', -1, 64)
	if bytes.IndexByte(b[mark:], '.') < 0 {
		b = append(b, ".0"...)
	}
	return b
}

// appendPython writes s as Python's repr does.
func appendPython(b []byte, s string) []byte {
	quote := byte('\'')
	if bytes.IndexByte([]byte(s), '\'') >= 0 && bytes.IndexByte([]byte(s), '"') < 0 {
		quote = '"'
	}
	b = append(b, quote)
	for _, c := range s {
		switch {
		case c == rune(quote) || c == '\\':
			b = append(b, '\\', byte(c))
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case unicode.IsPrint(c):
			b = utf8.AppendRune(b, c)
		case c <= 0xff:
			b = fmt.Appendf(b, `\x%02x`, c)
		case c <= 0xffff:
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = fmt.Appendf(b, `\U%08x`, c)
		}
	}
	return append(b, quote)
}
