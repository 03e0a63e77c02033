package chart

import (
	"math"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// known10 is a job of ten tasks, one second apart and each a second long, on two
// workers, with one outcome of every sort.
func known10() *stats.Columns {
	c := set(10, func(i int) [6]int64 {
		at := int64(i) * 1e9
		return [6]int64{at / 10, at + 1e8, at + 2e8, at + 12e8, at + 13e8, at + 14e8}
	})
	c.State[1], c.State[2], c.State[3] = job.Error, job.Timeout, job.Lost
	c.State[4] = job.Cancelled
	c.State[9], c.End[9], c.WorkerEnd[9], c.StatusDone[9] = job.Running, stats.Null, stats.Null, stats.Null
	c.Attempt[3], c.Retried[3] = 2, true
	for i := range c.Worker {
		c.Worker[i] = int32(7 + i%2)
	}
	return c
}

func TestFacts(t *testing.T) {
	for kind, want := range map[Kind][]string{
		Timeline:  {"10 tasks   ·   5 done, 3 failed, 1 cancelled, 1 unfinished, 1 retried", "all submitted after 900 ms", "9.40 s so far", "Timeline of job edge-0-M000", "created 2026-11-22 07:24:10 UTC", "failed (3)", "time since job creation (seconds)"},
		Histogram: {"peak 1 running at 200 ms, mean 1.00   ·   task mean 920 ms", "9.40 s so far", "tasks running (right axis)"},
		Phases:    {"waiting 78 %", "running 17 %", "mean per task: waiting 4.15 s", "failed (3)"},
		Durations: {"least 1.00 s, mean 1.00 s, most 1.00 s", "median 1.00 s", "95 % 1.00 s", "99 % 1.00 s", "3 failed tasks", "run time (seconds)"},
		Workers:   {"2 workers", "utilisation 60 %", "busiest worker 7: 65 %, least busy 8: 55 %"},
	} {
		got := words(t, kind, known10(), Options{})
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: no %q in\n%s", kind, w, got)
			}
		}
	}
}

// TestReduceFacts tells map and reduce apart wherever their mixture would mislead.
func TestReduceFacts(t *testing.T) {
	c := known10()
	c.State[9], c.End[9], c.StatusDone[9] = job.Success, 10_200_000_000, 10_400_000_000
	c = thenReduce(c, 1, 3)
	two := thenReduce(c, 1, 3)
	two.Maps = 10
	for kind, want := range map[Kind][]string{
		Timeline:  {"10 map tasks, 1 reduce task   ·   7 done, 3 failed, 1 cancelled, 1 retried   ·   map submitted after 900 ms", "reduce 3.00 s", "reduce task, start to end"},
		Histogram: {"peak 1 running at 200 ms", "map task mean 1.00 s", "map task, start to end", "reduce task", "reduce 3.00 s"},
		Phases:    {"mean per map task: waiting 4.15 s, running 1.00 s", "reduce 3.00 s"},
		Durations: {"map tasks: least 1.00 s, mean 1.00 s, most 1.00 s", "map tasks by run time", "reduce task 3.00 s", "median 1.00 s"},
		Workers:   {"map task running", "reduce task", "reduce 3.00 s"},
	} {
		got := words(t, kind, c, Options{Width: 2400})
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: no %q in\n%s", kind, w, got)
			}
		}
		if got := words(t, kind, two, Options{Width: 2400}); !strings.Contains(got, "10 map tasks, 2 reduce tasks") || kind != Phases && !strings.Contains(got, "reduce tasks\n") && !strings.Contains(got, "reduce tasks, start") {
			t.Errorf("%s: no two reduce tasks in\n%s", kind, got)
		}
		if got := words(t, kind, edges()["reduce not begun"], Options{}); !strings.Contains(got, "3 done, 0 failed, reduce not begun") || strings.Contains(got, "so far") || strings.Contains(got, "reduce tasks\n") || strings.Contains(got, "reduce tasks,") {
			t.Errorf("%s of a job whose reduce was not begun:\n%s", kind, got)
		}
		if got := words(t, kind, edges()["reduce running"], Options{}); !strings.Contains(got, "3 done, 0 failed, 2 unfinished") || kind != Durations && !strings.HasSuffix(got, "\nreduce") {
			t.Errorf("%s of a job whose reduce runs:\n%s", kind, got)
		}
	}
}

