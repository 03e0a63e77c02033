package job

import (
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// flagKind is how the text of a flag becomes the value of a key.
type flagKind uint8

const (
	flagNone     flagKind = iota // no flag: the keys below, or the flag above, have one
	flagWord                     // taken as it is
	flagYAML                     // read as YAML: 4, [a, b], {limit: 3}
	flagPath                     // a path
	flagProgram                  // a path, or a name without a slash to look for in PATH
	flagFunction                 // FILE:NAME, or a path
	flagPaths                    // a path, added to those of earlier flags
	flagEnv                      // NAME=VALUE, added to what is there
)

// Key is a key of the job file that a flag can set.
type Key struct {
	Name   string // as in the job file: "limits.memory"
	Flag   string // without dashes: "limits-memory"; the data sources leave "data-" out
	Type   string // of the value, for help: "duration"
	Doc    string // one line
	Repeat bool   // further flags add to the first
	Resume bool   // may be given anew when a job is resumed: see resumable
}

// Keys lists the keys that have a flag, in the order of the job file.
func Keys() []Key {
	var keys []Key
	eachFlag(table(), "", func(path string, f *field) bool {
		anew := slices.ContainsFunc(resumable, func(key string) bool { return path == key || strings.HasPrefix(path, key+".") })
		keys = append(keys, Key{path, flagName(path), f.typ, f.doc, f.flag >= flagPaths, anew})
		return true
	})
	return keys
}

func flagName(path string) string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(strings.TrimPrefix(path, "data."))
}

// eachFlag calls f for each field with a flag until it returns false.
func eachFlag(sh shape, path string, f func(path string, fd *field) bool) bool {
	switch sh := sh.(type) {
	case either:
		for _, alt := range sh {
			if !eachFlag(alt, path, f) {
				return false
			}
		}
	case object:
		for i := range sh.fields {
			fd := &sh.fields[i]
			at := strings.TrimPrefix(path+"."+fd.name, ".")
			if fd.flag != flagNone && !f(at, fd) || !eachFlag(fd.shape, at, f) {
				return false
			}
		}
	}
	return true
}

// Set gives key, by its name or its flag, the value written in a flag, which
// wins over what is there; a data source replaces the other one. Paths in value
// are relative to s.Dir. Errors are *SpecError with the flag as File. Once all
// flags are set, Validate tells whether the whole is sound.
func (s *Spec) Set(key, value string) error { return s.SetFrom(s.Dir, key, value) }

// SetFrom is Set with paths relative to cwd, the directory that the user who
// typed the flag, and the shell that completed it, had in mind.
func (s *Spec) SetFrom(cwd, key, value string) error {
	name := strings.TrimPrefix(flagName(strings.TrimPrefix(key, "--")), "data-")
	var path string
	var fd *field
	eachFlag(table(), "", func(p string, f *field) bool {
		if flagName(p) == name {
			path, fd = p, f
		}
		return fd == nil
	})
	if fd == nil {
		return &SpecError{File: key, Msg: unknownFlag(name)}
	}
	d := &decoder{spec: s, file: "--" + name, flag: true, lines: splitLines(value), budget: aliasBudget}
	n, err := d.flagNode(cwd, path, fd.flag, value)
	if err != nil {
		return err
	}
	// The decoder may have to give up half way: s changes only on success.
	was, env := *s, s.Env
	s.Env = make(map[string]string, len(env)+1)
	for k, v := range env {
		s.Env[k] = v
	}
	if s.Data.CSV != nil {
		table := *s.Data.CSV
		s.Data.CSV = &table
	}
	if s.Reduce != nil {
		reduce := *s.Reduce
		s.Reduce = &reduce
	}
	if err := d.giveWay(path); err != nil {
		*s = was
		return err
	}
	if err := d.as(fd.shape, path, n); err != nil {
		*s = was
		return err
	}
	if len(s.Env) == 0 {
		s.Env = nil
	}
	d.mark(path, n, n)
	if s.from.flags == nil {
		s.from.flags = map[string]bool{}
	}
	s.from.flags[path] = true
	return nil
}

// giveWay makes room for the command or function of a flag. What the job file has
// instead gives way to it; what comes from elsewhere contradicts it.
func (d *decoder) giveWay(path string) error {
	s, rival := d.spec, ""
	switch {
	case path == "function" && s.Command.given():
		rival = "command"
	case path == "command" && s.Function != (Function{}):
		rival = "function"
	default:
		return nil
	}
	if m, ok := s.from.at[rival]; !ok || m.flagged {
		return d.fault(nil, contradiction)
	}
	s.Command, s.Function = Command{}, Function{}
	return nil
}

func unknownFlag(name string) string {
	var flags []string
	for _, k := range Keys() {
		flags = append(flags, k.Flag)
	}
	return unknownKey(Keys(), "", name, flags)
}

// flagNode makes the YAML node that the job file would have for a flag.
func (d *decoder) flagNode(cwd, path string, kind flagKind, value string) (*yaml.Node, error) {
	word := func(v string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: v} }
	switch kind {
	case flagPath:
		return word(rebase(cwd, d.spec.Dir, value, false)), nil
	case flagProgram:
		if strings.Contains(value, "/") {
			value = rebase(cwd, d.spec.Dir, value, false)
		}
	case flagFunction:
		if f, msg, _ := parseFunction(value); msg == "" {
			f.File = rebase(cwd, d.spec.Dir, f.File, false)
			value = f.String()
		}
	case flagPaths:
		list := &yaml.Node{Kind: yaml.SequenceNode}
		if d.spec.from.flags[path] {
			before := d.spec.Files
			if path == "data.glob" {
				before = d.spec.Data.Glob
			}
			for _, v := range before {
				list.Content = append(list.Content, word(v))
			}
		}
		list.Content = append(list.Content, word(rebase(cwd, d.spec.Dir, value, path == "data.glob")))
		return list, nil
	case flagEnv:
		k, v, ok := strings.Cut(value, "=")
		if !ok {
			return nil, d.fault(nil, "%s must be NAME=VALUE, not %q", path, short(value))
		}
		return &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{word(k), word(v)}}, nil
	case flagYAML:
		if strings.TrimSpace(value) == "" {
			return nil, d.fault(nil, "%s is empty", path)
		}
		return d.document([]byte(value))
	}
	return word(value), nil
}

// rebase rewrites a path relative to cwd as one relative to dir, that is, makes
// it absolute unless both are the same.
func rebase(cwd, dir, path string, pattern bool) string {
	if cwd == dir || path == "-" || path == "" || filepath.IsAbs(path) {
		return path
	}
	if pattern {
		// Not Join: it would clean "**/" and "a\\?" away.
		return strings.TrimSuffix(escapeGlob(cwd), "/") + "/" + path
	}
	return filepath.Join(cwd, path)
}
