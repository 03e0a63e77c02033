package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/proc"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// runner runs the tasks of one job one after the other.
type runner struct {
	callees  [2]*callee // the functions of map and reduce, nil where there is none
	rt       *funcRuntime
	recorder *recorder // of calls
	reply    reply
	toldWarm bool // the host knows that the functions can be called
	checked  bool // that of the reduce can, if that was to be found out
	// idleDeaths counts the runtimes that ended in a row without having taken a call.
	idleDeaths int

	// of calls of Go functions
	pid      int
	self     *watched
	logFD    int
	used     syscall.Rusage // by this process, after the last call
	stale    bool           // more was done since than to take the next one
	children syscall.Rusage // by its children, as last seen
	lastLong bool           // the last call
	high     int64          // peak resident size so far, bytes

	memory   *memoryLimit
	oom      string                                                                        // what the kernel did to the running attempt, "" for nothing
	start    func(path string, argv []string, attr *syscall.ProcAttr) (pid int, err error) // a process
	patience time.Duration                                                                 // with a machine that is out of something

	job      wire.Job
	spec     *job.Spec
	template *job.Template
	clock    *clock.Clock
	hostname string
	programs programs
	env      environment
	null     *os.File // standard input of commands without one
	out, log *output
	stats    *store.Segment
	common   stats.Record // what lines of stats leave out
	meter    *meter
	peaks    peaks
	stuck    map[int]bool // processes of earlier tasks that could not be killed
	warm     bool         // a task was run
	line     []byte
	rec      stats.Record
}

// newRunner sets up what the host's first message tells.
func newRunner(m *wire.Message, send *sender) (r *runner, err error) {
	if m.Numbers[0] != wire.Version {
		return nil, fmt.Errorf("the host speaks version %d of the worker protocol, this worker %d: was the program replaced while the job ran?", m.Numbers[0], wire.Version)
	}
	r = &runner{stuck: map[int]bool{}, start: start, patience: shortageTime}
	if err := json.Unmarshal(m.JSON, &r.job); err != nil {
		return nil, fmt.Errorf("read job: %w", err)
	}
	r.spec = r.job.Spec
	if r.spec.Function.Go == "" {
		// Parent-death signals follow the thread that started the child.
		runtime.LockOSThread()
		wakeFirst()
		tune()
	}
	if r.template, err = job.NewTemplate(r.spec); err != nil {
		return nil, err
	}
	if err := errors.Join(proc.Subreaper(), mountProc()); err != nil {
		return nil, fmt.Errorf("contain tasks: %w", err)
	}
	// The working directory is set once: changing it in every child costs more.
	if err := os.Chdir(r.spec.Workdir); err != nil {
		return nil, fmt.Errorf("enter workdir: %w", err)
	}
	if r.memory, err = newMemoryLimit(&r.job); err != nil {
		return nil, err
	}
	r.clock = r.job.Clock.Clock()
	r.hostname, _ = os.Hostname() // null when the machine has no name
	r.env = newEnvironment(&r.job)
	r.programs = programs{dir: r.spec.Dir, path: r.env.lookup("PATH")}
	if r.null, err = os.Open(os.DevNull); err != nil {
		return nil, err
	}
	dir, n := r.job.Dir, r.job.Worker
	if r.out, err = newOutput(dir, n, store.OutPart, store.OutSegment); err != nil {
		return nil, err
	}
	if r.log, err = newOutput(dir, n, store.LogPart, store.LogSegment); err != nil {
		return nil, err
	}
	if r.stats, err = store.CreateSegment(store.SegmentPath(dir, n, store.StatsSegment), nil); err != nil {
		return nil, err
	}
	r.common = r.likely()
	if _, err = r.stats.Append(stats.AppendCommonLine(nil, &r.common)); err != nil {
		return nil, err
	}
	send.told = r.stats.Size() // no record yet
	r.meter, r.peaks.probe = newMeter(r.job.Workers), newProbe(costFactor)
	if err := r.functions(send); err != nil {
		return nil, err
	}
	shrink()
	return r, nil
}

