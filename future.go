package lithops

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lithops-go/lithops/internal/job"
)

// State is where a task stands.
type State uint8

// The states of a task. From StateSuccess on it has ended.
const (
	StateNew       State = State(job.New)       // waits for a worker
	StateQueued    State = State(job.Queued)    // is with a worker that has others to do before
	StateRunning   State = State(job.Running)   // its function is being called
	StateSuccess   State = State(job.Success)   // ended well
	StateError     State = State(job.Error)     // the function returned an error or panicked
	StateTimeout   State = State(job.Timeout)   // took longer than WithTimeout allows
	StateCancelled State = State(job.Cancelled) // was cancelled, or not run because its job ended early
	StateLost      State = State(job.Lost)      // its worker process was killed each time it was tried
)

func (s State) String() string { return job.State(s).String() }

// Final says whether a task in state s has ended.
func (s State) Final() bool { return job.State(s).Final() }

// MarshalText writes the state's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Future is a task under way: one call of a function that returns an O. It is safe
// for concurrent use. Nothing of a result is kept in memory: it is read from the
// store each time it is asked for.
type Future[O any] struct {
	c    *call
	task int
}

// JobID is the id of the task's job, by which `lithops stats` and `lithops plot`
// know it.
func (f *Future[O]) JobID() string { return f.c.id }

// Task is the task's number in its job.
func (f *Future[O]) Task() int { return f.task }

// Result waits until the task has ended and returns what its function has. When
// the task did not end well the error is a *TaskError; when ctx ended before it,
// it is the cause of that.
func (f *Future[O]) Result(ctx context.Context) (O, error) {
	var out O
	if err := f.c.wait(ctx, f.task); err != nil {
		return out, err
	}
	err := (&results{c: f.c, most: 1}).decode(f.task, &out)
	return out, err
}

// Done is closed when the task has ended.
func (f *Future[O]) Done() <-chan struct{} { return f.c.doneChannel(f.task) }

// State is where the task stands now. As long as it has not ended this looks into
// the store, which can be a few hundredths of a second behind.
func (f *Future[O]) State() State {
	ended := f.c.hasEnded(f.task)
	if t, err := f.c.task(f.task); ended && err == nil {
		return State(t.final())
	}
	r, err := f.c.record(f.task)
	if err != nil || r.State.Final() && !ended && !f.c.hasEnded(f.task) {
		return StateNew // an attempt that has ended is not the task's end
	}
	return State(r.State)
}

// Cancel withdraws the task, or ends it when it runs: the function's context ends,
// and five seconds later its process. It does not wait for the end. A task that
// has ended stays as it is.
func (f *Future[O]) Cancel() { f.c.cancelTask(f.task) }

// Stats is the task's statistics, as far as there are any yet.
func (f *Future[O]) Stats() (*Stats, error) { return f.c.stats(f.task) }

// Log is what the task has printed, once it has ended. It is empty for a task that
// was not run.
func (f *Future[O]) Log() (string, error) { return f.c.log(f.task) }

// ReduceFuture is the second stage of MapReduce under way: the call that returns
// an O of all the M that the first stage makes. Cancelling it leaves the map as it
// is.
type ReduceFuture[M, O any] struct{ Future[O] }

// Map is the futures of the first stage.
func (f *ReduceFuture[M, O]) Map() *FutureList[M] { return &FutureList[M]{f.c} }

// TaskError says how a task failed. It is context.Canceled by errors.Is when the
// task was cancelled and context.DeadlineExceeded when it took too long; for a task
// that was not run it is also what ended the job.
type TaskError struct {
	JobID     string
	Task      int
	Attempt   int    // the last one, from 1; 0: it was not run
	State     State  // StateError, StateTimeout, StateCancelled or StateLost
	Type      string // of the error the function returned, "error" for a plain one; or "panic", "timeout", …
	Message   string // one line
	Traceback string // of a panic: its stack

	cause error
}

func (e *TaskError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "task %d of job %s ", e.Task, e.JobID)
	switch {
	case e.State == StateTimeout:
		b.WriteString("took too long")
	case e.State == StateCancelled:
		b.WriteString("was cancelled")
	case e.State == StateLost:
		b.WriteString("was lost")
	case e.Type == "" || e.Type == "error" || strings.HasPrefix(e.Message, e.Type+": "):
		b.WriteString("failed")
	default:
		b.WriteString("failed: " + e.Type)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	return b.String()
}

// Unwrap is what the error stands for, if anything.
func (e *TaskError) Unwrap() []error {
	var all []error
	switch e.State {
	case StateTimeout:
		all = append(all, context.DeadlineExceeded)
	case StateCancelled:
		all = append(all, context.Canceled)
	}
	if e.cause != nil {
		all = append(all, e.cause)
	}
	return all
}

// isTaskError says whether err tells of a task, not of the wait for it.
func isTaskError(err error) bool {
	_, ok := errors.AsType[*TaskError](err)
	return ok
}
