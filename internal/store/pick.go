package store

import (
	"bytes"

	"github.com/lithops-go/lithops/internal/stats"
)

// picker reads a few keys of many lines. Lines of one segment look alike: a key
// stands about where it stood in the line before, so most of a line need not be
// looked at. Safe for concurrent use.
type picker struct {
	keys  stats.KeySet
	names [][]byte // `,"key":` of the keys in a worker's line, in its order; nil: too many to pick
}

// pickMost is how many keys are picked; for more it is faster to go through the line.
const pickMost = 24

func newPicker(keys stats.KeySet) *picker {
	p := &picker{keys: readKeys(keys)}
	for _, f := range stats.Fields() {
		if f.Owner == stats.ByWorker && p.keys.Has(f.Key) && f.Key != "task" && f.Key != "attempt" {
			p.names = append(p.names, []byte(`,"`+f.Key+`":`))
		}
	}
	if len(p.names) > pickMost {
		p.names = nil
	}
	return p
}

// picked is where the keys of the last line stood, and room for a short line.
type picked struct {
	gaps []int // from the end of one picked key's value to the next
	line []byte
}

// parse reads the keys of obj into r.
func (p *picker) parse(obj []byte, last *picked, r *stats.Record) error {
	if short, ok := p.pick(obj, last); ok {
		obj = short
	}
	return stats.ParseKeys(obj, r, p.keys)
}

// pick makes an object of the keys that are wanted and there. It is not ok when one has
// no value. No text in a line can look like a key: quotes
// in it are escaped.
func (p *picker) pick(obj []byte, last *picked) (short []byte, ok bool) {
	if p.names == nil {
		return nil, false
	}
	if last.gaps == nil {
		last.gaps = make([]int, len(p.names))
	}
	at := bytes.IndexByte(obj, ',') + 1
	at += bytes.IndexByte(obj[at:], ',') // after task and attempt
	short = append(last.line[:0], obj[:at]...)
	for i, name := range p.names {
		const drift = 12
		from := min(at+max(0, last.gaps[i]-drift), len(obj))
		n := bytes.Index(obj[from:min(len(obj), from+2*drift+len(name))], name)
		if n < 0 {
			from = at
			if n = bytes.Index(obj[at:], name); n < 0 {
				continue // null
			}
		}
		from += n
		last.gaps[i] = from - at
		value := from + len(name)
		n = pickedEnd(obj[value:])
		if n < 0 {
			return nil, false
		}
		at = value + n
		short = append(short, obj[from:at]...)
	}
	last.line = append(short, '}')
	return last.line, true
}

// pickedEnd is the length of the value that b starts with, or -1.
func pickedEnd(b []byte) int {
	if len(b) == 0 {
		return -1
	}
	switch b[0] {
	case '[':
		return bytes.IndexByte(b, ']') + 1
	case '"':
		return stats.StringEnd(b, 0)
	}
	for i, c := range b {
		if c == ',' || c == '}' {
			return i
		}
	}
	return -1
}
