package job

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// field is one key of an object.
type field struct {
	name  string
	flag  flagKind
	typ   string // of the flag's value, as help shows it
	shape shape
	doc   string
}

// object is a mapping with known keys.
type object struct {
	what   string
	fields []field
	need   []string          // keys that must be there
	some   []string          // of which one must be there at least
	one    bool              // exactly one key
	alt    []string          // two keys that exclude each other; Validate asks for one
	with   map[string]string // keys that go with another one only; of the job itself, Validate checks it
	enter  func(s *Spec)     // before the keys
}

func (o object) accepts(n *yaml.Node) bool { return n.Kind == yaml.MappingNode }
func (o object) want() string              { return o.what }

func (o object) names() []string {
	names := make([]string, len(o.fields))
	for i, f := range o.fields {
		names[i] = f.name
	}
	return names
}

func (o object) find(name string) *field {
	for i := range o.fields {
		if o.fields[i].name == name {
			return &o.fields[i]
		}
	}
	return nil
}

func (o object) decode(d *decoder, path string, n *yaml.Node) error {
	if o.enter != nil {
		o.enter(d.spec)
	}
	first := ""
	seen := map[string]bool{}
	err := d.pairs(n, path, 0, func(key string, k, v *yaml.Node) error {
		f := o.find(key)
		if f == nil {
			return d.fault(k, "%s", unknownKey(Keys(), path, key, o.names()))
		}
		if o.one && first != "" {
			return d.fault(k, "%s has two sources, %s and %s: keep one", path, first, key)
		}
		if slices.Contains(o.alt, key) && slices.ContainsFunc(o.alt, func(other string) bool { return seen[other] }) {
			return d.fault(k, contradiction)
		}
		first, seen[key] = key, true
		at := strings.TrimPrefix(path+"."+key, ".")
		d.mark(at, k, v)
		return d.as(f.shape, at, v)
	})
	if err != nil {
		return err
	}
	for _, name := range o.need {
		if !seen[name] {
			return d.fault(n, "%s has no %q", path, name)
		}
	}
	if len(o.some) > 0 && !slices.ContainsFunc(o.some, func(name string) bool { return seen[name] }) {
		return d.fault(n, "%s has no %q", path, o.some[0])
	}
	for _, f := range o.fields {
		if other, ok := o.with[f.name]; ok && path != "" && seen[f.name] && !seen[other] {
			return d.fault(n, "%s has no %q, which %s is for", path, other, f.name)
		}
	}
	if o.one && first == "" {
		return d.fault(n, "%s has no source; it must have one of %s", path, oneOf(o.names()))
	}
	return nil
}

// contradiction is the error for a job with both.
const contradiction = "command and function contradict each other: keep one"

// mark remembers where the key k and its value v stand.
func (d *decoder) mark(path string, k, v *yaml.Node) {
	d.spec.from.put(path, mark{
		file: d.file, flagged: d.flag, line: k.Line, col: k.Column,
		valLine: v.Line, valCol: v.Column, block: isBlock(v),
	})
}

func (o object) schema() schema {
	props := schema{}
	for _, f := range o.fields {
		p := f.shape.schema()
		p["description"] = f.doc
		props[f.name] = p
	}
	s := schema{"type": "object", "properties": props, "additionalProperties": false}
	if len(o.need) > 0 {
		s["required"] = o.need
	}
	if o.one {
		s["minProperties"], s["maxProperties"] = 1, 1
	}
	for word, keys := range map[string][]string{"oneOf": o.alt, "anyOf": o.some} {
		var all []any
		for _, key := range keys {
			all = append(all, schema{"required": []string{key}})
		}
		if all != nil {
			s[word] = all
		}
	}
	if len(o.with) > 0 {
		all := schema{}
		for key, other := range o.with {
			all[key] = []string{other}
		}
		s["dependentRequired"] = all
	}
	return s
}

// values is a list of any values.
type values struct{ set func(s *Spec, v Items) }

func (v values) accepts(n *yaml.Node) bool { return n.Kind == yaml.SequenceNode }
func (v values) want() string              { return "a list" }
func (v values) schema() schema            { return schema{"type": "array"} }

func (v values) decode(d *decoder, path string, n *yaml.Node) error {
	items := make(Items, len(n.Content))
	for i, c := range n.Content {
		b, err := d.appendValue(nil, c, 1)
		if err != nil {
			return err
		}
		items[i] = b
	}
	v.set(d.spec, items)
	return nil
}

// axes is a mapping of names to lists of values, in the order written.
type axes struct{}

func (axes) accepts(n *yaml.Node) bool { return n.Kind == yaml.MappingNode }
func (axes) want() string              { return "a mapping of names to lists" }

func (axes) schema() schema {
	return schema{"type": "object", "minProperties": 1, "additionalProperties": values{}.schema()}
}

func (axes) decode(d *decoder, path string, n *yaml.Node) error {
	all := []Axis{}
	err := d.pairs(n, path, 0, func(key string, _, v *yaml.Node) error {
		return d.as(values{func(_ *Spec, items Items) {
			all = append(all, Axis{Name: key, Values: items})
		}}, path+"."+short(key), v)
	})
	if err == nil && len(all) == 0 {
		return d.fault(n, "%s is empty", path)
	}
	d.spec.Data = Data{Matrix: all}
	return err
}

// environ is a mapping of names to texts.
type environ struct{}

func (environ) accepts(n *yaml.Node) bool { return n.Kind == yaml.MappingNode }
func (environ) want() string              { return "a mapping of names to texts" }

const envPattern = `^[^=\x00]+$`

func (environ) schema() schema {
	return schema{
		"type": "object", "propertyNames": schema{"pattern": envPattern},
		"additionalProperties": schema{"type": []string{"string", "number"}},
	}
}

func (environ) decode(d *decoder, path string, n *yaml.Node) error {
	return d.pairs(n, path, 0, func(key string, k, v *yaml.Node) error {
		if key == "" || strings.ContainsAny(key, "=\x00") {
			return d.fault(k, "%q cannot be the name of a variable", short(key))
		}
		if r, err := d.resolve(v, 0); err != nil {
			return err
		} else if scalar(r, "!!bool") {
			e := d.fault(v, "%s.%s must be text, not %s", path, short(key), r.Value)
			e.Hint = fmt.Sprintf("write %q in quotes: programs differ in what they take for true", r.Value)
			return e
		}
		return d.as(text{words: true, empty: true, set: func(s *Spec, v string) error {
			if s.Env == nil {
				s.Env = map[string]string{}
			}
			s.Env[key] = v
			return nil
		}}, path+"."+short(key), v)
	})
}
