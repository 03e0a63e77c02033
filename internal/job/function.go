package job

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// Function is what a task calls in a persistent process, in exactly one of three
// forms: a function of a Python or JavaScript file, a program that speaks the
// function protocol (File without Name), or a function of the Go program itself.
type Function struct {
	File string `json:"file,omitempty"` // as written, relative to Dir: see Path
	Name string `json:"name,omitempty"` // of the function in File
	Go   string `json:"go,omitempty"`   // name it was registered by; never from a job file
}

// Reduce is a function that gets the list of the map's results.
type Reduce struct {
	Function Function `json:"function"`
	Runtime  string   `json:"runtime,omitempty"` // see Spec.Interpreter
}

// Language is what a function is written in, as far as it matters to us.
type Language string

// The languages. Program is any executable that speaks the function protocol.
const (
	Python     Language = "Python"
	JavaScript Language = "JavaScript"
	Program    Language = "program"
	Go         Language = "Go"
)

// Language tells by the file's extension.
func (f Function) Language() Language {
	switch ext := strings.ToLower(filepath.Ext(f.File)); {
	case f.Go != "":
		return Go
	case ext == ".py":
		return Python
	case ext == ".js" || ext == ".mjs" || ext == ".cjs":
		return JavaScript
	}
	return Program
}

// interpreted says whether f is of a file that an interpreter loads.
func (f Function) interpreted() bool {
	l := f.Language()
	return l == Python || l == JavaScript
}

// String is the function as job files write it.
func (f Function) String() string {
	switch {
	case f.Go != "":
		return f.Go
	case f.Name == "":
		return f.File
	}
	return f.File + ":" + f.Name
}

// parseFunction reads FILE:NAME, where the last colon splits, or the path of a
// program. Otherwise msg tells what is wrong, to stand after the key, and such
// is how it would be right.
func parseFunction(text string) (f Function, msg, such string) {
	switch {
	case strings.TrimSpace(text) == "":
		return f, "is empty", "example.py:my_function"
	case strings.ContainsFunc(text, unicode.IsControl):
		return f, fmt.Sprintf("must be one line of text, not %q", short(text)), "example.py:my_function"
	}
	file, name := text, ""
	colon := strings.LastIndexByte(text, ':')
	if colon >= 0 {
		file, name = text[:colon], text[colon+1:]
	}
	if f = (Function{File: file}); colon >= 0 && f.interpreted() {
		f.Name = name
		msg, such = f.named()
		return f, msg, such
	}
	if f = (Function{File: text}); f.interpreted() {
		msg, such = f.named()
		return f, msg, such
	}
	split := colon >= 0 && !strings.Contains(name, "/")
	switch one := strings.TrimRight(file, ":"); {
	case split && file == "":
		return f, fmt.Sprintf("needs a file before the colon of %q", short(text)), "example.py" + text
	case split && Function{File: one}.interpreted():
		return f, fmt.Sprintf("must have one colon between file and name, not %q", short(text)), one + ":" + name
	case split:
		return f, fmt.Sprintf("must have a Python (.py) or JavaScript (.js, .mjs, .cjs) file before the colon, not %q", short(file)),
			"example.py:my_function, or " + asPath(file) + " for a program"
	case !strings.Contains(text, "/"):
		return f, fmt.Sprintf("must be FILE:NAME, or a program's path with a slash in it, not %q", short(text)),
			"example.py:my_function, or " + asPath(text) + " for a program"
	}
	return f, "", ""
}

// named says what is wrong with the name of f, a function of a file.
func (f Function) named() (msg, such string) {
	my, valid := "my_function", func(name string) bool { // Class.method as well
		return !slices.ContainsFunc(strings.Split(name, "."), func(part string) bool { return !identifier(part, false) })
	}
	if f.Language() == JavaScript {
		my, valid = "myFunction", func(name string) bool { return identifier(name, true) }
	}
	switch bare, called := strings.CutSuffix(f.Name, "()"); {
	case valid(f.Name):
		return "", ""
	case f.Name == "":
		return "needs the name of a function in " + short(f.File), f.File + ":" + my
	case called && valid(bare):
		my = bare
	}
	return fmt.Sprintf("must end in the name of a function in %s, not %q", short(f.File), short(f.Name)), f.File + ":" + my
}

// identifier says whether s can be a name in Python or, with dollars, in
// JavaScript.
func identifier(s string, dollar bool) bool {
	for i, r := range s {
		begins := r == '_' || r == '$' && dollar || unicode.In(r, unicode.L, unicode.Nl)
		if !begins && (i == 0 || !unicode.In(r, unicode.Nd, unicode.Mn, unicode.Mc, unicode.Pc)) {
			return false
		}
	}
	return s != ""
}

// asPath writes a file's name so that it is a path and no name for PATH.
func asPath(file string) string {
	if strings.Contains(file, "/") {
		return file
	}
	return "./" + file
}

// interpreter is what runs the function of the map or the reduce, as configured,
// and the key that says so. Both are the default when nothing does.
func (s *Spec) interpreter(reduce bool) (name, key string) {
	f, runtime, key := s.Function, s.Runtime, "runtime"
	if reduce {
		if s.Reduce == nil {
			return "", ""
		}
		f = s.Reduce.Function
		// The job's runtime is the map's; what the map does not need is the reduce's.
		if s.Reduce.Runtime != "" || s.Function.interpreted() && s.Function.Language() != f.Language() {
			runtime, key = s.Reduce.Runtime, "reduce.runtime"
		}
	}
	if runtime == "" {
		key = s.FunctionKey(reduce)
	}
	switch f.Language() {
	case Python:
		return orElse(runtime, "python3"), key
	case JavaScript:
		return orElse(runtime, "node"), key
	}
	return "", key
}

// Interpreter is what runs the map's function, or the reduce's: the name of a
// program, to be looked for in PATH, or, with a slash in it, the path (see Path)
// of a program or of a virtual environment. It is as configured, or else python3
// or node; "" when the function needs none.
func (s *Spec) Interpreter(reduce bool) string {
	name, _ := s.interpreter(reduce)
	return name
}

// InterpreterKey is the key that Interpreter has its answer from, for Fault: that
// of the function where the answer is the default.
func (s *Spec) InterpreterKey(reduce bool) string {
	_, key := s.interpreter(reduce)
	return key
}

// FunctionKey is the key of the map's function, or of the reduce's, for Fault.
func (s *Spec) FunctionKey(reduce bool) string {
	switch {
	case !reduce:
		return "function"
	case s.from.has("reduce.function"):
		return "reduce.function"
	}
	return "reduce"
}

// FunctionFiles are the files of the map's and the reduce's function as written,
// each once; a function of the Go program has none. See Path.
func (s *Spec) FunctionFiles() []string {
	var files []string
	if s.Function.File != "" {
		files = append(files, s.Function.File)
	}
	if s.Reduce != nil && s.Reduce.Function.File != "" {
		if f := s.Reduce.Function.File; len(files) == 0 || filepath.Clean(s.Path(f)) != filepath.Clean(s.Path(files[0])) {
			files = append(files, f)
		}
	}
	return files
}
