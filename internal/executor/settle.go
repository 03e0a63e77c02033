package executor

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/wire"
)

// settle notes that an attempt has ended and decides what follows. r holds its
// state and what the host alone can tell of it, recorded what the worker wrote,
// or is r where none did.
func (e *executor) settle(w *worker, p *pending, r, recorded *stats.Record) {
	most := e.Retries.MaxLost()
	if r.State == job.Lost && p.lost >= most && most > 0 && !e.stopping {
		r.ErrorType = "poison"
		r.Error = fmt.Sprintf("given up: its worker died in each of %d attempts, the last time: %s", p.lost+1, r.Error)
	}
	e.note(w, p, r)
	switch {
	case r.State == job.Lost && p.lost < most && !e.stopping:
		p.lost++
		e.again(p, r.State, lostPause(p.lost))
	case r.State != job.Lost && r.State.Failed() && e.mayRetry(p, r.State):
		e.again(p, r.State, e.backoff(p.tries()))
	default:
		e.finish(p, r.State)
		e.complete()
		s := Settlement{Attempt: p.Attempt, State: r.State, Worker: w.number, ErrorType: recorded.ErrorType, Error: recorded.Error, ResultSize: -1}
		if recorded.ResultSize.OK {
			s.ResultOffset, s.ResultSize, s.ResultCRC = recorded.ResultOffset.V, recorded.ResultSize.V, recorded.ResultCRC.V
		}
		e.settled(&s)
		if r.State.Failed() && r.State != job.Cancelled {
			e.failed()
		}
	}
}

// finish counts a task that has ended for good.
func (e *executor) finish(p *pending, s job.State) {
	e.finished++
	e.counts[s]++
	e.open[p.former.State]--
}

// complete tells when the last task has ended, before its end is told.
func (e *executor) complete() {
	if e.Finished != nil && e.finished == e.Tasks && e.Next == nil && !e.stopping {
		e.flush()
		e.Finished(maps.Clone(e.counts))
	}
}

func (e *executor) settled(s *Settlement) {
	if e.Settled != nil {
		e.Settled(*s)
	}
}

// drop cancels a task: at once when no worker has it, else by way of the worker.
func (e *executor) drop(task int) {
	if task < 0 || e.stopping {
		return
	}
	if p := e.queue.take(task); p != nil {
		e.dropped[task] = struct{}{}
		e.skip(p)
		return
	}
	for _, w := range e.workers {
		for _, p := range w.inFlight {
			if p.Task == task {
				e.dropped[task] = struct{}{} // it may come back
				e.Backend.Send(w.number, (&wire.Message{Kind: wire.Drop, Numbers: [2]int64{int64(p.Task), int64(p.Try)}}).Append(nil))
				return
			}
		}
	}
	if task >= e.queue.next {
		e.dropped[task] = struct{}{}
	}
}

// skip cancels an attempt that no worker has, if its task was dropped.
func (e *executor) skip(p *pending) bool {
	if len(e.dropped) == 0 {
		return false
	}
	if _, dropped := e.dropped[p.Task]; !dropped {
		return false
	}
	const why = "cancelled before it ran"
	r := &stats.Record{Task: p.Task, Attempt: p.Try, State: job.Cancelled, ErrorType: "cancelled", Error: why,
		FuncDataSize: stats.IntOf(len(p.input)), HostSubmit: stats.SecOf(p.submit)}
	e.Writer.Task(r)
	e.finish(p, job.Cancelled)
	e.complete()
	e.settled(&Settlement{Attempt: p.Attempt, State: job.Cancelled, Worker: -1, ErrorType: r.ErrorType, Error: why, ResultSize: -1})
	return true
}

func (e *executor) mayRetry(p *pending, s job.State) bool {
	if e.stopping || p.tries() > e.Retries.Limit {
		return false
	}
	for _, on := range e.Retries.On {
		if on == s {
			return true
		}
	}
	return false
}

// again queues the next attempt at p's task after a pause.
func (e *executor) again(p *pending, last job.State, pause time.Duration) {
	e.retried++
	next := &pending{Attempt: job.Attempt{Task: p.Task, Try: p.Try + 1}, former: p.former, input: p.input, lost: p.lost, last: last, submit: e.Clock.Now()}
	e.queue.retry(next, time.Now().Add(pause))
}

// backoff is the pause after the n-th failed attempt: it doubles, and is
// shortened by up to a half at random, so that tasks which failed together do
// not come back together.
func (e *executor) backoff(n int) time.Duration {
	pause := e.Retries.Backoff
	for ; n > 1 && pause < e.Retries.MaxBackoff; n-- {
		pause *= 2
	}
	if e.Retries.MaxBackoff > 0 {
		pause = min(pause, e.Retries.MaxBackoff)
	}
	return pause/2 + time.Duration(rand.Int64N(int64(pause/2)+1))
}

// lostPause is the pause after the n-th loss: the first is most often not the task's
// fault, and a task whose fault it is should not take one worker after the other.
func lostPause(n int) time.Duration {
	if n == 1 {
		return 0
	}
	return min(100*time.Millisecond<<min(n-2, 10), 5*time.Second)
}

// failed looks whether the job may go on after a task failed for good.
func (e *executor) failed() {
	n := e.failures()
	switch f := e.OnFail; {
	case e.stopping:
	case f.Mode == job.Stop:
		e.stop("a task failed and on_failure is stop", wire.Recall)
	case f.Mode == job.Tolerate && f.Percent > 0 && 100*float64(n) > f.Percent*float64(e.Tasks),
		f.Mode == job.Tolerate && f.Percent == 0 && n > f.Count:
		e.stop(fmt.Sprintf("failed tasks: %d, more than on_failure tolerates", n), wire.Recall)
	}
}

func (e *executor) failures() int {
	return e.counts[job.Error] + e.counts[job.Timeout] + e.counts[job.Lost]
}
