package executor

import (
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// Config is one job to execute. Fields that do not say otherwise must be set.
type Config struct {
	Job      wire.Job // as the workers get it, Worker excepted
	Retries  job.Retries
	OnFail   job.OnFailure
	Chunk    int // tasks with a worker at a time, 0: adaptive
	Tasks    int // number of inputs, those of Next apart
	Workers  int
	First    int // number of the first worker
	Inputs   Inputs
	Writer   *store.Writer
	Clock    *clock.Clock
	Backend  Backend
	Events   <-chan Event  // what Backend tells
	Patience time.Duration // what a worker gets to end, beyond its task's grace; 0: 10 s

	// All of these may be nil. They are called by the goroutine of Run, Next apart,
	// and must be quick.
	Progress func(Progress)
	Settled  func(Settlement)               // once for each task that has ended for good
	Finished func(counts map[job.State]int) // all tasks have ended and are in the store; before the last is Settled
	Warm     func()                         // the job's functions could be loaded by some worker
	Drop     <-chan int                     // tasks to be cancelled

	// Check has one worker load all functions before any task is run.
	Check bool

	// Former tells what earlier runs of the job have left of a task; nil when there
	// was none.
	Former func(task int) Former
	// Now, when it is closed, has running tasks killed that were told to end.
	Now <-chan struct{}

	// Next is called when all tasks have ended, once, and gives the tasks of the
	// next stage: how many more Inputs now has. With a reason there are none, and it
	// says why the job ends here. Planned is how many tasks are expected of it.
	Next    func(map[job.State]int) (tasks int, reason string, err error)
	Planned int
}

// Former is a task of a job that is resumed.
type Former struct {
	State job.State // as earlier runs have left it
	Tries int       // attempts that were made
	Todo  bool      // it is to be run now
}

// Stop is the cause of a context that ends a job for a reason that is worth telling.
type Stop struct{ Reason string }

func (s *Stop) Error() string { return s.Reason }

// Settlement is how a task has ended.
type Settlement struct {
	job.Attempt                                   // that counts; Try is 0 when none was made
	State                               job.State // final
	Worker                              int       // -1: none
	ErrorType                           string
	Error                               string
	ResultOffset, ResultSize, ResultCRC int64 // in the worker's segment; size -1: no result
}

// FunctionError says that the job's function could not be loaded: the fault of
// the user's file, found before a task was run.
type FunctionError struct{ Msg, Trace string }

func (e *FunctionError) Error() string { return e.Msg }

// Detail is the trace, lines.
func (e *FunctionError) Detail() string { return e.Trace }

// Result is how a job ended.
type Result struct {
	Counts    map[job.State]int // tasks by the state of the attempt that counts
	Cancelled bool              // ctx ended before the job
	Reason    string            // why not all tasks were run, "" when they were
}
