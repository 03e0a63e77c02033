package stats

import (
	"math"
	"time"

	"github.com/lithops-go/lithops/internal/job"
)

// Null is a stamp in Columns that never came.
const Null = math.MinInt64

// Columns holds what pictures need of every task, one entry per task by its
// number: the attempt that counts (the last successful one, else the last). Stamps
// are nanoseconds since job creation without pauses, Null where unknown. 1,000,000
// tasks take about 80 MB.
type Columns struct {
	JobID   string
	Name    string
	Created time.Time // job creation

	Submit      []int64 // host_submit_tstamp
	WorkerStart []int64 // worker_start_tstamp
	Start       []int64 // worker_func_start_tstamp (call start)
	End         []int64 // worker_func_end_tstamp (call done)
	WorkerEnd   []int64 // worker_end_tstamp
	StatusDone  []int64 // host_status_done_tstamp (status fetched)
	ResultDone  []int64 // host_result_done_tstamp; nil where no task has one
	State       []job.State
	Attempt     []uint16
	Worker      []int32 // -1: none
	Started     []bool  // a process was started for it: it has a worker_func_startup_time; filled in if made, nil is unknown

	Maps int // tasks of the map; those from this number on are of the reduce

	// Others are attempts that cannot be seen in the columns: those that do not count,
	// and those that were lost. Of more than MostOthers those beyond are only counted.
	Others    []OtherAttempt
	OthersCut int
	Retried   []bool // more than one attempt was made at the task

	Runs  []RunMark // of the job, in order; fewer than two: it was never resumed
	EndNS int64     // end of the job, without pauses, or the last that is known of one that broke off; 0 while it runs, and when that is not known
}

// MostOthers bounds the memory that attempts which do not count may take: 6 MB.
const MostOthers = 100_000

// OtherAttempt is an attempt apart from the columns; stamps as there.
type OtherAttempt struct {
	Task       int32
	Worker     int32
	Attempt    uint16
	State      job.State
	Run        int32 // of a lost one: the number of the run it was made in, 0 unknown
	From, To   int64 // the worker had it; of a lost one: from the dispatch until the host noticed
	Start, End int64 // call start and call done
}

// Lost says that no worker lived to tell of the attempt, so that it is not known when
// it began.
func (o *OtherAttempt) Lost() bool { return o.State == job.Lost && o.Start == Null }

// RunMark is where one of a job's runs begins.
type RunMark struct {
	Number  int
	AtNS    int64         // nanoseconds since job creation, without pauses
	Pause   time.Duration // before it
	Start   time.Time
	Workers int  // of this run, 0: unknown
	Ended   bool // its host was there to the end
}

// MarkRuns fills in Runs and EndNS.
func (c *Columns) MarkRuns(runs []JobRun) {
	c.Runs, c.EndNS = nil, 0
	shift := int64(0)
	for _, r := range runs {
		c.Runs = append(c.Runs, RunMark{Number: r.Number, AtNS: r.Start - r.Shift - c.Created.UnixNano(), Pause: time.Duration(r.Shift - shift),
			Start: time.Unix(0, r.Start).In(c.Created.Location()), Workers: r.Workers, Ended: r.State != "" && r.State != BrokenOff})
		shift = r.Shift
	}
	if len(c.Runs) > 0 {
		if last := runs[len(runs)-1]; last.End > 0 {
			c.EndNS = max(0, last.End-last.Shift-c.Created.UnixNano())
		}
		c.Runs[0].AtNS = 0 // the time before its start was spent on it too
	}
}

// ColumnKeys are the keys that Columns look at, for ParseKeys.
func ColumnKeys() KeySet {
	return NewKeySet("task", "attempt", "state", "stage", "worker", "host_submit_tstamp", "worker_start_tstamp",
		"run", "host_dispatch_tstamp", "worker_func_startup_time", "worker_func_start_tstamp", "worker_func_end_tstamp", "worker_end_tstamp",
		"host_status_done_tstamp", "host_result_done_tstamp")
}

