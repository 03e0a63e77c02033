package stats

import (
	"math"

	"github.com/lithops-go/lithops/internal/job"
)

// Summarizer collects the records of one job for a Summary, aligned (see Align) when
// it has several runs. It keeps about 90 bytes per task and no records, except those of some failed tasks.
type Summarizer struct {
	// LogLine, if set, is asked by Summary for a telling line of the log of a
	// failed attempt; one call for each group of failures. The record is a copy
	// with the keys of SummaryKeys; "" is no line.
	LogLine func(r *Record) string

	info    JobInfo
	state   []job.State
	attempt []uint16 // the attempt that counts
	tries   []uint16 // attempts made
	lost    []uint16 // how many of them were lost; nil until the first
	worker  []int32
	cols    [columnCount][]int64 // nil until the first figure, Null where unknown

	failures  failures
	discarded [stateCount]int    // attempts that do not count
	untimed   int                // those of them whose worker time is not known
	runs      []runTally         // of info.Runs
	died      map[int64]lastTask // by worker; nil until the first
	exec      sum                // of all attempts, worker start to worker end
	stages    [stageCount]stage
	maps      int // tasks before the first of the reduce
	counters  [counterCount]sum
	cold      sum
	workers   map[workerID]*work

	lastStamp Sec
	strays    int
}

// stage is what the attempts at map tasks, or those at reduce tasks, have
// together.
type stage struct {
	phases     [phaseCount]sum
	firstStart Sec // aligned
	trueStart  Sec // the same, as the exports have it
	hiddenPeak Int // largest bound on a peak that could not be measured
}

const (
	mapping = iota
	reducing
	stageCount
)

// The figures kept of each task's attempt that counts. The first six are the
// phases, of which there is a sum over all attempts of a stage too, as of the CPU
// times.
const (
	waiting = iota
	starting
	running
	uploading
	overhead
	fetching
	cpuUser
	cpuSystem
	peakMemory
	rss
	columnCount
	phaseCount = peakMemory
)

const (
	counterCount = 9
	stateCount   = int(job.Lost) + 1
)

// counterValues are the figures of r of which only the sum is kept.
func counterValues(r *Record) [counterCount]Int {
	return [...]Int{r.FuncDataSize, r.ResultSize, r.LogSize, r.BlockRead, r.BlockWrite,
		r.MinorFaults, r.MajorFaults, r.VoluntarySwitch, r.InvoluntSwitch}
}

// workerID is a worker of a machine; its tasks overlap where calls are sent ahead.
type workerID struct {
	host string
	n    int64
}

// work is what a worker did: when it had tasks, and the traffic meanwhile.
type work struct {
	busy       Spans
	sent, recv sum
}

// SummaryKeys are the keys that a Summarizer looks at, for ParseKeys.
func SummaryKeys() KeySet {
	return NewKeySet("task", "attempt", "state", "stage", "worker", "worker_hostname", "exit_code", "signal", "error_type", "error",
		"func_data_size_bytes", "host_submit_tstamp", "host_dispatch_tstamp", "worker_start_tstamp", "worker_cold_start", "worker_func_startup_time",
		"worker_func_exec_time", "worker_func_cpu_user_time", "worker_func_cpu_system_time", "worker_func_rss", "task_peak_memory", "worker_peak_memory_end",
		"minor_page_faults", "major_page_faults", "voluntary_context_switches", "involuntary_context_switches",
		"block_read_bytes", "block_write_bytes", "worker_func_sent_net_io", "worker_func_recv_net_io",
		"func_result_size", "log_offset", "log_size", "worker_result_upload_time", "worker_end_tstamp", "worker_exec_time",
		"host_status_done_tstamp", "host_result_done_tstamp", "run")
}

// NewSummarizer makes a summarizer for a job of the given number of tasks, all
// of them new.
func NewSummarizer(info JobInfo, tasks int) *Summarizer {
	s := &Summarizer{info: info, state: make([]job.State, tasks), attempt: make([]uint16, tasks), tries: make([]uint16, tasks),
		worker: make([]int32, tasks), maps: tasks, workers: map[workerID]*work{}, runs: make([]runTally, max(1, len(info.Runs)))}
	for i := range s.worker {
		s.worker[i] = -1
	}
	s.failures.init(tasks)
	return s
}

// Add takes in the record of one attempt: each attempt once, in any order, and of
// a task without any a record that says so. It is not kept. One with a task number beyond the job's tasks is only
// counted, and the summary has a warning. What takes the place of an attempt that counted takes it in all spreads.
func (s *Summarizer) Add(r *Record) {
	i := r.Task
	if i < 0 || i >= len(s.state) {
		s.strays++
		return
	}
	if r.Stage == StageReduce {
		s.maps = min(s.maps, i)
	}
	values := taskValues(r)
	s.addSums(r, &values)
	had := s.attempt[i] > 0 && s.state[i] >= job.Running
	again := had && r.Attempt == int(s.attempt[i]) // the attempt that counts once more
	if r.begun() && !again {
		s.addTry(r)
	}
	if !counts(s.state[i], int(s.attempt[i]), r) {
		if r.begun() && !again {
			s.discard(r.State, values[overhead].OK)
		}
		return
	}
	if had && !again {
		s.discard(s.state[i], s.at(overhead, i).OK)
	}
	s.state[i], s.attempt[i], s.worker[i] = r.State, narrow(r.Attempt), -1
	if r.Worker.OK {
		s.worker[i] = int32(r.Worker.V)
	}
	for c, v := range values {
		s.set(c, i, v)
	}
	s.failures.put(r)
}

