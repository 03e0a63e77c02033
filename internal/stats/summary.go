package stats

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lithops-go/lithops/internal/job"
)

// JobInfo is what a summary takes from the job's manifest and cannot learn from
// records.
type JobInfo struct {
	ID      string
	Name    string
	State   string            // of the job: running, done, broken off, cancelled
	Created int64             // Unix time in nanoseconds, 0 when unknown
	Ended   int64             // the same, 0 while the job has no end
	Now     int64             // the same for a job that runs, else 0
	Workers int               // how many work at a time, 0 when unknown; of several runs those of each count
	Machine []string          // facts about the machine, in the order to show them
	Counts  map[job.State]int // tasks by state as the host counted them in the end, nil when unknown
	Zone    *time.Location    // for the stamps of the table; nil is UTC
	Runs    []JobRun          // of a job that was resumed: all of them, in order; nil: one with what is above
}

// Summary is what the records of a job say together, in base units. What cannot
// be known is null. Spreads are over tasks: the attempt that counts of each, the
// successful one or else the last. Totals are over all attempts, because the
// others cost something too. Where map and reduce would blur each other they are
// apart: the spreads of the summary itself are those of the map's tasks.
//
// Utilisation, speed-up, cores and idle time are null while the job runs. When it has
// ended they are about what was run of it, however it ended. The time of an attempt whose worker died is nowhere recorded
// and counts as idle. Pauses between the runs of a job that was resumed are in no figure but their own.
type Summary struct {
	JobID   string   `json:"job_id"`
	Name    Nullable `json:"name"`
	State   Nullable `json:"state"`
	Created Sec      `json:"created_tstamp"`
	Ended   Sec      `json:"ended_tstamp"`
	Reason  Nullable `json:"end_reason"` // why the job ended early; whoever knows the job sets it
	Wall    Sec      `json:"wall_time"`  // from creation to the job's end, to the last that is known of a job that broke off, or to now; without pauses
	Workers Int      `json:"workers"`    // at a time, in the run that had most
	Machine []string `json:"machine"`

	Tasks      int               `json:"tasks"` // of map and reduce
	Maps       int               `json:"map_tasks"`
	States     map[job.State]int `json:"states"` // every state has its entry
	Attempts   int               `json:"attempts"`
	Retried    int               `json:"retried_tasks"`
	Discarded  map[job.State]int `json:"discarded_attempts"`         // those that do not count, by how they ended; every state has its entry
	Untimed    int               `json:"discarded_attempts_untimed"` // of these, what the worker spent on them is not known
	ColdStarts Int               `json:"cold_starts"`                // attempts that were the first of a worker process

	Throughput  Float `json:"tasks_per_second"`           // tasks that came to an end of their own (success, error, timeout) / wall time
	Utilisation Float `json:"worker_utilisation_percent"` // busy time / (workers × first worker start to the end), of several runs the sum of these
	SpeedUp     Float `json:"speed_up"`                   // running time of all attempts / wall time
	Cores       Float `json:"cores_used"`                 // CPU time of all attempts / wall time

	WorkerTime WorkerTime `json:"worker_time"`
	Spreads
	Reduce *Reduce `json:"reduce"` // nil for a job without reduce tasks
	Totals Totals  `json:"totals"`

	Runs     []Run      `json:"runs"`
	Slowest  []SlowTask `json:"slowest"`
	Failures []Failure  `json:"failures"` // most frequent first; cancelled tasks are not among them
	Warnings []string   `json:"warnings"`

	zone    *time.Location
	running bool // the job has not ended
}

// Run is one of the runs of a job.
type Run struct {
	Number    int      `json:"run"`
	Start     Sec      `json:"start_tstamp"`
	Ended     Sec      `json:"ended_tstamp"`
	Pause     Sec      `json:"pause_before"` // null for the first
	Wall      Sec      `json:"wall_time"`
	State     Nullable `json:"state"` // how it ended
	Reason    Nullable `json:"end_reason"`
	Workers   Int      `json:"workers"`
	Tasks     Int      `json:"tasks"` // submitted to it
	Attempts  int      `json:"attempts"`
	Succeeded int      `json:"successful_attempts"`
}