// TestShortCalls has calls of 200 ns: their time is told in ns, and starting is
// only what was started.
func TestShortCalls(t *testing.T) {
	c := calls(5000)
	for kind, want := range map[Kind][]string{
		Durations: {"least 120 ns", "most 700 µs", "median 17", "100 ns", "1 µs", "100 µs", "run time (logarithmic)"},
		Histogram: {"task mean 4", " ns"},
		Workers:   {"starting, overhead", "utilisation >99 %"},
		Phases:    {"starting <1 %"},
	} {
		got := words(t, kind, c, Options{})
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: no %q in\n%s", kind, w, got)
			}
		}
	}
	f, err := newFigure(Phases, c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	list := []phase{{begin: c.Submit, end: c.WorkerStart}, {begin: c.WorkerStart, end: c.Start, starts: true}, {begin: c.Start, end: c.End}}
	for i, want := range map[int]bool{0: true, 1: true, 2: false, 4999: false} {
		if _, _, ok := f.phase(list, 1, i); ok != want {
			t.Errorf("call %d was starting: %v", i, ok)
		}
		if _, _, ok := f.phase(list, 2, i); !ok {
			t.Errorf("call %d did not run", i)
		}
	}
	c.Started = nil // not known
	if _, _, ok := f.phase(list, 1, 2); !ok {
		t.Error("what is not known to be warm was starting")
	}
}

func TestRun(t *testing.T) {
	c := set(6, func(int) [6]int64 { return [6]int64{1, 2, 3, stats.Null, 5, 6} })
	c.State[1] = job.Running
	c.WorkerEnd[2] = stats.Null
	c.WorkerEnd[3], c.StatusDone[3] = stats.Null, stats.Null
	c.Start[4] = stats.Null
	c.End[5] = 4
	for i, want := range []struct {
		from, to int64
		ok       bool
	}{{3, 5, true}, {3, never, true}, {3, 6, true}, {3, 3, true}, {0, 0, false}, {3, 4, true}} {
		if from, to, ok := run(c, i); from != want.from || to != want.to || ok != want.ok {
			t.Errorf("task %d: %d to %d, %v, want %v", i, from, to, ok, want)
		}
	}
}

func TestPercentile(t *testing.T) {
	v := make([]int64, 100)
	for i := range v {
		v[i] = int64(i + 1)
	}
	for _, tc := range []struct {
		v    []int64
		p    float64
		want int64
	}{{v, 0.5, 50}, {v, 0.95, 95}, {v, 0.99, 99}, {v, 1, 100}, {v, 0, 1}, {v[:1], 0.5, 1}, {v[:3], 0.5, 2}, {v[:2], 0.99, 2}} {
		if got := percentile(tc.v, tc.p); got != tc.want {
			t.Errorf("%v of %d values: %d, want %d", tc.p, len(tc.v), got, tc.want)
		}
	}
}

// TestBins counts each task in exactly the bin that its duration belongs to.
func TestBins(t *testing.T) {
	for name, c := range edges() {
		s := newLengths(c)
		if len(s.ranked()) == 0 {
			continue
		}
		b := s.bins()
		if n := len(b.good); n > 250 {
			t.Errorf("%s: %d bins", name, n)
		}
		good, reduce, bad := make([]int, len(b.good)), 0, make([]int, len(b.bad))
		for k := range good {
			for _, d := range s.good {
				if b.edges[k] <= d && d < b.edges[k+1] {
					good[k]++
				}
			}
			for _, d := range s.bad {
				if b.edges[k] <= d && d < b.edges[k+1] {
					bad[k]++
				}
			}
		}
		all := 0
		for k := range good {
			if good[k] != b.good[k] || bad[k] != b.bad[k] {
				t.Errorf("%s: bin %d holds %d and %d, want %d and %d", name, k, b.good[k], b.bad[k], good[k], bad[k])
			}
			all += b.good[k] + b.bad[k]
			reduce += b.reduce[k]
		}
		if all != len(s.good)+len(s.bad) || reduce != len(s.reduce) {
			t.Errorf("%s: %d in all bins, %d of the reduce, want %d and %d", name, all, reduce, len(s.good)+len(s.bad), len(s.reduce))
		}
		if b.log != strings.HasPrefix(name, "calls") {
			t.Errorf("%s: logarithmic %v", name, b.log)
		}
	}
}

// TestShares paints the masks of a pixel one over the other, and expects the
// shares that went in.
func TestShares(t *testing.T) {
	for _, in := range [][]float32{{1}, {0.3, 0.7}, {0.25, 0.25, 0.5}, {0.1, 0, 0.2}, {1, 1}, {3, 1}, {0, 0}} {
		cov := append([]float32(nil), in...)
		shares(cov, make([]paint, len(cov)))
		total := float32(0)
		for _, v := range in {
			total += v
		}
		for k := range in {
			seen := cov[k]
			for _, above := range cov[k+1:] {
				seen *= 1 - above
			}
			if want := in[k] / max(1, total); math.Abs(float64(seen-want)) > 1e-5 {
				t.Errorf("%v: share %d is %v, want %v", in, k, seen, want)
			}
		}
	}
}

// TestRareIsSeen has one failed task among many: its red is stronger than its
// share, and the pixel no darker than before.
func TestRareIsSeen(t *testing.T) {
	cov := []float32{0.99, 0.01}
	shares(cov, []paint{{}, {rare: true}})
	if cov[1] != 0.25 {
		t.Errorf("red at %v, want 0.25", cov[1])
	}
	if cov[0] != 1 {
		t.Errorf("gray below it at %v, want 1", cov[0])
	}
}
