package stats

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// How figures stand in JSON outside of a Record, in a Summary for example: in
// base units, null when unknown.

// Nullable is a text; "" is null.
type Nullable string

// MarshalJSON writes the text or null.
func (s Nullable) MarshalJSON() ([]byte, error) {
	if s == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(s))
}

// MarshalJSON writes a whole number or null.
func (v Int) MarshalJSON() ([]byte, error) {
	if !v.OK {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, v.V, 10), nil
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (v *Int) UnmarshalJSON(b []byte) (err error) {
	if *v = (Int{}); isNull(b) {
		return nil
	}
	v.V, err = parseInt(b)
	v.OK = err == nil
	return err
}

// MarshalJSON writes decimal seconds, exactly, or null.
func (s Sec) MarshalJSON() ([]byte, error) { return s.append(nil), nil }

// UnmarshalJSON is the inverse of MarshalJSON.
func (s *Sec) UnmarshalJSON(b []byte) (err error) {
	if *s = (Sec{}); isNull(b) {
		return nil
	}
	s.NS, err = ParseSeconds(b)
	s.OK = err == nil
	return err
}

// MarshalJSON writes the shortest number that reads back the same, or null.
func (v Float) MarshalJSON() ([]byte, error) {
	if !v.OK {
		return []byte("null"), nil
	}
	return json.Marshal(v.V)
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (v *Float) UnmarshalJSON(b []byte) (err error) {
	if *v = (Float{}); isNull(b) {
		return nil
	}
	v.V, err = parseFloat(b)
	v.OK = err == nil
	return err
}

// MarshalJSON writes true, false or null.
func (v Bool) MarshalJSON() ([]byte, error) {
	if !v.OK {
		return []byte("null"), nil
	}
	return strconv.AppendBool(nil, v.V), nil
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (v *Bool) UnmarshalJSON(b []byte) (err error) {
	if *v = (Bool{}); isNull(b) {
		return nil
	}
	err = json.Unmarshal(b, &v.V)
	v.OK = err == nil
	return err
}

func isNull(b []byte) bool { return bytes.Equal(b, []byte("null")) }
