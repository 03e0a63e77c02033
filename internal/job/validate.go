package job

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// defaults fills in what retries means when only a part of it is given.
func (r *Retries) defaults() {
	if r.On == nil {
		r.Backoff, r.MaxBackoff, r.On = time.Second, 30*time.Second, []State{Error, Timeout, Lost}
	}
}

// Validate checks the job as a whole and fills in defaults; Parse and FromArgs
// end with it. It is to be called after Set, and on a Spec made by a program.
func (s *Spec) Validate() error {
	if s.appended && s.Stdin != nil && strings.Contains(*s.Stdin, "{") { // the items go there instead
		s.Command.Argv, s.appended = s.Command.Argv[:len(s.Command.Argv)-1], false
	}
	if err := s.validTask(); err != nil {
		return err
	}
	if err := s.validReduce(); err != nil {
		return err
	}
	if err := s.validRuntime(); err != nil {
		return err
	}
	if err := s.validData(); err != nil {
		return err
	}
	if err := s.validRetries(); err != nil {
		return err
	}
	for _, n := range []struct {
		path string
		v    int64
	}{
		{"workers", int64(s.Workers)}, {"chunksize", int64(s.Chunksize)},
		{"timeout", int64(s.Timeout)}, {"max_time", int64(s.MaxTime)}, {"limits.memory", s.Limits.Memory},
	} {
		if n.v < 0 {
			return s.from.fault(n.path, "%s must not be negative", n.path)
		}
	}
	if n := s.Limits.Memory; n > 0 && n < leastMemory {
		return s.from.fault("limits.memory", "limits.memory of %d bytes is less than any process needs; sizes are written like 512MiB or 2GiB", n)
	}
	if f := s.OnFailure; f.Count < 0 || f.Percent < 0 || f.Percent > 100 {
		return s.from.fault("on_failure", "on_failure must tolerate a number of tasks, or 0 to 100 %%")
	}
	for name := range s.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return s.from.fault("env", "env: %q cannot be the name of a variable", name)
		}
	}
	s.Isolation = Isolation(orElse(string(s.Isolation), string(IsolationAuto)))
	s.Durability = Durability(orElse(string(s.Durability), string(DurabilityProcess)))
	if s.Function == (Function{}) {
		s.Output = Output(orElse(string(s.Output), string(OutputBytes)))
	}
	s.OnFailure.Mode = orElse(s.OnFailure.Mode, Continue)
	s.Workdir = under(s.Dir, orElse(s.Workdir, s.Dir))
	for _, w := range []struct {
		path, word string
		known      []string
	}{
		{"isolation", string(s.Isolation), []string{"auto", "group", "pid"}},
		{"output", string(s.Output), []string{"bytes", "json"}},
		{"durability", string(s.Durability), []string{string(DurabilityProcess), string(DurabilitySync)}},
		{"on_failure", s.OnFailure.Mode, []string{Continue, Stop, Tolerate}},
	} {
		if w.word != "" && !slices.Contains(w.known, w.word) {
			return s.from.fault(w.path, "%s must be %s, not %q", w.path, oneOf(w.known), short(w.word))
		}
	}
	_, err := NewTemplate(s)
	return err
}

func orElse(v, otherwise string) string {
	if v == "" {
		return otherwise
	}
	return v
}

// validTask checks what a task does.
func (s *Spec) validTask() error {
	switch {
	case s.Function == (Function{}):
		return s.validCommand()
	case s.Command.given():
		return s.from.fault("function", contradiction)
	case s.Stdin != nil:
		return s.from.fault("stdin", "stdin is for a command; a function gets its item as argument")
	case s.Output != "":
		return s.from.fault("output", "output is for a command; the result of a function is what it returns, as JSON")
	}
	return s.validFunction("function", s.Function)
}

// validFunction checks f, the value of the key path, as the job file would be.
func (s *Spec) validFunction(path string, f Function) error {
	switch {
	case f == Function{Go: f.Go}:
		return nil
	case f.Go != "":
		return s.from.fault(path, "%s has two forms, a function of the program and one of a file: keep one", path)
	}
	as, msg, such := parseFunction(f.String())
	if msg == "" && as != f {
		msg, such = fmt.Sprintf("has the file %q, which holds a name", short(f.File)), f.String()
	}
	if msg == "" {
		return nil
	}
	e := s.from.fault(path, "%s %s", path, msg)
	e.Hint = suchAs(path, such)
	return e
}

func (s *Spec) validReduce() error {
	r := s.Reduce
	if r == nil && s.ReduceBy == "" {
		return nil
	}
	if r == nil || r.Function == (Function{}) {
		path := "reduce"
		switch {
		case r == nil:
			path = "reduce_by"
		case r.Runtime != "":
			path = "reduce.runtime"
		}
		e := s.from.fault(path, "%s needs a function to reduce with", path)
		e.Hint = "such as reduce: example.py:my_reduce_function"
		return e
	}
	if err := s.validFunction(s.FunctionKey(true), r.Function); err != nil {
		return err
	}
	if r.Runtime != "" && !r.Function.interpreted() {
		return s.from.fault("reduce.runtime", "reduce.runtime is for a Python or JavaScript function, and %s is neither", short(r.Function.String()))
	}
	return nil
}

// validRuntime checks what depends on the functions' languages.
func (s *Spec) validRuntime() error {
	functions := []Function{s.Function}
	if s.Reduce != nil {
		functions = append(functions, s.Reduce.Function)
	}
	if s.Runtime != "" && !slices.ContainsFunc(functions, Function.interpreted) {
		return s.from.fault("runtime", "runtime is for a Python or JavaScript function, and the job has none")
	}
	return nil
}

