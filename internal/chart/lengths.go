package chart

import (
	"math"
	"slices"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// lengths is how long tasks ran.
type lengths struct {
	good, reduce, bad []int64 // of done map, done reduce and failed tasks, in nanoseconds, sorted
	odd               int     // ended before they started, and are not counted
}

func newLengths(c *stats.Columns) *lengths {
	s := &lengths{good: make([]int64, 0, c.Len())}
	for i := range c.Len() {
		from, to := c.Start[i], c.End[i]
		switch {
		case !known(from) || !known(to):
		case to < from:
			s.odd++
		case c.State[i] == job.Success && i >= c.Maps:
			s.reduce = append(s.reduce, to-from)
		case c.State[i] == job.Success:
			s.good = append(s.good, to-from)
		case failed(c.State[i]):
			s.bad = append(s.bad, to-from)
		}
	}
	bucketSort(s.good)
	bucketSort(s.reduce)
	bucketSort(s.bad)
	return s
}

// ranked is the lengths that percentiles are told of: those of done map tasks, or
// of what there is.
func (s *lengths) ranked() []int64 {
	for _, v := range [][]int64{s.good, s.reduce, s.bad} {
		if len(v) > 0 {
			return v
		}
	}
	return nil
}

// percentile is the least value that p of all values do not exceed; v is sorted
// and not empty.
func percentile(v []int64, p float64) int64 {
	return v[max(0, min(len(v), int(math.Ceil(p*float64(len(v)))))-1)]
}

// bins cuts the durations into classes of equal, round width; or of equal ratio,
// where most of them would be in the first class.
type bins struct {
	edges             []int64 // where the bins begin, and where the last one ends
	good, reduce, bad []int
	log               bool
	least             float64 // where a logarithmic axis begins
}

func (s *lengths) bins() *bins {
	parts := [][]int64{s.good, s.reduce, s.bad}
	lo, hi, n := int64(math.MaxInt64), int64(0), 0
	some := lo // the least that is more than nothing
	for _, v := range parts {
		if len(v) == 0 {
			continue
		}
		lo, hi, n = min(lo, v[0]), max(hi, v[len(v)-1]), n+len(v)
		if k, _ := slices.BinarySearch(v, 1); k < len(v) {
			some = min(some, v[k])
		}
	}
	const most = 100
	target := max(10, min(most, int(2*math.Sqrt(float64(n)))))
	b := &bins{log: hi/most >= max(1, percentile(s.ranked(), 0.5))}
	if b.log {
		b.edges = ratioEdges(some, hi, target)
		b.least = float64(b.edges[0])
		b.edges[0] = min(lo, b.edges[0])
	} else {
		b.edges = equalEdges(lo, hi, target)
	}
	b.good, b.reduce, b.bad = b.count(parts[0]), b.count(parts[1]), b.count(parts[2])
	return b
}

// equalEdges makes about target bins of a round width.
func equalEdges(lo, hi int64, target int) (edges []int64) {
	from := lo
	if from < hi/2 {
		from = 0
	}
	u := unitFor(math.Max(float64(hi), 1))
	wide := math.Max(float64(hi-from), float64(hi)/20) // all the same: a single bar among ten
	width := max(1, int64(math.Round(u.ns*niceStep(math.Max(wide, 10)/u.ns, target, u.steps))))
	from = from / width * width
	for k := range (hi-from)/width + 2 {
		edges = append(edges, from+k*width)
	}
	return edges
}

// ratioEdges makes at most about target bins from a power of ten on, the same number
// to each power. lo is not 0.
func ratioEdges(lo, hi int64, target int) []int64 {
	per := 20.0
	for powers := math.Log10(float64(hi) / float64(lo)); per > 5 && per*powers > float64(target); {
		per /= 2
	}
	edges := []int64{int64(math.Pow10(int(math.Log10(float64(lo)))))}
	for k := 1.0; edges[len(edges)-1] <= hi; k++ {
		// below 10 ns bins may be narrower than a nanosecond
		if e := int64(math.Round(math.Pow(10, k/per) * float64(edges[0]))); e > edges[len(edges)-1] {
			edges = append(edges, e)
		}
	}
	return edges
}

// count counts the values in each bin; v is sorted.
func (b *bins) count(v []int64) []int {
	out := make([]int, len(b.edges)-1)
	k := 0
	for _, d := range v {
		for d >= b.edges[k+1] {
			k++
		}
		out[k]++
	}
	return out
}

// place is where a duration stands on the axis; a logarithmic one has nothing as its
// least.
func (b *bins) place(ns float64) float64 {
	if b.log {
		return math.Log10(math.Max(ns, b.least))
	}
	return ns
}

// span is the places of the first and the last edge, with some air.
func (b *bins) span() (lo, hi float64) {
	last := len(b.edges) - 1
	lo, hi = b.place(float64(b.edges[0])), b.place(float64(b.edges[last]))
	if b.log {
		return lo - 0.05, hi + 0.05
	}
	air := float64(b.edges[1]-b.edges[0]) * 0.6
	return math.Max(0, lo-air), hi + air
}
