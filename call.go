package lithops

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/job"
)

// call is a job of an executor: what futures are of.
type call struct {
	exec    *Executor
	id      string
	maps    int // tasks from this number on are of the reduce
	clock   *clock.Clock
	cancel  context.CancelCauseFunc
	drop    chan int      // tasks to be cancelled
	ended   chan struct{} // closed when the job has, and its store is complete
	outputs outputs
	records records

	mu       sync.Mutex
	runs     bool   // the executor has the job
	tasks    []task // nil while the items are being read
	done     int    // tasks that have ended
	mapsDone int
	failed   map[int]failure       // of the first that failed
	waiting  map[int]chan struct{} // closed when the task has ended
	counting []counting
	mapped   chan struct{} // closed when the map's tasks have ended; nil: nobody asked
	synced   chan struct{} // closed when the host's log is up to date; nil: nobody waits
	drops    []int         // not yet sent on drop
	dropping bool
	fetched  []fetched // by task; nil until a result is read
	err      error     // why tasks were not run
}

// task is what is kept of each task: where its result is.
type task struct {
	offset  int64
	size    int32 // -1: no result
	crc     uint32
	worker  int32 // -1: none
	attempt uint16
	state   job.State
}

// failure is what the host says of a task that failed.
type failure struct{ kind, message string }

// keptFailures bounds what is kept of failures that the store tells as well.
const keptFailures = 10_000

// fetched is how the results of a task were read.
type fetched struct {
	at    int64 // Unix ns
	count int32
}

// counting is somebody who waits for a number of the map's tasks.
type counting struct {
	n    int
	done chan struct{}
}

// begin makes room for the tasks of a job that is in the store.
func (c *call) begin(p *Prepared) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id, c.clock, c.maps = p.JobID(), p.clock, p.maps
	c.tasks = make([]task, p.Tasks())
	for i := range c.tasks {
		c.tasks[i] = task{size: -1, worker: -1}
	}
}

// staged says whether the job is in the store.
func (c *call) staged() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tasks != nil
}

// executing notes that the executor has the job.
func (c *call) executing() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs = true
}

// settle takes in that a task has ended. It is called by the job's own goroutine.
func (c *call) settle(s executor.Settlement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.Task >= len(c.tasks) || c.tasks[s.Task].state.Final() {
		return
	}
	c.tasks[s.Task] = task{offset: s.ResultOffset, size: int32(s.ResultSize), crc: uint32(s.ResultCRC), worker: int32(s.Worker),
		attempt: uint16(min(s.Try, math.MaxUint16)), state: s.State}
	c.over(s.Task, failure{s.ErrorType, s.Error})
}

// over tells all who wait for the task. c.mu is held.
func (c *call) over(n int, f failure) {
	if c.tasks[n].state != job.Success && len(c.failed) < keptFailures {
		if c.failed == nil {
			c.failed = map[int]failure{}
		}
		c.failed[n] = f
	}
	c.done++
	if ch := c.waiting[n]; ch != nil {
		close(ch)
		delete(c.waiting, n)
	}
	if n >= c.maps {
		return
	}
	c.mapsDone++
	c.counting = slices.DeleteFunc(c.counting, func(w counting) bool {
		if w.n > c.mapsDone {
			return false
		}
		close(w.done)
		return true
	})
}

// finish ends the tasks that were not run; why says why there are any.
func (c *call) finish(why error) {
	c.mu.Lock()
	c.err = why
	for n := range c.tasks {
		if t := &c.tasks[n]; !t.state.Final() {
			t.state = job.Cancelled
			c.over(n, failure{"cancelled", "not run: " + why.Error()})
		}
	}
	c.mu.Unlock()
	close(c.ended)
}

// progress takes in how far the job is. What was settled before is in the store by
// now: the executor brings the host's log up to date first.
func (c *call) progress(p executor.Progress) {
	c.mu.Lock()
	if c.synced != nil {
		close(c.synced)
		c.synced = nil
	}
	c.mu.Unlock()
	c.exec.tell(&Progress{JobID: c.id, Tasks: p.Tasks, Success: p.Success, Failed: p.Failed, Cancelled: p.Cancelled,
		Running: p.Running, Retried: p.Retried, Workers: p.Workers, Elapsed: p.Elapsed})
}

// sync waits until all that has been settled is in the store.
func (c *call) sync() {
	c.mu.Lock()
	var synced chan struct{} // of a job that is over in a moment only its end matters
	if !c.runs {
		c.mu.Unlock()
		return
	}
	if c.done < len(c.tasks) {
		if c.synced == nil {
			c.synced = make(chan struct{})
		}
		synced = c.synced
	}
	c.mu.Unlock()
	select {
	case <-synced:
	case <-c.ended:
	}
}

// wait waits for the end of a task, or of ctx.
func (c *call) wait(ctx context.Context, n int) error {
	c.mu.Lock()
	ended, done := c.tasks[n].state.Final(), c.doneLocked(n)
	c.mu.Unlock()
	if ended {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// closed is the channel of all tasks that have ended.
var closed = func() chan struct{} {
	ch := make(chan struct{})
	close(ch)
	return ch
}()

func (c *call) doneChannel(n int) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.doneLocked(n)
}

func (c *call) doneLocked(n int) <-chan struct{} {
	if c.tasks[n].state.Final() {
		return closed
	}
	if c.waiting[n] == nil {
		if c.waiting == nil {
			c.waiting = map[int]chan struct{}{}
		}
		c.waiting[n] = make(chan struct{})
	}
	return c.waiting[n]
}

// waitFor waits until n tasks of the map have ended, or ctx has.
func (c *call) waitFor(ctx context.Context, n int) error {
	c.mu.Lock()
	if c.mapsDone >= n {
		c.mu.Unlock()
		return nil
	}
	done := make(chan struct{})
	c.counting = append(c.counting, counting{n, done})
	c.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		c.mu.Lock()
		c.counting = slices.DeleteFunc(c.counting, func(w counting) bool { return w.done == done })
		c.mu.Unlock()
		return context.Cause(ctx)
	}
}

// allDone is closed when all tasks of the map have ended.
func (c *call) allDone() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.mapsDone == c.maps:
		return closed
	case c.mapped == nil:
		c.mapped = make(chan struct{})
		c.counting = append(c.counting, counting{c.maps, c.mapped})
	}
	return c.mapped
}

// errCancelled is the end of a job whose futures were cancelled.
var errCancelled = errors.New("cancelled")

// cancelTask withdraws a task, or ends it when it runs.
func (c *call) cancelTask(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.tasks[n].state.Final():
	case len(c.tasks) == 1:
		c.cancel(errCancelled) // also when the job waits for a worker
	default:
		c.drops = append(c.drops, n)
		if !c.dropping {
			c.dropping = true
			go c.sendDrops()
		}
	}
}

// sendDrops hands the tasks to be cancelled to the job's goroutine.
func (c *call) sendDrops() {
	for {
		c.mu.Lock()
		if len(c.drops) == 0 {
			c.dropping, c.drops = false, nil
			c.mu.Unlock()
			return
		}
		n := c.drops[0]
		c.drops = c.drops[1:]
		c.mu.Unlock()
		select {
		case c.drop <- n:
		case <-c.ended:
			return
		}
	}
}

// at is what is known of a task.
func (c *call) at(n int) task {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tasks[n]
}
