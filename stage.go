package lithops

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/runtimes/node"
	"github.com/lithops-go/lithops/internal/runtimes/python"
	"github.com/lithops-go/lithops/internal/wire"
	"github.com/lithops-go/lithops/internal/worker"
)

// stage checks the job and brings all it needs into the store.
func (p *Prepared) stage(ctx context.Context) error {
	template, err := job.NewTemplate(p.run.Spec)
	if err != nil {
		return err
	}
	if err := p.run.check(); err != nil {
		return err
	}
	opening := p.clock.Now()
	source := p.run.Items
	if source == nil {
		if source, err = p.run.Spec.Open(p.run.Stdin); err != nil { // reads all names of a glob
			return err
		}
	}
	defer source.Close()
	p.manifest.SerializeNS = p.clock.Now() - opening
	for {
		p.manifest.JobID = p.run.id()
		if p.w, err = p.run.Store.Create(p.manifest.JobID, nil); !errors.Is(err, fs.ErrExist) || p.run.Executor != "" {
			break
		}
	}
	if err != nil {
		return err
	}
	p.w.SetDurability(p.run.Spec.Durability)
	err = p.files()
	if err == nil {
		err = p.inputs(ctx, source, template)
	}
	if err != nil {
		p.Abandon()
		return err
	}
	// By default as many as there are usable CPUs: affinity and quota respected. More
	// than there are tasks would have nothing to do.
	p.manifest.Workers = min(cmp.Or(p.run.Spec.Workers, runtime.GOMAXPROCS(0)), p.manifest.Tasks)
	if r := p.run.Spec; r.Reduce != nil {
		p.manifest.Workers = max(1, p.manifest.Workers)
		if r.ReduceBy == "" {
			p.manifest.Tasks, p.manifest.Reduces = p.manifest.Tasks+1, 1
		}
	}
	return nil
}

func (r *Run) id() string {
	if r.Executor == "" {
		return job.NewID(time.Now(), 0)
	}
	return job.JobID(r.Executor, r.Number, r.Kind)
}

// check refuses what no task could do, before any runs.
func (r *Run) check() error {
	spec := r.Spec
	if info, err := os.Stat(spec.Workdir); err != nil {
		return fmt.Errorf("workdir: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("workdir: %s is not a directory", spec.Workdir)
	}
	if runtime.GOOS != "linux" && (spec.Isolation == job.IsolationPID || spec.Limits.Memory > 0) {
		return errors.New("isolation: pid and limits: memory need Linux")
	}
	if err := checkLimits(spec); err != nil {
		return err
	}
	path, ok := spec.Env["PATH"]
	if !ok {
		path = os.Getenv("PATH")
	}
	if program, fixed := r.program(); fixed {
		if _, err := worker.FindProgram(program, spec.Dir, path); err != nil {
			return err
		}
	}
	if spec.Function != (job.Function{}) {
		if err := r.checkFunction(spec.Function, false, path); err != nil {
			return err
		}
	}
	if spec.Reduce != nil {
		return r.checkFunction(spec.Reduce.Function, true, path)
	}
	return nil
}

// checkFunction refuses a function that cannot be called: no file, no interpreter.
// What is wrong in the file shows when it is loaded.
func (r *Run) checkFunction(f job.Function, reduce bool, path string) error {
	language := f.Language()
	if language == job.Go {
		return nil
	}
	key := r.Spec.FunctionKey(reduce)
	if info, err := os.Stat(r.Spec.Path(f.File)); err != nil {
		var cause *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return r.Spec.Fault(key, "%s: cannot read %s: %w", key, f.File, err)
	} else if !info.Mode().IsRegular() {
		return r.Spec.Fault(key, "%s: %s is not a file", key, f.File)
	}
	err := worker.CheckFunction(r.Spec, reduce, path)
	if err == nil {
		return nil
	}
	if language == job.Program {
		e := r.Spec.Fault(key, "%s: %w", key, err)
		e.Hint = "chmod +x " + f.File
		return e
	}
	key = r.Spec.InterpreterKey(reduce)
	name := r.Spec.Interpreter(reduce)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s is not found", name)
	}
	e := r.Spec.Fault(key, "%s: no interpreter for %s: %w", key, f.File, err)
	e.Hint = map[job.Language]string{
		job.Python:     "install Python 3.8 or newer (the package is most often called python3), or name one by runtime: python3.12, or a venv's directory",
		job.JavaScript: "install Node.js 18 or newer (the package is most often called nodejs), or name one by runtime: /path/to/node",
	}[language]
	return e
}