// Spreads is what the tasks of the map, or those of the reduce, took.
type Spreads struct {
	Phases     Phases    `json:"phases"`
	CPUUser    Phase     `json:"cpu_user"`
	CPUSystem  Phase     `json:"cpu_system"`
	PeakMemory Dist[Int] `json:"task_peak_memory"`
	PeakHidden Int       `json:"unmeasured_peak_memory_at_most"` // bound on the peak of tasks where it is null
	RSS        Dist[Int] `json:"rss"`
}

// Reduce is what a job's reduce tasks are and took.
type Reduce struct {
	Tasks    int               `json:"tasks"`
	States   map[job.State]int `json:"states"` // every state has its entry
	Attempts int               `json:"attempts"`
	Start    Sec               `json:"first_worker_start_tstamp"`
	After    Sec               `json:"began_after"` // from the job's creation to Start, without pauses
	Spreads
}

// NotRun says that no reduce task was begun.
func (r *Reduce) NotRun() bool { return r.States[job.New] == r.Tasks }

// WorkerTime tells where the time of the workers went, over all attempts.
type WorkerTime struct {
	Available Sec `json:"available"` // workers × wall time, of several runs the sum; null while the job runs
	Busy      Sec `json:"busy"`      // from worker start to worker end of each attempt; where a worker had several, once
	Starting  Sec `json:"starting"`
	Running   Sec `json:"running"`
	Uploading Sec `json:"uploading"`
	Overhead  Sec `json:"overhead"`  // busy with nothing of the above
	Idle      Sec `json:"idle"`      // available and not busy
	Discarded Sec `json:"discarded"` // the part of busy spent on attempts that do not count; null when of none of them it is known
}

// Phases are the parts of a task's way.
type Phases struct {
	Waiting   Phase `json:"waiting"`   // queue_time
	Starting  Phase `json:"starting"`  // worker_func_startup_time; of functions, cold calls alone have one
	Running   Phase `json:"running"`   // worker_func_exec_time
	Uploading Phase `json:"uploading"` // worker_result_upload_time
	Overhead  Phase `json:"overhead"`  // worker_exec_time without the three before
	Fetching  Phase `json:"fetching"`  // fetch_time
}

// Phase is the spread of one duration over the tasks and its total over all
// attempts.
type Phase struct {
	Dist[Sec]
	Total Sec `json:"total"`
	// Share is the total's part of the workers' available time, of their busy time
	// while that is unknown. Null for what is no time of a worker.
	// Null also for overhead where attempts overlap, that is, where calls were sent ahead.
	Share Float `json:"share_percent"`
}

// Total is a sum over the attempts of which the figure is known.
type Total struct {
	Sum      Int `json:"sum"`
	Measured int `json:"measured"` // attempts
}

// Totals are sums over all attempts.
type Totals struct {
	InputBytes      Total `json:"input_bytes"`
	ResultBytes     Total `json:"result_bytes"`
	LogBytes        Total `json:"log_bytes"`
	BlockRead       Total `json:"block_read_bytes"`
	BlockWrite      Total `json:"block_write_bytes"`
	MinorFaults     Total `json:"minor_page_faults"`
	MajorFaults     Total `json:"major_page_faults"`
	VoluntarySwitch Total `json:"voluntary_context_switches"`
	InvoluntSwitch  Total `json:"involuntary_context_switches"`
	// The network counters are of the whole machine while a task ran: those of
	// tasks side by side count the same bytes, so their sum would be a multiple of
	// the truth. The tasks of one worker do not overlap. Of each machine the worker
	// with the largest sum counts: the machines moved at least that much.
	NetSent Int `json:"machine_net_sent_bytes_at_least"`
	NetRecv Int `json:"machine_net_recv_bytes_at_least"`
}

// SlowTask is one of the tasks that ran longest.
type SlowTask struct {
	Task       int       `json:"task"`
	Attempt    int       `json:"attempt"`
	State      job.State `json:"state"`
	Stage      string    `json:"stage"`
	Worker     Int       `json:"worker"`
	Exec       Sec       `json:"worker_func_exec_time"`
	CPU        Sec       `json:"cpu_time"`
	PeakMemory Int       `json:"task_peak_memory"`
	Item       Nullable  `json:"item"` // the input as JSON, see NameItems
}

