package lithops

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"sync"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/paged"
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
	table   *paged.Table[task]

	mu       sync.Mutex
	runs     bool // the executor has the job
	tasks    int
	over     bits // tasks that have ended; nil while the items are being read
	done     int  // how many those are
	mapsDone int
	failed   map[int]failure       // of the first that failed
	waiting  map[int]chan struct{} // closed when the task has ended
	counting []counting
	mapped   chan struct{} // closed when the map's tasks have ended; nil: nobody asked
	synced   chan struct{} // closed when the host's log is up to date; nil: nobody waits
	drops    []int         // not yet sent on drop
	dropping bool
	err      error // why tasks were not run
}

// bits is a bit per task: this stays in memory.
type bits []byte

func newBits(n int) bits { return make(bits, (n+7)/8) }

func (b bits) has(n int) bool { return b[n/8]&(1<<(n%8)) != 0 }
func (b bits) set(n int)      { b[n/8] |= 1 << (n % 8) }

// task is what is kept of each task that was run: how it ended, where its result is, and
// how that was read.
type task struct {
	offset  int64
	readNS  int64 // when the result was read last, Unix time
	size    int32 // -1: no result
	crc     uint32
	worker  int32 // -1: none
	reads   int32
	attempt uint16
	state   job.State
}

// final is the state of a task that has ended: without having been run, as the rest of
// a job that was ended.
func (t task) final() job.State { return cmp.Or(t.state, job.Cancelled) }

// failure is what the host says of a task that failed.
type failure struct{ kind, message string }

// keptFailures bounds what is kept of failures that the store tells as well.
const keptFailures = 10_000

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
	c.tasks = p.Tasks()
	c.over, c.table = newBits(c.tasks), paged.New[task](c.tasks, p.Dir())
}

// staged says whether the job is in the store.
func (c *call) staged() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over != nil
}

// executing notes that the executor has the job.
func (c *call) executing() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs = true
}

// settle takes in that a task has ended. It is called by the job's own goroutine, the
// only one that ends tasks.
func (c *call) settle(s executor.Settlement) {
	if s.Task >= c.tasks || c.over.has(s.Task) {
		return
	}
	// When this fails, it fails for who asks for the result, too.
	_ = c.table.Change(s.Task, func(t *task) {
		t.offset, t.size, t.crc = s.ResultOffset, int32(s.ResultSize), uint32(s.ResultCRC)
		t.worker, t.attempt, t.state = int32(s.Worker), uint16(min(s.Try, math.MaxUint16)), s.State
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(s.Task, s.State, failure{s.ErrorType, s.Error})
}

// end tells all who wait for the task. c.mu is held.
func (c *call) end(n int, s job.State, f failure) {
	c.over.set(n)
	if s != job.Success && len(c.failed) < keptFailures {
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
		if !c.over.has(n) {
			c.end(n, job.Cancelled, failure{"cancelled", "not run: " + why.Error()})
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
	if c.done < c.tasks {
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
	ended, done := c.over.has(n), c.doneLocked(n)
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
	if c.over.has(n) {
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
	case c.over.has(n):
	case c.tasks == 1:
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

// hasEnded says whether a task has.
func (c *call) hasEnded(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over.has(n)
}

// task is what is kept of a task.
func (c *call) task(n int) (task, error) {
	var one [1]task
	_, err := c.table.Read(n, one[:])
	return one[0], err
}

// endedFrom fills to with what is kept of the tasks from n on, which has ended, up to the
// first that has not, or fewer, and returns how many those are.
func (c *call) endedFrom(n int, to []task) (int, error) {
	c.mu.Lock()
	most := 1
	for most < len(to) && n+most < c.tasks && c.over.has(n+most) {
		most++
	}
	c.mu.Unlock()
	return c.table.Read(n, to[:most])
}
