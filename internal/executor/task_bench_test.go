package executor_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// prompt is a backend whose tasks take no time: their records are there when they have
// been sent.
type prompt struct {
	b      *testing.B
	events chan executor.Event
	record stats.Record
	segs   map[int]*store.Segment
	lines  []byte
	spent  time.Duration // here
}

func (p *prompt) Launch(j *wire.Job) (err error) {
	p.segs[j.Worker], err = store.CreateSegment(store.SegmentPath(j.Dir, j.Worker, store.StatsSegment), nil)
	p.events <- executor.Event{Kind: executor.Ready, Worker: j.Worker, PID: 1, Hostname: "h"}
	return err
}

func (p *prompt) Send(worker int, lines []byte) {
	begun := time.Now()
	defer func() { p.spent += time.Since(begun) }()
	p.lines = p.lines[:0]
	var m wire.Message
	for line := range bytes.Lines(lines) {
		if err := m.Parse(line[:len(line)-1]); err != nil {
			p.b.Fatal(err)
		}
		if m.Kind == wire.End {
			p.events <- executor.Event{Kind: executor.Gone, Worker: worker}
			return
		}
		a := m.Attempt()
		p.record.Task, p.record.Attempt = a.Task, a.Try
		p.lines = stats.AppendWorkerLine(p.lines, &p.record)
	}
	if _, err := p.segs[worker].Append(p.lines); err != nil {
		p.b.Fatal(err)
	}
	p.events <- executor.Event{Kind: executor.Done, Worker: worker, Offset: p.segs[worker].Size()}
}

func (p *prompt) Close() error { return nil }

// BenchmarkTaskHost is all that the host's loop does for a task: it reads the input,
// hands it out, reads the record and notes it. What the pipes to the workers cost is not
// in it.
func BenchmarkTaskHost(b *testing.B) {
	s := newSetup(b, b.N, 2, nil)
	now := s.config.Clock.Now()
	p := &prompt{b: b, events: make(chan executor.Event, 100), segs: map[int]*store.Segment{}}
	p.record = stats.Record{State: job.Success, Worker: stats.IntOf(1), WorkerHostname: "h", WorkerColdStart: stats.BoolOf(false), PID: stats.IntOf(12345),
		WorkerStart: stats.SecOf(now), WorkerEnd: stats.SecOf(now + 400_000), FuncStart: stats.SecOf(now), FuncEnd: stats.SecOf(now), FuncStartup: stats.SecOf(200_000),
		CPUUser: stats.SecOf(431_000), CPUSystem: stats.SecOf(287_000), PeakMemoryStart: stats.IntOf(5 << 20), PeakMemoryEnd: stats.IntOf(5 << 20),
		MinorFaults: stats.IntOf(98), MajorFaults: stats.IntOf(0), VoluntarySwitch: stats.IntOf(2), InvoluntSwitch: stats.IntOf(0), BlockRead: stats.IntOf(0), BlockWrite: stats.IntOf(0),
		ResultOffset: stats.IntOf(0), ResultSize: stats.IntOf(0), ResultCRC: stats.IntOf(0), LogOffset: stats.IntOf(0), LogSize: stats.IntOf(0), ExitCode: stats.IntOf(0)}
	p.record.Derive()
	in, err := store.OpenInputs(s.config.Writer.Dir())
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	s.config.Inputs, s.config.Backend, s.config.Events = in, p, p.events
	b.ResetTimer()
	result, err := executor.Run(b.Context(), s.config)
	b.StopTimer()
	if err != nil || result.Counts[job.Success] != b.N {
		b.Fatalf("%+v, %v", result, err)
	}
	b.ReportMetric(float64((b.Elapsed()-p.spent).Nanoseconds())/float64(b.N), "ns/op")
	if err := s.config.Writer.Close(); err != nil {
		b.Fatal(err)
	}
}
