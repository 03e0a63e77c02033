package stats

// Unit is what a figure counts.
type Unit string

// The units of the keys. Time stamps are Unix time.
const (
	Stamp   Unit = "Unix s"
	Seconds Unit = "s"
	Bytes   Unit = "B"
	Count   Unit = "count"
	Percent Unit = "%"
	Text    Unit = "text"
	YesNo   Unit = "yes/no"
)

// Exactness says how far a figure can be trusted.
type Exactness string

// Exactness of a key.
const (
	Exact   Exactness = "exact"              // from the kernel's accounting or a clock
	Noticed Exactness = "when noticed"       // a clock's, as soon as the worker gets a processor
	Sampled Exactness = "sampled"            // seen at moments, what lies between is missed
	Machine Exactness = "whole machine"      // of all processes, while the task ran
	PerJob  Exactness = "exact, per job"     // the same in every record of a job
	Derived Exactness = "exact, from others" // computed from other keys when read
)

// Owner is the one who writes a key to the store.
type Owner uint8

// Owners: the host's job manifest, the host's log, the worker's segment, or
// nobody, because the key is computed when the record is read.
const (
	ByManifest Owner = iota
	ByHost
	ByWorker
	ByReader
)

// Field describes one key of a Record.
type Field struct {
	Key   string
	Unit  Unit
	Exact Exactness
	Owner Owner
	Seed  bool // one of the 31 keys of Lithops
	Doc   string
	kind  any // accessor: what the field is in a Record, see codec.go
}

// Fields is every key of a record, in the order of the data's way: who, the
// host's preparation, the worker, the host again. The slice is shared and must
// not be changed.
func Fields() []Field { return fields }

// FieldOf finds the field with the given key.
func FieldOf(key string) (*Field, bool) {
	i, ok := byKey[key]
	if !ok {
		return nil, false
	}
	return &fields[i], true
}

var byKey = func() map[string]int {
	m := make(map[string]int, len(fields))
	for i, f := range fields {
		m[f.Key] = i
	}
	return m
}()

