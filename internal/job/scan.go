package job

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// The scanner finds fields in a JSON value without decoding it. It expects
// valid JSON, as the sources make; on anything else it gives an error or
// nonsense, but it does not fall over.

var errNotJSON = errors.New("the item is not valid JSON")

// eachField calls f for each pair of the object in b, keys without quotes.
func eachField(b []byte, f func(key, value []byte)) error {
	i := space(b, 1)
	if i < len(b) && b[i] == '}' {
		return nil
	}
	for {
		i = space(b, i)
		end := skipString(b, i)
		if end < 0 {
			return errNotJSON
		}
		key := b[i+1 : end-1]
		if bytes.IndexByte(key, '\\') >= 0 {
			plain, err := appendText(nil, b[i:end])
			if err != nil {
				return err
			}
			key = plain
		}
		i = space(b, end)
		if i >= len(b) || b[i] != ':' {
			return errNotJSON
		}
		i = space(b, i+1)
		if end = skipValue(b, i); end < 0 {
			return errNotJSON
		}
		f(key, b[i:end])
		if i = space(b, end); i >= len(b) {
			return errNotJSON
		}
		switch b[i] {
		case ',':
			i++
		case '}':
			return nil
		default:
			return errNotJSON
		}
	}
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString gives the index behind the string at i, or -1.
func skipString(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	for i++; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return -1
}

// skipValue gives the index behind the value at i, or -1.
func skipValue(b []byte, i int) int {
	from, depth := i, 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = skipString(b, i); i < 0 {
				return -1
			}
			i--
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return nonEmpty(from, i)
			}
			depth--
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return nonEmpty(from, i)
			}
		}
		i++
	}
	return -1
}

func nonEmpty(from, to int) int {
	if from == to {
		return -1
	}
	return to
}

// appendText appends what the JSON value raw is replaced by: a string without
// quotes and escapes, anything else as it is written.
func appendText(b, raw []byte) ([]byte, error) {
	if raw[0] != '"' {
		return append(b, raw...), nil
	}
	if skipString(raw, 0) != len(raw) {
		return b, errNotJSON
	}
	s := raw[1 : len(raw)-1]
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 {
			return append(b, s...), nil
		}
		b = append(b, s[:i]...)
		r, size := unescape(s[i:])
		if size == 0 {
			return b, errNotJSON
		}
		if r < 0 {
			return b, errors.New("the value holds half a surrogate pair, which is no character: " + string(s[i:i+6]))
		}
		b = utf8.AppendRune(b, r)
		s = s[i+size:]
	}
}

// unescape reads the escape at the beginning of s; size 0 is none, r -1 a lone
// surrogate.
func unescape(s []byte) (r rune, size int) {
	if len(s) < 2 {
		return 0, 0
	}
	switch s[1] {
	case '"', '\\', '/':
		return rune(s[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r, ok := hex4(s)
		if !ok {
			return 0, 0
		}
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		if low, ok := hex4(s[6:]); ok {
			if r := utf16.DecodeRune(r, low); r != utf8.RuneError {
				return r, 12
			}
		}
		return -1, 6
	}
	return 0, 0
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	return rune(v), err == nil
}

// escapesNUL says whether b may hold an escape that has no place in a text:
// \u0000 or a surrogate.
func escapesNUL(b []byte) bool {
	for {
		i := bytes.Index(b, []byte(`\u`))
		if i < 0 || len(b) < i+4 {
			return false
		}
		if c := b[i+2]; c == '0' && b[i+3] == '0' || c == 'd' || c == 'D' {
			return true
		}
		b = b[i+2:]
	}
}

// describe names the type of a JSON value.
func describe(raw []byte) string {
	switch raw[0] {
	case '"':
		return "a text"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 't', 'f':
		return string(raw)
	case 'n':
		return "null"
	}
	return "a number"
}
