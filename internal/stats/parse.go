package stats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/lithops-go/lithops/internal/job"
)

// read reads the value that starts at b[i], as it mostly looks, and returns its end. It is not
// ok where parse has to look at it.
func (f *Field) read(b []byte, i int, r *Record) (end int, ok bool) {
	switch at := f.kind.(type) {
	case func(*Record) *Sec:
		ns, end := plainSeconds(b, i)
		if end > i {
			*at(r) = Sec{ns, true}
		}
		return end, end > i && ends(b, end)
	case func(*Record) *Int:
		v, end := plainInt(b, i)
		if end > i {
			*at(r) = Int{v, true}
		}
		return end, end > i && ends(b, end)
	case stateAt:
		const success = `"success"`
		if end = i + len(success); end <= len(b) && string(b[i:end]) == success {
			r.State = job.Success
			return end, ends(b, end)
		}
	}
	return i, false
}

// ends says whether a value that ends at i is all that stands there.
func ends(b []byte, i int) bool { return i < len(b) && (b[i] == ',' || b[i] == '}') }

// parse reads the field's value from raw, one JSON value. null is the zero value;
// number and state of a task cannot be null.
func (f *Field) parse(raw []byte, r *Record) (err error) {
	null := string(raw) == "null"
	switch at := f.kind.(type) {
	case func(*Record) *Int:
		var v Int
		if !null {
			v.V, err = parseInt(raw)
			v.OK = err == nil
		}
		*at(r) = v
	case func(*Record) *Sec:
		var v Sec
		if !null {
			v.NS, err = ParseSeconds(raw)
			v.OK = err == nil
		}
		*at(r) = v
	case func(*Record) *Float:
		var v Float
		if !null {
			v.V, err = parseFloat(raw)
			v.OK = err == nil
		}
		*at(r) = v
	case func(*Record) *Bool:
		yes := string(raw) == "true"
		if !null && !yes && string(raw) != "false" {
			err = fmt.Errorf("not true or false: %.40q", raw)
		}
		*at(r) = Bool{V: yes, OK: !null && err == nil}
	case intAt:
		var v int64
		v, err = parseInt(raw)
		*at(r) = int(v)
	case textAt:
		p := at(r)
		if null {
			*p = ""
		} else if !isQuoted(raw, *p) { // saves the copy when a record is reused
			*p, err = parseString(raw)
		}
	case stateAt:
		r.State, err = parseState(raw)
	case listAt:
		*at(r), err = parseList(raw, null)
	}
	return err
}

func isQuoted(raw []byte, s string) bool {
	return len(raw) == len(s)+2 && raw[0] == '"' && string(raw[1:len(raw)-1]) == s && bytes.IndexByte(raw, '\\') < 0
}

func parseInt(raw []byte) (int64, error) {
	if len(raw) < 18 && len(raw) > 0 {
		v := int64(0)
		for _, c := range raw {
			if c-'0' > 9 {
				v = -1
				break
			}
			v = v*10 + int64(c-'0')
		}
		if v >= 0 {
			return v, nil
		}
	}
	if !isNumber(raw) {
		return 0, fmt.Errorf("not a number: %.40q", raw)
	}
	v, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("not a whole number of 64 bits: %.40q", raw)
	}
	return v, nil
}

func parseFloat(raw []byte) (float64, error) {
	if !isNumber(raw) { // strconv also takes inf, nan, hexadecimals and underscores
		return 0, fmt.Errorf("not a number: %.40q", raw)
	}
	v, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return 0, fmt.Errorf("number out of range: %.40q", raw)
	}
	return v, nil
}

// isNumber says whether raw starts like a JSON number and has only its bytes;
// strconv sees to the rest.
func isNumber(raw []byte) bool {
	if len(raw) == 0 || raw[0] != '-' && raw[0]-'0' > 9 {
		return false
	}
	for _, c := range raw[1:] {
		if c-'0' > 9 && c != '.' && c != 'e' && c != 'E' && c != '+' && c != '-' {
			return false
		}
	}
	return true
}

func parseString(raw []byte) (string, error) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", fmt.Errorf("not a string: %.40q", raw)
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

func parseState(raw []byte) (job.State, error) {
	for s := job.New; s <= job.Lost; s++ { // without the copy that ParseState needs
		if isQuoted(raw, s.String()) {
			return s, nil
		}
	}
	name, err := parseString(raw)
	if err != nil {
		return 0, err
	}
	return job.ParseState(name)
}

func parseList(raw []byte, null bool) ([]float64, error) {
	if null {
		return nil, nil
	}
	if len(raw) < 2 || raw[0] != '[' || raw[len(raw)-1] != ']' {
		return nil, fmt.Errorf("not a list: %.40q", raw)
	}
	raw = raw[1 : len(raw)-1]
	list := make([]float64, 0, 1+bytes.Count(raw, []byte{','}))
	for len(raw) > 0 {
		one, rest, more := bytes.Cut(raw, []byte{','})
		v, err := parseFloat(one)
		if err != nil {
			return nil, err
		}
		if more && len(rest) == 0 {
			return nil, fmt.Errorf("list ends with a comma: %.40q", raw)
		}
		list, raw = append(list, v), rest
	}
	return list, nil
}
