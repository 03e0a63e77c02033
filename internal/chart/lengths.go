package chart

import (
	"math"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// lengths is how long tasks ran.
type lengths struct {
	good, bad []int64 // of done and of failed tasks, in nanoseconds, sorted
	odd       int     // ended before they started, and are not counted
}

func newLengths(c *stats.Columns) *lengths {
	s := &lengths{good: make([]int64, 0, c.Len())}
	for i := range c.Len() {
		from, to := c.Start[i], c.End[i]
		switch {
		case !known(from) || !known(to):
		case to < from:
			s.odd++
		case c.State[i] == job.Success:
			s.good = append(s.good, to-from)
		case failed(c.State[i]):
			s.bad = append(s.bad, to-from)
		}
	}
	bucketSort(s.good)
	bucketSort(s.bad)
	return s
}

// percentile is the least value that p of all values do not exceed; v is sorted
// and not empty.
func percentile(v []int64, p float64) int64 {
	return v[max(0, min(len(v), int(math.Ceil(p*float64(len(v)))))-1)]
}

// bins cuts the durations into classes of equal, round width.
type bins struct {
	from, width int64
	good, bad   []int
}

// at is where bin k begins; k may be one past the last.
func (b *bins) at(k int) int64 { return b.from + int64(k)*b.width }

func (s *lengths) bins() *bins {
	lo, hi, n := int64(math.MaxInt64), int64(0), 0
	for _, v := range [][]int64{s.good, s.bad} {
		if len(v) > 0 {
			lo, hi, n = min(lo, v[0]), max(hi, v[len(v)-1]), n+len(v)
		}
	}
	from := lo
	if from < hi/2 {
		from = 0
	}
	target := max(10, min(100, int(2*math.Sqrt(float64(n)))))
	u := unitFor(math.Max(float64(hi), 1))
	wide := math.Max(float64(hi-from), float64(hi)/20) // all the same: a single bar among ten
	b := &bins{width: max(1, int64(math.Round(u.ns*niceStep(math.Max(wide, 10)/u.ns, target, u.steps))))}
	b.from = from / b.width * b.width
	count := func(v []int64) []int {
		out := make([]int, (hi-b.from)/b.width+1)
		for _, d := range v {
			out[(d-b.from)/b.width]++
		}
		return out
	}
	b.good, b.bad = count(s.good), count(s.bad)
	return b
}
