package lithops

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// outputs is a job's open segments.
type outputs struct {
	mu   sync.Mutex
	open *store.Outputs // nil: none are
}

// shelf keeps the segments of a few jobs open, those last read from.
type shelf struct {
	mu   sync.Mutex
	jobs []*call // the last one was used last
}

// shelved is how many jobs a shelf holds.
const shelved = 8

// use notes that c is read from, and closes the segments of the one that was not
// for longest.
func (s *shelf) use(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.jobs); n > 0 && s.jobs[n-1] == c {
		return
	}
	s.jobs = append(slices.DeleteFunc(s.jobs, func(other *call) bool { return other == c }), c)
	if len(s.jobs) > shelved {
		s.jobs[0].closeOutputs()
		s.jobs = slices.Delete(s.jobs, 0, 1)
	}
}

// clear closes the segments of those jobs that which names.
func (s *shelf) clear(which func(*call) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = slices.DeleteFunc(s.jobs, func(c *call) bool {
		if !which(c) {
			return false
		}
		c.closeOutputs()
		return true
	})
}

func (c *call) closeOutputs() {
	c.outputs.mu.Lock()
	defer c.outputs.mu.Unlock()
	if c.outputs.open != nil {
		c.outputs.open.Close()
		c.outputs.open = nil
	}
}

// read lets use read outputs of the job.
func (c *call) read(use func(*store.Outputs) error) error {
	c.exec.shelf.use(c)
	c.outputs.mu.Lock()
	defer c.outputs.mu.Unlock()
	if c.outputs.open == nil {
		j, err := c.open()
		if err != nil {
			return err
		}
		c.outputs.open = j.Outputs()
	}
	return use(c.outputs.open)
}

// open opens the job for reading.
func (c *call) open() (*store.Job, error) {
	j, err := c.exec.store.Job(c.id)
	if _, gone := errors.AsType[*store.NotFoundError](err); gone {
		return nil, fmt.Errorf("job %s is not in the store: it was removed, or never began", c.id)
	}
	return j, err
}

// records keeps the records of some tasks that follow one another, because whoever
// asks for one asks for the next.
type records struct {
	mu    sync.Mutex
	size  int // how many were asked for when some were read last
	first int
	found []stats.Record
}

// mostRecords are kept; they take about a kilobyte each.
const mostRecords = 16 << 10

// record reads the record of the attempt at a task that counts, as it is by now.
func (c *call) record(n int) (*stats.Record, error) {
	ended := c.hasEnded(n)
	c.records.mu.Lock()
	defer c.records.mu.Unlock()
	if i := n - c.records.first; ended && i >= 0 && i < len(c.records.found) {
		if r := &c.records.found[i]; r.State.Final() && r.StatusDone.OK {
			return new(*r), nil
		}
	}
	j, err := c.open()
	if err != nil {
		return nil, err
	}
	size := min(max(1, 16*c.records.size), mostRecords, j.Manifest.Tasks-n)
	found := make([]stats.Record, 0, size)
	if _, err := j.Tasks(n, size, stats.AllKeys(), func(attempts []stats.Record) error {
		found = append(found, *store.Counting(attempts))
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read job %s: %w", c.id, err)
	}
	c.records.size, c.records.first, c.records.found = size, n, found
	return new(found[0]), nil
}

// complete is the record of a task with all that the host knows of it, if the task
// has ended.
func (c *call) complete(n int) (*stats.Record, error) {
	ended := c.hasEnded(n)
	t, err := c.task(n)
	if err != nil {
		return nil, err
	}
	r, err := c.record(n)
	if err == nil && ended && t.attempt > 0 && !r.StatusDone.OK {
		c.sync()
		r, err = c.record(n)
	}
	return r, err
}

func (c *call) stats(n int) (*Stats, error) {
	r, err := c.complete(n)
	if err != nil {
		return nil, err
	}
	return c.withReads(r)
}

// withReads adds to a record what this process alone knows: when the result was read.
func (c *call) withReads(r *stats.Record) (*Stats, error) {
	t, err := c.task(r.Task)
	if err != nil {
		return nil, err
	}
	if t.reads > 0 {
		r.ResultDone, r.ResultCount = stats.SecOf(t.readNS), stats.IntOf(t.reads)
	}
	return &Stats{*r}, nil
}

func (c *call) allStats() ([]*Stats, error) {
	c.mu.Lock()
	some := c.done > 0
	c.mu.Unlock()
	if some {
		c.sync()
	}
	j, err := c.open()
	if err != nil {
		return nil, err
	}
	all := make([]*Stats, 0, c.maps)
	if _, err = j.Tasks(0, c.maps, stats.AllKeys(), func(attempts []stats.Record) error {
		s, err := c.withReads(store.Counting(attempts))
		all = append(all, s)
		return err
	}); err != nil {
		return nil, fmt.Errorf("read job %s: %w", c.id, err)
	}
	return all, nil
}

// log reads what a task has printed.
func (c *call) log(n int) (string, error) {
	r, err := c.record(n)
	if err != nil {
		return "", err
	}
	text, err := c.output(r)
	if errors.Is(err, store.ErrNoOutput) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read log of task %d of job %s: %w", n, c.id, err)
	}
	return text, nil
}

// output reads the log of an attempt.
func (c *call) output(r *stats.Record) (string, error) {
	var text strings.Builder
	err := c.read(func(o *store.Outputs) error {
		from, err := o.Log(r)
		if err == nil {
			_, err = io.Copy(&text, from)
		}
		return err
	})
	return text.String(), err
}

// taskError says how a task failed. What the store cannot tell is left out.
func (c *call) taskError(n int) error {
	t, err := c.task(n)
	if err != nil {
		return err
	}
	e := &TaskError{JobID: c.id, Task: n, Attempt: int(t.attempt), State: State(t.final())}
	c.mu.Lock()
	f, kept := c.failed[n]
	if t.attempt == 0 {
		e.cause = c.err
	}
	c.mu.Unlock()
	e.Type, e.Message = f.kind, f.message
	if kept && (t.attempt == 0 || t.worker < 0 || e.Type != "panic") { // there is no more to know
		return e
	}
	r, err := c.record(n)
	if err != nil {
		e.Message = cmp.Or(e.Message, err.Error())
		return e
	}
	e.Type, e.Message = cmp.Or(e.Type, r.ErrorType), cmp.Or(e.Message, r.Error)
	if e.Type == "panic" && r.Attempt == e.Attempt {
		e.Traceback = c.stack(r)
	}
	return e
}

// stack is that of a panic, which the worker has written behind what the task had
// printed.
func (c *call) stack(r *stats.Record) string {
	text, err := c.output(r)
	if err != nil {
		return ""
	}
	const first = "goroutine "
	if i := strings.LastIndex("\n"+text, "\n"+first); i >= 0 {
		return text[i:]
	}
	return text
}
