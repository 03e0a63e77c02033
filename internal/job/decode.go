package job

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxDepth bounds how deep values nest; Python's JSON decoder gives up at 1000.
const maxDepth = 500

// aliasBudget bounds what aliases may multiply a job file to, in bytes.
const aliasBudget = 16 << 20

// Parse reads a job file strictly and resolves it: Read, then Validate. Errors
// are *SpecError.
func Parse(filename string, src []byte) (*Spec, error) {
	s, err := Read(filename, src)
	if err != nil {
		return nil, err
	}
	return s, s.Validate()
}

// Read is Parse without the checks that need the whole job (is there a command,
// is there data, is the template sound), so that flags can be set on the result
// before Validate. The file name "-" stands for standard input; the job's
// directory is then the current one.
func Read(filename string, src []byte) (*Spec, error) {
	abs, err := filepath.Abs(filename)
	if err != nil {
		return nil, &SpecError{File: filename, Msg: err.Error(), err: err}
	}
	s := &Spec{Dir: filepath.Dir(abs)}
	s.from = origin{file: filename, root: mark{file: filename}}
	d := &decoder{spec: s, file: filename, budget: 2*len(src) + aliasBudget}
	src = bytes.TrimPrefix(src, []byte("\uFEFF"))
	d.lines = splitLines(string(src))
	s.from.lines = d.lines
	root, err := d.document(src)
	if err != nil {
		return nil, err
	}
	s.from.root.line, s.from.root.col = root.Line, root.Column
	if root.Kind != yaml.MappingNode {
		return nil, d.fault(root, "a job is a mapping of keys such as command: and data:, not %s", kindOf(root))
	}
	if err := table().decode(d, "", root); err != nil {
		return nil, err
	}
	return s, nil
}

func splitLines(s string) []string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSuffix(l, "\r")
	}
	return lines
}

// decoder walks one YAML document, or the value of one flag, into a Spec.
type decoder struct {
	spec   *Spec
	file   string // or the flag
	flag   bool
	lines  []string
	budget int
}

func (d *decoder) fault(n *yaml.Node, format string, args ...any) *SpecError {
	e := &SpecError{File: d.file, Msg: fmt.Sprintf(format, args...)}
	if d.flag {
		return e
	}
	e.Line, e.Col = n.Line, n.Column
	if n.Line > 0 && n.Line <= len(d.lines) {
		e.Source = d.lines[n.Line-1]
	}
	return e
}

// document gives the root of the one document in src.
func (d *decoder) document(src []byte) (*yaml.Node, error) {
	if !utf8.Valid(src) {
		for i, l := range d.lines {
			if valid := strings.ToValidUTF8(l, ""); valid != l {
				col := utf8.RuneCountInString(l[:invalidAt(l)]) + 1
				e := d.fault(&yaml.Node{Line: i + 1, Column: col}, "the file is not UTF-8")
				e.Hint = "save the file as UTF-8"
				return nil, e
			}
		}
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	root, err := decodeNode(dec)
	if err == io.EOF || err == nil && root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" && root.Value == "" {
		return nil, &SpecError{File: d.file, Msg: "the job is empty", Hint: "a job needs at least command: or function:, and data:"}
	}
	if err != nil {
		return nil, d.syntax(src, err)
	}
	if next, err := decodeNode(dec); err == nil {
		return nil, d.fault(next, "more than one document: a job is one YAML document")
	} else if err != io.EOF {
		return nil, d.syntax(src, err)
	}
	return root, nil
}

// decodeNode turns a panic of the library into an error: a job file may come
// from anywhere, and the host must not die of it.
func decodeNode(dec *yaml.Decoder) (n *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errors.New("yaml: not a document")
	}
	return doc.Content[0], nil
}

// syntax finds the place of a YAML error. The library gives only a line, often
// that of the enclosing block, and no column; but the text up to the fault
// still parses, so the first character from which on it never does again is
// what the user has to look at.
func (d *decoder) syntax(src []byte, err error) *SpecError {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(msg, "line "); ok {
		_, msg, _ = strings.Cut(rest, ": ")
	}
	work := 64 << 20
	fits := func(n int) bool {
		work -= n + 100
		dec := yaml.NewDecoder(bytes.NewReader(src[:n]))
		for {
			if _, err := decodeNode(dec); err != nil {
				return err == io.EOF
			}
		}
	}
	end, line := len(src), 1
	for end > 0 && work > 0 {
		begin := bytes.LastIndexByte(src[:end-1], '\n') + 1
		if fits(begin) {
			line = 1 + bytes.Count(src[:begin], []byte("\n"))
			col := 1
			text := bytes.TrimRight(src[begin:end], "\r\n")
			for n := len(text) - 1; n > 0 && work > 0; n-- {
				if utf8.RuneStart(text[n]) && fits(begin+n) {
					col = utf8.RuneCount(text[:n]) + 1
					break
				}
			}
			e := d.fault(&yaml.Node{Line: line, Column: col}, "not valid YAML: %s", msg)
			if strings.Contains(msg, "mapping values") {
				e.Hint = "text that contains \": \" needs quotes"
			}
			return e
		}
		end = begin
	}
	return d.fault(&yaml.Node{}, "not valid YAML: %s", msg)
}

// resolve follows an alias and bounds depth and total size.
func (d *decoder) resolve(n *yaml.Node, depth int) (*yaml.Node, error) {
	at := n
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	if depth > maxDepth {
		return n, d.fault(at, "nested more than %d deep, or an alias of a value that contains it", maxDepth)
	}
	if d.budget -= 1 + len(n.Value); d.budget < 0 {
		return n, d.fault(at, "aliases multiply the job to more than %d MiB", aliasBudget>>20)
	}
	return n, nil
}

// pairs calls f for each pair of the mapping n, refusing duplicate keys.
func (d *decoder) pairs(n *yaml.Node, path string, depth int, f func(key string, k, v *yaml.Node) error) error {
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, err := d.resolve(n.Content[i], depth)
		if err != nil {
			return err
		}
		switch {
		case k.Kind != yaml.ScalarNode:
			return d.quoteHint(n.Content[i], d.fault(n.Content[i], "a key must be text, not %s", kindOf(k)))
		case k.ShortTag() == "!!null":
			return d.fault(n.Content[i], "a key must be text, not null")
		case k.ShortTag() == "!!merge":
			return d.fault(k, "merge keys (<<) are not supported")
		}
		if line, ok := seen[k.Value]; ok {
			return d.fault(n.Content[i], "duplicate key %q, first on line %d", short(k.Value), line)
		}
		seen[k.Value] = k.Line
		if err := f(k.Value, n.Content[i], n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// quoteHint explains what became of an unquoted replacement: YAML reads {} as
// a mapping.
func (d *decoder) quoteHint(n *yaml.Node, e *SpecError) *SpecError {
	if n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 {
		e.Hint = `braces begin a mapping in YAML: write a replacement in quotes, as in "{}"`
	}
	return e
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a mapping"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!int", "!!float", "!!bool":
		return short(n.Value)
	}
	return fmt.Sprintf("%q", short(n.Value))
}

func invalidAt(s string) int {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(s)
}
