package job

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// view is an item with the values of the template's fields found in it.
type view struct {
	item   []byte
	values [][]byte // one per field
}

// few is room for the values of a view that most often does.
type few [8][]byte

// look finds the fields of item, all in one pass. The values come into the room v has.
func (t *Template) look(item []byte, v *view) error {
	item = bytes.TrimSpace(item)
	if v.item = item; len(item) == 0 {
		return errors.New("the item is not a JSON value")
	}
	n := len(t.fields)
	if n == 0 {
		return nil
	}
	if n > cap(v.values) {
		v.values = make([][]byte, n)
	}
	v.values = v.values[:n]
	if item[0] != '{' {
		return t.missing(0, item)
	}
	left := n
	err := eachField(item, func(key, value []byte) {
		for i, f := range t.fields {
			if string(key) == f {
				if v.values[i] == nil {
					left--
				}
				v.values[i] = value // the last one wins, as everywhere
			}
		}
	})
	if err != nil {
		return err
	}
	if left > 0 {
		for i := range t.fields {
			if v.values[i] == nil {
				return t.missing(i, item)
			}
		}
	}
	return nil
}

// missing is the error for field i, which item does not have.
func (t *Template) missing(i int, item []byte) error {
	field := t.fields[i]
	p, off := t.where(i)
	if item[0] != '{' {
		e := t.from.inText(p.path, p.text, off, fmt.Sprintf("{%s} asks for a field, but the item is %s and has none", field, describe(item)))
		e.Hint = "{} is the item itself"
		return t.shellVariable(e, p, off, field)
	}
	var names []string
	eachField(item, func(key, _ []byte) { names = append(names, string(key)) })
	msg := fmt.Sprintf("unknown field %q", field)
	if near := nearest(field, names); near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	}
	shown := names[:min(len(names), 12)]
	list := strings.Join(shown, ", ")
	switch {
	case len(names) == 0:
		msg += "; the item has no fields"
	case len(shown) < len(names):
		msg += fmt.Sprintf("; the item has %s and %d more", short(list), len(names)-len(shown))
	default:
		msg += "; the item has " + list
	}
	return t.shellVariable(t.from.inText(p.path, p.text, off, msg), p, off, field)
}

func (t *Template) shellVariable(e *SpecError, p *pattern, off int, field string) error {
	if off > 0 && p.text[off-1] == '$' {
		e.Hint = fmt.Sprintf("a shell variable is written ${{%s}}", field)
	}
	return e
}

// where finds the first replacement of field i.
func (t *Template) where(i int) (*pattern, int) {
	all := t.argv
	if t.shell != nil {
		all = []pattern{*t.shell}
	}
	if t.stdin != nil {
		all = append(all[:len(all):len(all)], *t.stdin)
	}
	for k := range all {
		for _, part := range all[k].parts {
			if part.kind == fieldPart && part.field == i {
				return &all[k], part.off
			}
		}
	}
	return &pattern{}, 0
}

// Expand gives the argument vector of a task, in argv's memory where it is
// large enough. For a shell command it is /bin/sh -c LINE.
func (t *Template) Expand(task int, item []byte, argv []string) ([]string, error) {
	if t.call {
		return nil, errors.New("the job calls a function and has no command")
	}
	var room few
	v := view{values: room[:0]}
	if err := t.look(item, &v); err != nil {
		return nil, err
	}
	argv = argv[:0]
	var text [256]byte
	buf := text[:0]
	if t.shell != nil {
		line, err := t.fill(t.shell, task, &v, buf, true, true)
		return append(argv, "/bin/sh", "-c", string(line)), err
	}
	for i := range t.argv {
		p := &t.argv[i]
		if len(p.parts) == 1 && p.parts[0].kind == literal {
			argv = append(argv, p.parts[0].lit)
			continue
		}
		b, err := t.fill(p, task, &v, buf[:0], false, true)
		if err != nil {
			return nil, err
		}
		argv = append(argv, string(b))
		buf = b
	}
	return argv, nil
}

// Stdin gives the text for the task's standard input; ok is false when the job
// has none.
func (t *Template) Stdin(task int, item []byte) (text string, ok bool, err error) {
	if t.stdin == nil {
		return "", false, nil
	}
	var room few
	v := view{values: room[:0]}
	if err := t.look(item, &v); err != nil {
		return "", false, err
	}
	b, err := t.fill(t.stdin, task, &v, nil, false, false)
	return string(b), err == nil, err
}

// fill appends p with its replacements done.
func (t *Template) fill(p *pattern, task int, v *view, b []byte, quote, arg bool) ([]byte, error) {
	for i := range p.parts {
		part := &p.parts[i]
		raw := v.item
		switch part.kind {
		case literal:
			b = append(b, part.lit...)
			continue
		case taskPart:
			b = strconv.AppendInt(b, int64(task), 10)
			continue
		case fieldPart:
			raw = v.values[part.field]
		}
		from := len(b)
		var err error
		if b, err = appendText(b, raw); err == nil && part.form != asIs {
			if c := raw[0]; c != '"' && c != '-' && (c < '0' || c > '9') {
				err = fmt.Errorf("asks for a path, but the value is %s", describe(raw))
			} else {
				b = formed(b, from, part.form)
			}
		}
		if err == nil && arg && bytes.IndexByte(b[from:], 0) >= 0 {
			err = errors.New("the value holds a NUL character, which no argument can")
		}
		if err != nil {
			end := strings.IndexByte(p.text[part.off:], '}') + 1
			return b, t.from.inText(p.path, p.text, part.off, p.text[part.off:part.off+end]+": "+err.Error())
		}
		if quote {
			b = quoted(b, from)
		}
	}
	return b, nil
}

// quoted puts b[from:] in single quotes for the shell.
func quoted(b []byte, from int) []byte {
	extra := 3 * bytes.Count(b[from:], []byte("'"))
	end := len(b)
	for range extra + 2 {
		b = append(b, '\'')
	}
	w := len(b) - 2
	for r := end - 1; r >= from; r-- {
		if b[r] == '\'' {
			w -= 3
			copy(b[w:], `'\''`)
		} else {
			b[w] = b[r]
		}
		w--
	}
	b[from] = '\''
	return b
}

// formed reduces the path b[from:] to what form asks for.
func formed(b []byte, from int, form pathForm) []byte {
	p := string(b[from:])
	b = b[:from]
	switch form {
	case extless:
		return append(b, withoutExt(p)...)
	case dirOnly:
		return append(b, dirName(p)...)
	case baseExtless:
		return append(b, withoutExt(baseName(p))...)
	}
	return append(b, baseName(p)...)
}

func withoutExt(p string) string {
	name := p[strings.LastIndexByte(p, '/')+1:]
	if i := strings.LastIndexByte(name, '.'); i > 0 && strings.Trim(name[:i], ".") != "" {
		return p[:len(p)-len(name)+i]
	}
	return p
}

func baseName(p string) string {
	cut := strings.TrimRight(p, "/")
	if cut == "" && p != "" {
		return "/"
	}
	return cut[strings.LastIndexByte(cut, '/')+1:]
}

func dirName(p string) string {
	cut := strings.TrimRight(p, "/")
	i := strings.LastIndexByte(cut, '/')
	switch {
	case i < 0 && strings.HasPrefix(p, "/"):
		return "/"
	case i < 0:
		return "."
	}
	if up := strings.TrimRight(cut[:i], "/"); up != "" {
		return up
	}
	return "/"
}
