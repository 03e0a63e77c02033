package job

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Template is a job's command and standard input, compiled once and filled in
// for each task. It may be used by several goroutines at a time. That of a
// function has nothing to fill in: it takes every item, and cannot be expanded.
//
// Replacements are
//
//	{}  the item            {#}   the number of the task, from 0
//	{.} without extension   {/}   base name
//	{//} directory          {/.}  base name without extension
//	{field}                 a field of an object or of a CSV row
//	{field.} {field/} {field//} {field/.}   the same forms of a field
//
// A field is written with letters, digits, _ and -, and begins with a letter or
// _. {{ and }} are literal braces. Any other brace is an error, never literal:
// which braces of `awk '{print $1}'` or ${HOME} are meant would be a guess, and
// a wrong guess runs a million wrong commands.
//
// A text replaces as it is, a number with the digits it was written with; true,
// false and null are these words; lists and objects are compact JSON. The path
// forms are for texts and numbers only. They work as dirname(1) and
// basename(1) do; the dot of a hidden file (.profile) does not begin an
// extension.
//
// In a command for /bin/sh each value is put in single quotes, so that it is
// one word whatever is in it. Where quotes do not protect it, a replacement is
// an error: inside quotes, backticks, arithmetic, ${…}, comments and
// here-documents, and after $ or \. The task's number is digits only and may
// stand anywhere but after $ or \.
type Template struct {
	argv   []pattern
	shell  *pattern
	stdin  *pattern
	fields []string // distinct names, in order of appearance
	forms  bool     // some replacement does not take every value
	call   bool     // of a function, which is given the item itself
	from   origin
}

// pattern is one text with its replacements.
type pattern struct {
	path  string // its key, for errors
	text  string
	parts []part
}

type partKind uint8

const (
	literal partKind = iota
	itemPart
	fieldPart
	taskPart
)

// pathForm is what of a path replaces.
type pathForm uint8

const (
	asIs pathForm = iota
	extless
	baseOnly
	dirOnly
	baseExtless
)

type part struct {
	kind  partKind
	form  pathForm
	lit   string
	field int // index in Template.fields
	off   int // of the brace in the text
}

// NewTemplate compiles the command and stdin of s. Errors are *SpecError with
// the place of the brace in the job file.
func NewTemplate(s *Spec) (*Template, error) {
	t := &Template{from: s.from, call: s.Function != Function{}}
	if t.call {
		return t, nil
	}
	for i, arg := range s.Command.Argv {
		p, err := t.compile(fmt.Sprintf("command[%d]", i), arg, false)
		if err != nil {
			return nil, err
		}
		t.argv = append(t.argv, *p)
	}
	var err error
	if s.Command.Argv == nil {
		if t.shell, err = t.compile("command", s.Command.Shell, true); err != nil {
			return nil, err
		}
	}
	if s.Stdin != nil {
		if t.stdin, err = t.compile("stdin", *s.Stdin, false); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// replaces says whether the command has any replacement.
func (t *Template) replaces() bool {
	for _, p := range t.argv {
		for _, part := range p.parts {
			if part.kind != literal {
				return true
			}
		}
	}
	return false
}

const replacements = "replacements are {}, {field}, {#}, {.}, {/}, {//}, {/.} and {field.}, {field/}, {field//}, {field/.}"

// compile splits text into parts; for a shell it also checks that a quoted
// value can stand at each replacement.
func (t *Template) compile(path, text string, shell bool) (*pattern, error) {
	p := &pattern{path: path, text: text}
	fail := func(off int, hint, format string, args ...any) error {
		e := t.from.inText(path, text, off, fmt.Sprintf(format, args...))
		e.Hint = hint
		return e
	}
	if strings.IndexByte(text, 0) >= 0 && path != "stdin" {
		return nil, fail(strings.IndexByte(text, 0), "", "NUL character in a command")
	}
	if at := invalidAt(text); at < len(text) && path == "stdin" {
		return nil, fail(at, "", "not valid UTF-8")
	}
	var lex lexer
	var lit []byte
	flush := func() {
		if len(lit) > 0 {
			p.parts = append(p.parts, part{kind: literal, lit: string(lit)})
			lit = lit[:0]
		}
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '{' && c != '}' || i+1 < len(text) && text[i+1] == c {
			if c == '{' || c == '}' {
				i++
			}
			lit = append(lit, c)
			lex.step(c)
			continue
		}
		if c == '}' {
			return nil, fail(i, "a literal brace is written }}", "} without {")
		}
		end := strings.IndexAny(text[i+1:], "{}")
		if end < 0 || text[i+1+end] != '}' {
			return nil, fail(i, "a literal brace is written {{; "+replacements, "{ without }")
		}
		name := text[i+1 : i+1+end]
		part, ok := t.replacement(name)
		part.off = i
		if !ok {
			return nil, fail(i, fmt.Sprintf("literal braces are written {{%s}}; %s", short(name), replacements), "{%s} is not a replacement", short(name))
		}
		if shell {
			if msg, hint := lex.replace(part.kind == taskPart, name); msg != "" {
				return nil, fail(i, hint, "{%s} %s", name, msg)
			}
		}
		flush()
		p.parts = append(p.parts, part)
		t.forms = t.forms || part.form != asIs
		i += end + 1
	}
	flush()
	return p, nil
}

// replacement reads what stands between the braces.
func (t *Template) replacement(name string) (part, bool) {
	if name == "#" {
		return part{kind: taskPart}, true
	}
	field, p := name, part{kind: itemPart}
	for i, r := range name {
		if !unicode.IsLetter(r) && r != '_' && (i == 0 || r != '-' && !unicode.IsDigit(r)) || r == utf8.RuneError {
			field = name[:i]
			break
		}
	}
	switch name[len(field):] {
	case "":
	case ".":
		p.form = extless
	case "/":
		p.form = baseOnly
	case "//":
		p.form = dirOnly
	case "/.":
		p.form = baseExtless
	default:
		return p, false
	}
	if field == "" {
		return p, true
	}
	p.kind = fieldPart
	for i, f := range t.fields {
		if f == field {
			p.field = i
			return p, true
		}
	}
	p.field = len(t.fields)
	t.fields = append(t.fields, field)
	return p, true
}

// Check tells whether item has what the template asks for, before any task
// runs. Its errors are *SpecError with the place of the replacement; the caller
// adds which item it is.
func (t *Template) Check(item json.RawMessage) error {
	if t.call {
		return nil
	}
	var room few
	v := view{values: room[:0]}
	if err := t.look(item, &v); err != nil {
		return err
	}
	// Rare and only to be found by doing it: path forms of what is no path,
	// characters that an argument cannot hold.
	if !t.forms && !escapesNUL(item) {
		return nil
	}
	if _, err := t.Expand(0, item, nil); err != nil {
		return err
	}
	_, _, err := t.Stdin(0, item)
	return err
}
