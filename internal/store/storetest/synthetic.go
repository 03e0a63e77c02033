package storetest

import (
	"container/heap"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// Synthetic describes a job that is written without being run. The zero value
// is an empty job.
type Synthetic struct {
	Tasks   int
	Reduces int           // reduce tasks after them; if any, it is a job of functions, its results are JSON
	Workers int           // default 1
	Failed  float64       // share of tasks that fail
	Retries int           // further attempts at a task that fails
	Median  time.Duration // of a task's length, default 1 s; lengths are log-normal
	Spread  float64       // sigma of the lengths' logarithm
	Seed    uint64        // the same seed gives the same job
	Created time.Time     // default: a fixed day
	ID      string        // default: made from Created
}

// Synthesize writes a finished job into s, through the writers that the host and
// the workers use, and returns its id. Tasks go to the worker that is free first;
// about a microsecond of work goes into each.
func Synthesize(s *store.Store, o Synthetic) (id string, err error) {
	o.Workers = max(o.Workers, 1)
	if o.Median <= 0 {
		o.Median = time.Second
	}
	if o.Created.IsZero() {
		o.Created = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	}
	if o.ID == "" {
		o.ID = job.NewID(o.Created, 0)
	}
	w, err := s.Create(o.ID, nil)
	if err != nil {
		return "", err
	}
	g := &synthesis{Synthetic: o, w: w, rand: rand.New(rand.NewPCG(o.Seed, 0)), counts: map[job.State]int{}}
	err = errors.Join(g.run(), g.close(), w.Close())
	return o.ID, err
}

// synthesis is one run of Synthesize.
type synthesis struct {
	Synthetic
	w       *store.Writer
	rand    *rand.Rand
	free    workerHeap
	workers []*synthWorker
	counts  map[job.State]int
	now     int64 // host's clock: nothing is dispatched before
	end     int64
}

// synthWorker is one worker with its segments; records are written in batches.
type synthWorker struct {
	number          int
	free            int64 // when it can begin a task
	stats, out, log *store.Segment
	common          stats.Record
	lines, results  []byte
	errors          []byte
	cold            bool
}

func (g *synthesis) run() error {
	m := g.manifest()
	g.now = m.Clock.Wall + m.JobCreatedNS
	g.end = g.now
	if err := g.inputs(); err != nil {
		return err
	}
	does := `command: [work, "{}"]`
	if g.Reduces > 0 {
		does = "function: work.py:work\nreduce: work.py:collect\nreduce_by: group"
	}
	spec := fmt.Sprintf("name: synthetic\n%s\ndata:\n  range: %d\nworkers: %d\n", does, g.Tasks, g.Workers)
	if err := errors.Join(g.w.WriteSpec([]byte(spec)), g.w.WriteManifest(m)); err != nil {
		return err
	}
	for n := range g.Workers {
		if err := g.start(n); err != nil {
			return err
		}
	}
	heap.Init(&g.free)
	for task := range m.Tasks {
		if task == m.Maps() { // all of the map has ended
			g.now = g.end
		}
		if err := g.task(task); err != nil {
			return err
		}
	}
	for _, w := range g.workers {
		if err := w.flush(); err != nil {
			return err
		}
	}
	end := &store.Ending{State: store.JobDone, TimeNS: g.end + 1_000_000, Counts: g.counts}
	if g.counts[job.Error] > 0 {
		end.State, end.Reason = store.JobFailed, fmt.Sprintf("%d tasks failed", g.counts[job.Error])
	}
	m.Ended = end
	g.w.Event(store.Event{Event: "progress", TimeNS: g.end, Done: g.counts[job.Success], Failed: g.counts[job.Error]})
	g.w.Event(store.Event{Event: "end", TimeNS: end.TimeNS, Text: end.State})
	return errors.Join(g.w.Flush(), g.w.WriteManifest(m))
}

func (g *synthesis) manifest() *store.Manifest {
	m := &store.Manifest{JobID: g.ID, Name: "synthetic", Program: "genstore", Tasks: g.Tasks + g.Reduces, Reduces: g.Reduces, Workers: g.Workers,
		Spec:        &job.Spec{Name: "synthetic", Command: job.Command{Argv: []string{"work", "{}"}}, Data: job.Data{Range: &job.Range{Stop: int64(g.Tasks), Step: 1}}, Workers: g.Workers},
		Clock:       clock.Base{Wall: g.Created.UnixNano()},
		SerializeNS: int64(g.Tasks)*150 + 20_000, DataUploadNS: int64(g.Tasks)*90 + 60_000}
	if g.Reduces > 0 {
		m.Spec.Command, m.Spec.Function = job.Command{}, job.Function{File: "work.py", Name: "work"}
		m.Spec.Reduce, m.Spec.ReduceBy = &job.Reduce{Function: job.Function{File: "work.py", Name: "collect"}}, "group"
	}
	m.JobCreatedNS = m.SerializeNS + m.DataUploadNS + 1_500_000
	m.Hostname, m.OS, m.Arch, m.CPUs, m.UsableCPUs, m.MemoryBytes, m.PID = "synthetic", "linux", "amd64", g.Workers, g.Workers, 16<<30, 4242
	return m
}

func (g *synthesis) inputs() error {
	in, err := g.w.Inputs()
	if err != nil {
		return err
	}
	var b []byte
	for task := range g.Tasks {
		b = strconv.AppendInt(b[:0], int64(task), 10)
		if err := in.Add(b); err != nil {
			break // Close says it too
		}
	}
	for n := range g.Reduces {
		b = fmt.Appendf(b[:0], `{"list":"reduce-%d.jsonl","count":%d}`, n, g.Tasks/g.Reduces)
		if err := in.Add(b); err != nil {
			break
		}
	}
	return in.Close()
}

func (g *synthesis) start(n int) (err error) {
	w := &synthWorker{number: n, free: g.now + 2_000_000 + g.rand.Int64N(1_000_000), cold: true}
	for _, seg := range []struct {
		kind string
		to   **store.Segment
	}{{store.StatsSegment, &w.stats}, {store.OutSegment, &w.out}, {store.LogSegment, &w.log}} {
		if *seg.to, err = store.CreateSegment(store.SegmentPath(g.w.Dir(), n, seg.kind), nil); err != nil {
			return err
		}
	}
	zero := stats.IntOf(0)
	w.common = stats.Record{Worker: stats.IntOf(n), WorkerHostname: "synthetic", WorkerColdStart: stats.BoolOf(false), ExitCode: zero,
		MajorFaults: zero, InvoluntSwitch: zero, BlockRead: zero, BlockWrite: zero, LogOffset: zero, LogSize: zero}
	w.lines = stats.AppendCommonLine(nil, &w.common)
	g.workers, g.free = append(g.workers, w), append(g.free, w)
	g.w.Event(store.Event{Event: "worker", TimeNS: g.now, Worker: &n, PID: 5000 + n, Text: "ready on synthetic"})
	return nil
}

// task makes the attempts at one task, until one succeeds.
func (g *synthesis) task(task int) error {
	submit := g.now + int64(task)*300
	fails := g.rand.Float64() < g.Failed
	var state job.State
	for try := 1; try <= 1+g.Retries; try++ {
		w := g.free[0]
		r := g.attempt(w, task, try, max(submit, w.free-40_000), fails)
		r.HostSubmit = stats.SecOf(submit)
		state = r.State
		heap.Fix(&g.free, 0)
		g.w.Task(&r)
		if err := w.flushAt(256 << 10); err != nil {
			return err
		}
		if g.w.Pending() > 256<<10 {
			if err := g.w.Flush(); err != nil {
				return err
			}
		}
		if state == job.Success {
			break
		}
		submit = r.StatusDone.NS
	}
	g.counts[state]++
	return nil
}

// attempt lets w work on a task that the host dispatches at the given time.
func (g *synthesis) attempt(w *synthWorker, task, try int, dispatch int64, fails bool) stats.Record {
	run := int64(float64(g.Median) * math.Exp(g.Spread*g.rand.NormFloat64()))
	startup := 350_000 + g.rand.Int64N(150_000)
	user := int64(float64(run) * (0.6 + 0.3*g.rand.Float64()))
	peak := int64(12<<20) + g.rand.Int64N(4<<20)&^4095
	start := max(w.free, dispatch+30_000)
	r := stats.Record{Task: task, Attempt: try, State: job.Success,
		Worker: stats.IntOf(w.number), WorkerHostname: "synthetic", PID: stats.IntOf(10_000 + task%50_000), ExitCode: stats.IntOf(0),
		FuncDataSize: stats.IntOf(len(strconv.Itoa(task))), HostDispatch: stats.SecOf(dispatch),
		WorkerStart: stats.SecOf(start), WorkerColdStart: stats.BoolOf(w.cold), PeakMemoryStart: stats.IntOf(3 << 20),
		FuncStartup: stats.SecOf(startup), FuncStart: stats.SecOf(start + startup), FuncEnd: stats.SecOf(start + startup + run),
		CPUUser: stats.SecOf(user), CPUSystem: stats.SecOf(user / 20), PeakMemoryEnd: stats.IntOf(peak), TaskPeakMemory: stats.IntOf(peak),
		MinorFaults: stats.IntOf(900 + g.rand.IntN(300)), MajorFaults: stats.IntOf(0), VoluntarySwitch: stats.IntOf(1 + run/50_000_000),
		InvoluntSwitch: stats.IntOf(run / 9_000_000), BlockRead: stats.IntOf(0), BlockWrite: stats.IntOf(0), ResultUpload: stats.SecOf(40_000),
		StatusCount: stats.IntOf(1)}
	if run > 20_000_000 {
		r.CPUUsage = []float64{float64(g.rand.IntN(10000)) / 100, float64(g.rand.IntN(10000)) / 100}
		r.RSS, r.USS, r.VMS = stats.IntOf(peak*9/10), stats.IntOf(peak*8/10), stats.IntOf(peak*3)
		r.NetSent, r.NetRecv = stats.IntOf(g.rand.IntN(2000)), stats.IntOf(g.rand.IntN(4000))
		r.LoSent, r.LoRecv = stats.IntOf(0), stats.IntOf(0)
	}
	if fails {
		r.State, r.ExitCode, r.ErrorType, r.Error = job.Error, stats.IntOf(1), "exit", "exit code 1"
	}
	g.output(w, &r)
	r.WorkerEnd = stats.SecOf(r.FuncEnd.NS + 90_000)
	r.StatusDone = stats.SecOf(r.WorkerEnd.NS + 60_000 + g.rand.Int64N(60_000))
	r.Derive()
	w.lines = stats.AppendSegmentLine(w.lines, &r, &w.common)
	w.cold, w.free = false, r.WorkerEnd.NS+5_000
	g.end = max(g.end, r.StatusDone.NS)
	return r
}

// output gives the attempt a result and, when it fails, a log.
func (g *synthesis) output(w *synthWorker, r *stats.Record) {
	at := len(w.results)
	switch {
	case r.State != job.Success:
	case g.Reduces > 0:
		w.results = strconv.AppendInt(w.results, int64(r.Task), 10)
	default:
		w.results = append(strconv.AppendInt(append(w.results, "result of "...), int64(r.Task), 10), '\n')
	}
	r.ResultOffset, r.ResultSize = stats.IntOf(w.out.Size()+int64(at)), stats.IntOf(len(w.results)-at)
	r.ResultCRC = stats.IntOf(crc32.Checksum(w.results[at:], crc32.MakeTable(crc32.Castagnoli)))
	at = len(w.errors)
	if r.State != job.Success {
		w.errors = fmt.Appendf(w.errors, "reading input %d\nwork: cannot do it\n", r.Task)
	}
	r.LogOffset, r.LogSize = stats.IntOf(w.log.Size()+int64(at)), stats.IntOf(len(w.errors)-at)
}

func (w *synthWorker) flushAt(size int) error {
	if len(w.lines) < size {
		return nil
	}
	return w.flush()
}

// flush writes results and logs before the records that point to them.
func (w *synthWorker) flush() error {
	_, errOut := w.out.Append(w.results)
	_, errLog := w.log.Append(w.errors)
	if err := errors.Join(errOut, errLog); err != nil {
		return err
	}
	_, err := w.stats.Append(w.lines)
	w.lines, w.results, w.errors = w.lines[:0], w.results[:0], w.errors[:0]
	return err
}

func (g *synthesis) close() error {
	var errs []error
	for _, w := range g.workers {
		errs = append(errs, w.stats.Close(), w.out.Close(), w.log.Close())
	}
	return errors.Join(errs...)
}

// workerHeap has the worker that is free first on top.
type workerHeap []*synthWorker

func (h workerHeap) Len() int           { return len(h) }
func (h workerHeap) Less(i, j int) bool { return h[i].free < h[j].free }
func (h workerHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *workerHeap) Push(x any)        { *h = append(*h, x.(*synthWorker)) }
func (h *workerHeap) Pop() any          { panic("workers only move") }