// likely is what most of the records will have in common.
func (r *runner) likely() stats.Record {
	zero := stats.IntOf(0)
	c := stats.Record{Worker: stats.IntOf(r.job.Worker), WorkerHostname: r.hostname, WorkerColdStart: stats.BoolOf(false),
		MajorFaults: zero, InvoluntSwitch: zero, BlockRead: zero, BlockWrite: zero, LogOffset: zero, LogSize: zero}
	if r.spec.Function == (job.Function{}) {
		c.ExitCode = zero
	} else {
		c.MinorFaults, c.VoluntarySwitch = zero, zero
	}
	if r.spec.Function.Go != "" {
		c.PID = stats.IntOf(os.Getpid())
	}
	return c
}

// functions prepares for calling the job's functions.
func (r *runner) functions(send *sender) (err error) {
	if r.callees, err = callees(r.spec, r.job.Dir, r.programs.find); err != nil {
		return err
	}
	r.recorder = newRecorder(r.out.seg, r.stats, send)
	r.recorder.common = &r.common
	if r.spec.Durability == job.DurabilitySync {
		if err := r.recorder.durable(r.out, r.log); err != nil {
			return err
		}
	}
	if r.spec.Function.Go != "" {
		return r.enterGo()
	}
	return nil
}

// reduces says whether an attempt is of the reduce.
func (r *runner) reduces(a assignment) bool { return r.callees[1] != nil && a.Task >= r.job.Maps }

// callee is the function an attempt calls, nil for a command.
func (r *runner) callee(a assignment) *callee {
	if r.reduces(a) {
		return r.callees[1]
	}
	return r.callees[0]
}

// close ends what is warm, at once when the host is gone, and writes what is left.
func (r *runner) close(gone bool) error {
	if r.rt != nil {
		r.rt.close(r.stuck, gone)
	}
	err := r.recorder.close()
	r.meter.close()
	r.memory.close()
	r.out.close(false)
	r.log.close(gone)
	r.stats.Close()
	if r.spec.Function.Go != "" {
		endChildren(sweepMost)
	}
	return err
}

// record is the beginning of a record, valid until the next is begun.
func (r *runner) record(a job.Attempt, start int64) *stats.Record {
	r.rec = stats.Record{Task: a.Task, Attempt: a.Try, Worker: stats.IntOf(r.job.Worker), WorkerHostname: r.hostname, WorkerStart: stats.SecOf(start)}
	return &r.rec
}

// all makes attempts until there are none. A function of the program can end the
// goroutine it is called in; then another goes on.
func (r *runner) all(w *worker) error {
	if r.spec.Function.Go == "" {
		return r.loop(w)
	}
	done := make(chan error)
	var run func()
	run = func() {
		ended := false
		defer func() {
			if !ended {
				go run()
			}
		}()
		err := r.loop(w)
		ended = true
		done <- err
	}
	go run()
	return <-done
}

func (r *runner) loop(w *worker) error {
	for {
		a, ok := w.next()
		if !ok {
			return nil
		}
		if err := r.do(a, w); err != nil {
			return err
		}
	}
}

// do makes one attempt, or some calls, and records them. An error means that the store
// cannot be written, that the host is gone, or that a function cannot be called at all;
// the attempt then has no record.
func (r *runner) do(a assignment, w *worker) error {
	if r.job.Check && !r.checked {
		began := r.clock.Now()
		if err := r.checkReduce(w); err != nil {
			return r.notReady(a, began, err, w)
		}
		r.checked = true
	}
	if w.isDropped(a.Attempt) {
		return r.cancelled(a, w)
	}
	switch c := r.callee(a); {
	case c == nil:
		return r.runCommand(a, w)
	case c.language == job.Go:
		return r.callGo(c, a, w)
	default:
		return r.callRuntime(c, a, w)
	}
}

