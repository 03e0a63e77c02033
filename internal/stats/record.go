// Package stats holds the statistics of a job: one Record per attempt at a
// task, their summary, and their forms as JSON, CSV and tables. It reads and
// writes no files.
package stats

import "github.com/lithops-go/lithops/internal/job"

// Record is the statistics of one attempt at one task. The table in fields.go
// gives every key its name, unit, meaning and exactness. A stamp is Unix time in
// nanoseconds; all stamps of one job on one machine come from one clock base.
type Record struct {
	JobID   string
	Task    int
	Attempt int // from 1; 0 while the task was never dispatched
	State   job.State
	Stage   string // StageMap or StageReduce, "" is null
	Run     Int    // run of the job, from 1, that the attempt was made in: the one its worker is of

	// about the attempt
	Worker         Int
	WorkerHostname string // "" is null
	PID            Int
	ExitCode       Int    // of a process that exited by itself
	Signal         string // name of the signal that ended it, "" is null
	ErrorType      string // "" is null
	Error          string // "" is null

	// the host, before
	HostJobCreate    Sec
	HostSerialize    Sec
	HostFuncUpload   Sec
	FuncModuleSize   Int
	HostDataUpload   Sec
	FuncDataSize     Int
	HostJobCreated   Sec
	HostSubmit       Sec
	HostDispatch     Sec
	QueueTime        Sec // derived: worker start - host submit
	WorkerStart      Sec
	WorkerColdStart  Bool
	PeakMemoryStart  Int
	FuncStartup      Sec
	FuncStart        Sec
	FuncEnd          Sec
	FuncExec         Sec
	CPUUser          Sec
	CPUSystem        Sec
	TaskCPUPercent   Float
	CPUUsage         []float64 // percent per core; nil is null
	RSS, USS, VMS    Int
	PeakMemoryEnd    Int
	TaskPeakMemory   Int
	MinorFaults      Int
	MajorFaults      Int
	VoluntarySwitch  Int
	InvoluntSwitch   Int
	BlockRead        Int
	BlockWrite       Int
	NetSent, NetRecv Int
	LoSent, LoRecv   Int
	ResultSize       Int
	ResultUpload     Sec
	ResultOffset     Int // in the worker's .out segment
	ResultCRC        Int // CRC-32C of the result's bytes
	LogOffset        Int // in the worker's .log segment
	LogSize          Int
	WorkerEnd        Sec
	WorkerExec       Sec

	// the host, after
	StatusDone  Sec
	StatusCount Int
	ResultDone  Sec
	ResultCount Int
	FetchTime   Sec // derived: status done - worker end
}

// The stages of a job.
const (
	StageMap    = "map"
	StageReduce = "reduce"
)

// begun says that the attempt was made: one that was handed out and given back, or
// that its worker never came to, was not.
func (r *Record) begun() bool { return r.Attempt > 0 && r.State >= job.Running }

// Derive fills the keys that follow from others.
func (r *Record) Derive() {
	r.QueueTime = r.WorkerStart.Since(r.HostSubmit)
	r.FetchTime = r.StatusDone.Since(r.WorkerEnd)
	r.FuncExec = r.FuncEnd.Since(r.FuncStart)
	r.WorkerExec = r.WorkerEnd.Since(r.WorkerStart)
	r.TaskCPUPercent = Float{}
	alive := r.FuncExec.NS
	if r.ExitCode.OK || r.Signal != "" {
		alive += r.FuncStartup.NS // a process: the kernel counts from fork on, so the time must, too
	}
	if r.CPUUser.OK && r.CPUSystem.OK && r.FuncExec.OK && alive > 0 {
		r.TaskCPUPercent = FloatOf(100 * float64(r.CPUUser.NS+r.CPUSystem.NS) / float64(alive))
	}
}
