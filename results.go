package lithops

import (
	"context"
	"fmt"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// What is read at once of results that are there.
const (
	mostAhead  = 256
	bytesAhead = 64 << 10
)

// results reads results, most often one after the other: as many at a time as are there,
// because that takes few locks. Not safe for concurrent use.
type results struct {
	c    *call
	most int // to be read at once

	first int // task of the first in hand
	ends  []int
	data  []byte
	at    int64 // when they were read, Unix ns
	tasks []task
}

func newResults(c *call) *results { return &results{c: c, most: mostAhead} }

// has says whether the result of task n is in hand.
func (r *results) has(n int) bool { return n >= r.first && n-r.first < len(r.ends) }

// wait waits for the end of a task, or of ctx.
func (r *results) wait(ctx context.Context, n int) error {
	if r.has(n) {
		return nil
	}
	return r.c.wait(ctx, n)
}

// decode decodes the result of a task that has ended. Its error is a *TaskError when
// there is none.
func (r *results) decode(n int, out any) error {
	b, err := r.result(n)
	if err != nil {
		return err
	}
	if err := decode(b, out); err != nil {
		return fmt.Errorf("result of task %d of job %s: %w", n, r.c.id, err)
	}
	return nil
}

// result is valid until the next call.
func (r *results) result(n int) ([]byte, error) {
	err := r.take(n)
	if err == nil {
		err = r.c.table.Change(n, func(t *task) { t.readNS, t.reads = r.at, t.reads+1 })
	}
	if err != nil {
		if isTaskError(err) {
			return nil, err
		}
		return nil, fmt.Errorf("read result of task %d of job %s: %w", n, r.c.id, err)
	}
	from := 0
	if n > r.first {
		from = r.ends[n-r.first-1]
	}
	return r.data[from:r.ends[n-r.first]], nil
}

// take takes the result of task n in hand, and with it some of those behind it.
func (r *results) take(n int) error {
	if r.has(n) {
		return nil
	}
	if r.tasks == nil {
		r.tasks = make([]task, r.most)
	}
	found, err := r.c.endedFrom(n, r.tasks)
	if err != nil {
		return err
	}
	if r.tasks[0].state != job.Success {
		return r.c.taskError(n)
	}
	if cap(r.data) > 16*bytesAhead {
		r.data = nil
	}
	r.first, r.ends, r.data = n, r.ends[:0], r.data[:0]
	var from stats.Record
	err = r.c.read(func(o *store.Outputs) (err error) {
		for i, t := range r.tasks[:found] {
			if i > 0 && (t.state != job.Success || len(r.data)+int(t.size) > bytesAhead) {
				break
			}
			from.Task, from.Attempt, from.Worker = n+i, int(t.attempt), stats.IntOf(t.worker)
			from.ResultOffset, from.ResultSize, from.ResultCRC = stats.IntOf(t.offset), stats.IntOf(t.size), stats.IntOf(int64(t.crc))
			if r.data, err = o.AppendResult(r.data, &from); err != nil {
				break
			}
			r.ends = append(r.ends, len(r.data))
		}
		return err
	})
	r.at = r.c.clock.Now()
	if len(r.ends) > 0 {
		return nil // what was wrong with the next one shows when it is the first
	}
	return err
}
