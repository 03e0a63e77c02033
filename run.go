package lithops

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/localworker"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
	"github.com/lithops-go/lithops/internal/worker"
)

// Init must be the first call of main: in a process that was started as a worker
// it does the worker's work and does not return.
func Init() { worker.Main() }

// grace is what a task gets between SIGTERM and SIGKILL.
const grace = 5 * time.Second

// Run is one job to be run on this machine. Several may run at a time. While one
// runs, the program should start no processes of its own: when a worker dies, the
// children of the program that it does not know are taken for orphans of tasks
// and killed; those that were there before the job are spared.
type Run struct {
	Store  *store.Store
	Spec   *job.Spec
	Source []byte    // job.yaml as submitted, kept in the store; may be nil
	Stdin  io.Reader // for the data source lines: "-"

	Created  func(jobID string)        // called once, when the job is in the store; may be nil
	Progress func(p executor.Progress) // called a few times a second and at the end; may be nil
	Version  string                    // of the program, for the manifest
}

// Outcome is how a job ended.
type Outcome struct {
	JobID       string
	Counts      map[job.State]int // tasks by state
	Interrupted bool              // the context ended before the job did
	Reason      string            // why the job ended early, "" when it did not
}

// Do runs the job to its end. The error is for a job that could not be run or
// recorded; tasks that fail are no error. When ctx ends, no task is started any
// more, running ones are ended in good order, and Outcome.Interrupted is set;
// before the first task the error is ctx's.
// A job that never began leaves nothing in the store.
func (r Run) Do(ctx context.Context) (*Outcome, error) {
	base := clock.NewBase()
	facts := make(chan store.Machine, 1)
	go func() { facts <- worker.Facts() }()
	s, err := r.stage(ctx, base)
	if err != nil {
		return nil, err
	}
	s.manifest.Machine = <-facts
	s.manifest.JobCreatedNS = s.clock.Now() - base.Wall
	if err := s.w.WriteManifest(s.manifest); err != nil {
		s.abandon()
		return nil, err
	}
	if r.Created != nil {
		r.Created(s.manifest.JobID)
	}
	result, err := r.execute(ctx, s)
	return s.end(result, err)
}

// staged is a job in the store that can be submitted.
type staged struct {
	w        *store.Writer
	manifest *store.Manifest
	clock    *clock.Clock
}

// abandon takes a job that never began out of the store.
func (s *staged) abandon() {
	s.w.Close()
	os.RemoveAll(s.w.Dir())
}

