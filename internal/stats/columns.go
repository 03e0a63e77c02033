package stats

import (
	"math"
	"time"

	"github.com/lithops-go/lithops/internal/job"
)

// Null is a stamp in Columns that never came.
const Null = math.MinInt64

// Columns holds what pictures need of every task, one entry per task by its
// number: the attempt that counts (the successful one, else the last). Stamps are
// nanoseconds since job creation, Null where unknown. 1,000,000 tasks take
// about 80 MB.
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
}

// ColumnKeys are the keys that Columns look at, for ParseKeys.
func ColumnKeys() KeySet {
	return NewKeySet("task", "attempt", "state", "stage", "worker", "host_submit_tstamp", "worker_start_tstamp",
		"worker_func_startup_time", "worker_func_start_tstamp", "worker_func_end_tstamp", "worker_end_tstamp",
		"host_status_done_tstamp", "host_result_done_tstamp")
}

// NewColumns makes columns for n tasks of which nothing is known.
func NewColumns(id, name string, created time.Time, n int) *Columns {
	c := &Columns{JobID: id, Name: name, Created: created, Maps: n,
		State: make([]job.State, n), Attempt: make([]uint16, n), Worker: make([]int32, n)}
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

// Add takes one record in: of each task at least one. Records of one task may come
// in any order: a success counts, else the last attempt. A task number out of range
// is ignored.
func (c *Columns) Add(r *Record) {
	i := r.Task
	if i < 0 || i >= c.Len() {
		return
	}
	if r.Stage == StageReduce {
		c.Maps = min(c.Maps, i)
	}
	if !counts(c.State[i], int(c.Attempt[i]), r) {
		return
	}
	base := c.Created.UnixNano()
	at := func(s Sec) int64 {
		if !s.OK {
			return Null
		}
		return s.NS - base
	}
	c.State[i], c.Attempt[i], c.Worker[i] = r.State, uint16(min(r.Attempt, math.MaxUint16)), -1
	if r.Worker.OK {
		c.Worker[i] = int32(r.Worker.V)
	}
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

// counts says whether r takes the place of an attempt in the given state. Of two
// records of one attempt the later one does, unless it forgets that it ended.
func counts(state job.State, attempt int, r *Record) bool {
	if (state == job.Success) != (r.State == job.Success) {
		return r.State == job.Success
	}
	return r.Attempt > attempt || r.Attempt == attempt && (r.State.Final() || !state.Final())
}
