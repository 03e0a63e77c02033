package stats

import "bytes"

// Picker reads keys of many lines, faster than ParseKeys does: lines of one file look
// alike, so what the line before had, and where, is tried first. Safe for concurrent
// use.
type Picker struct {
	want KeySet
	keys []pickedKey // in the order of a line, without task and attempt
	jump bool
}

type pickedKey struct {
	name   []byte // ,"key":
	field  *Field
	wanted bool
}

// Layout is what a Picker keeps of the line before. The zero value is of none.
type Layout struct{ had []hadKey }

// hadKey is a key that was there.
type hadKey struct {
	key int // in Picker.keys
	gap int // from the end of the one before
}

// jumpMost is how many keys are jumped to; for more it is faster to go through the line.
const jumpMost = 24

// NewPicker makes a picker for lines of a worker. Where few keys are wanted it looks for these
// alone: of others, and what else is in a line, it sees nothing.
func NewPicker(want KeySet) *Picker {
	p := &Picker{want: want}
	p.list(workerKeys, true)
	if p.jump = len(p.keys) <= jumpMost; !p.jump {
		p.list(workerKeys, false)
	}
	return p
}

// NewHostPicker makes a picker for all keys of lines of the host.
func NewHostPicker() *Picker {
	p := &Picker{want: everyKey}
	p.list(hostKeys, false)
	return p
}

func (p *Picker) list(keys []int, only bool) {
	p.keys = nil
	for _, i := range keys {
		if wanted := p.want.has(i); (wanted || !only) && fields[i].Key != "task" && fields[i].Key != "attempt" {
			p.keys = append(p.keys, pickedKey{[]byte(commaKeys[i]), &fields[i], wanted})
		}
	}
}

// Parse reads the keys of an unsealed line into r. Those that the line begins with, task and
// attempt, end at obj[at] and are in r already. Keys that are missing leave r as it is.
func (p *Picker) Parse(obj []byte, at int, l *Layout, r *Record) error {
	if ends(obj, at) && p.follow(obj, at, l, r) {
		return nil
	}
	return ParseKeys(obj, r, p.want)
}

// follow reads a line by the layout of the line before, and learns it anew from where it
// differs. It is not ok where the line is none of ours.
func (p *Picker) follow(obj []byte, at int, l *Layout, r *Record) (ok bool) {
	from := 0 // keys before are done with
	for n := range l.had {
		had := &l.had[n]
		key := &p.keys[had.key]
		start := at + had.gap
		if !bytes.HasPrefix(obj[min(start, len(obj)):], key.name) {
			if start = p.near(obj, at, had.gap, key.name); start < 0 {
				return p.learn(obj, at, from, n, l, r)
			}
			had.gap = start - at
		}
		if start > at && p.any(from, had.key, obj[at:start]) {
			return p.learn(obj, at, from, n, l, r)
		}
		if at, ok = key.read(obj, start+len(key.name), r); !ok {
			return false
		}
		from = had.key + 1
	}
	switch {
	case at == len(obj)-1 && obj[at] == '}':
		return true
	case p.jump && !p.any(from, len(p.keys), obj[at:]):
		return true
	}
	return p.learn(obj, at, from, len(l.had), l, r)
}

// near looks for a key near where it was.
func (p *Picker) near(obj []byte, at, gap int, name []byte) int {
	if !p.jump {
		return -1
	}
	const drift = 12
	from := min(at+max(0, gap-drift), len(obj))
	n := bytes.Index(obj[from:min(len(obj), from+2*drift+len(name))], name)
	if n < 0 {
		return -1
	}
	return from + n
}

// any says whether one of the keys from..to-1 is in b. No text in a line can look
// like a key: quotes in it are escaped.
func (p *Picker) any(from, to int, b []byte) bool {
	for _, key := range p.keys[from:to] {
		if bytes.Contains(b, key.name) {
			return true
		}
	}
	return false
}

// learn reads the rest of a line, of which n keys are read, into l as well.
func (p *Picker) learn(obj []byte, at, from, n int, l *Layout, r *Record) (ok bool) {
	l.had = l.had[:n]
	for k := from; k < len(p.keys); k++ {
		key, gap := &p.keys[k], 0
		if p.jump {
			gap = bytes.Index(obj[at:], key.name)
		} else if !bytes.HasPrefix(obj[at:], key.name) {
			gap = -1
		}
		if gap < 0 {
			continue // null
		}
		if at, ok = key.read(obj, at+gap+len(key.name), r); !ok {
			return false
		}
		l.had = append(l.had, hadKey{k, gap})
	}
	return p.jump || at == len(obj)-1 && obj[at] == '}'
}

// read reads the value that starts at b[i], if it is wanted, and returns its end.
func (k *pickedKey) read(b []byte, i int, r *Record) (end int, ok bool) {
	if k.wanted {
		if end, ok = k.field.read(b, i, r); ok {
			return end, true
		}
	}
	if end = valueEnd(b, i); end <= i || !ends(b, end) {
		return end, false
	}
	return end, !k.wanted || k.field.parse(b[i:end], r) == nil
}
