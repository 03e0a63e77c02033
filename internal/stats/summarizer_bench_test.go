package stats

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
)

// varied makes records that have all figures, changing one record in place.
func varied(tasks int, use func(*Record)) {
	rng := rand.New(rand.NewPCG(7, 8))
	r := typical()
	for i := range tasks {
		r.Task, r.Attempt, r.State, r.Stage = i, 1, job.Success, StageMap
		start := created + int64(i)*1_000_000
		r.HostSubmit, r.WorkerStart = SecOf(start-rng.Int64N(1e9)), SecOf(start)
		r.FuncStartup, r.FuncExec, r.ResultUpload = SecOf(rng.Int64N(1e6)), SecOf(rng.Int64N(1e9)), SecOf(rng.Int64N(1e5))
		r.WorkerExec = SecOf(r.FuncStartup.NS + r.FuncExec.NS + r.ResultUpload.NS + 1000)
		r.WorkerEnd = SecOf(start + r.WorkerExec.NS)
		r.StatusDone = SecOf(r.WorkerEnd.NS + rng.Int64N(1e6))
		r.CPUUser, r.CPUSystem = SecOf(rng.Int64N(1e9)), SecOf(rng.Int64N(1e8))
		r.TaskPeakMemory, r.RSS, r.Worker = IntOf(rng.Int64N(1<<30)), IntOf(rng.Int64N(1<<30)), IntOf(i%16)
		if i%10 == 0 {
			r.State, r.ExitCode, r.Error = job.Error, IntOf(i%7), "exit code"
		}
		use(r)
	}
}

// A million tasks fit into 120 MB, the summary's own needs included: everything
// ever allocated is counted, garbage too.
func TestSummarizerMemory(t *testing.T) {
	const tasks = 40_000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := NewSummarizer(JobInfo{Created: created, Workers: 16}, tasks)
	varied(tasks, s.Add)
	sum := s.Summary()
	runtime.ReadMemStats(&after)
	if sum.Done() != tasks || sum.Failed() != tasks/10 {
		t.Fatalf("%d done, %d failed", sum.Done(), sum.Failed())
	}
	const fixed = 8 << 20 // details of failures
	if used := after.TotalAlloc - before.TotalAlloc; used > 112*tasks+fixed {
		t.Errorf("%d bytes for %d tasks, %d each", used, tasks, used/tasks)
	}
}

func BenchmarkSummarizer(b *testing.B) {
	const tasks = 1_000_000
	records := make([]Record, 0, 4096) // a sample, so that making them is not measured
	varied(cap(records), func(r *Record) { records = append(records, *r) })
	var bytes uint64
	b.Run("add 1,000,000", func(b *testing.B) {
		for b.Loop() {
			s := NewSummarizer(JobInfo{Created: created, Workers: 16}, tasks)
			for i := range tasks {
				r := &records[i%len(records)]
				r.Task = i
				s.Add(r)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/tasks, "ns/record")
	})
	b.Run("summary of 1,000,000", func(b *testing.B) {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s := NewSummarizer(JobInfo{Created: created, Workers: 16}, tasks)
		varied(tasks, s.Add)
		runtime.GC()
		runtime.ReadMemStats(&after)
		bytes = after.HeapAlloc - before.HeapAlloc
		b.ReportAllocs()
		for b.Loop() {
			s.Summary()
		}
		b.ReportMetric(float64(bytes)/1e6, "MB-held")
	})
}
