package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
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
	meter    *meter
	peaks    peaks
	stuck    map[int]bool // processes of earlier tasks that could not be killed
	warm     bool         // a task was run
	line     []byte
}

// newRunner sets up what the host's first message tells.
func newRunner(m *wire.Message, send *sender) (r *runner, err error) {
	if m.Numbers[0] != wire.Version {
		return nil, fmt.Errorf("the host speaks version %d of the worker protocol, this worker %d: was the program replaced while the job ran?", m.Numbers[0], wire.Version)
	}
	r = &runner{stuck: map[int]bool{}}
	if err := json.Unmarshal(m.JSON, &r.job); err != nil {
		return nil, fmt.Errorf("read job: %w", err)
	}
	r.spec = r.job.Spec
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
	r.meter, r.peaks.probe = newMeter(r.job.Workers), newProbe(costFactor)
	shrink()
	return r, nil
}

func (r *runner) close() {
	r.meter.close()
	r.out.close()
	r.log.close()
	r.stats.Close()
}

// do makes one attempt and records it. An error means that the store cannot be
// written, or that the host is gone; the attempt then has no record.
func (r *runner) do(a assignment, w *worker) error {
	rec := &stats.Record{Task: a.Task, Attempt: a.Try, Worker: stats.IntOf(r.job.Worker), WorkerHostname: r.hostname}
	rec.WorkerStart = stats.SecOf(r.clock.Now())
	rec.WorkerColdStart = stats.BoolOf(!r.warm)
	r.warm = true
	if err := r.command(rec, a, w); err != nil {
		rec.State, rec.ErrorType, rec.Error = job.Error, "start", err.Error()
	}
	if w.isGone() {
		return errors.New("host is gone")
	}
	if err := r.collect(rec); err != nil {
		return err
	}
	rec.WorkerEnd = stats.SecOf(r.clock.Now())
	rec.Derive()
	r.line = stats.AppendWorkerLine(r.line[:0], rec)
	if _, err := r.stats.Append(r.line); err != nil {
		return err
	}
	w.send.ring(r.stats.Size(), w.low())
	return nil
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
	if limit := r.spec.Limits.Memory; limit > 0 {
		path, argv = limitMemory(limit, path, argv)
	}
	stdin, err := r.stdin(a)
	if err != nil {
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
	before := childUsage()
	forked := r.clock.Now()
	r.meter.ready(forked)
	pid, err := start(path, argv, attr)
	if err != nil {
		return startError(argv, err)
	}
	started := r.clock.Now()
	p := &process{pid: pid, grace: time.Duration(r.job.GraceNS)}
	w.begin(p)
	p.limit(r.spec.Timeout)
	r.meter.begin(pid)

	waitErr := awaitExit(pid)
	ended := r.clock.Now()
	why := p.done()
	seen := r.meter.end(ended)
	w.begin(nil)
	status, own, peak, err := p.reap(r.stuck)
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
	return nil
}

// noLater corrects the start of a command that was noticed too late, because the
// worker had to wait for a processor: the command cannot have begun later than
// the CPU time it used leaves room for, nor before it was forked. (What a
// command with several threads uses at a time moves its start by less than its
// start-up took.)
func noLater(started, forked, ended int64, own *syscall.Rusage) int64 {
	return max(forked, min(started, ended-own.Utime.Nano()-own.Stime.Nano()))
}

// outcome sets how the attempt ended.
func outcome(rec *stats.Record, status syscall.WaitStatus, why job.State, spec *job.Spec) {
	switch {
	case status.Signaled():
		rec.Signal = signalName(status.Signal())
	default:
		rec.ExitCode = stats.IntOf(status.ExitStatus())
	}
	switch {
	case why == job.Timeout:
		rec.State, rec.ErrorType = job.Timeout, "timeout"
		rec.Error = fmt.Sprintf("ended after its time limit of %v", spec.Timeout)
	case why == job.Cancelled:
		rec.State, rec.ErrorType, rec.Error = job.Cancelled, "cancelled", "ended because the job was stopped"
	case status.Signaled():
		rec.State, rec.ErrorType, rec.Error = job.Error, "signal", "ended by "+rec.Signal
		if status.CoreDump() {
			rec.Error += " (core dumped)"
		}
	case status.ExitStatus() != 0:
		rec.State, rec.ErrorType, rec.Error = job.Error, "exit", "exit code "+strconv.Itoa(status.ExitStatus())
	default:
		rec.State = job.Success
	}
}

// collect moves result and log into the store.
func (r *runner) collect(rec *stats.Record) error {
	begun := r.clock.Now()
	if rec.State == job.Success && r.spec.Output == job.OutputJSON {
		if err := checkJSON(r.out.part); err != nil {
			rec.State, rec.ErrorType, rec.Error = job.Error, "output", err.Error()
		}
	}
	offset, size, sum, err := r.out.collect()
	if err != nil {
		return err
	}
	rec.ResultOffset, rec.ResultSize, rec.ResultCRC = stats.IntOf(offset), stats.IntOf(size), stats.IntOf(sum)
	if offset, size, _, err = r.log.collect(); err != nil {
		return err
	}
	rec.LogOffset, rec.LogSize = stats.IntOf(offset), stats.IntOf(size)
	rec.ResultUpload = stats.SecOf(r.clock.Now() - begun)
	return nil
}

// checkJSON says why the output is not one JSON value. It reads the output piece
// by piece: a worker that has been large hides the memory of small tasks.
func checkJSON(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	d := json.NewDecoder(io.NewSectionReader(f, 0, info.Size()))
	d.UseNumber()
	for depth, values := 0, 0; ; {
		token, err := d.Token()
		switch {
		case err == io.EOF && depth == 0 && values == 1:
			return nil
		case err == io.EOF && depth == 0 && values == 0:
			return errors.New("standard output is empty, not one JSON value")
		case err != nil:
			return fmt.Errorf("standard output is not one JSON value: %w", err)
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
		if depth == 0 {
			if values++; values > 1 {
				return errors.New("standard output is more than one JSON value")
			}
		}
	}
}

// stdin is the attempt's standard input: a file without a name that holds the
// text the job gives, or the null device.
func (r *runner) stdin(a assignment) (*os.File, error) {
	text, given, err := r.template.Stdin(a.Task, a.input)
	if err != nil || !given {
		return r.null, err
	}
	f, err := os.CreateTemp(r.job.Dir, "stdin-*")
	if err != nil {
		return nil, fmt.Errorf("feed standard input: %w", err)
	}
	os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err == nil {
		_, err = f.Seek(0, 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("feed standard input: %w", err)
	}
	return f, nil
}
