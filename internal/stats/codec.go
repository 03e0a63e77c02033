package stats

import (
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"
)

// What a field's accessor can be, besides func(*Record) *Int, *Sec, *Float and *Bool.
type (
	intAt   func(*Record) *int
	textAt  func(*Record) *string
	listAt  func(*Record) *[]float64
	stateAt struct{}
)

// The keys a line on disk holds, by owner. The identity keys stand
// in every line; state, worker and the error keys in the host's lines too, for
// attempts that no worker lived to tell of.
var (
	workerKeys = selectKeys(func(f Field) bool { return f.Owner == ByWorker })
	hostKeys   = selectKeys(func(f Field) bool {
		return f.Owner == ByHost || slices.Contains([]string{"task", "attempt", "state", "worker", "error_type", "error"}, f.Key)
	})
	allKeys = selectKeys(func(Field) bool { return true })
)

func selectKeys(keep func(Field) bool) (at []int) {
	for i, f := range fields {
		if keep(f) {
			at = append(at, i)
		}
	}
	return at
}

// AppendJSON appends r as one JSON object with all keys, without a line end.
func AppendJSON(b []byte, r *Record) []byte {
	return append(appendMembers(append(b, '{'), r, allKeys, nil, 1), '}')
}

// AppendWorkerLine appends the keys the worker owns, null ones left out, as one
// line with a checksum.
func AppendWorkerLine(b []byte, r *Record) []byte { return appendLine(b, r, workerKeys, &nothing) }

// AppendHostLine appends the keys the host owns, null ones left out, as one line
// with a checksum. A later line of the same attempt adds to the earlier one.
func AppendHostLine(b []byte, r *Record) []byte { return appendLine(b, r, hostKeys, &nothing) }

func appendLine(b []byte, r *Record, keys []int, but *Record) []byte {
	start := len(b)
	b = appendMembers(append(b, '{'), r, keys, but, 1)
	return Seal(b, start)
}

var nothing Record // all null

// sameInAll is a key that readers take from the line before until they see otherwise, so
// it stands in each, where no first line has it.
const sameInAll = "worker_hostname"

// appendMembers appends keys and values to an object, those left out that are the same in
// but; nil leaves out none. open is 1 where the first of them needs no comma.
func appendMembers(b []byte, r *Record, keys []int, but *Record, open int) []byte {
	for _, i := range keys {
		f := &fields[i]
		switch at := f.kind.(type) { // most are of the first two
		case func(*Record) *Int:
			v := *at(r)
			if but != nil && v == *at(but) {
				continue
			}
			b = v.append(append(b, commaKeys[i][open:]...))
		case func(*Record) *Sec:
			v := *at(r)
			if but != nil && v == *at(but) {
				continue
			}
			b = v.append(append(b, commaKeys[i][open:]...))
		default:
			if but != nil && f.same(r, but) && (f.Key != sameInAll || but.WorkerHostname != "") {
				continue
			}
			b = f.append(append(b, commaKeys[i][open:]...), r)
		}
		open = 0
	}
	return b
}

// commaKeys is how each key stands in an object: ,"key":
var commaKeys = func() []string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = `,"` + f.Key + `":`
	}
	return all
}()

// AppendValue appends the field's value in r as JSON.
func (f *Field) AppendValue(b []byte, r *Record) []byte { return f.append(b, r) }

func (f *Field) append(b []byte, r *Record) []byte {
	switch at := f.kind.(type) {
	case func(*Record) *Int:
		return at(r).append(b)
	case func(*Record) *Sec:
		return at(r).append(b)
	case func(*Record) *Float:
		if v := at(r); v.OK {
			return appendFloat(b, v.V)
		}
	case func(*Record) *Bool:
		if v := at(r); v.OK {
			return strconv.AppendBool(b, v.V)
		}
	case intAt:
		return strconv.AppendInt(b, int64(*at(r)), 10)
	case textAt:
		if s := *at(r); s != "" {
			return appendString(b, s)
		}
	case stateAt:
		b = append(b, '"')
		b = append(b, r.State.String()...)
		return append(b, '"')
	case listAt:
		v := *at(r)
		if v == nil {
			break
		}
		b = append(b, '[')
		for i, x := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendFloat(b, x)
		}
		return append(b, ']')
	}
	return append(b, "null"...)
}

// appendFloat writes at most two decimals: percentages are no finer than that.
func appendFloat(b []byte, v float64) []byte {
	b = strconv.AppendFloat(b, v, 'f', 2, 64)
	for b[len(b)-1] == '0' && b[len(b)-2] != '.' {
		b = b[:len(b)-1]
	}
	return b
}

func appendString(b []byte, s string) []byte {
	plain := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	q, _ := json.Marshal(s) // a string always marshals; bytes that are no UTF-8 become U+FFFD
	return append(b, q...)
}
