package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
)

// loadNote is after how long a user hears that his function is being loaded.
const loadNote = 10 * time.Second

// foreground is a job that this process is the host of, from its start to the
// exit code: what run and resume share.
type foreground struct {
	a     *app
	st    *store.Store
	quiet bool
	shown progress
	late  *time.Timer // until the function is loaded

	printed error // of the id

	mu sync.Mutex
	id string // "" until the job began
}

func newForeground(a *app, c *config, st *store.Store, quiet bool) *foreground {
	mode := c.get("progress")
	if quiet {
		mode = progressNone
	}
	return &foreground{a: a, st: st, quiet: quiet, shown: newProgress(a.stderr, mode)}
}

// run is a Run that tells the user how far it is.
func (f *foreground) run() lithops.Run {
	return lithops.Run{Store: f.st, Version: programVersion(), Created: f.created, Progress: f.shown.update}
}

func (f *foreground) created(jobID string) {
	f.late.Stop()
	f.mu.Lock()
	f.id = jobID
	f.mu.Unlock()
	f.printed = f.a.printf("%s\n", jobID)
}

// say prints lines that stay, for those who want to hear more than errors.
func (f *foreground) say(lines []string) {
	for _, line := range lines {
		if !f.quiet {
			f.shown.note(line)
		}
	}
}

// begun is the id of a job that has begun.
func (f *foreground) begun() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.id
}

// attend lets do run a job of the specification spec and tells how it ended. No
// outcome and no error is for a job that had nothing to do.
func (f *foreground) attend(ctx context.Context, spec *job.Spec, do func(context.Context) (*lithops.Outcome, error)) error {
	f.late = time.AfterFunc(loadNote, func() {
		f.shown.note(fmt.Sprintf("lithops: loading the function has taken %v so far", loadNote))
	})
	defer f.late.Stop()
	if spec.Function == (job.Function{}) && spec.Reduce == nil {
		f.late.Stop()
	}
	stopping := func() {
		f.shown.note("lithops: stopping: no new task is started, running ones are ended; once more to leave at once")
	}
	defer f.shown.done()
	err := interruptible(ctx, stopping, func(ctx context.Context) error {
		out, err := do(ctx)
		f.shown.done()
		return f.ended(out, err)
	})
	if id := f.begun(); err == errInterrupted && id != "" { // at once: what ends a job in order has its own hint
		return hint(err, "lithops resume %s goes on", id)
	}
	return err
}

// ended is the error that a job's end means, and prints what there is to say of it.
func (f *foreground) ended(out *lithops.Outcome, err error) error {
	id := f.begun()
	switch {
	case errors.Is(err, context.Canceled):
		return errInterrupted // before the first task: nothing was left behind
	case err != nil && id == "": // nothing was run, and nothing is left of it
		return badInput{err}
	case err != nil:
		return hint(err, "lithops stats %s shows what was recorded, lithops resume %s goes on", id, id)
	case out == nil:
		return nil
	}
	if !f.quiet {
		shown := *out
		if out.Cancelled != "" {
			shown.Reason = "" // the verdict has it
		}
		if err := closing(f.a, f.st, &shown); err != nil {
			return err
		}
	}
	return errors.Join(f.printed, verdict(out, !f.quiet))
}

// verdict is the error that an outcome means. told says that the user has read why
// the job ended early.
func verdict(out *lithops.Outcome, told bool) error {
	total, failed := 0, 0
	for state, n := range out.Counts {
		total += n
		if state.Failed() && state != job.Cancelled {
			failed += n
		}
	}
	switch id := out.JobID; {
	case out.Cancelled != "":
		return hint(fmt.Errorf("%w: %s", errCancelled, out.Cancelled), "lithops resume %s goes on", id)
	case out.Interrupted:
		return hint(errInterrupted, "lithops resume %s goes on", id)
	case failed > 0:
		err := fmt.Errorf("%d of %d %w", failed, total, errTasksFailed)
		if out.Reason != "" && !told {
			err = fmt.Errorf("%w; job ended early: %s", err, out.Reason)
		}
		return hint(err, "lithops stats %s tells more, lithops resume %s runs again what has not succeeded", id, id)
	case out.Reason != "":
		return hint(fmt.Errorf("job ended early: %s", out.Reason), "lithops resume %s goes on", id)
	case out.Counts[job.Success] < total:
		return hint(incomplete{total - out.Counts[job.Success], total, "been run"}, "lithops resume %s runs them", id)
	}
	return nil
}