// program is the command's program where it is the same for all tasks.
func (r *Run) program() (name string, fixed bool) {
	if len(r.Spec.Command.Argv) == 0 || strings.ContainsAny(r.Spec.Command.Argv[0], "{}") {
		return "", false
	}
	return r.Spec.Command.Argv[0], true
}

// files stages the files the job names, its functions' files, its program where that
// is a file of the user's, which is one given by a relative path, and what runs its
// functions.
func (p *Prepared) files() error {
	begun, spec := p.clock.Now(), p.run.Spec
	if err := p.w.WriteSpec(p.run.Source); err != nil {
		return err
	}
	stage := append(spec.FunctionFiles(), spec.Files...)
	if name, fixed := p.run.program(); fixed && strings.Contains(name, "/") && !filepath.IsAbs(name) {
		stage = append([]string{name}, stage...)
	}
	staged := map[string]bool{}
	for _, name := range stage {
		path := filepath.Clean(spec.Path(name))
		if staged[path] {
			continue
		}
		staged[path] = true
		size, err := p.w.Stage(path)
		if err != nil {
			return err
		}
		p.manifest.FuncSize += size
	}
	if len(stage) > 0 {
		p.manifest.FuncUploadNS = p.clock.Now() - begun
	}
	return p.runtimes()
}

// runtimes writes what runs the job's functions into the store.
func (p *Prepared) runtimes() error {
	for _, l := range languages(p.run.Spec) {
		source := map[job.Language][]byte{job.Python: python.Source, job.JavaScript: node.Source}[l]
		if source == nil {
			continue
		}
		if _, err := p.w.WriteRuntime(worker.RuntimeFile(l), source); err != nil {
			return err
		}
	}
	return nil
}

// languages are those of the job's functions, each once.
func languages(spec *job.Spec) (all []job.Language) {
	if spec.Function != (job.Function{}) {
		all = append(all, spec.Function.Language())
	}
	if spec.Reduce != nil && (len(all) == 0 || all[0] != spec.Reduce.Function.Language()) {
		all = append(all, spec.Reduce.Function.Language())
	}
	return all
}

// inputs writes the items of source into the store. Each is checked, so that a
// bad one ends the job before its first task.
func (p *Prepared) inputs(ctx context.Context, source job.Source, template *job.Template) (err error) {
	in, err := p.w.Inputs()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	begun, writing, m := p.clock.Now(), int64(0), p.manifest
	for {
		if m.Tasks%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		item, err := source.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := template.Check(item); err != nil {
			return fmt.Errorf("task %d: %w", m.Tasks, err)
		}
		if len(item) > wire.MaxInput {
			return fmt.Errorf("task %d: item of %d bytes as JSON is larger than the %d a worker takes; put it into a file", m.Tasks, len(item), wire.MaxInput)
		}
		before := p.clock.Now()
		if err := in.Add(item); err != nil {
			return err
		}
		writing += p.clock.Now() - before
		m.Tasks++
	}
	before := p.clock.Now()
	if err := in.Flush(); err != nil {
		return err
	}
	ended := p.clock.Now()
	m.DataUploadNS = writing + ended - before
	m.SerializeNS += ended - begun - m.DataUploadNS
	return nil
}
