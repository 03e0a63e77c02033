package executor

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// maxBack is how often a task may come back from workers that died and say that they
// were not at it. Some die without a word.
const maxBack = 50

// How often the loop looks after what no event tells it.
const (
	tickTime     = 50 * time.Millisecond
	progressTime = time.Second
	launchPause  = time.Second
	flushBytes   = 64 << 10
	// patience is the default of Config.Patience: longer than it takes to sweep up
	// what a task has left.
	patience = 10 * time.Second
)

// executor is the state of the loop; only the loop's goroutine touches it.
type executor struct {
	Config
	queue     queue
	workers   map[int]*worker
	launched  int               // workers, those in place of dead ones included
	starting  int               // workers that are not ready
	ending    int               // workers that were told to end
	notBefore time.Time         // no worker is launched before: the last could not be
	started   bool              // some worker was ready
	badStarts int               // workers that died before they were ready, since the last that was
	badLoads  int               // workers that could not load the function when others could, since a task ended
	finished  int               // tasks
	counts    map[job.State]int // of tasks that have ended, or are not to be run
	open      map[job.State]int // of the others, as earlier runs have left them
	before    int               // tasks that were finished from the start
	retried   int
	begun     time.Time
	meanNS    float64 // mean length of a task so far, recent ones weigh more; -1 before the first
	stopping  bool    // no task is started any more
	result    Result
	err       error
	told      time.Time     // last progress event
	cancel    bool          // running tasks were told to end
	now       bool          // they are not waited for any more
	deadline  time.Time     // when workers that have not ended by then are killed; zero before the end
	picker    *stats.Picker // of what is read of a worker's records
	buf       []byte
	read      stats.Record     // of a worker, and
	noted     stats.Record     // of ours: one at a time, not one for each task
	maps      int              // tasks from this number on are of the reduce
	next      chan nextStage   // its result is to come; nil otherwise
	dropped   map[int]struct{} // tasks to be cancelled that are not in the queue yet
	warm      bool
	relieved  time.Time        // when the loop last looked after tasks that wait with a worker
	relief    <-chan time.Time // when it is to do so though nothing happens
}

// worker is what the host knows of a worker.
type worker struct {
	number   int
	ready    bool
	ended    bool // was told to end
	fatal    error
	tail     *store.Tail
	inFlight []*pending
	rung     time.Time // when it was launched, had a task finished, or got one with none before
	recalled bool      // asked for what is behind a long task: gets nothing until that is done
	checks   bool      // loads all functions before its first task
	waited   int       // ticks it was not ready for: a host that is stopped does not count them
}

// Run executes the job until every task has ended or it is stopped. The error is
// for a job that cannot go on; what has ended until then is recorded.
func Run(ctx context.Context, c Config) (*Result, error) {
	e := &executor{Config: c, workers: map[int]*worker{}, counts: map[job.State]int{}, open: map[job.State]int{}, begun: time.Now(), meanNS: -1,
		maps: c.Tasks, dropped: map[int]struct{}{}}
	keys := stats.NewKeySet("task", "attempt", "state", "error_type", "worker_start_tstamp", "worker_end_tstamp")
	if c.Settled != nil {
		keys = keys.Union(stats.NewKeySet("error", "func_result_size", "result_offset", "result_crc32c"))
	}
	e.picker = stats.NewPicker(keys)
	e.queue = queue{inputs: c.Inputs, former: e.Former, now: c.Clock.Now}
	if c.Former != nil {
		e.maps = c.Job.Maps // the reduce may be among the tasks already
	}
	e.admit(0, e.Tasks)
	e.before = e.finished
	e.told = e.begun
	if err := e.queue.refill(); err != nil {
		e.fail(err)
	}
	e.loop(ctx)
	if e.next != nil {
		e.begin(<-e.next)
	}
	closing := e.close()
	e.sync(true)
	e.result.Counts = e.counts
	if e.Next != nil {
		e.admit(e.Tasks, e.Planned) // it did not come to that
	}
	for s, n := range e.open {
		if n > 0 {
			e.counts[s] += n
		}
	}
	if e.err == nil && e.Next == nil && e.counts[job.Success] == e.Tasks {
		e.result.Cancelled, e.result.Reason = false, "" // all was done when its end came
	}
	e.report()
	return &e.result, errors.Join(e.err, closing)
}

// admit counts n tasks from first on in.
func (e *executor) admit(first, n int) {
	if e.Former == nil {
		e.open[job.New] += n
		return
	}
	for task := first; task < first+n; task++ {
		if f := e.Former(task); f.Todo {
			e.open[f.State]++
		} else {
			e.finished++
			e.counts[f.State]++
		}
	}
}

// close ends the backend. Workers that are left then did not end when they were told to.
func (e *executor) close() error {
	e.stopping = e.stopping || len(e.workers) > 0
	done := make(chan error, 1)
	go func() { done <- e.Backend.Close() }()
	for {
		select {
		case ev := <-e.Events:
			e.event(&ev)
		case err := <-done:
			for {
				select {
				case ev := <-e.Events:
					e.event(&ev)
				default:
					return err
				}
			}
		}
	}
}

