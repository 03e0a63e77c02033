package executor

import (
	"errors"
	"fmt"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

func (e *executor) event(ev *Event) {
	w := e.workers[ev.Worker]
	if w == nil {
		return
	}
	switch ev.Kind {
	case Ready:
		w.ready, e.started, e.badStarts = true, true, 0
		e.starting--
		var err error
		if w.tail, err = store.OpenTail(store.SegmentPath(e.Writer.Dir(), w.number, store.StatsSegment)); err != nil {
			e.fail(err)
			return
		}
		e.Writer.Event(store.Event{Event: "worker", TimeNS: e.Clock.Now(), Worker: &w.number, PID: ev.PID, Text: "ready on " + ev.Hostname})
	case Done:
		if err := w.tail.ReadTo(ev.Offset, func(line []byte) error { return e.record(w, line) }); err != nil {
			e.fail(fmt.Errorf("read records of worker %d: %w", w.number, err))
			w.inFlight = nil // what it says of them cannot be read
		}
		w.rung, w.recalled, e.badLoads = time.Now(), false, 0
	case Back:
		if p := w.take(ev.Attempt); p != nil {
			e.giveBack(w, p)
		}
		w.recalled = w.recalled && len(w.inFlight) > 0
	case Warm:
		if e.warm || e.Check && !w.checks {
			return
		}
		e.warm = true
		if e.Config.Warm != nil {
			e.Config.Warm()
		}
	case Fatal:
		// A function that could be loaded before can be again: what it met may pass.
		if _, ok := errors.AsType[*FunctionError](ev.Err); ok && e.warm && e.badLoads < maxBadStarts {
			e.badLoads++
			return
		}
		w.fatal = ev.Err
	case Gone:
		e.gone(w, ev.Err)
	}
}

// giveBack queues an attempt again that the worker had not begun, or forgets it
// when the job is being stopped.
func (e *executor) giveBack(w *worker, p *pending) {
	p.dispatch, p.returned = 0, true
	if p.noted != job.New {
		p.noted = job.New
		e.note(w, p, &stats.Record{State: job.New})
	}
	if e.stopping {
		e.forget(p)
		return
	}
	e.queue.again.push(p)
}

// forget gives up an attempt that will not be made. A task counts as what its
// last attempt was; one without attempts is new.
func (e *executor) forget(p *pending) {
	if p.last != job.New {
		e.finish(p, p.last)
		e.settled(&Settlement{Attempt: job.Attempt{Task: p.Task, Try: p.Try - 1}, State: p.last, Worker: -1, ResultSize: -1})
	}
}

// take removes an attempt from those with the worker; nil when it is not there.
func (w *worker) take(a job.Attempt) *pending {
	if len(w.inFlight) > 0 && w.inFlight[0].Attempt == a { // they end in order
		p := w.inFlight[0]
		w.inFlight[0] = nil
		w.inFlight = w.inFlight[1:]
		return p
	}
	for i, p := range w.inFlight {
		if p.Attempt == a {
			copy(w.inFlight[i:], w.inFlight[i+1:])
			w.inFlight[len(w.inFlight)-1] = nil
			w.inFlight = w.inFlight[:len(w.inFlight)-1]
			return p
		}
	}
	return nil
}

// record takes in one record from a worker's segment.
func (e *executor) record(w *worker, line []byte) error {
	r := &e.read
	if err := w.tail.Parse(line, e.picker, r); err != nil {
		return err
	}
	r.WorkerExec = r.WorkerEnd.Since(r.WorkerStart)
	p := w.take(job.Attempt{Task: r.Task, Try: r.Attempt})
	if p == nil {
		return fmt.Errorf("record of task %d, attempt %d, which the worker was not given", r.Task, r.Attempt)
	}
	const weight = 0.1
	length := min(float64(r.WorkerExec.NS), float64(aheadTime)) // no task waits longer than that behind another
	if e.meanNS < 0 {
		e.meanNS = length
	}
	e.meanNS += weight * (length - e.meanNS)
	n := &e.noted // what note sets anew is all there is of the one before
	n.State, n.StatusDone, n.StatusCount = r.State, stats.SecOf(e.Clock.Now()), stats.IntOf(1)
	e.settle(w, p, n, r)
	return nil
}
