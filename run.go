package lithops

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/facts"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/localworker"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
	"github.com/lithops-go/lithops/internal/worker"
)

// initialised says that Init was called.
var initialised atomic.Bool

// Init must be the first call of main: in a process that was started as a worker
// it does the worker's work and does not return.
func Init() {
	initialised.Store(true)
	worker.Main()
}

// grace is what a task gets between SIGTERM and SIGKILL.
const grace = 5 * time.Second

// Run is one job to be run on this machine. Several may run at a time.
type Run struct {
	Store  *store.Store
	Spec   *job.Spec
	Source []byte     // job.yaml as submitted, kept in the store; may be nil
	Stdin  io.Reader  // for the data source lines: "-"
	Items  job.Source // instead of the spec's data; may be nil

	// Executor, Number and Kind make the job's id; without Executor the job has an
	// id of its own.
	Executor string
	Number   int
	Kind     byte // M for a map, A for a single call

	// Guest says that the process is a program of somebody else's: processes that do
	// not belong to the job are left alone. Otherwise, while a job runs, the process
	// should start none: when a worker dies, the children that it does not know are
	// taken for orphans of tasks and killed; those that were there before are spared.
	Guest bool

	Created  func(jobID string)        // called once, when the job is in the store and its functions could be loaded; may be nil
	Progress func(p executor.Progress) // called a few times a second and at the end; may be nil
	Settled  func(executor.Settlement) // called once for each task that has ended for good; may be nil
	Drop     <-chan int                // tasks to be cancelled; may be nil
	Version  string                    // of the program, for the manifest
}

// Outcome is how a job ended.
type Outcome struct {
	JobID       string
	Counts      map[job.State]int // tasks by state
	Interrupted bool              // the context ended before the job did
	Cancelled   string            // who has cancelled it through the store, "" if nobody
	Reason      string            // why the job ended early, "" when it did not
}

// Do runs the job to its end. The error is for a job that could not be run or
// recorded; tasks that fail are no error. When ctx ends, no task is started any
// more, running ones are ended in good order, and Outcome.Interrupted is set;
// before the first task the error is ctx's.
// A job that never began leaves nothing in the store, and one that was to be resumed is
// as it was; that is so, too, when its function cannot be loaded, which is an
// *executor.FunctionError.
func (r Run) Do(ctx context.Context) (*Outcome, error) {
	p, err := r.Prepare(ctx)
	if err != nil {
		return nil, err
	}
	return p.Execute(ctx)
}

// Prepared is a job in the store that can be submitted, or resumed. Exactly one of
// Execute and Abandon must be called.
type Prepared struct {
	run      Run
	w        *store.Writer
	manifest *store.Manifest
	clock    *clock.Clock
	maps     int // tasks of the map
	staged   *stages
	next     store.RunInfo  // of the run to come
	before   *resumed       // nil: this is the job's first run
	read     store.Manifest // of a job that is resumed, as it was before
}

// Prepare checks the job and writes all it needs, the items included, into the
// store.
func (r Run) Prepare(ctx context.Context) (*Prepared, error) {
	base := clock.NewBase()
	machine := make(chan store.Machine, 1)
	go func() { machine <- facts.Machine() }()
	p := &Prepared{run: r, clock: base.Clock(), manifest: &store.Manifest{Name: r.Spec.Name, Program: r.Version, Spec: r.Spec, Clock: base}}
	if err := p.stage(ctx); err != nil {
		return nil, err
	}
	p.maps = p.manifest.Maps()
	p.manifest.Machine = <-machine
	p.manifest.JobCreatedNS = p.clock.Now() - base.Wall
	p.manifest.Runs = []store.RunInfo{p.manifest.FirstRun()}
	if err := p.w.WriteManifest(p.manifest); err != nil {
		p.Abandon()
		return nil, err
	}
	return p, nil
}

// JobID is the job's id.
func (p *Prepared) JobID() string { return p.manifest.JobID }

// Tasks is how many tasks the job has: those of a reduce by group are not among them.
func (p *Prepared) Tasks() int { return p.manifest.Tasks }

// Dir is the job's directory in the store.
func (p *Prepared) Dir() string { return p.w.Dir() }

// Abandon takes a job that never began out of the store. One that was to be resumed
// stays as it is.
func (p *Prepared) Abandon() {
	if p.before == nil {
		os.RemoveAll(p.w.Dir()) // before the lock is given back: nobody shall find it and go on with it
	}
	p.w.Close()
}

// Execute runs the job to its end, see Run.Do.
func (p *Prepared) Execute(ctx context.Context) (*Outcome, error) {
	created := p.run.Created
	tell := func() {
		if created != nil {
			created(p.manifest.JobID)
		}
		created = nil
	}
	late := p.loads()
	if !late {
		tell()
	}
	ctx, watched := p.watch(ctx)
	result, err := p.execute(ctx, watched.now, tell)
	watched.end()
	if _, ok := errors.AsType[*executor.FunctionError](err); ok && late && created != nil && (p.before != nil || ran(result) == 0) {
		if p.before != nil { // as if it had not been resumed
			err = errors.Join(err, p.w.WriteManifest(&p.read))
		}
		p.Abandon()
		return nil, err
	}
	out, err := p.end(result, err)
	watched.explain(ctx, out)
	tell()
	return out, err
}