func (e *executor) loop(ctx context.Context) {
	tick := time.NewTicker(tickTime)
	defer tick.Stop()
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	done, now := ctx.Done(), e.Now
	soon := make(chan struct{})
	close(soon)
	for {
		e.advance()
		if e.over() {
			return
		}
		// Workers are started between events, so that the first tasks run while the
		// last workers come up.
		more := soon
		if !e.wantWorker() {
			more = nil
		}
		select {
		case <-more:
			e.launch()
		case ev := <-e.Events:
			e.event(&ev)
		case <-tick.C:
			e.sync(false)
			e.overdue()
			e.report()
		case <-e.relief:
			e.relief = nil
		case <-wake.C:
		case n := <-e.next:
			if ctx.Err() != nil && done != nil { // n.err may say no more than that
				done = nil
				e.interrupt(ctx)
			}
			e.begin(n)
		case task := <-e.Drop:
			e.drop(task)
		case <-done:
			done = nil
			if e.finished == e.Tasks && e.next == nil {
				break // only the workers' ends are waited for
			}
			e.interrupt(ctx)
		case <-now:
			now, e.now = nil, true
		}
		if wait := e.queue.wake(time.Now()); wait > 0 {
			wake.Reset(wait)
		}
		if err := e.queue.refill(); err != nil {
			e.fail(err)
		}
		e.dispatch()
		e.relieve()
		if e.Writer.Pending() > flushBytes {
			e.flush()
		}
	}
}

// interrupt ends the job because ctx has ended.
func (e *executor) interrupt(ctx context.Context) {
	e.result.Cancelled = true
	reason := "interrupted"
	if s, ok := errors.AsType[*Stop](context.Cause(ctx)); ok {
		reason = s.Reason
	}
	e.stop(reason, wire.Cancel)
}

// over says whether there is nothing left to wait for. When all tasks have ended
// it tells the workers to end.
func (e *executor) over() bool {
	if !e.stopping && (e.finished < e.Tasks || e.next != nil) {
		return false
	}
	if e.ending < len(e.workers) {
		for _, w := range e.workers {
			if len(w.inFlight) == 0 && w.ready && !w.ended {
				w.ended = true
				e.ending++
				e.send(w, wire.End)
			}
		}
	}
	if e.now && e.stopping {
		return true
	}
	if e.err != nil && !e.busy() {
		return true // do not wait for workers that may never come up
	}
	if e.deadline.IsZero() && (e.cancel || !e.busy()) {
		e.deadline = time.Now().Add(time.Duration(e.Job.GraceNS) + cmp.Or(e.Patience, patience))
	}
	return len(e.workers) == 0 || !e.deadline.IsZero() && time.Now().After(e.deadline)
}

func (e *executor) busy() bool {
	for _, w := range e.workers {
		if len(w.inFlight) > 0 {
			return true
		}
	}
	return false
}

// wantWorker says whether one more worker would have something to do.
func (e *executor) wantWorker() bool {
	if e.stopping || len(e.workers) >= e.Workers || time.Now().Before(e.notBefore) {
		return false
	}
	return e.queue.ready() > e.starting
}

func (e *executor) launch() {
	j := e.Job
	j.Worker = e.First + e.launched
	e.launched++
	j.Check = e.Check && !e.warm
	if j.Check {
		for _, w := range e.workers {
			j.Check = j.Check && !w.checks
		}
	}
	w := &worker{number: j.Worker, rung: time.Now(), checks: j.Check}
	e.workers[j.Worker] = w
	e.starting++
	if err := e.Backend.Launch(&j); err != nil {
		e.forgetWorker(w)
		if e.launched > e.Workers && len(e.workers) > 0 {
			// One that takes the place of a dead one can wait while others work.
			e.notBefore = time.Now().Add(launchPause)
			e.Writer.Event(store.Event{Event: "worker", TimeNS: e.Clock.Now(), Worker: &j.Worker, Text: err.Error()})
			return
		}
		e.fail(err)
	}
}

// forgetWorker takes a worker off the list: it is gone, or never came to be.
func (e *executor) forgetWorker(w *worker) {
	delete(e.workers, w.number)
	if !w.ready {
		e.starting--
	}
	if w.ended {
		e.ending--
	}
}

func (e *executor) send(w *worker, kind wire.Kind) {
	e.Backend.Send(w.number, (&wire.Message{Kind: kind}).Append(nil))
}

// fail ends the job because it cannot go on.
func (e *executor) fail(err error) {
	if e.err == nil {
		e.err = err
	}
	e.stop(err.Error(), wire.Cancel)
}

// stop starts no task any more. how says what happens to the running ones: Cancel
// ends them, Recall lets them finish.
func (e *executor) stop(reason string, how wire.Kind) {
	if !e.stopping {
		e.result.Reason = reason
	}
	e.stopping = true
	e.cancel = e.cancel || how == wire.Cancel
	for _, p := range e.queue.drop() {
		e.forget(p)
	}
	for _, w := range e.workers {
		if w.ready && len(w.inFlight) > 0 {
			e.send(w, how)
		}
	}
}