// NewColumns makes columns for n tasks of which nothing is known.
func NewColumns(id, name string, created time.Time, n int) *Columns {
	c := &Columns{JobID: id, Name: name, Created: created, Maps: n,
		State: make([]job.State, n), Attempt: make([]uint16, n), Worker: make([]int32, n), Retried: make([]bool, n)}
	for _, col := range []*[]int64{&c.Submit, &c.WorkerStart, &c.Start, &c.End, &c.WorkerEnd, &c.StatusDone} {
		*col = nullColumn(n)
	}
	for i := range c.Worker {
		c.Worker[i] = -1
	}
	return c
}

func nullColumn(n int) []int64 {
	col := make([]int64, n)
	for i := range col {
		col[i] = Null
	}
	return col
}

// Len is the number of tasks.
func (c *Columns) Len() int { return len(c.State) }

// Add takes one record in, aligned (see Align) when the job has several runs: of each
// task at least one. Records of one task may come in any order: the last success
// counts, else the last attempt. A task number out of range is ignored.
func (c *Columns) Add(r *Record) {
	i := r.Task
	if i < 0 || i >= c.Len() {
		return
	}
	if r.Stage == StageReduce {
		c.Maps = min(c.Maps, i)
	}
	base := c.Created.UnixNano()
	at := func(s Sec) int64 {
		if !s.OK {
			return Null
		}
		return s.NS - base
	}
	had := c.Attempt[i] > 0 && c.State[i] >= job.Running
	again := had && r.Attempt == int(c.Attempt[i]) // the attempt that counts once more
	c.Retried[i] = c.Retried[i] || had && r.begun() && !again
	other := OtherAttempt{Task: int32(i), Worker: workerOf(r), Attempt: narrow(r.Attempt), State: r.State,
		From: at(r.WorkerStart), To: at(r.WorkerEnd), Start: at(r.FuncStart), End: at(r.FuncEnd)}
	lost := other.Lost()
	if lost {
		other.From, other.To, other.Run = at(r.HostDispatch), at(r.StatusDone), int32(r.Run.V)
	}
	replaces := counts(c.State[i], int(c.Attempt[i]), r)
	if lost || r.begun() && !again && !replaces {
		c.other(other)
	}
	if !replaces {
		return
	}
	if had && !again {
		c.displace(i)
	}
	c.State[i], c.Attempt[i], c.Worker[i] = r.State, narrow(r.Attempt), workerOf(r)
	c.Submit[i], c.WorkerStart[i], c.Start[i], c.End[i] = at(r.HostSubmit), at(r.WorkerStart), at(r.FuncStart), at(r.FuncEnd)
	c.WorkerEnd[i], c.StatusDone[i] = at(r.WorkerEnd), at(r.StatusDone)
	if c.Started != nil {
		c.Started[i] = r.FuncStartup.OK
	}
	if r.ResultDone.OK && c.ResultDone == nil {
		c.ResultDone = nullColumn(c.Len())
	}
	if c.ResultDone != nil {
		c.ResultDone[i] = at(r.ResultDone)
	}
}

func workerOf(r *Record) int32 {
	if !r.Worker.OK {
		return -1
	}
	return int32(r.Worker.V)
}

// displace puts the attempt that counted so far among the others. A lost one is there.
func (c *Columns) displace(i int) {
	o := OtherAttempt{Task: int32(i), Worker: c.Worker[i], Attempt: c.Attempt[i], State: c.State[i],
		From: c.WorkerStart[i], To: c.WorkerEnd[i], Start: c.Start[i], End: c.End[i]}
	if !o.Lost() {
		c.other(o)
	}
}

func (c *Columns) other(o OtherAttempt) {
	switch {
	case o.Worker < 0 || o.From == Null && o.Start == Null: // nowhere to be seen
	case len(c.Others) == MostOthers:
		c.OthersCut++
	default:
		c.Others = append(c.Others, o)
	}
}

// counts says whether r takes the place of an attempt in the given state. Of two
// records of one attempt the later one does, unless it forgets that it ended.
func counts(state job.State, attempt int, r *Record) bool {
	if (state == job.Success) != (r.State == job.Success) {
		return r.State == job.Success
	}
	return r.Attempt > attempt || r.Attempt == attempt && (r.State.Final() || !state.Final())
}
