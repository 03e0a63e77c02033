package worker

import (
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// The benchmarks of one command's way through a worker, without the command. Together
// they are what the worker adds to it; `make bench` shows them beside each other.

// newTasks is a worker whose queue is never low.
func newTasks(b *testing.B) *bench {
	t := newBench(b, &job.Spec{Command: job.Command{Argv: []string{"true"}}})
	t.w.queue, t.w.high = make([]assignment, 64), 64
	t.w.send.w = io.Discard
	return t
}

// child is a process that stays as long as the benchmark.
func child(b *testing.B, r *bench) (pid int) {
	pid, err := r.start("/bin/sleep", []string{"sleep", "1000"}, &syscall.ProcAttr{Sys: sysProcAttr()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		syscall.Kill(pid, syscall.SIGKILL)
		syscall.Wait4(pid, nil, 0, nil)
	})
	return pid
}

// BenchmarkTaskPrepare is what comes before a command is started.
func BenchmarkTaskPrepare(b *testing.B) {
	r := newTasks(b)
	a := assignment{job.Attempt{Task: 4711, Try: 1}, []byte("4711")}
	for b.Loop() {
		r.w.running(a.Attempt)
		if err := r.recorder.place(); err != nil {
			b.Fatal(err)
		}
		r.record(a.Attempt, r.clock.Now())
		argv, err := r.template.Expand(a.Task, a.input, nil)
		if err != nil {
			b.Fatal(err)
		}
		path, err := r.programs.find(argv[0])
		if err != nil {
			b.Fatal(err)
		}
		attr := &syscall.ProcAttr{Env: r.env.of(a.Attempt), Files: []uintptr{r.null.Fd(), r.out.part.Fd(), r.log.part.Fd()}, Sys: sysProcAttr()}
		r.memory.wrap(path, argv, attr)
	}
}

// BenchmarkTaskMeasure is all that is read for a task's figures.
func BenchmarkTaskMeasure(b *testing.B) {
	r := newTasks(b)
	pid := child(b, r)
	own := childUsage()
	for b.Loop() {
		rec := r.record(job.Attempt{Task: 4711, Try: 1}, 0)
		r.memory.begin()
		before := childUsage()
		forked := r.clock.Now()
		r.meter.ready(forked)
		started := r.clock.Now()
		r.meter.begin(pid)
		ended := r.clock.Now()
		seen := r.meter.end(ended)
		after := childUsage()
		rec.FuncStart, rec.FuncEnd = stats.SecOf(noLater(started, forked, ended, &own)), stats.SecOf(ended)
		usage(rec, &before, &after)
		r.peaks.fill(rec, 2<<20)
		seen.fill(rec)
		outcome(rec, 0, 0, r.spec)
		r.oom = r.memory.blame(rec, pid)
		if err := r.memory.entered(rec); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTaskReap is what comes after a command has exited until nothing is left of
// it; only that counts, not the command.
func BenchmarkTaskReap(b *testing.B) {
	r := newTasks(b)
	path, err := r.programs.find("true")
	if err != nil {
		b.Fatal(err)
	}
	var took time.Duration
	for b.Loop() {
		pid, err := r.start(path, []string{"true"}, &syscall.ProcAttr{Sys: sysProcAttr()})
		if err != nil {
			b.Fatal(err)
		}
		p := &process{pid: pid, grace: time.Second}
		r.w.begin(p, nil)
		p.limit(0, nil)
		if err := awaitExit(pid); err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		p.done()
		if _, _, _, err := p.reap(r.stuck); err != nil {
			b.Fatal(err)
		}
		r.w.begin(nil, nil)
		took += time.Since(begun)
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "ns/op")
}

// BenchmarkTaskRecord is what is written of a task.
func BenchmarkTaskRecord(b *testing.B) {
	r := newTasks(b)
	now := r.clock.Now()
	usage(r.record(job.Attempt{}, now), &syscall.Rusage{}, &syscall.Rusage{Utime: syscall.Timeval{Usec: 431}, Stime: syscall.Timeval{Usec: 287}, Minflt: 98, Nvcsw: 2})
	full := r.rec
	for b.Loop() {
		rec := r.record(job.Attempt{Task: 4711, Try: 1}, now)
		*rec = full
		rec.Task, rec.Attempt, rec.State = 4711, 1, job.Success
		rec.PID, rec.ExitCode = stats.IntOf(12345), stats.IntOf(0)
		rec.FuncStartup, rec.FuncStart, rec.FuncEnd = stats.SecOf(200_000), stats.SecOf(now), stats.SecOf(now+400_000)
		r.peaks.fill(rec, 1<<20)
		if err := r.collect(rec); err != nil {
			b.Fatal(err)
		}
		rec.WorkerEnd = stats.SecOf(r.clock.Now())
		rec.Derive()
		r.line = stats.AppendWorkerLine(r.line[:0], rec)
		if err := r.recorder.record(r.line, r.w.low()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTaskDoorbell is what a task has of the doorbells, of which the host hears when
// half of what it gave is done.
func BenchmarkTaskDoorbell(b *testing.B) {
	const ahead = 64
	r := newTasks(b)
	from, to, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	r.w.send.w = to
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		io.Copy(io.Discard, from)
	}()
	size := int64(0)
	for i := 0; b.Loop(); i++ {
		size += 700
		r.w.send.ring(size, i%(ahead/2) == 0)
	}
	to.Close()
	<-drained
	from.Close()
}
