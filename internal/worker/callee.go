package worker

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
)

// callee is a function of the job and the process that runs it.
type callee struct {
	function job.Function
	language job.Language
	path     string   // program to run
	argv     []string // its arguments
	index    int      // of the function among those the process has loaded
	call     GoFunc   // of a function of this program, once it was called
}

// trusted says whether the process runs a runtime of ours, whose replies are well
// formed and measured.
func (c *callee) trusted() bool { return c.language != job.Program }

// same says whether both are functions of one process.
func (c *callee) same(d *callee) bool {
	return c == d || c.path == d.path && slices.Equal(c.argv, d.argv)
}

// RuntimeFile is the name of the file that runs functions of a language; "" where
// none is needed.
func RuntimeFile(l job.Language) string {
	switch l {
	case job.Python:
		return "lithops_runtime.py"
	case job.JavaScript:
		return "lithops_runtime.mjs"
	}
	return ""
}

// callees are the job's functions, nil where it has none: of the map, and of the
// reduce.
func callees(spec *job.Spec, dir string, find func(string) (string, error)) (all [2]*callee, err error) {
	if spec.Function != (job.Function{}) {
		if all[0], err = newCallee(spec, false, dir, find); err != nil {
			return all, err
		}
	}
	if spec.Reduce == nil {
		return all, nil
	}
	if all[1], err = newCallee(spec, true, dir, find); err != nil {
		return all, err
	}
	if m, r := all[0], all[1]; sharesProcess(spec) {
		if m.language != job.Program {
			m.argv = append(m.argv, r.function.Name)
		}
		r.argv, r.index = m.argv, 1
	}
	return all, nil
}

// newCallee is the function of the map, or of the reduce.
func newCallee(spec *job.Spec, reduce bool, dir string, find func(string) (string, error)) (c *callee, err error) {
	f := spec.Function
	if reduce {
		f = spec.Reduce.Function
	}
	c = &callee{function: f, language: f.Language()}
	switch c.language {
	case job.Go:
	case job.Program:
		c.path, err = find(spec.Path(f.File))
		c.argv = []string{c.path}
	default:
		interpreter := spec.Interpreter(reduce)
		if interpreter, err = inVenv(spec.Path(interpreter), interpreter, c.language); err != nil {
			return nil, err
		}
		c.path, err = find(interpreter)
		c.argv = []string{interpreter, store.RuntimePath(dir, RuntimeFile(c.language)), spec.Path(f.File), f.Name}
	}
	return c, err
}

// sharesProcess says whether the functions of map and reduce are run by one
// process: those of one file, by one interpreter.
func sharesProcess(spec *job.Spec) bool {
	m, r := spec.Function, spec.Reduce.Function
	return m.File != "" && m.Language() == r.Language() && spec.Interpreter(false) == spec.Interpreter(true) &&
		filepath.Clean(spec.Path(m.File)) == filepath.Clean(spec.Path(r.File))
}

// inVenv leads from the directory of a virtual environment to its interpreter;
// any other name stays what it is.
func inVenv(dir, name string, l job.Language) (string, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return name, nil
	}
	if _, err := os.Stat(filepath.Join(dir, "pyvenv.cfg")); err != nil && !strings.Contains(name, "/") {
		return name, nil // a directory that happens to be called python3
	}
	programs := []string{"python3", "python"}
	if l == job.JavaScript {
		programs = []string{"node"}
	}
	for _, p := range programs {
		file := filepath.Join(dir, "bin", p)
		if executable(file) == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("runtime: there is no bin/%s in %s", programs[0], dir)
}

// ReduceApart says whether the reduce's function is in a process that none of the
// map's tasks needs.
func ReduceApart(spec *job.Spec) bool {
	return spec.Reduce != nil && spec.Reduce.Function.Language() != job.Go && !sharesProcess(spec)
}

// CheckFunction finds the program that the job's function, or its reduce's, needs.
// path is the PATH of the job.
func CheckFunction(spec *job.Spec, reduce bool, path string) error {
	p := programs{dir: spec.Dir, path: path}
	_, err := newCallee(spec, reduce, "", p.find)
	return err
}
