// Package executor is the host's loop: it keeps the queue, hands tasks to
// workers, reads their records from the store when a doorbell rings, and decides
// on retries and on the job's end. How workers come to be is a Backend's matter.
package executor

import (
	"fmt"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/wire"
)

// Backend brings up workers and carries messages. It tells what happens as
// Events on the channel it was made with.
type Backend interface {
	// Launch starts worker j.Worker. Its first event is Ready or Gone; Gone comes
	// exactly once for each worker that Launch returned no error for.
	Launch(j *wire.Job) error
	// Send queues messages, whole lines, for a worker. It never blocks; lines for a
	// worker that is gone are dropped.
	Send(worker int, lines []byte)
	// Close ends all workers that are left, and all they have started, at once.
	Close() error
}

// EventKind says what happened to a worker.
type EventKind uint8

// What a backend tells.
const (
	Ready EventKind = iota // it can take tasks
	Warm                   // it could load the job's function
	Done                   // its stats segment is complete up to Offset
	Back                   // it gives Attempt back, which it had not begun
	Fatal                  // it cannot go on; Err says why, Gone follows
	Gone                   // it has exited; Err is nil when it was told to end
)

// ExitError is a worker process that exited by itself, and not because it was told
// to. Where a task shares its process the task did that.
type ExitError struct {
	Code int
	Said string // its last words, "" when there are none
}

func (e *ExitError) Error() string {
	text := fmt.Sprintf("worker process died: exit code %d", e.Code)
	if e.Said != "" {
		text += ": " + e.Said
	}
	return text
}

// Event is what a backend tells of one worker.
type Event struct {
	Kind     EventKind
	Worker   int
	PID      int         // Ready
	Hostname string      // Ready
	Offset   int64       // Done
	Attempt  job.Attempt // Back
	Err      error       // Fatal, Gone
}
