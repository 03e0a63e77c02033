package lithops

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// ErrClosed is the error of calls to an executor that is closed, and why tasks of
// its jobs were not run.
var ErrClosed = errors.New("executor is closed")

// maxJobs bounds how many jobs of an executor are under way or wait for workers,
// because each holds files open. One more has to wait before it is made.
const maxJobs = 1000

// Executor runs jobs on worker processes of this machine and keeps them in a
// store. It is safe for concurrent use.
//
// Several jobs may be under way at a time. They share the executor's workers: a
// job begins when as many are free as it can use, in the order of the calls.
type Executor struct {
	id    string
	store *store.Store
	spec  job.Spec // of a job, but for its function
	slots *slots
	room  chan struct{} // holds a token for each job under way
	shelf shelf

	telling  sync.Mutex // held while progress is called
	progress func(Progress)

	mu      sync.Mutex
	jobs    int // number of the next
	running []*call
	ended   []string // ids of jobs that have, in that order
	broken  []error  // of jobs that could not go on or be recorded, the first few
	closed  bool
	active  sync.WaitGroup
}

// New makes an executor. It starts nothing: a job starts the workers it needs and
// ends them.
func New(opts ...Option) (*Executor, error) {
	if !initialised.Load() {
		if _, isWorker := os.LookupEnv(wire.WorkerEnv); isWorker {
			// Started by a program that did call Init; to go on would run it once more.
			fmt.Fprintln(os.Stderr, "lithops: this process was started as a worker and makes an executor: "+noInit)
			os.Exit(1)
		}
		return nil, errNoInit
	}
	s, err := apply(opts)
	if err != nil {
		return nil, err
	}
	st, err := store.Open(s.store)
	if err != nil {
		return nil, err
	}
	return &Executor{id: job.NewExecutorID(time.Now()), store: st, spec: s.spec, progress: s.progress,
		slots: &slots{free: s.spec.Workers}, room: make(chan struct{}, maxJobs)}, nil
}

// ID is what the ids of the executor's jobs begin with.
func (e *Executor) ID() string { return e.id }

// Store is the directory the jobs are kept in.
func (e *Executor) Store() string { return e.store.Root() }

// start stages a job and sets it going.
func (e *Executor) start(ctx context.Context, kind byte, f, reduce string, items job.Source) (_ *call, err error) {
	select {
	case e.room <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	c := &call{exec: e, cancel: cancel, drop: make(chan int), ended: make(chan struct{})}
	number, err := e.enter(c)
	if err != nil {
		cancel(err)
		<-e.room
		return nil, err
	}
	var p *Prepared
	defer func() {
		if p == nil {
			cancel(err)
			e.note(c, "", nil)
			e.leave()
		}
	}()
	spec := e.spec
	spec.Function.Go = f
	if reduce != "" {
		spec.Reduce = &job.Reduce{Function: job.Function{Go: reduce}}
	}
	p, err = Run{Store: e.store, Spec: &spec, Items: items, Settled: c.settle, Drop: c.drop, Progress: c.progress,
		Executor: e.id, Number: number, Kind: kind, Guest: true, Version: program()}.Prepare(ctx)
	if err != nil {
		return nil, cmp.Or(context.Cause(ctx), err)
	}
	c.begin(p)
	go e.run(ctx, c, p, e.slots.apply(p.manifest.Workers))
	return c, nil
}

// enter gives a job its number.
func (e *Executor) enter(c *call) (number int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return 0, ErrClosed
	}
	e.active.Add(1)
	e.running = append(e.running, c)
	e.jobs++
	return e.jobs - 1, nil
}

// note that a job is not under way any more; id is "" when it is not in the store,
// and err says why it could not go on or be recorded.
func (e *Executor) note(c *call, id string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running = slices.DeleteFunc(e.running, func(r *call) bool { return r == c })
	if id != "" {
		e.ended = append(e.ended, id)
	}
	if err != nil && len(e.broken) < shownErrors {
		e.broken = append(e.broken, fmt.Errorf("job %s: %w", id, err))
	}
}

// leave makes room for another job.
func (e *Executor) leave() {
	<-e.room
	e.active.Done()
}

// run executes a job as soon as there are workers for it.
func (e *Executor) run(ctx context.Context, c *call, p *Prepared, a *applicant) {
	why := e.slots.await(ctx, a)
	if why != nil {
		p.Abandon()
		e.note(c, "", nil)
	} else {
		c.executing()
		out, err := p.Execute(ctx)
		e.slots.give(a)
		e.note(c, c.id, err)
		why = cmp.Or(context.Cause(ctx), err)
		if why == nil {
			why = errors.New(cmp.Or(out.Reason, "the job ended early"))
		}
	}
	c.finish(why)
	c.cancel(nil)
	e.leave()
}

func (e *Executor) tell(p *Progress) {
	if e.progress == nil {
		return
	}
	e.telling.Lock()
	defer e.telling.Unlock()
	e.progress(*p)
}

// under lists the jobs that are under way.
func (e *Executor) under() []*call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.running)
}

// Wait waits until all jobs so far have ended, or ctx has. How their tasks ended is
// the futures' to tell; the error tells of jobs, now or before, that could not be
// run to their end or recorded, such as on a full disk.
func (e *Executor) Wait(ctx context.Context) error {
	for _, c := range e.under() {
		select {
		case <-c.ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return errors.Join(e.broken...)
}

// Clean removes the executor's jobs that have ended from the store. Results and
// statistics that were not read before are gone.
func (e *Executor) Clean() error {
	e.settle()
	e.mu.Lock()
	ids := e.ended
	e.ended = nil
	e.mu.Unlock()
	for i, id := range ids {
		if err := e.remove(id); err != nil {
			e.mu.Lock()
			e.ended = append(ids[i:], e.ended...)
			e.mu.Unlock()
			return fmt.Errorf("clean: %w", err)
		}
	}
	return nil
}

func (e *Executor) remove(id string) error {
	e.shelf.clear(func(c *call) bool { return c.id == id })
	err := e.store.Remove(id)
	if _, gone := errors.AsType[*store.NotFoundError](err); gone {
		return nil
	}
	return err
}

// settle waits for the jobs that have no task left to do, which takes a moment:
// what they say to their workers and write into the store at the end.
func (e *Executor) settle() {
	for _, c := range e.under() {
		c.mu.Lock()
		over := c.over != nil && c.done == c.tasks
		c.mu.Unlock()
		if over {
			<-c.ended
		}
	}
}

// Close ends the executor. It does not wait for tasks: running ones are ended in
// good order, within seconds, and those that have not begun are not run. Results
// can still be read. A second Close does nothing.
func (e *Executor) Close() error {
	e.mu.Lock()
	e.closed = true
	for _, c := range e.running {
		c.cancel(ErrClosed)
	}
	e.mu.Unlock()
	e.active.Wait()
	e.shelf.clear(func(*call) bool { return true })
	return nil
}

// program names this program for the store.
var program = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	if version == "" || version == "(devel)" {
		version = "devel"
	}
	return info.Path + " " + version
})
