package executor

import (
	"container/heap"
	"errors"
	"io"
	"time"

	"github.com/lithops-go/lithops/internal/job"
)

// pending is an attempt that waits for a worker, or is with one.
type pending struct {
	job.Attempt
	input    []byte
	former   Former
	submit   int64     // Unix ns
	dispatch int64     // Unix ns, 0 before
	lost     int       // how many attempts at the task were lost
	back     int       // how often it came back from a worker that died
	returned bool      // it came back from a worker, which had not begun it
	last     job.State // of the attempt before, in this run
	noted    job.State // with a worker: what host.jsonl says of it, New where nothing
}

// Bounds of the queue: inputs beyond them stay in the file.
const (
	queueTasks = 10_000
	queueBytes = 32 << 20
)

// Inputs gives the tasks' inputs in order, and io.EOF after the last; a slice is
// valid until the next call.
type Inputs interface{ Next() ([]byte, error) }

// queue holds what can run now, first the attempts that came back, then fresh
// tasks in order of input, and the retries that wait for their time.
type queue struct {
	inputs  Inputs
	former  func(task int) Former
	next    int // number of the next fresh task
	drained bool
	fresh   ring
	size    int64 // of inputs in fresh
	again   ring
	later   retries
	now     func() int64
}

// ring is a first-in-first-out of attempts.
type ring struct {
	items []*pending
	head  int
}

func (r *ring) len() int        { return len(r.items) - r.head }
func (r *ring) push(p *pending) { r.items = append(r.items, p) }
func (r *ring) pop() *pending {
	p := r.items[r.head]
	r.items[r.head] = nil
	if r.head++; r.head == len(r.items) {
		r.items, r.head = r.items[:0], 0
	} else if r.head > 1024 && 2*r.head > len(r.items) {
		n := copy(r.items, r.items[r.head:])
		clear(r.items[n:])
		r.items, r.head = r.items[:n], 0
	}
	return p
}

// refill reads inputs until the queue is full. A fresh task is submitted the
// moment it enters.
func (q *queue) refill() error {
	if q.drained || q.fresh.len() > queueTasks/2 {
		return nil
	}
	for q.fresh.len() < queueTasks && (q.size < queueBytes || q.fresh.len() == 0) {
		in, err := q.inputs.Next()
		if errors.Is(err, io.EOF) {
			q.drained = true
			return nil
		}
		if err != nil {
			return err
		}
		f := Former{Todo: true}
		if q.former != nil {
			f = q.former(q.next)
		}
		if f.Todo {
			q.fresh.push(&pending{Attempt: job.Attempt{Task: q.next, Try: f.Tries + 1}, former: f, input: append([]byte(nil), in...), submit: q.now()})
			q.size += int64(len(in))
		}
		q.next++
	}
	return nil
}

// tries is how many attempts were made in this run, p included, those that were lost
// apart.
func (p *pending) tries() int { return p.Try - p.former.Tries - p.lost }

// ready is the number of attempts that can run now.
func (q *queue) ready() int { return q.again.len() + q.fresh.len() }

// returned says whether the next attempt has waited in vain at a worker: it is for one
// that has nothing else to do.
func (q *queue) returned() bool { return q.again.len() > 0 && q.again.items[q.again.head].returned }

// pop takes the next attempt, nil when none can run now.
func (q *queue) pop() *pending {
	if q.again.len() > 0 {
		return q.again.pop()
	}
	if q.fresh.len() == 0 {
		return nil
	}
	p := q.fresh.pop()
	q.size -= int64(len(p.input))
	return p
}

// take removes the attempt at a task that waits here; nil when there is none.
func (q *queue) take(task int) *pending {
	for _, r := range []*ring{&q.again, &q.fresh} {
		for i := r.head; i < len(r.items); i++ {
			if p := r.items[i]; p.Task == task {
				r.items = append(r.items[:i], r.items[i+1:]...)
				if r == &q.fresh {
					q.size -= int64(len(p.input))
				}
				return p
			}
		}
	}
	for i := range q.later {
		if p := q.later[i].p; p.Task == task {
			heap.Remove(&q.later, i)
			return p
		}
	}
	return nil
}

// retry queues an attempt to run at the given time.
func (q *queue) retry(p *pending, at time.Time) { heap.Push(&q.later, retry{p, at}) }

// wake moves the retries whose time has come to those that can run, and
// returns how long it is to the next one, 0 when there is none.
func (q *queue) wake(now time.Time) time.Duration {
	for len(q.later) > 0 {
		if wait := q.later[0].at.Sub(now); wait > 0 {
			return wait
		}
		p := heap.Pop(&q.later).(retry).p
		p.submit = q.now()
		q.again.push(p)
	}
	return 0
}

// drop empties the queue and returns what was to be run again.
func (q *queue) drop() (again []*pending) {
	q.drained = true
	again = append(again, q.again.items[q.again.head:]...)
	for _, r := range q.later {
		again = append(again, r.p)
	}
	q.fresh, q.again, q.later, q.size = ring{}, ring{}, nil, 0
	return again
}

type retry struct {
	p  *pending
	at time.Time
}

// retries is a heap by time.
type retries []retry

func (r retries) Len() int           { return len(r) }
func (r retries) Less(i, j int) bool { return r[i].at.Before(r[j].at) }
func (r retries) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *retries) Push(x any)        { *r = append(*r, x.(retry)) }
func (r *retries) Pop() any {
	old := *r
	last := old[len(old)-1]
	*r = old[:len(old)-1]
	return last
}
