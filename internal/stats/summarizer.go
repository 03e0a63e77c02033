package stats

import (
	"math"

	"github.com/lithops-go/lithops/internal/job"
)

// Summarizer collects the records of one job for a Summary. It keeps about 90
// bytes per task and no records, except those of some failed tasks.
type Summarizer struct {
	hiddenPeak Int // largest bound on a peak that could not be measured
	// LogLine, if set, is asked by Summary for a telling line of the log of a
	// failed attempt; one call for each group of failures. The record is a copy
	// with the keys of SummaryKeys; "" is no line.
	LogLine func(r *Record) string

	info    JobInfo
	state   []job.State
	attempt []uint16 // the attempt that counts
	tries   []uint16 // the highest attempt seen
	worker  []int32
	cols    [columnCount][]int64 // nil until the first figure, Null where unknown

	failures failures
	busy     sum
	phases   [phaseCount]sum
	counters [counterCount]sum
	cold     sum
	network  map[workerID]*traffic

	firstStart, lastEnd, lastStamp Sec
	strays                         int
}

// The figures kept of each task's attempt that counts. The first six are the
// phases, of which there is a sum over all attempts too, as of the CPU times.
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

const counterCount = 9

// counterValues are the figures of r of which only the sum is kept.
func counterValues(r *Record) [counterCount]Int {
	return [...]Int{r.FuncDataSize, r.ResultSize, r.LogSize, r.BlockRead, r.BlockWrite,
		r.MinorFaults, r.MajorFaults, r.VoluntarySwitch, r.InvoluntSwitch}
}

// workerID is a worker of a machine; its tasks do not overlap.
type workerID struct {
	host string
	n    int64
}

type traffic struct{ sent, recv sum }

// SummaryKeys are the keys that a Summarizer looks at, for ParseKeys.
func SummaryKeys() KeySet {
	return NewKeySet("task", "attempt", "state", "worker", "worker_hostname", "exit_code", "signal", "error_type", "error",
		"func_data_size_bytes", "host_submit_tstamp", "worker_start_tstamp", "worker_cold_start", "worker_func_startup_time",
		"worker_func_exec_time", "worker_func_cpu_user_time", "worker_func_cpu_system_time", "worker_func_rss", "task_peak_memory", "worker_peak_memory_end",
		"minor_page_faults", "major_page_faults", "voluntary_context_switches", "involuntary_context_switches",
		"block_read_bytes", "block_write_bytes", "worker_func_sent_net_io", "worker_func_recv_net_io",
		"func_result_size", "log_offset", "log_size", "worker_result_upload_time", "worker_end_tstamp", "worker_exec_time",
		"host_status_done_tstamp", "host_result_done_tstamp")
}

// NewSummarizer makes a summarizer for a job of the given number of tasks, all
// of them new.
func NewSummarizer(info JobInfo, tasks int) *Summarizer {
	s := &Summarizer{info: info, state: make([]job.State, tasks), attempt: make([]uint16, tasks), tries: make([]uint16, tasks),
		worker: make([]int32, tasks), network: map[workerID]*traffic{}}
	for i := range s.worker {
		s.worker[i] = -1
	}
	s.failures.init(tasks)
	return s
}

// Add takes in the record of one attempt: each attempt once, in any order. The
// record is not kept. One with a task number beyond the job's tasks is only
// counted, and the summary has a warning.
func (s *Summarizer) Add(r *Record) {
	i := r.Task
	if i < 0 || i >= len(s.state) {
		s.strays++
		return
	}
	values := taskValues(r)
	s.addSums(r, &values)
	try := uint16(max(0, min(r.Attempt, math.MaxUint16)))
	s.tries[i] = max(s.tries[i], try)
	if !counts(s.state[i], int(s.attempt[i]), r) {
		return
	}
	s.state[i], s.attempt[i], s.worker[i] = r.State, try, -1
	if r.Worker.OK {
		s.worker[i] = int32(r.Worker.V)
	}
	for c, v := range values {
		s.set(c, i, v)
	}
	s.failures.put(r)
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
// phase that is null was not reached.
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
	for c := range s.phases {
		s.phases[c].addInt(values[c])
	}
	for c, v := range counterValues(r) {
		s.counters[c].addInt(v)
	}
	s.busy.addSec(r.WorkerExec)
	if !r.TaskPeakMemory.OK && r.PeakMemoryEnd.OK && r.PeakMemoryEnd.V >= s.hiddenPeak.V {
		s.hiddenPeak = r.PeakMemoryEnd
	}
	if r.WorkerColdStart.OK {
		s.cold.add(0)
		if r.WorkerColdStart.V {
			s.cold.v++
		}
	}
	if r.Worker.OK && (r.NetSent.OK || r.NetRecv.OK) {
		s.addTraffic(r)
	}
	if r.WorkerStart.OK && (!s.firstStart.OK || r.WorkerStart.NS < s.firstStart.NS) {
		s.firstStart = r.WorkerStart
	}
	s.lastEnd = later(s.lastEnd, r.WorkerEnd)
	s.lastStamp = later(later(s.lastStamp, r.WorkerEnd), later(r.StatusDone, r.ResultDone))
}

func (s *Summarizer) addTraffic(r *Record) {
	id := workerID{r.WorkerHostname, r.Worker.V}
	t := s.network[id]
	if t == nil {
		t = new(traffic)
		s.network[id] = t
	}
	t.sent.addInt(r.NetSent)
	t.recv.addInt(r.NetRecv)
}

// later is the later one of two stamps of which either may be null.
func later(a, b Sec) Sec {
	if !a.OK || b.OK && b.NS > a.NS {
		return b
	}
	return a
}