// Failure is a group of tasks of one stage that failed in the same way. Exit code and signal
// tell groups apart only in state error: a task we ended ourselves says nothing
// by them.
type Failure struct {
	State     job.State `json:"state"`
	ExitCode  Int       `json:"exit_code"`
	Signal    Nullable  `json:"signal"`
	ErrorType Nullable  `json:"error_type"`
	Stage     string    `json:"stage"`
	Count     int       `json:"count"`
	Task      int       `json:"example_task"` // one of the group, the first where its error text is kept
	Attempt   int       `json:"example_attempt"`
	Lost      int       `json:"example_lost_attempts"` // how often the example's worker died
	Error     Nullable  `json:"example_error"`
	LogLine   Nullable  `json:"example_log_line"`
	Item      Nullable  `json:"example_item"` // the input as JSON, see NameItems
}

// Example is how the group's example is called: task 17, or reduce task 500.
func (f *Failure) Example() string {
	name := "task " + strconv.Itoa(f.Task)
	if f.Stage == StageReduce {
		name = StageReduce + " " + name
	}
	return name
}

// Examples are the tasks that the summary shows as slowest or failed, in order.
func (s *Summary) Examples() []int {
	var tasks []int
	for _, t := range s.Slowest {
		tasks = append(tasks, t.Task)
	}
	for _, f := range s.Failures {
		tasks = append(tasks, f.Task)
	}
	slices.Sort(tasks)
	return slices.Compact(tasks)
}

// NameItems adds the inputs of Examples, as JSON, where item has them; "" is none.
func (s *Summary) NameItems(item func(task int) string) {
	for i := range s.Slowest {
		s.Slowest[i].Item = Nullable(item(s.Slowest[i].Task))
	}
	for i := range s.Failures {
		s.Failures[i].Item = Nullable(item(s.Failures[i].Task))
	}
}

// Done is the number of tasks that ended, however.
func (s *Summary) Done() int {
	n := 0
	for state, count := range s.States {
		if state.Final() {
			n += count
		}
	}
	return n
}

// settled says that nothing is to come: every task has ended, or all of the map
// and the reduce was not run.
func (s *Summary) settled() bool {
	done := s.Done()
	return done == s.Tasks || done == s.Maps && s.Reduce != nil && s.Reduce.NotRun()
}

// WorkersText says how many workers there were at a time, "-" when that is not known:
// "4", or "1 to 4" of runs that did not have the same number.
func (s *Summary) WorkersText() string {
	least := s.Workers
	for _, r := range s.Runs {
		if r.Workers.OK && r.Workers.V < least.V {
			least = r.Workers
		}
	}
	if least.V < s.Workers.V {
		return countText(least) + " to " + countText(s.Workers)
	}
	return countText(s.Workers)
}

// Failed is the number of tasks that ended badly by themselves: error, timeout
// or lost.
func (s *Summary) Failed() int {
	return s.States[job.Error] + s.States[job.Timeout] + s.States[job.Lost]
}

// WhereTimeWent says in one line what the workers' time was spent on, the largest
// part first: "running 96.1 %, idle 2.1 %, starting 1.8 %". While tasks run it is
// about the time recorded so far, without idle. It is empty when nothing is known.
func (s *Summary) WhereTimeWent() string {
	type part struct {
		name string
		time Sec
	}
	w := s.WorkerTime
	base := w.base()
	if !base.OK || base.NS <= 0 {
		return ""
	}
	parts := []part{{"running", w.Running}, {"starting", w.Starting}, {"uploading", w.Uploading},
		{"overhead", w.Overhead}, {"idle", w.Idle}}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(b.time.NS, a.time.NS) })
	var out []string
	for _, p := range parts {
		if percent := percentOf(p.time, base); percent.OK && percent.V >= 0.05 {
			out = append(out, p.name+" "+HumanPercent(percent.V))
		}
	}
	return strings.Join(out, ", ")
}

// base is what shares are parts of.
func (w *WorkerTime) base() Sec {
	if w.Available.OK {
		return w.Available
	}
	return w.Busy
}

func percentOf(part, whole Sec) Float {
	f := ratio(part, whole)
	f.V *= 100
	return f
}

func ratio(part, whole Sec) Float {
	if !part.OK || !whole.OK || whole.NS <= 0 {
		return Float{}
	}
	return FloatOf(float64(part.NS) / float64(whole.NS))
}
