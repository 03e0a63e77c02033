package executor

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/wire"
)

// settle notes that an attempt has ended and decides what follows. r holds its
// state and what the host alone can tell of it.
func (e *executor) settle(w *worker, p *pending, r *stats.Record) {
	e.note(w, p, r)
	switch {
	case r.State == job.Lost && p.lost < maxLost && !e.stopping:
		p.lost++
		e.again(p, r.State, 0)
	case r.State != job.Lost && r.State.Failed() && e.mayRetry(p, r.State):
		e.again(p, r.State, e.backoff(p.Try-p.lost))
	default:
		e.finished++
		e.counts[r.State]++
		if r.State.Failed() && r.State != job.Cancelled {
			e.failed()
		}
	}
}

func (e *executor) mayRetry(p *pending, s job.State) bool {
	if e.stopping || p.Try-p.lost > e.Retries.Limit {
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
	next := &pending{Attempt: job.Attempt{Task: p.Task, Try: p.Try + 1}, input: p.input, lost: p.lost, last: last, submit: e.Clock.Now()}
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
