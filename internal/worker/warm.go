package worker

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/wire"
)

// warmUp sees to it that r.rt is a ready runtime for c; cold says that it was
// started for this call. One that was killed while it started, for want of
// memory perhaps, is started again, a few times.
func (r *runner) warmUp(c *callee, w *worker) (cold bool, err error) {
	for tries := 1; ; tries++ {
		cold, err = r.startUp(c, w)
		if failed, ok := errors.AsType[*functionError](err); !ok || !failed.killed || tries == maxIdleDeaths || w.isGone() {
			return cold, err
		}
		time.Sleep(time.Duration(tries*tries) * 100 * time.Millisecond)
	}
}

func (r *runner) startUp(c *callee, w *worker) (cold bool, err error) {
	if r.rt != nil && r.rt.same(c) {
		r.rt.callee = c
		return !r.rt.answered, nil
	}
	if r.rt != nil {
		r.rt.close(r.stuck, false)
		r.rt = nil
	}
	var rt *funcRuntime
	err = r.patiently(w, func() (err error) { rt, err = r.startRuntime(c, r.clock.Now()); return err })
	if unbegun(err) {
		return true, err
	}
	if err != nil {
		return true, &functionError{msg: err.Error()}
	}
	w.begin(rt.p, nil)
	defer w.begin(nil, nil)
	if err = rt.awaitReady(); err != nil {
		why := rt.p.ending()
		failed, ok := errors.AsType[*functionError](err)
		itself := ok && failed.early && rt.awaitExit() // its pipe may be closed some time before
		rt.p.kill()
		rt.drain()
		<-rt.exited
		status, _, _, reapErr := rt.reap(r.stuck)
		said := r.log.tail()
		if clearErr := errors.Join(reapErr, r.log.clear()); clearErr != nil {
			return true, clearErr
		}
		if ok && why == 0 {
			failed.explain(status, said, rt.callee)
			failed.killed = itself && status.Signaled() && status.Signal() == syscall.SIGKILL
			var again bool
			if failed.oom, again = r.memory.verdict(failed.killed, rt.p.pid); failed.oom != "" {
				failed.msg += ": " + failed.oom
				failed.killed = failed.killed && again
			}
		}
		if why != 0 {
			err = errCancelled
		}
		return true, err
	}
	rt.ready = r.clock.Now()
	rt.high = rt.watched.peak()
	r.rt = rt
	if !r.toldWarm {
		r.toldWarm = true
		w.send.message(&wire.Message{Kind: wire.Warm})
	}
	return true, nil
}

// explain adds what the process that was never ready has left: its exit status
// and its last words.
func (e *functionError) explain(status syscall.WaitStatus, said string, c *callee) {
	switch {
	case e.early && status.Signaled():
		e.msg += ": " + signalName(status.Signal())
	case e.early:
		e.msg += fmt.Sprintf(": exit code %d", status.ExitStatus())
		if c.trusted() {
			e.msg += fmt.Sprintf(" (is %s an interpreter for %s?)", c.argv[0], c.language)
		}
	}
	if e.trace == "" {
		e.trace = said
	}
}

// notReady is what becomes of an attempt whose runtime could not be made ready. A
// function that never could be called ends the job; one that could before ends
// this attempt alone.
func (r *runner) notReady(a assignment, began int64, err error, w *worker) error {
	if w.isGone() {
		return errHostGone
	}
	if unbegun(err) {
		return r.withdraw(a, err, w)
	}
	failed, ok := errors.AsType[*functionError](err)
	switch {
	case errors.Is(err, errCancelled):
	case !ok || !r.toldWarm:
		w.settled() // it has not begun
		return err
	}
	rec := r.record(a.Attempt, began)
	rec.WorkerColdStart = stats.BoolOf(true)
	trace := ""
	if failed != nil {
		rec.State, rec.ErrorType, rec.Error = job.Error, "start", oneLine(failed.msg)
		if failed.oom != "" {
			rec.ErrorType = "memory"
		}
		trace = failed.trace
	} else {
		rec.State, rec.ErrorType, rec.Error = job.Cancelled, "cancelled", cancelledText
	}
	return r.keep(rec, nil, -1, trace, true, w)
}

// checkReduce finds out before the first task whether the reduce's function can be
// called.
func (r *runner) checkReduce(w *worker) error {
	if r.callees[0] != nil { // what is told is that all functions can be called
		r.toldWarm = true
		defer func() { r.toldWarm = false }()
	}
	if _, err := r.warmUp(r.callees[1], w); err != nil {
		return err
	}
	r.rt.close(r.stuck, false)
	r.rt = nil
	return r.log.clear()
}
