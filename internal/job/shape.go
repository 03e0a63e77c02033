package job

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// shape is the form of a value in the job file: what it accepts, how it enters
// the Spec, and its JSON Schema. The decoder and the schema cannot drift apart,
// because a key has one shape for both.
type shape interface {
	accepts(n *yaml.Node) bool // by kind and tag alone
	decode(d *decoder, path string, n *yaml.Node) error
	schema() schema
	want() string // for "must be …"
}

type schema = map[string]any

// mistyped is the error for a node that shape does not accept.
func (d *decoder) mistyped(path string, n, at *yaml.Node, want string) error {
	if scalar(n, "!!null") {
		return d.fault(at, "%s is empty; it must be %s", path, want)
	}
	e := d.fault(at, "%s must be %s, not %s", path, want, kindOf(n))
	if n.Kind == yaml.ScalarNode && strings.Contains(want, "text") && n.ShortTag() != "!!str" {
		e.Hint = "a number, or true or false, that is meant as text needs quotes"
	}
	return d.quoteHint(n, e)
}

// as decodes n, an alias perhaps, in shape sh.
func (d *decoder) as(sh shape, path string, n *yaml.Node) error {
	at := n
	n, err := d.resolve(n, strings.Count(path, "."))
	if err != nil {
		return err
	}
	if !sh.accepts(n) {
		return d.mistyped(path, n, at, sh.want())
	}
	return sh.decode(d, path, n)
}

func scalar(n *yaml.Node, tags ...string) bool {
	return n.Kind == yaml.ScalarNode && slices.Contains(tags, n.ShortTag())
}

func isText(n *yaml.Node) bool   { return scalar(n, "!!str", "!!timestamp", "!!merge") }
func isNumber(n *yaml.Node) bool { return scalar(n, "!!int", "!!float") }

// text is a string. What is valid is told by pattern for the schema, and by set.
type text struct {
	words bool   // numbers, true and false are taken as they are written
	empty bool   // may be empty
	like  string // what it must be; default "text"
	form  *form
	what  string // the form in words
	set   func(s *Spec, v string) error
}

func (t text) accepts(n *yaml.Node) bool {
	return isText(n) || t.words && (isNumber(n) || scalar(n, "!!bool"))
}

func (t text) want() string { return orElse(t.like, "text") }

func (t text) decode(d *decoder, path string, n *yaml.Node) error {
	if n.Value == "" && !t.empty {
		return d.fault(n, "%s is empty", path)
	}
	if strings.ContainsRune(n.Value, 0) {
		return d.fault(n, "%s holds a NUL character", path)
	}
	if t.form != nil && !t.form.MatchString(n.Value) {
		return d.fault(n, "%s must be %s, not %q", path, t.what, short(n.Value))
	}
	if err := t.set(d.spec, n.Value); err != nil {
		return d.fault(n, "%s %v", path, err)
	}
	return nil
}

func (t text) schema() schema {
	s := schema{"type": "string"}
	if t.words {
		s["type"] = []string{"string", "number", "boolean"}
	}
	if !t.empty {
		s["minLength"] = 1
	}
	if t.form != nil {
		s["pattern"] = t.form.String()
	}
	return s
}

// choice is one of a few words.
type choice struct {
	names []string
	set   func(s *Spec, v string)
}

func (c choice) accepts(n *yaml.Node) bool { return isText(n) }
func (c choice) want() string              { return oneOf(c.names) }
func (c choice) schema() schema            { return schema{"enum": c.names} }

func (c choice) decode(d *decoder, path string, n *yaml.Node) error {
	if !slices.Contains(c.names, n.Value) {
		e := d.fault(n, "%s must be %s, not %q", path, oneOf(c.names), short(n.Value))
		if near := nearest(n.Value, c.names); near != "" {
			e.Msg += fmt.Sprintf("; did you mean %q?", near)
		}
		return e
	}
	c.set(d.spec, n.Value)
	return nil
}

