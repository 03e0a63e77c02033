package chart

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// chaos is a job of n tasks with stamps in 0 to span, in no order, some of them
// not started, not ended, or ended before they started.
func chaos(r *rand.Rand, n int, span int64) *stats.Columns {
	c := stats.NewColumns("chaos", "", created, n)
	for i := range n {
		c.State[i] = job.Success
		if r.IntN(20) == 0 {
			continue
		}
		c.Start[i] = r.Int64N(span)
		switch r.IntN(20) {
		case 0:
			c.State[i] = job.Running
		case 1:
			c.End[i] = r.Int64N(span)
		default:
			c.End[i] = c.Start[i] + r.Int64N(span-c.Start[i]+1)
		}
	}
	return c
}

// runningAt counts the running tasks just after t.
func runningAt(c *stats.Columns, t int64) (n int) {
	for i := range c.Len() {
		if from, to, ok := run(c, i); ok && from <= t && t < to {
			n++
		}
	}
	return n
}

// TestSweepBruteForce compares peak, mean and every column with counting at each
// whole nanosecond. Spans are short, so that many stamps coincide.
func TestSweepBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		span := int64(20 + r.IntN(100))
		c := chaos(r, 1+r.IntN(60), span)
		s := newSweep(c, span)
		var count []int
		busy, peak, peakAt := 0, 0, int64(0)
		for at := range span {
			n := runningAt(c, at)
			count = append(count, n)
			busy += n
			if n > peak {
				peak, peakAt = n, at
			}
		}
		if s.peak != peak || s.peak > 0 && s.peakAt != peakAt {
			t.Fatalf("peak %d at %d, want %d at %d", s.peak, s.peakAt, peak, peakAt)
		}
		if s.busy != float64(busy) {
			t.Fatalf("busy %v, want %d", s.busy, busy)
		}
		wide := 1 + r.IntN(7)
		cv := s.columns(0, float64(wide), int(span)/wide)
		for k := range cv.level {
			part := slices.Sorted(slices.Values(count[k*wide : (k+1)*wide]))
			sum := 0
			for _, n := range part {
				sum += n
			}
			want := struct {
				min, max, level int
				mean            float64
			}{part[0], part[wide-1], part[(wide-1)/2], float64(sum) / float64(wide)}
			if int(cv.min[k]) != want.min || int(cv.max[k]) != want.max || int(cv.level[k]) != want.level || math.Abs(cv.mean[k]-want.mean) > 1e-9 {
				t.Fatalf("column %d: %d to %d, level %d, mean %v, want %v", k, cv.min[k], cv.max[k], cv.level[k], cv.mean[k], want)
			}
		}
	}
}

func TestBucketSort(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 2, 255, 256, 257, 5000, 100_000} {
		v := make([]int64, n)
		for i := range v {
			switch v[i] = r.Int64N(1e9) - 1e6; r.IntN(50) {
			case 0:
				v[i] = never
			case 1:
				v[i] = reach - 1
			case 2:
				v[i] = 1 - reach
			}
		}
		want := slices.Sorted(slices.Values(v))
		if bucketSort(v); !slices.Equal(v, want) {
			t.Errorf("%d stamps are not in order", n)
		}
	}
}

// TestTrace holds the drawn line to the truth: between the least and the most
// of its neighbourhood, inside its band, and exact where the count stays.
func TestTrace(t *testing.T) {
	for name, o := range map[string]sim{"few": seedJob(8, 8), "seed": seedJob(500, 50), "short": shortJob(500, 8), "wide": seedJob(10_000, 1000), "stall": seedJob(500, 50)} {
		c := o.columns()
		_, hi := extent(c.End)
		if name == "stall" { // some workers stand still for a while
			for i, end := range c.End {
				if i%3 == 0 && end > hi*42/100 && end < hi*45/100 {
					c.End[i] = hi * 42 / 100
				}
			}
		}
		s := newSweep(c, hi)
		const n, radius = 1000, 6
		cv := s.columns(0, float64(hi)/n, n+20)
		tr := newTrace(cv, radius, 0.5)
		for k, v := range tr.level {
			if v < tr.min[k] || v > tr.max[k] {
				t.Fatalf("%s, column %d: line at %v outside of its band %v to %v", name, k, v, tr.min[k], tr.max[k])
			}
			a, b := max(0, k-2*radius), min(len(cv.min), k+2*radius+1)
			lo, hi := float64(slices.Min(cv.min[a:b])), float64(slices.Max(cv.max[a:b]))
			if v < lo-1e-9 || v > hi+1e-9 {
				t.Fatalf("%s, column %d: line at %v, but %v to %v ran", name, k, v, lo, hi)
			}
			if lo == hi && v != lo {
				t.Fatalf("%s, column %d: line at %v, but %v ran throughout", name, k, v, lo)
			}
			if tr.min[k] < lo-1e-9 || tr.max[k] > hi+1e-9 {
				t.Fatalf("%s, column %d: band %v to %v, but %v to %v ran", name, k, tr.min[k], tr.max[k], lo, hi)
			}
		}
		if name == "few" && tr.band {
			t.Error("a band with eight tasks")
		}
		if name == "short" && !tr.band {
			t.Error("no band where tasks are as short as a pixel")
		}
	}
}

// TestTraceOfCalls has calls that are shorter than the time between them: the line
// is at their mean, not at the nothing that runs mostly.
func TestTraceOfCalls(t *testing.T) {
	c := calls(100_000)
	_, hi := extent(c.End)
	const n = 1000
	tr := newTrace(newSweep(c, hi).columns(0, float64(hi)/n, n+20), 6, 0.5)
	for k := n / 2; k < n-20; k++ {
		if v := tr.level[k]; v < 0.4 || v > 0.5 || !tr.band {
			t.Fatalf("column %d: line at %v, want about 0.45, band %v", k, v, tr.band)
		}
	}
}
