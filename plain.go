package lithops

import (
	"encoding/json"
	"strconv"
)

// Items and results are often no more than a number or a name. These cross as
// encoding/json would have them, without the time it takes to find out how.

// decode is json.Unmarshal.
func decode(b []byte, v any) error {
	switch v := v.(type) {
	case *int:
		if n, ok := plainInt(b); ok {
			*v = n
			return nil
		}
	case *string:
		if n := len(b) - 1; n > 0 && b[0] == '"' && b[n] == '"' && isPlain(b[1:n]) {
			*v = string(b[1:n])
			return nil
		}
	}
	return json.Unmarshal(b, v)
}

// appendPlain appends v as encoding/json has it; false when it is nothing plain.
func appendPlain(b []byte, v any) ([]byte, bool) {
	switch v := v.(type) {
	case int:
		return strconv.AppendInt(b, int64(v), 10), true
	case string:
		if isPlain(v) {
			b = append(b, '"')
			b = append(b, v...)
			return append(b, '"'), true
		}
	}
	return b, false
}

// plainInt reads a whole number that surely fits; false when b is anything else.
func plainInt(b []byte) (n int, ok bool) {
	digits := b
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		digits = b[1:]
	}
	const most = strconv.IntSize/4 + 1 // so many digits always fit
	if len(digits) == 0 || len(digits) > most || digits[0] == '0' && len(digits) > 1 {
		return 0, false
	}
	for _, c := range digits {
		if c-'0' > 9 {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

// isPlain says whether a string's bytes stand for themselves in JSON.
func isPlain[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
