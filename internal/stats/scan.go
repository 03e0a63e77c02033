package stats

import (
	"bytes"
	"fmt"
)

// Parse reads a JSON object into r: keys it does not know are skipped, keys that
// are missing leave r as it is. Text is copied, so line may be reused.
//
// The object is flat and has no white space between its tokens, as AppendJSON
// writes it; a key it does not know may hold any value.
func Parse(line []byte, r *Record) error { return ParseKeys(line, r, everyKey) }

var everyKey = AllKeys()

// ParseKeys is Parse for the keys in want. The values of all others are stepped
// over: their ends are found, but what they say is not looked at, so a line with
// a bad value under a key that is not wanted is no error.
func ParseKeys(line []byte, r *Record, want KeySet) error {
	if len(line) < 2 || line[0] != '{' {
		return damagedAt(0)
	}
	if len(line) == 2 && line[1] == '}' {
		return nil
	}
	next := 0
	for i := 1; ; i++ {
		at, from := next, keyIs(line, i, next)
		if from < 0 {
			if from = keyEnd(line, i); from < 0 {
				return damagedAt(i)
			}
			at = fieldAt(line[i+1:from-2], next)
		}
		end, done := 0, false
		wanted := at >= 0 && want.has(at)
		if wanted {
			end, done = fields[at].read(line, from, r)
		}
		if !done {
			if end = valueEnd(line, from); end <= from || end >= len(line) {
				return damagedAt(from)
			}
		}
		if wanted && !done {
			if err := fields[at].parse(line[from:end], r); err != nil {
				return fmt.Errorf("key %s: %w", fields[at].Key, err)
			}
		}
		if at >= 0 {
			next = at + 1
		}
		switch {
		case line[end] == ',':
			i = end
		case line[end] == '}' && end == len(line)-1:
			return nil
		default:
			return damagedAt(end)
		}
	}
}

func damagedAt(i int) error { return fmt.Errorf("%w: no JSON object at byte %d", ErrDamaged, i) }

// keyIs is the index of the value if the key that starts at b[i] is that of field
// next, else -1. Lines are written in the table's order, so mostly it is, and its
// end need not be looked for.
func keyIs(b []byte, i, next int) int {
	if next >= len(fields) {
		return -1
	}
	key := fields[next].Key
	end := i + 1 + len(key)
	if end+1 >= len(b) || b[end] != '"' || b[end+1] != ':' || b[i] != '"' || string(b[i+1:end]) != key {
		return -1
	}
	return end + 2
}

// fieldAt is the index of the field named key, or -1. It looks from field next on
// before it asks the map.
func fieldAt(key []byte, next int) int {
	for ; next < len(fields); next++ {
		if fields[next].Key == string(key) {
			return next
		}
	}
	if i, known := byKey[string(key)]; known {
		return i
	}
	return -1
}

// keyEnd is the index of the value after the `"key":` that starts at b[i], or -1.
func keyEnd(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	end := StringEnd(b, i)
	if end < 0 || end >= len(b) || b[end] != ':' {
		return -1
	}
	return end + 1
}

// StringEnd is the index after the JSON string that starts at b[i], or -1.
func StringEnd(b []byte, i int) int {
	n := bytes.IndexByte(b[i+1:], '"')
	if n < 0 {
		return -1
	}
	if end := i + 1 + n; b[end-1] != '\\' {
		return end + 1
	}
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// scalar marks the bytes of numbers and of true, false and null.
var scalar = func() (is [256]bool) {
	for _, c := range "+-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		is[c] = true
	}
	return is
}()

// valueEnd is the index after the value that starts at b[i], or -1; it equals i
// when there is none.
func valueEnd(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return StringEnd(b, i)
	case '[', '{':
		return nestedEnd(b, i)
	}
	for i < len(b) && scalar[b[i]] {
		i++
	}
	return i
}

func nestedEnd(b []byte, i int) int {
	for depth := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			end := StringEnd(b, i)
			if end < 0 {
				return -1
			}
			i = end - 1
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
