package worker

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/lithops-go/lithops/internal/job"
)

// A machine that is out of processes, memory or descriptors is asked again after
// pauses that grow from the first to the longest, for shortageTime: a short shortage
// must not burn a job's tasks one after the other.
const (
	firstPause   = 10 * time.Millisecond
	lastPause    = time.Second
	shortageTime = 10 * time.Second
)

// errWithdrawn says that nothing was started because the job is being stopped, or
// the attempt was dropped, or the host is gone.
var errWithdrawn = errors.New("withdrawn before it began")

// haltError says that the worker cannot go on, and that it is not the attempt's fault,
// which has not begun.
type haltError struct{ err error }

func (e *haltError) Error() string { return e.err.Error() }
func (e *haltError) Unwrap() error { return e.err }

// starter is the pauses in starting something, as what runs meanwhile.
type starter struct{ over chan struct{} }

func (s *starter) end(job.State) { s.kill() }

func (s *starter) kill() {
	select {
	case s.over <- struct{}{}:
	default:
	}
}

// launch starts a command and returns when, and what the worker's children had used
// before.
func (r *runner) launch(path string, argv []string, attr *syscall.ProcAttr, w *worker) (pid int, forked int64, before syscall.Rusage, err error) {
	name := argv
	path, argv = r.memory.wrap(path, argv, attr)
	err = r.patiently(w, func() (err error) {
		r.memory.begin()
		before = childUsage()
		forked = r.clock.Now()
		r.meter.ready(forked)
		pid, err = r.start(path, argv, attr)
		return err
	})
	if err != nil && !unbegun(err) {
		err = startError(name, err)
	}
	return pid, forked, before, err
}

// patiently starts something, again and again while the machine is out of what that
// takes; it is a haltError when that does not end.
func (r *runner) patiently(w *worker, start func() error) error {
	err := start()
	if !shortage(err) {
		return err
	}
	s := &starter{over: make(chan struct{}, 1)}
	w.begin(s, nil)
	defer w.begin(nil, nil)
	patience := time.NewTimer(r.patience)
	defer patience.Stop()
	for pause := firstPause; shortage(err); pause = min(2*pause, lastPause) {
		select {
		case <-s.over:
			return errWithdrawn
		case <-patience.C:
			return &haltError{fmt.Errorf("cannot start processes: %w (%s)", reason(err), r.lack(reason(err)))}
		case <-time.After(pause):
			err = start()
		}
	}
	return err
}

// shortage says whether an error is one that passes when others end.
func shortage(err error) bool { return reason(err) != 0 }

// reason is the shortage that err is about, 0 when it is about none.
func reason(err error) syscall.Errno {
	if no, ok := errors.AsType[syscall.Errno](err); ok {
		switch no {
		case syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE:
			return no
		}
	}
	return 0
}

// lack says what the machine is out of.
func (r *runner) lack(no syscall.Errno) string {
	switch {
	case no == syscall.EAGAIN:
		return "limit of processes, ulimit -u or pids.max of a cgroup"
	case no == syscall.EMFILE:
		return "limit of open files, ulimit -n"
	case no == syscall.ENFILE:
		return "limit of open files of the whole system, sysctl fs.file-max"
	case r.memory.group != nil:
		return "the machine is out of memory, or limits.memory is too small to start anything"
	}
	return "the machine is out of memory"
}

// unbegun says whether an error leaves the attempt as if it had never been the worker's.
func unbegun(err error) bool {
	_, halt := errors.AsType[*haltError](err)
	return halt || errors.Is(err, errWithdrawn)
}

// withdraw is what becomes of such an attempt: one that was dropped is recorded, and
// another goes back to the host, by way of this worker's end if it cannot go on.
func (r *runner) withdraw(a assignment, err error, w *worker) error {
	switch {
	case w.isGone():
		return errHostGone
	case !errors.Is(err, errWithdrawn):
		w.settled()
		return err
	case w.isDropped(a.Attempt):
		defer w.settled()
		return r.cancelled(a, w)
	}
	w.settled()
	w.send.back([]assignment{a})
	return nil
}