func (s *Spec) validCommand() error {
	c := s.Command
	switch {
	case c.Argv != nil && c.Shell != "":
		return s.from.fault("command", "command has two forms, a list and a text: keep one")
	case len(c.Argv) == 0 && strings.TrimSpace(c.Shell) == "":
		e := s.from.fault("", "command or function is missing")
		e.Hint = `such as: command: [gzip, -k, "{}"], or function: example.py:my_function`
		if c.Shell != "" {
			e = s.from.fault("command", "command is empty")
			e.Hint = `such as: command: [gzip, -k, "{}"]`
		}
		return e
	case len(c.Argv) > 0 && c.Argv[0] == "":
		return s.from.fault("command[0]", "command[0], the program to run, is empty")
	}
	return nil
}

func (s *Spec) validData() error {
	switch kinds := s.Data.kinds(); {
	case len(kinds) == 0 && s.Function.Go != "":
		return nil // the program has the items
	case len(kinds) == 0:
		e := s.from.fault("data", "data is missing")
		e.Hint = "such as: data: {range: 500}; the sources are " + oneOf([]string{"list", "range", "lines", "glob", "csv", "jsonl", "matrix"})
		return e
	case len(kinds) > 1:
		return s.from.fault("data", "data has two sources, %s and %s: keep one", kinds[0], kinds[1])
	}
	seen := map[string]bool{}
	for _, a := range s.Data.Matrix {
		if seen[a.Name] {
			return s.from.fault("data.matrix", "data.matrix has two keys %q", short(a.Name))
		}
		seen[a.Name] = true
	}
	for _, p := range s.Data.Glob {
		if err := validGlob(p); err != nil {
			return s.from.fault("data.glob", "data.glob %v", err)
		}
	}
	return nil
}

func (s *Spec) validRetries() error {
	r := &s.Retries
	if r.Limit < 0 || r.Backoff < 0 || r.MaxBackoff < 0 {
		return s.from.fault("retries", "retries must not be negative")
	}
	if r.MaxLost() < 0 {
		return s.from.fault("retries.lost", "retries.lost must not be negative")
	}
	if r.Limit == 0 && r.On == nil {
		return nil
	}
	if len(r.On) == 0 {
		r.On = []State{Error, Timeout, Lost}
	}
	for _, state := range r.On {
		if state != Error && state != Timeout && state != Lost {
			return s.from.fault("retries.on", "retries.on must be error, timeout or lost, not %q", state)
		}
	}
	if r.Backoff <= r.MaxBackoff {
		return nil
	}
	// A bound that was written holds against the other one's default.
	_, wroteMax := s.from.at["retries.max_backoff"]
	_, wroteBackoff := s.from.at["retries.backoff"]
	switch {
	case !wroteMax:
		r.MaxBackoff = r.Backoff
	case !wroteBackoff:
		r.Backoff = r.MaxBackoff
	default:
		return s.from.fault("retries.max_backoff", "retries.max_backoff (%v) is shorter than retries.backoff (%v)", r.MaxBackoff, r.Backoff)
	}
	return nil
}

// kinds lists the sources that are set.
func (d Data) kinds() []string {
	var kinds []string
	for _, k := range []struct {
		name string
		set  bool
	}{
		{"list", d.List != nil}, {"range", d.Range != nil}, {"lines", d.Lines != ""}, {"glob", d.Glob != nil},
		{"csv", d.CSV != nil}, {"jsonl", d.JSONL != ""}, {"matrix", d.Matrix != nil},
	} {
		if k.set {
			kinds = append(kinds, k.name)
		}
	}
	return kinds
}

// Kind names the source: list, range, lines, glob, csv, jsonl, matrix, or ""
// when there is none.
func (d Data) Kind() string {
	if kinds := d.kinds(); len(kinds) > 0 {
		return kinds[0]
	}
	return ""
}

// Texts makes items of texts.
func Texts(items []string) (Items, error) {
	all := make(Items, len(items))
	for i, it := range items {
		if at := invalidAt(it); at < len(it) {
			return nil, &SpecError{Msg: fmt.Sprintf("item %d, %q, is not valid UTF-8", i+1, it)}
		}
		all[i] = appendQuoted(nil, it)
	}
	return all, nil
}

// FromArgs makes a job of a command line, lithops run -- COMMAND {} ::: a b c.
// argv is executed directly, in dir; the items are texts. As with xargs and GNU
// parallel, a command without any replacement gets the item as its last
// argument. (A job file's command does not: 500 sleeps over a range are a
// fair job.) With items nil there is no ::: and the data are to be Set by flags;
// then nothing is appended, and Validate is up to the caller.
func FromArgs(argv []string, items []string, dir string) (*Spec, error) {
	s := &Spec{Dir: dir, Command: Command{Argv: slices.Clone(argv)}}
	if items == nil {
		return s, nil
	}
	var err error
	if s.Data.List, err = Texts(items); err != nil {
		return nil, err
	}
	t, err := NewTemplate(s)
	if err != nil {
		return nil, err
	}
	if !t.replaces() && len(argv) > 0 {
		s.Command.Argv, s.appended = append(s.Command.Argv, "{}"), true
	}
	return s, s.Validate()
}

// leastMemory is a limit below which no program could be started.
const leastMemory = 1 << 20