// loads says whether there are functions that have to be loaded, which may fail.
func (p *Prepared) loads() bool {
	for _, l := range languages(p.run.Spec) {
		if l != job.Go {
			return p.maps > 0 || p.run.Spec.Reduce != nil
		}
	}
	return false
}

// ran counts the tasks that have come to an end of their own.
func ran(r *executor.Result) int {
	if r == nil {
		return 0
	}
	return r.Counts[job.Success] + r.Counts[job.Error] + r.Counts[job.Timeout]
}

func (p *Prepared) execute(ctx context.Context, now <-chan struct{}, warm func()) (result *executor.Result, err error) {
	m := p.manifest
	tasks := p.maps
	if p.before != nil {
		if err := p.begin(); err != nil {
			return nil, err
		}
		if !p.before.again {
			tasks = m.Tasks
		}
	}
	if p.staged, err = openStages(p.w.Dir(), tasks); err != nil {
		return nil, err
	}
	defer p.staged.Close()
	events := make(chan executor.Event, 1024)
	pool, err := localworker.New(events, localworker.Options{JobID: m.JobID, Guest: p.run.Guest, Lock: p.w.Lock()})
	if err != nil {
		return nil, err
	}
	spec := *p.run.Spec
	spec.Data = job.Data{} // the workers get their inputs from the host
	isolation := spec.Isolation
	if isolation != job.IsolationPID {
		isolation = job.IsolationGroup
	}
	c := executor.Config{
		Job: wire.Job{JobID: m.JobID, Workers: m.Workers, Dir: p.w.Dir(), Clock: m.LastRun().Clock, Spec: &spec, Maps: p.maps,
			Isolation: isolation, GraceNS: int64(grace)},
		Retries: spec.Retries, OnFail: spec.OnFailure, Chunk: spec.Chunksize,
		Tasks: tasks, Workers: m.Workers, Inputs: p.staged, First: p.next.FirstWorker, Now: now,
		Writer: p.w, Clock: p.clock, Backend: pool, Events: events,
		Progress: p.run.Progress, Settled: p.run.Settled, Warm: warm, Drop: p.run.Drop,
		Check: worker.ReduceApart(&spec),
		// A program that ends as soon as it has its results leaves a job that is done.
		Finished: func(counts map[job.State]int) { p.conclude(&executor.Result{Counts: counts}, nil) },
	}
	if p.before != nil {
		c.Former = p.before.former
	}
	if spec.Reduce != nil && (p.before == nil || p.before.again) {
		c.Planned = m.Reduces
		c.Next = func(counts map[job.State]int) (int, string, error) { return p.reduce(ctx, counts) }
	}
	release, err := p.limit(&c.Job)
	if err != nil {
		return nil, err
	}
	defer release()
	p.w.Event(store.Event{Event: "run", TimeNS: p.clock.Now(), PID: os.Getpid()})
	return executor.Run(ctx, c)
}

// end writes down how the job ended and leaves the store.
func (p *Prepared) end(result *executor.Result, err error) (*Outcome, error) {
	out := &Outcome{JobID: p.manifest.JobID}
	if result != nil {
		out.Counts, out.Interrupted, out.Reason = result.Counts, result.Cancelled, result.Reason
	}
	failed := p.conclude(result, err)
	p.w.Event(store.Event{Event: "end", TimeNS: p.manifest.Ended.TimeNS, Text: p.manifest.Ended.State})
	after := errors.Join(failed, p.w.Close())
	if err != nil && errors.Is(after, syscall.ENOSPC) && strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
		after = nil // said once, by a worker perhaps, that the disk is full is clear enough
	}
	return out, errors.Join(err, after)
}

// conclude writes the job's end into its manifest.
func (p *Prepared) conclude(result *executor.Result, err error) error {
	ending := &store.Ending{State: "broken", TimeNS: p.clock.Now()}
	if before := p.manifest.Ended; before != nil && err == nil {
		ending.TimeNS = before.TimeNS // only the workers' ends were waited for since
	}
	p.manifest.Ended = ending
	if result != nil {
		ending.Counts, ending.Reason, ending.State = result.Counts, result.Reason, endState(result)
	}
	if err != nil {
		ending.State, ending.Reason = "broken", err.Error()
	}
	run := p.manifest.LastRun()
	run.EndNS, run.State, run.Reason = ending.TimeNS, ending.State, ending.Reason
	return p.w.WriteManifest(p.manifest)
}

func endState(r *executor.Result) string {
	tasks := 0
	for _, n := range r.Counts {
		tasks += n
	}
	switch {
	case r.Cancelled:
		return "cancelled"
	case r.Counts[job.Success] < tasks || r.Reason != "":
		return "failed"
	}
	return "done"
}