func oneOf(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// whole is an integer within bounds.
type whole struct {
	min, max int64
	nonzero  bool
	set      func(s *Spec, v int64)
}

// An integer too large for YAML's own is out of range, and not of another type.
func (w whole) accepts(n *yaml.Node) bool {
	return scalar(n, "!!int") || scalar(n, "!!float") && wholeForm.MatchString(n.Value)
}

func (w whole) want() string { return "a whole number" }

func (w whole) schema() schema {
	s := schema{"type": "integer", "minimum": w.min, "maximum": w.max}
	if w.nonzero {
		s["not"] = schema{"const": 0}
	}
	return s
}

func (w whole) decode(d *decoder, path string, n *yaml.Node) error {
	num, msg := number(n.Value)
	if msg != "" {
		return d.fault(n, "%s: %s", path, msg)
	}
	v, err := strconv.ParseInt(num, 10, 64)
	switch {
	case v < w.min && w.min == 0:
		return d.fault(n, "%s must not be negative", path)
	case err != nil || v < w.min || v > w.max:
		return d.fault(n, "%s is out of range: %s", path, short(n.Value))
	}
	if v == 0 && w.nonzero {
		return d.fault(n, "%s must not be 0", path)
	}
	w.set(d.spec, v)
	return nil
}

// measure is a number, or a text of a certain form: a duration, a size.
type measure struct {
	what    string
	integer bool // the number must be whole
	max     float64
	form    *form
	set     func(s *Spec, v string) error
}

func (m measure) accepts(n *yaml.Node) bool {
	return isText(n) || scalar(n, "!!int") || !m.integer && scalar(n, "!!float")
}

func (m measure) want() string { return m.what }

func (m measure) schema() schema {
	num := schema{"type": "number", "minimum": 0, "maximum": m.max}
	if m.integer {
		num["type"] = "integer"
	}
	return schema{"anyOf": []any{num, schema{"type": "string", "pattern": m.form.String()}}}
}

func (m measure) decode(d *decoder, path string, n *yaml.Node) error {
	v := n.Value
	if isNumber(n) {
		num, msg := number(v)
		if msg != "" {
			return d.fault(n, "%s: %s", path, msg)
		}
		v = num
	}
	if err := m.set(d.spec, v); err != nil {
		return d.fault(n, "%s %v", path, err)
	}
	return nil
}

// texts is a list of strings.
type texts struct {
	each text
	min  int
	// mark remembers the place of each element, for errors inside it.
	mark bool
	what string // in errors, where "a list of texts" does not say enough
	set  func(s *Spec, v []string) error
}

func (t texts) accepts(n *yaml.Node) bool { return n.Kind == yaml.SequenceNode }
func (t texts) want() string              { return cmp.Or(t.what, "a list of texts") }

func (t texts) schema() schema {
	s := schema{"type": "array", "items": t.each.schema()}
	if t.min > 0 {
		s["minItems"] = t.min
	}
	return s
}

func (t texts) decode(d *decoder, path string, n *yaml.Node) error {
	if len(n.Content) < t.min {
		return d.fault(n, "%s is empty", path)
	}
	all := make([]string, 0, len(n.Content))
	one := t.each
	one.set = func(_ *Spec, v string) error { all = append(all, v); return nil }
	for i, c := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		if t.mark {
			d.mark(at, c, c)
		}
		if err := d.as(one, at, c); err != nil {
			return err
		}
	}
	if err := t.set(d.spec, all); err != nil {
		return d.fault(n, "%s %v", path, err)
	}
	return nil
}

// callee is a function: FILE:NAME or the path of a program.
type callee struct{ set func(s *Spec, f Function) }

func (c callee) accepts(n *yaml.Node) bool { return isText(n) }
func (c callee) want() string              { return "a function such as example.py:my_function" }

func (c callee) decode(d *decoder, path string, n *yaml.Node) error {
	f, msg, such := parseFunction(n.Value)
	if msg != "" {
		e := d.fault(n, "%s %s", path, msg)
		e.Hint = suchAs(path, such)
		if d.flag {
			e.Hint = "such as " + d.file + " " + such
		}
		return e
	}
	c.set(d.spec, f)
	return nil
}

// suchAs is a hint with an example of the key path.
func suchAs(path, value string) string {
	return "such as " + path[strings.LastIndexByte(path, '.')+1:] + ": " + value
}

// What a callee may be, as far as regular expressions of all kinds can say it:
// what is no ASCII is taken for a letter.
const (
	pythonPattern     = `^[^\x00-\x1f\x7f]*\.[pP][yY]:` + pythonName + `(\.` + pythonName + `)*$`
	pythonName        = "[^\\x00-@\\[-^`{-\\x7f][^\\x00-/:-@\\[-^`{-\\x7f]*"
	javaScriptPattern = "^[^\\x00-\\x1f\\x7f]*\\.[cCmM]?[jJ][sS]:[^\\x00-#%-@\\[-^`{-\\x7f][^\\x00-#%-/:-@\\[-^`{-\\x7f]*$"
	programPattern    = `^[^\x00-\x1f\x7f]*/[^:/\x00-\x1f\x7f]*$`
	noProgramPattern  = `\.([pP][yY]|[cCmM]?[jJ][sS])(:[^:]*)?$`
)

func (c callee) schema() schema {
	return schema{"type": "string", "anyOf": []any{
		schema{"pattern": pythonPattern}, schema{"pattern": javaScriptPattern},
		schema{"pattern": programPattern, "not": schema{"pattern": noProgramPattern}},
	}}
}

// either takes the first shape that accepts the node's kind.
type either []shape

func (e either) accepts(n *yaml.Node) bool { return e.pick(n) != nil }

func (e either) pick(n *yaml.Node) shape {
	for _, s := range e {
		if s.accepts(n) {
			return s
		}
	}
	return nil
}

func (e either) want() string {
	var all []string
	for _, s := range e {
		all = append(all, s.want())
	}
	return oneOf(all)
}

func (e either) decode(d *decoder, path string, n *yaml.Node) error {
	return e.pick(n).decode(d, path, n)
}

func (e either) schema() schema {
	var all []any
	for _, s := range e {
		all = append(all, s.schema())
	}
	return schema{"anyOf": all}
}
