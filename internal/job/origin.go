package job

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// origin remembers where the keys of a Spec stand, so that what is found wrong
// later (a field that no item has, a source that cannot be read) can still be
// shown in the job file.
type origin struct {
	file  string
	lines []string        // of the job file
	root  mark            // where the job's mapping begins
	at    map[string]mark // by path: "data.lines", "command[2]"
	flags map[string]bool // paths set by a flag
}

// mark is the place of one key and of its value.
type mark struct {
	file            string // differs from origin.file for a flag
	line, col       int
	valLine, valCol int
	block           bool // the value is a block scalar, it begins on the next line
	flagged         bool
}

func (o *origin) put(path string, m mark) {
	if o.at == nil {
		o.at = map[string]mark{}
	}
	o.at[path] = m
}

func (o *origin) source(line int) string {
	if line < 1 || line > len(o.lines) {
		return ""
	}
	return o.lines[line-1]
}

func (o *origin) has(path string) bool {
	_, ok := o.at[path]
	return ok
}

// place is where the key path stands, or else what it is a part of.
func (o *origin) place(path string) mark {
	for path != "" {
		if m, ok := o.at[path]; ok {
			return m
		}
		path = path[:max(0, strings.LastIndexByte(path, '.'))]
	}
	return o.root
}

// Fault makes an error about the value of a key, named as Keys does, with the
// key's place in the job file, or its flag. It wraps what %w names, as Errorf does.
func (s *Spec) Fault(key, format string, args ...any) *SpecError {
	err := fmt.Errorf(format, args...)
	e := s.from.fault(key, "%v", err)
	e.err = errors.Unwrap(err)
	return e
}

// fault makes an error at the key path, or at the whole job for "".
func (o *origin) fault(path, format string, args ...any) *SpecError {
	m := o.place(path)
	e := &SpecError{File: m.file, Line: m.line, Col: m.col, Msg: fmt.Sprintf(format, args...)}
	if !m.flagged {
		e.Source = o.source(m.line)
	}
	return e
}

// inText makes an error at byte off of the text that path has as its value. In
// a value that the file writes with escapes or folded lines the column cannot
// be told; then the message counts characters.
func (o *origin) inText(path, text string, off int, msg string) *SpecError {
	chars := utf8.RuneCountInString(text[:off])
	m, ok := o.at[path]
	if !ok || m.flagged {
		e := o.fault(path, "%s: %s (character %d)", path, msg, chars+1)
		if ok {
			e.Msg = fmt.Sprintf("%s (character %d)", msg, chars+1)
		}
		return e
	}
	line, col := m.valLine, m.valCol
	begin := strings.LastIndexByte(text[:off], '\n') + 1
	part, _, _ := strings.Cut(text[begin:], "\n")
	src := o.source(line)
	found := false
	if m.block {
		line += 1 + strings.Count(text[:off], "\n")
		src = o.source(line)
		if i := strings.Index(src, part); i >= 0 && strings.TrimSpace(src[:i]) == "" {
			col, found = utf8.RuneCountInString(src[:i])+1, true
		}
	} else if begin == 0 {
		rest := dropRunes(src, col-1)
		if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
			rest, col = rest[1:], col+1
		}
		found = strings.HasPrefix(rest, part)
	}
	if !found {
		e := o.fault(path, "%s: %s (character %d)", path, msg, chars+1)
		e.Line, e.Col, e.Source = m.valLine, m.valCol, o.source(m.valLine)
		return e
	}
	col += utf8.RuneCountInString(text[begin:off])
	return &SpecError{File: m.file, Line: line, Col: col, Msg: path + ": " + msg, Source: src}
}

func dropRunes(s string, n int) string {
	for ; n > 0 && s != ""; n-- {
		_, size := utf8.DecodeRuneInString(s)
		s = s[size:]
	}
	return s
}

func isBlock(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
}