var fields = []Field{
	{"task", Count, Exact, ByWorker, false, "number of the task, from 0 in input order", intAt(func(r *Record) *int { return &r.Task })},
	{"attempt", Count, Exact, ByWorker, false, "number of this try, from 1; 0 while none was made", intAt(func(r *Record) *int { return &r.Attempt })},
	{"job_id", Text, PerJob, ByManifest, false, "the job", textAt(func(r *Record) *string { return &r.JobID })},
	{"state", Text, Exact, ByWorker, false, "new, queued, running, success, error, timeout, cancelled or lost", stateAt{}},
	{"stage", Text, Exact, ByReader, false, "map, or reduce for a task that got the results of others; reduce tasks are numbered after all map tasks", textAt(func(r *Record) *string { return &r.Stage })},
	{"run", Count, Exact, ByReader, false, "run of the job that the attempt was made in, from 1: a job that is resumed has several; null while no worker had the task", func(r *Record) *Int { return &r.Run }},
	{"worker", Count, Exact, ByWorker, false, "number of the worker process, from 0; null while no worker had the task", func(r *Record) *Int { return &r.Worker }},
	{"worker_hostname", Text, Exact, ByWorker, false, "name of the machine the worker ran on", textAt(func(r *Record) *string { return &r.WorkerHostname })},
	{"pid", Count, Exact, ByWorker, false, "process id of the command or of the function's runtime, as the worker sees it; null when there was no process", func(r *Record) *Int { return &r.PID }},
	{"exit_code", Count, Exact, ByWorker, false, "exit code of the command; null when a signal ended it, when it never ran, and for a function that returned", func(r *Record) *Int { return &r.ExitCode }},
	{"signal", Text, Exact, ByWorker, false, "name of the signal that ended the command or the function's runtime, also of one we sent after a timeout; null when it exited by itself or goes on", textAt(func(r *Record) *string { return &r.Signal })},
	{"error_type", Text, Exact, ByWorker, false, "exit, signal, start, output, timeout, cancelled, lost, memory (a limit was reached) or poison (its worker died each time, it was given up); of a function the name of its exception, or protocol; null on success", textAt(func(r *Record) *string { return &r.ErrorType })},
	{"error", Text, Exact, ByWorker, false, "what failed, in one line; null on success", textAt(func(r *Record) *string { return &r.Error })},

	{"host_job_create_tstamp", Stamp, PerJob, ByManifest, true, "start of the run; all other stamps are this one plus what the monotonic clock says has passed since", func(r *Record) *Sec { return &r.HostJobCreate }},
	{"host_job_serialize_time", Seconds, PerJob, ByManifest, true, "encoding all inputs (and the function) as JSON", func(r *Record) *Sec { return &r.HostSerialize }},
	{"host_func_upload_time", Seconds, PerJob, ByManifest, true, "staging the user's program and files into the job's directory; 0 where nothing is staged", func(r *Record) *Sec { return &r.HostFuncUpload }},
	{"func_module_size_bytes", Bytes, PerJob, ByManifest, true, "bytes staged: the user's program and files; 0 where nothing is staged", func(r *Record) *Int { return &r.FuncModuleSize }},
	{"host_data_upload_time", Seconds, PerJob, ByManifest, true, "writing all inputs into the job's directory", func(r *Record) *Sec { return &r.HostDataUpload }},
	{"func_data_size_bytes", Bytes, Exact, ByHost, true, "this task's own input as JSON; files it names are not counted; of a reduce task what names its list and group, not the list", func(r *Record) *Int { return &r.FuncDataSize }},
	{"host_job_created_time", Seconds, PerJob, ByManifest, true, "from the start of the run until tasks could be submitted", func(r *Record) *Sec { return &r.HostJobCreated }},
	{"host_submit_tstamp", Stamp, Exact, ByHost, true, "the task entered the queue of the backend", func(r *Record) *Sec { return &r.HostSubmit }},
	{"host_dispatch_tstamp", Stamp, Exact, ByHost, false, "the host sent the task to a worker, which may still be busy with the task before", func(r *Record) *Sec { return &r.HostDispatch }},
	{"queue_time", Seconds, Derived, ByReader, false, "waiting for a worker: worker start - host submit", func(r *Record) *Sec { return &r.QueueTime }},

	{"worker_start_tstamp", Stamp, Exact, ByWorker, true, "the worker process began with this task", func(r *Record) *Sec { return &r.WorkerStart }},
	{"worker_cold_start", YesNo, Exact, ByWorker, true, "true for the first task of a worker process, or of a runtime process when a function runs", func(r *Record) *Bool { return &r.WorkerColdStart }},
	{"worker_peak_memory_start", Bytes, Exact, ByWorker, true, "peak resident memory before the task. A command starts at the size of the worker that forks it (about 7 MB); of a function, the highest of its runtime so far", func(r *Record) *Int { return &r.PeakMemoryStart }},
	{"worker_func_startup_time", Seconds, Noticed, ByWorker, false, "from the start of fork until the worker noticed that exec had succeeded; of a function, from the start of its runtime until the module was imported, and null for a warm call, which has no start-up", func(r *Record) *Sec { return &r.FuncStartup }},
	{"worker_func_start_tstamp", Stamp, Noticed, ByWorker, true, "call start: the command or function begins to run. Of a command fractions of a millisecond late, more when there is more to do than processors, but never later than the CPU time used leaves room for: startup and running time together are exact. Of a function exact, taken in its runtime", func(r *Record) *Sec { return &r.FuncStart }},
	{"worker_func_end_tstamp", Stamp, Noticed, ByWorker, true, "call done: the command or function has ended; of a function exact, taken in its runtime", func(r *Record) *Sec { return &r.FuncEnd }},
	{"worker_func_exec_time", Seconds, Noticed, ByReader, true, "how long the command or function ran: its end - its start", func(r *Record) *Sec { return &r.FuncExec }},
	{"worker_func_cpu_user_time", Seconds, Exact, ByWorker, true, "user CPU time of this task alone, with all its children, daemonised ones included; of a function, of this call and the children it waited for. How a program's is split is told by clock ticks, and of Go it is the worker's", func(r *Record) *Sec { return &r.CPUUser }},
	{"worker_func_cpu_system_time", Seconds, Exact, ByWorker, true, "system CPU time of this task alone, of the same processes as the user time", func(r *Record) *Sec { return &r.CPUSystem }},
	{"task_cpu_percent", Percent, Derived, ByReader, false, "user and system CPU time / (startup time + running time), because the kernel counts from fork on; of a function / running time; 100 is one core all the time", func(r *Record) *Float { return &r.TaskCPUPercent }},
	{"worker_func_cpu_usage", Percent, Machine, ByWorker, true, "average use of each core while the task ran, by whatever process; null for a task shorter than two clock ticks (20 ms) or without a reading at its start", listAt(func(r *Record) *[]float64 { return &r.CPUUsage })},
	{"worker_func_rss", Bytes, Sampled, ByWorker, true, "resident memory of the task's processes (of a function: its runtime and below), last sample; null when the task ended before one", func(r *Record) *Int { return &r.RSS }},
	{"worker_func_uss", Bytes, Sampled, ByWorker, true, "memory of the task's processes shared with nobody, last sample; null when the task ended before one", func(r *Record) *Int { return &r.USS }},
	{"worker_func_vms", Bytes, Sampled, ByWorker, true, "virtual memory of the task's processes, last sample; null when the task ended before one", func(r *Record) *Int { return &r.VMS }},
	{"worker_peak_memory_end", Bytes, Exact, ByWorker, true, "peak resident memory of the task's largest process; never below worker_peak_memory_start; of a function, the highest of its runtime so far", func(r *Record) *Int { return &r.PeakMemoryEnd }},
	{"task_peak_memory", Bytes, Exact, ByWorker, false, "peak resident memory of the task's largest process, of a function during this call; null when it stayed below the size of the worker, which hides it, and of Go functions shorter than 1 ms", func(r *Record) *Int { return &r.TaskPeakMemory }},
	{"minor_page_faults", Count, Exact, ByWorker, false, "page faults served from memory; like the next five, of this call when a function runs, and null for a program, where they cannot be had", func(r *Record) *Int { return &r.MinorFaults }},
	{"major_page_faults", Count, Exact, ByWorker, false, "page faults that read from disk", func(r *Record) *Int { return &r.MajorFaults }},
	{"voluntary_context_switches", Count, Exact, ByWorker, false, "times the task gave up the processor, mostly to wait for input or output", func(r *Record) *Int { return &r.VoluntarySwitch }},
	{"involuntary_context_switches", Count, Exact, ByWorker, false, "times the task was taken off the processor although it could have gone on", func(r *Record) *Int { return &r.InvoluntSwitch }},
	{"block_read_bytes", Bytes, Exact, ByWorker, false, "bytes read from block devices (counted in blocks of 512); what the page cache had is not among them", func(r *Record) *Int { return &r.BlockRead }},
	{"block_write_bytes", Bytes, Exact, ByWorker, false, "bytes the task made to be written to block devices (counted in blocks of 512), at once or later", func(r *Record) *Int { return &r.BlockWrite }},
	{"worker_func_sent_net_io", Bytes, Machine, ByWorker, true, "bytes sent on the machine's interfaces, loopback left out; null for a task shorter than 20 ms or without a reading at its start", func(r *Record) *Int { return &r.NetSent }},
	{"worker_func_recv_net_io", Bytes, Machine, ByWorker, true, "bytes received on the machine's interfaces, loopback left out; null for a task shorter than 20 ms or without a reading at its start", func(r *Record) *Int { return &r.NetRecv }},
	{"worker_func_sent_loopback_io", Bytes, Machine, ByWorker, false, "bytes sent on the loopback interface, which are also the bytes received there; null as for the other interfaces", func(r *Record) *Int { return &r.LoSent }},
	{"worker_func_recv_loopback_io", Bytes, Machine, ByWorker, false, "bytes received on the loopback interface; null as for the other interfaces", func(r *Record) *Int { return &r.LoRecv }},
	{"func_result_size", Bytes, Exact, ByWorker, true, "bytes of the result: a command's standard output, a function's value as JSON", func(r *Record) *Int { return &r.ResultSize }},
	{"result_offset", Bytes, Exact, ByWorker, false, "where the result stands in the worker's .out segment", func(r *Record) *Int { return &r.ResultOffset }},
	{"result_crc32c", Count, Exact, ByWorker, false, "CRC-32C of the result", func(r *Record) *Int { return &r.ResultCRC }},
	{"log_offset", Bytes, Exact, ByWorker, false, "where the log (standard error, and what a function prints) stands in the worker's .log segment", func(r *Record) *Int { return &r.LogOffset }},
	{"log_size", Bytes, Exact, ByWorker, false, "bytes of the log", func(r *Record) *Int { return &r.LogSize }},
	{"worker_result_upload_time", Seconds, Exact, ByWorker, true, "writing result and log into the store; of short calls into the worker's buffer, which is written within 15 ms", func(r *Record) *Sec { return &r.ResultUpload }},
	{"worker_end_tstamp", Stamp, Exact, ByWorker, true, "the worker was done with this task, its status line and the buffer of short calls excepted", func(r *Record) *Sec { return &r.WorkerEnd }},
	{"worker_exec_time", Seconds, Derived, ByReader, true, "the whole attempt on the worker: worker end - worker start", func(r *Record) *Sec { return &r.WorkerExec }},

	{"host_status_done_tstamp", Stamp, Exact, ByHost, true, "the host had read this record from the store", func(r *Record) *Sec { return &r.StatusDone }},
	{"host_status_query_count", Count, Exact, ByHost, true, "how often the host looked for this record", func(r *Record) *Int { return &r.StatusCount }},
	{"host_result_done_tstamp", Stamp, Exact, ByHost, true, "the host had read the result from the store; null where results were not asked for", func(r *Record) *Sec { return &r.ResultDone }},
	{"host_result_query_count", Count, Exact, ByHost, true, "how often the host looked for the result; null where results were not asked for", func(r *Record) *Int { return &r.ResultCount }},
	{"fetch_time", Seconds, Derived, ByReader, false, "from the worker's end until the host had the record: host status done - worker end", func(r *Record) *Sec { return &r.FetchTime }},
}
