package executor

import (
	"errors"
	"fmt"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// How many tasks are with a worker at a time. Long tasks go one by one; of short
// ones there are as many as keep it busy while a message goes back and forth.
const (
	aheadTime = 30 * time.Millisecond
	maxAhead  = 1024
	// maxBadStarts is how many workers in a row may die before they are ready, once
	// one was; startTime is what a worker gets to be ready.
	maxBadStarts = 3
	startTime    = time.Minute
	// reliefTime is how long a worker may be silent with tasks it has not begun while
	// another has nothing to do, and longTime while all have.
	reliefTime = 3 * time.Millisecond
	longTime   = 20 * time.Millisecond
	// reliefTick is how often the loop looks for such workers.
	reliefTick = 4 * time.Millisecond
)

// window is how many tasks a worker may have now.
func (e *executor) window() int {
	switch e.OnFail.Mode {
	case job.Stop, job.Tolerate: // none may start after the failure that ends the job
		return 1
	}
	if e.Tasks > e.maps { // a reduce is not as short as what was mapped
		return 1
	}
	if e.Chunk > 0 {
		return e.Chunk
	}
	if e.meanNS < 0 || e.meanNS > float64(aheadTime) {
		return 1
	}
	n := int(min(float64(aheadTime)/max(e.meanNS, 1), maxAhead))
	// Towards the end of the queue the rest is shared out.
	if e.queue.drained {
		n = min(n, 1+e.queue.ready()/(2*max(1, len(e.workers))))
	}
	return max(1, n)
}

// dispatch gives tasks to the workers that have room.
func (e *executor) dispatch() {
	if e.stopping || e.queue.ready() == 0 {
		return
	}
	window := e.window()
	for _, w := range e.workers {
		if !w.ready || w.fatal != nil || w.recalled || len(w.inFlight) > window*3/4 || e.Check && !e.warm && !w.checks {
			continue
		}
		if len(w.inFlight) > 0 && (e.Chunk == 0 && time.Since(w.rung) > longTime || e.queue.returned()) {
			continue
		}
		e.buf = e.buf[:0]
		now := e.Clock.Now()
		if len(w.inFlight) == 0 {
			w.rung = time.Now()
		}
		for len(w.inFlight) < window {
			p := e.queue.pop()
			if p == nil {
				break
			}
			if e.skip(p) {
				continue
			}
			p.dispatch = now
			w.inFlight = append(w.inFlight, p)
			m := wire.Message{Kind: wire.Task, Numbers: [2]int64{int64(p.Task), int64(p.Try)}, JSON: p.input}
			e.buf = m.Append(e.buf)
		}
		if len(e.buf) == 0 {
			if e.queue.ready() == 0 {
				return
			}
			continue
		}
		e.Backend.Send(w.number, e.buf)
	}
}

// relieve asks workers that are held up by a long task for the tasks behind it:
// soon when another worker has nothing to do, and when it is long in any case,
// because the next of them may be long as well and should not begin so late. It is
// called after every event, and looks now and then.
func (e *executor) relieve() {
	now := time.Now()
	if now.Sub(e.relieved) < reliefTick {
		if e.relief == nil && e.queue.ready() == 0 { // there may be no event for long
			e.relief = time.After(reliefTick)
		}
		return
	}
	e.relieved, e.relief = now, nil
	if e.stopping || e.Check && !e.warm {
		return
	}
	idle, ahead := false, false
	for _, w := range e.workers {
		idle = idle || w.ready && len(w.inFlight) == 0
		ahead = ahead || len(w.inFlight) > 1 && !w.recalled
	}
	if !ahead {
		return
	}
	most := longTime
	switch drained := e.queue.ready() == 0; {
	case drained && idle:
		most = reliefTime
	case e.Chunk > 0: // somebody wants them to have so many
		return
	}
	for _, w := range e.workers {
		if len(w.inFlight) > 1 && !w.recalled && now.Sub(w.rung) > most {
			w.recalled = true
			e.send(w, wire.Recall)
		}
	}
	if e.queue.ready() == 0 {
		e.relief = time.After(reliefTick)
	}
}

// gone settles what a worker leaves behind. Records it wrote but did not tell of
// count. Of the attempts without one that which was running is lost: the first,
// unless the worker has left word which. The others go back.
func (e *executor) gone(w *worker, err error) {
	e.forgetWorker(w)
	if w.tail != nil {
		defer w.tail.Close()
		if e.Job.Spec.Durability == job.DurabilitySync { // it may have died between writing and syncing
			if err := w.tail.Sync(); err != nil {
				e.fail(err)
			}
		}
		if err := w.tail.ReadRest(func(line []byte) error { return e.record(w, line) }); err != nil {
			e.fail(fmt.Errorf("read records of worker %d: %w", w.number, err))
		}
	}
	left := w.inFlight
	w.inFlight = nil
	text := "ended"
	if err != nil {
		text = err.Error()
	}
	e.Writer.Event(store.Event{Event: "worker", TimeNS: e.Clock.Now(), Worker: &w.number, Text: text})
	switch {
	case w.fatal != nil:
		e.fail(w.fatal)
	case err == nil && len(left) > 0:
		err = fmt.Errorf("worker %d ended with %d tasks", w.number, len(left))
	case err != nil && !w.ready && !e.stopping:
		// One may have been hit by what was not meant for it; several in a row cannot start, nor
		// can the first that gives up by itself.
		_, exited := errors.AsType[*ExitError](err)
		if e.badStarts++; e.badStarts > maxBadStarts || !e.started && exited {
			e.fail(fmt.Errorf("start worker %d: %w", w.number, err))
		}
	}
	running, told := store.ReadRunning(e.Writer.Dir(), w.number)
	for i, p := range left {
		if told && p.Attempt == running || !told && i == 0 && w.fatal == nil {
			why := err
			if w.fatal != nil {
				why = w.fatal // its worker could not go on, with writing down what came of it for example
			}
			r := e.lost(w, why)
			if e.now {
				r.State, r.ErrorType, r.Error = job.Cancelled, "cancelled", "killed because the job was cancelled"
			}
			if exit, ok := errors.AsType[*ExitError](err); ok && told && e.Job.Spec.Function.Go != "" {
				r.StatusDone = stats.Sec{} // that is of a worker's record, and there is none
				r.State, r.ErrorType, r.Error = job.Error, "exit", fmt.Sprintf("ended its process with exit code %d", exit.Code)
				if exit.Said != "" {
					r.Error += ": " + exit.Said
				}
			}
			e.settle(w, p, r, r)
			continue
		}
		// One that is said not to have been running, again and again, was.
		if err != nil && w.fatal == nil {
			if p.back++; p.back > maxBack {
				p.lost = e.Retries.MaxLost()
				r := e.lost(w, err)
				e.settle(w, p, r, r)
				continue
			}
		}
		e.giveBack(w, p)
	}
	// What was lost has its line before another attempt is made, whatever becomes of the host.
	e.flush()
	if err := store.RemoveRunning(e.Writer.Dir(), w.number); err != nil {
		e.fail(err)
	}
}

// lost is the record of an attempt that died with its worker.
func (e *executor) lost(w *worker, err error) *stats.Record {
	return &stats.Record{State: job.Lost, ErrorType: "lost", Error: fmt.Sprintf("worker %d: %v", w.number, err), StatusDone: stats.SecOf(e.Clock.Now())}
}

// note writes what the host knows of an attempt; r holds its state.
func (e *executor) note(w *worker, p *pending, r *stats.Record) {
	r.Task, r.Attempt = p.Task, p.Try
	r.Worker = stats.IntOf(w.number)
	r.FuncDataSize = stats.IntOf(len(p.input))
	r.HostSubmit = stats.SecOf(p.submit)
	if p.dispatch != 0 {
		r.HostDispatch = stats.SecOf(p.dispatch)
	}
	e.Writer.Task(r)
}

// sync brings host.jsonl up to date: what has been with the workers for a while,
// and how far the job is.
func (e *executor) sync(end bool) {
	before := e.Clock.Now() - int64(tickTime)
	for _, w := range e.workers {
		for i, p := range w.inFlight {
			if p.dispatch > before && !end {
				continue
			}
			state := job.Running
			if i > 0 { // it has not begun with this one
				state = job.Queued
			}
			if p.noted != state {
				p.noted = state
				e.note(w, p, &stats.Record{State: state})
			}
		}
	}
	if end || time.Since(e.told) > progressTime {
		e.told = time.Now()
		p := e.progress()
		e.Writer.Event(store.Event{Event: "progress", TimeNS: e.Clock.Now(), Done: p.Success, Failed: p.Failed, Running: p.Running})
	}
	e.flush()
}

func (e *executor) flush() {
	if err := e.Writer.Flush(); err != nil && e.err == nil {
		e.fail(err)
	}
}

// overdue ends the job when a worker does not come up.
func (e *executor) overdue() {
	for _, w := range e.workers {
		if w.ready || e.stopping {
			continue
		}
		if w.waited++; time.Duration(w.waited)*tickTime > startTime {
			e.fail(fmt.Errorf("start worker %d: not ready after %v", w.number, startTime))
		}
	}
}

func (e *executor) progress() Progress {
	p := Progress{Tasks: e.Tasks, Before: e.before, Success: e.counts[job.Success], Failed: e.failures(), Cancelled: e.counts[job.Cancelled],
		Retried: e.retried, Elapsed: time.Since(e.begun), Workers: len(e.workers), Ending: e.stopping, Reason: e.result.Reason}
	if e.Next != nil {
		p.Tasks += e.Planned
	}
	for _, w := range e.workers {
		if len(w.inFlight) > 0 {
			p.Running++
		}
	}
	return p
}

func (e *executor) report() {
	if e.Progress != nil {
		e.Progress(e.progress())
	}
}