func narrow(n int) uint16 { return uint16(max(0, min(n, math.MaxUint16))) }

// addTry counts an attempt that was made.
func (s *Summarizer) addTry(r *Record) {
	s.tries[r.Task] = narrow(int(s.tries[r.Task]) + 1)
	if r.State == job.Lost {
		if s.lost == nil {
			s.lost = make([]uint16, len(s.state))
		}
		s.lost[r.Task] = narrow(int(s.lost[r.Task]) + 1)
	}
	if k := s.tallyOf(r); k >= 0 {
		t := &s.runs[k]
		t.attempts++
		if r.State == job.Success {
			t.succeeded++
		}
	}
}

// discard counts an attempt that does not count; timed says that its worker time is known.
func (s *Summarizer) discard(state job.State, timed bool) {
	s.discarded[state]++
	if !timed {
		s.untimed++
	}
}

func (s *Summarizer) set(column, i int, v Int) {
	col := s.cols[column]
	switch {
	case v.OK:
		if col == nil {
			col = nullColumn(len(s.state))
			s.cols[column] = col
		}
		col[i] = v.V
	case col != nil:
		col[i] = Null
	}
}

// taskValues are the figures of the columns; durations in nanoseconds.
func taskValues(r *Record) (v [columnCount]Int) {
	for c, d := range [...]Sec{waiting: r.WorkerStart.Since(r.HostSubmit), starting: r.FuncStartup, running: r.FuncExec,
		uploading: r.ResultUpload, overhead: overheadOf(r), fetching: r.StatusDone.Since(r.WorkerEnd),
		cpuUser: r.CPUUser, cpuSystem: r.CPUSystem} {
		v[c] = Int{d.NS, d.OK}
	}
	v[peakMemory], v[rss] = r.TaskPeakMemory, r.RSS
	return v
}

// overheadOf is the worker's time for an attempt that is none of the phases. A
// phase that is null was not reached, or not needed: a warm call starts nothing.
func overheadOf(r *Record) Sec {
	d := r.WorkerExec
	for _, part := range [...]Sec{r.FuncStartup, r.FuncExec, r.ResultUpload} {
		if part.OK {
			d.NS -= part.NS
		}
	}
	if !d.OK {
		return Sec{}
	}
	return d
}

func (s *Summarizer) addSums(r *Record, values *[columnCount]Int) {
	g := &s.stages[mapping]
	if r.Stage == StageReduce {
		g = &s.stages[reducing]
	}
	for c := range g.phases {
		g.phases[c].addInt(values[c])
	}
	for c, v := range counterValues(r) {
		s.counters[c].addInt(v)
	}
	s.exec.addSec(r.WorkerExec)
	if r.WorkerStart.OK && r.WorkerEnd.OK || r.NetSent.OK || r.NetRecv.OK {
		s.addWork(r)
	}
	if !r.TaskPeakMemory.OK && r.PeakMemoryEnd.OK && r.PeakMemoryEnd.V >= g.hiddenPeak.V {
		g.hiddenPeak = r.PeakMemoryEnd
	}
	if r.WorkerColdStart.OK {
		s.cold.add(0)
		if r.WorkerColdStart.V {
			s.cold.v++
		}
	}
	if first := earlier(g.firstStart, r.WorkerStart); first != g.firstStart {
		g.firstStart, g.trueStart = first, first
		if k := runOf(s.info.Runs, r); k >= 0 {
			g.trueStart.NS += s.info.Runs[k].Shift
		}
	}
	if k := s.tallyOf(r); k >= 0 {
		t := &s.runs[k]
		t.firstStart, t.lastEnd = earlier(t.firstStart, r.WorkerStart), later(t.lastEnd, r.WorkerEnd)
		s.addLost(k, r)
	}
	// Of what was lost, the submit may be the last that is known.
	s.lastStamp = later(later(later(s.lastStamp, r.HostSubmit), r.WorkerEnd), later(r.StatusDone, r.ResultDone))
}

// addWork adds what is kept by worker.
func (s *Summarizer) addWork(r *Record) {
	id := workerID{r.WorkerHostname, r.Worker.V}
	if !r.Worker.OK {
		id.n = -1
	}
	w := s.workers[id]
	if w == nil {
		w = new(work)
		s.workers[id] = w
	}
	if r.WorkerStart.OK && r.WorkerEnd.OK {
		w.busy.Add(r.WorkerStart.NS, r.WorkerEnd.NS)
	}
	w.sent.addInt(r.NetSent)
	w.recv.addInt(r.NetRecv)
}

// earlier is the earlier one of two stamps of which either may be null.
func earlier(a, b Sec) Sec {
	if !a.OK || b.OK && b.NS < a.NS {
		return b
	}
	return a
}

// later is the later one of two stamps of which either may be null.
func later(a, b Sec) Sec {
	if !a.OK || b.OK && b.NS > a.NS {
		return b
	}
	return a
}