// stage checks the job and brings all it needs into the store.
func (r Run) stage(ctx context.Context, base clock.Base) (*staged, error) {
	template, err := job.NewTemplate(r.Spec)
	if err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	s := &staged{clock: base.Clock(), manifest: &store.Manifest{Name: r.Spec.Name, Program: r.Version, Spec: r.Spec, Clock: base}}
	opening := s.clock.Now()
	source, err := r.Spec.Open(r.Stdin) // reads all names of a glob
	if err != nil {
		return nil, err
	}
	defer source.Close()
	s.manifest.SerializeNS = s.clock.Now() - opening
	for {
		s.manifest.JobID = job.NewID(time.Now(), 0)
		if s.w, err = r.Store.Create(s.manifest.JobID, nil); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	err = r.files(s)
	if err == nil {
		err = r.inputs(ctx, s, source, template)
	}
	if err != nil {
		s.abandon()
		return nil, err
	}
	// By default as many as there are usable CPUs: affinity and quota respected. More
	// than there are tasks would have nothing to do.
	s.manifest.Workers = min(cmp.Or(r.Spec.Workers, runtime.GOMAXPROCS(0)), s.manifest.Tasks)
	return s, nil
}

// check refuses what no task could do, before any runs.
func (r Run) check() error {
	if info, err := os.Stat(r.Spec.Workdir); err != nil {
		return fmt.Errorf("workdir: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("workdir: %s is not a directory", r.Spec.Workdir)
	}
	if runtime.GOOS != "linux" && (r.Spec.Isolation == job.IsolationPID || r.Spec.Limits.Memory > 0) {
		return errors.New("isolation: pid and limits: memory need Linux")
	}
	if program, fixed := r.program(); fixed {
		path, ok := r.Spec.Env["PATH"]
		if !ok {
			path = os.Getenv("PATH")
		}
		if _, err := worker.FindProgram(program, r.Spec.Dir, path); err != nil {
			return err
		}
	}
	return nil
}

// program is the command's program where it is the same for all tasks.
func (r Run) program() (name string, fixed bool) {
	if len(r.Spec.Command.Argv) == 0 || strings.ContainsAny(r.Spec.Command.Argv[0], "{}") {
		return "", false
	}
	return r.Spec.Command.Argv[0], true
}

// files stages the files the job names, and its program where that is a file
// of the user's: one given by a relative path.
func (r Run) files(s *staged) error {
	begun := s.clock.Now()
	if err := s.w.WriteSpec(r.Source); err != nil {
		return err
	}
	stage := r.Spec.Files
	if name, fixed := r.program(); fixed && strings.Contains(name, "/") && !filepath.IsAbs(name) {
		stage = append([]string{name}, stage...)
	}
	for _, name := range stage {
		size, err := s.w.Stage(r.Spec.Path(name))
		if err != nil {
			return err
		}
		s.manifest.FuncSize += size
	}
	if len(stage) > 0 {
		s.manifest.FuncUploadNS = s.clock.Now() - begun
	}
	return nil
}

// inputs writes the items of source into the store. Each is checked, so that a
// bad one ends the job before its first task.
func (r Run) inputs(ctx context.Context, s *staged, source job.Source, template *job.Template) (err error) {
	in, err := s.w.Inputs()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	begun, writing := s.clock.Now(), int64(0)
	for {
		if s.manifest.Tasks%1024 == 0 && ctx.Err() != nil {
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
			return fmt.Errorf("task %d: %w", s.manifest.Tasks, err)
		}
		if len(item) > wire.MaxInput {
			return fmt.Errorf("task %d: item of %d bytes as JSON is larger than the %d a worker takes; put it into a file", s.manifest.Tasks, len(item), wire.MaxInput)
		}
		before := s.clock.Now()
		if err := in.Add(item); err != nil {
			return err
		}
		writing += s.clock.Now() - before
		s.manifest.Tasks++
	}
	before := s.clock.Now()
	if err := in.Flush(); err != nil {
		return err
	}
	ended := s.clock.Now()
	s.manifest.DataUploadNS = writing + ended - before
	s.manifest.SerializeNS += ended - begun - s.manifest.DataUploadNS
	return nil
}

// execute runs the staged job.
func (r Run) execute(ctx context.Context, s *staged) (*executor.Result, error) {
	inputs, err := store.OpenInputs(s.w.Dir())
	if err != nil {
		return nil, err
	}
	defer inputs.Close()
	events := make(chan executor.Event, 1024)
	pool, err := localworker.New(events)
	if err != nil {
		return nil, err
	}
	spec := *r.Spec
	spec.Data = job.Data{} // the workers get their inputs from the host
	isolation := spec.Isolation
	if isolation != job.IsolationPID {
		isolation = job.IsolationGroup
	}
	s.w.Event(store.Event{Event: "run", TimeNS: s.clock.Now(), PID: os.Getpid()})
	return executor.Run(ctx, executor.Config{
		Job:     wire.Job{JobID: s.manifest.JobID, Workers: s.manifest.Workers, Dir: s.w.Dir(), Clock: s.manifest.Clock, Spec: &spec, Isolation: isolation, GraceNS: int64(grace)},
		Retries: spec.Retries, OnFail: spec.OnFailure, Chunk: spec.Chunksize,
		Tasks: s.manifest.Tasks, Workers: s.manifest.Workers, Inputs: inputs,
		Writer: s.w, Clock: s.clock, Backend: pool, Events: events, Progress: r.Progress,
	})
}

// end writes down how the job ended.
func (s *staged) end(result *executor.Result, err error) (*Outcome, error) {
	ending := &store.Ending{State: "broken", TimeNS: s.clock.Now()}
	s.manifest.Ended = ending
	out := &Outcome{JobID: s.manifest.JobID}
	if result != nil {
		ending.Counts, ending.Reason = result.Counts, result.Reason
		out.Counts, out.Interrupted, out.Reason = result.Counts, result.Cancelled, result.Reason
		ending.State = endState(result)
	}
	if err != nil {
		ending.State, ending.Reason = "broken", err.Error()
	}
	s.w.Event(store.Event{Event: "end", TimeNS: ending.TimeNS, Text: ending.State})
	err = errors.Join(err, s.w.WriteManifest(s.manifest), s.w.Close())
	return out, err
}

func endState(r *executor.Result) string {
	tasks := 0
	for _, n := range r.Counts {
		tasks += n
	}
	switch {
	case r.Cancelled:
		return "cancelled"
	case r.Counts[job.Success] < tasks:
		return "failed"
	}
	return "done"
}
