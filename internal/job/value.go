package job

import (
	"encoding/json"
	"math/big"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// appendValue appends the YAML value n as compact JSON. Numbers keep the digits
// of the source, dates their text.
func (d *decoder) appendValue(b []byte, n *yaml.Node, depth int) ([]byte, error) {
	n, err := d.resolve(n, depth)
	if err != nil {
		return b, err
	}
	switch n.Kind {
	case yaml.SequenceNode:
		b = append(b, '[')
		for i, c := range n.Content {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = d.appendValue(b, c, depth+1); err != nil {
				return b, err
			}
		}
		return append(b, ']'), nil
	case yaml.MappingNode:
		b = append(b, '{')
		err = d.pairs(n, "", depth, func(key string, _, v *yaml.Node) (err error) {
			if b[len(b)-1] != '{' {
				b = append(b, ',')
			}
			b = append(appendQuoted(b, key), ':')
			b, err = d.appendValue(b, v, depth+1)
			return err
		})
		return append(b, '}'), err
	}
	return d.appendScalar(b, n)
}

func (d *decoder) appendScalar(b []byte, n *yaml.Node) ([]byte, error) {
	switch tag := n.ShortTag(); tag {
	case "!!str", "!!timestamp", "!!merge":
		return appendQuoted(b, n.Value), nil
	case "!!null":
		return append(b, "null"...), nil
	case "!!bool":
		switch low := strings.ToLower(n.Value); low {
		case "true", "false":
			return append(b, low...), nil
		}
		return b, d.fault(n, "%q is not true or false", short(n.Value))
	case "!!int", "!!float":
		num, msg := number(n.Value)
		if msg != "" {
			e := d.fault(n, "%s", msg)
			e.Hint = "a value that is text and not a number needs quotes"
			return b, e
		}
		return append(b, num...), nil
	default:
		return b, d.fault(n, "tag %s is not supported", short(n.Tag))
	}
}

// number gives the JSON form of a YAML number, or what is wrong with it.
// Decimal numbers keep their digits, however many; other bases become decimal.
func number(text string) (num, msg string) {
	if numberForm.MatchString(text) {
		return text, ""
	}
	sign, digits := "", strings.TrimPrefix(text, "+")
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	low := strings.ToLower(digits)
	switch {
	case low == ".inf" || low == ".nan":
		return "", "JSON has no number " + text
	case strings.HasPrefix(low, "0x"), strings.HasPrefix(low, "0o"), strings.HasPrefix(low, "0b"):
		if v, ok := new(big.Int).SetString(low, 0); ok && len(low) < 1000 {
			return sign + v.String(), ""
		}
	case strings.HasPrefix(digits, "."):
		digits = "0" + digits
	}
	if i := strings.IndexByte(digits, '.'); i >= 0 && (i+1 == len(digits) || digits[i+1] < '0' || digits[i+1] > '9') {
		digits = digits[:i+1] + "0" + digits[i+1:]
	}
	if numberForm.MatchString(sign + digits) {
		return sign + digits, ""
	}
	// 007 is 7 to some, text to others; 010 is 8 in YAML 1.1.
	return "", "ambiguous number " + short(text) + ": quote it to keep it as text, or write it as a plain decimal number"
}

// appendQuoted appends s, which must be valid UTF-8, as a JSON string, with no
// more escapes than JSON demands.
func appendQuoted[T string | []byte](b []byte, s T) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(b, s[from:]...), '"')
}

// UnmarshalJSON takes the values over and undoes the escapes of <, > and & that
// encoding/json adds on the way out: `{}` of an object shows its JSON.
func (l *Items) UnmarshalJSON(b []byte) error {
	var raws []json.RawMessage
	if err := json.Unmarshal(b, &raws); err != nil {
		return err
	}
	for i, r := range raws {
		raws[i] = unescapeHTML(r)
	}
	*l = raws
	return nil
}

// unescapeHTML rewrites the escapes \u003c, \u003e, \u0026, \u2028 and \u2029.
func unescapeHTML(b []byte) []byte {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 >= len(b) {
			out = append(out, b[i])
			continue
		}
		if b[i+1] == 'u' && i+6 <= len(b) {
			if r := htmlEscape(string(b[i+2 : i+6])); r != 0 {
				out = utf8.AppendRune(out, r)
				i += 5
				continue
			}
		}
		out = append(out, b[i], b[i+1])
		i++
	}
	return out
}

func htmlEscape(hex string) rune {
	switch hex {
	case "003c":
		return '<'
	case "003e":
		return '>'
	case "0026":
		return '&'
	case "2028":
		return '\u2028'
	case "2029":
		return '\u2029'
	}
	return 0
}