// cancelled records an attempt that was dropped before it began.
func (r *runner) cancelled(a assignment, w *worker) error {
	rec := r.record(a.Attempt, r.clock.Now())
	rec.State, rec.ErrorType, rec.Error = job.Cancelled, "cancelled", cancelledText
	return r.keep(rec, nil, -1, "", true, w)
}

// runCommand makes one attempt at a command and records it.
func (r *runner) runCommand(a assignment, w *worker) error {
	w.running(a.Attempt)
	if err := r.recorder.place(); err != nil {
		return err
	}
	rec := r.record(a.Attempt, r.clock.Now())
	rec.WorkerColdStart = stats.BoolOf(!r.warm)
	r.warm = true
	if err := r.command(rec, a, w); unbegun(err) {
		return r.withdraw(a, err, w)
	} else if err != nil {
		rec.State, rec.ErrorType, rec.Error = job.Error, "start", err.Error()
	}
	if w.isGone() {
		return errHostGone
	}
	if err := r.collect(rec); err != nil {
		return err
	}
	rec.WorkerEnd = stats.SecOf(r.clock.Now())
	rec.Derive()
	r.line = stats.AppendSegmentLine(r.line[:0], rec, &r.common)
	// Records that go to the disk go there together: not as soon as few tasks are left.
	return r.recorder.record(r.line, w.low() && (!r.recorder.synced || w.turning(true)))
}

// command runs the attempt's command to its end and fills rec. The error is for a
// command that could not be started.
func (r *runner) command(rec *stats.Record, a assignment, w *worker) error {
	argv, err := r.template.Expand(a.Task, a.input, nil)
	if err != nil {
		return err
	}
	path, err := r.programs.find(argv[0])
	if err != nil {
		return err
	}
	var stdin *os.File
	if err := r.patiently(w, func() (err error) { stdin, err = r.stdin(a); return err }); err != nil {
		return err
	}
	if stdin != r.null {
		defer stdin.Close()
	}
	attr := &syscall.ProcAttr{
		Env:   r.env.of(a.Attempt),
		Files: []uintptr{stdin.Fd(), r.out.part.Fd(), r.log.part.Fd()},
		Sys:   sysProcAttr(),
	}
	pid, forked, before, err := r.launch(path, argv, attr, w)
	if err != nil {
		return err
	}
	started := r.clock.Now()
	p := &process{pid: pid, grace: time.Duration(r.job.GraceNS)}
	w.begin(p, nil)
	p.limit(r.spec.Timeout, nil)
	r.meter.begin(pid)

	waitErr := awaitExit(pid)
	ended := r.clock.Now()
	why := p.done()
	seen := r.meter.end(ended)
	status, own, peak, err := p.reap(r.stuck)
	w.begin(nil, nil) // not before: a host that goes meanwhile leaves no time to what is left
	if err = errors.Join(waitErr, err); err != nil {
		return fmt.Errorf("wait for command: %w", err)
	}
	after := childUsage()
	started = noLater(started, forked, ended, &own)

	rec.PID = stats.IntOf(pid)
	rec.FuncStartup = stats.SecOf(started - forked)
	rec.FuncStart, rec.FuncEnd = stats.SecOf(started), stats.SecOf(ended)
	usage(rec, &before, &after)
	r.peaks.fill(rec, peak)
	seen.fill(rec)
	outcome(rec, status, why, r.spec)
	r.oom = r.memory.blame(rec, pid)
	return r.memory.entered(rec)
}

// noLater corrects the start of a command that was noticed too late, because the
// worker had to wait for a processor: the command cannot have begun later than
// the CPU time it used leaves room for, nor before it was forked. (What a
// command with several threads uses at a time moves its start by less than its
// start-up took.)
func noLater(started, forked, ended int64, own *syscall.Rusage) int64 {
	return max(forked, min(started, ended-own.Utime.Nano()-own.Stime.Nano()))
}
