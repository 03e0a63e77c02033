package main

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitBadInput    = 2
	exitInterrupted = 130
)

// exitHelp stands in the help of every command.
const exitHelp = `Exit codes:
  0    all went well; for run and resume: every task of the job succeeded
  1    a task failed, or something broke on the way (disk full, damaged store)
  2    bad input or usage; no task was started
  130  interrupted or cancelled`

var (
	errTasksFailed = errors.New("tasks failed")
	errInterrupted = errors.New("interrupted")
	errCancelled   = errors.New("cancelled")
)

// incomplete is a job of whose tasks some have not come to what is said, without having
// failed.
type incomplete struct {
	n, total int
	what     string
}

func (e incomplete) Error() string {
	have := "have"
	if e.n == 1 {
		have = "has"
	}
	return fmt.Sprintf("%d of %s %s not %s", e.n, plural(e.total, "task", "tasks"), have, e.what)
}

// badInput marks an error as the fault of what the user gave us: nothing was
// started, and the same call fails again.
type badInput struct{ error }

func (e badInput) Unwrap() error { return e.error }

// exitCode is the one place that turns an error into an exit code.
func exitCode(err error) int {
	_, isSpec := errors.AsType[*job.SpecError](err)
	_, isBad := errors.AsType[badInput](err)
	_, isIncomplete := errors.AsType[incomplete](err)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errInterrupted), errors.Is(err, errCancelled):
		return exitInterrupted
	case isIncomplete, errors.Is(err, errTasksFailed), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return exitFailed
	case isSpec, isBad, errors.Is(err, store.ErrNewer):
		return exitBadInput
	default:
		return exitFailed
	}
}
