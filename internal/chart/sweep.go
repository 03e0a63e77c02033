package chart

import (
	"math"
	"slices"
	"sync"

	"github.com/lithops-go/lithops/internal/stats"
)

// sweep is the starts and the ends of all tasks that ran, each sorted, attempts that
// do not count among them: they ran as well. A task of no length, or that ends before
// it starts, runs at no instant and is not in.
type sweep struct {
	start, end  []int64
	peak        int   // most tasks running at a time
	peakAt      int64 // when that was first so
	busy        float64
	first, last int64 // first start, last end; now for tasks that have not ended
}

// newSweep counts tasks that have not ended as running until now. Of an attempt that was
// lost it is not known when it began to run: it is in for as long as it is drawn.
func newSweep(c *stats.Columns, now int64, others ...piece) *sweep {
	s := &sweep{start: make([]int64, 0, c.Len()), end: make([]int64, 0, c.Len())}
	add := func(from, to int64) {
		if to <= from {
			return
		}
		s.start = append(s.start, from)
		s.end = append(s.end, to)
		s.busy += float64(max(0, min(to, now)-from))
	}
	for i := range c.Len() {
		if from, to, ok := run(c, i); ok {
			add(from, to)
		}
	}
	for k := range others {
		switch o := &others[k]; {
		case o.Lost():
			add(o.from, o.to)
		case known(o.Start) && known(o.End):
			add(o.Start, o.End)
		}
	}
	if len(s.start) == 0 {
		return s
	}
	var wg sync.WaitGroup
	wg.Go(func() { bucketSort(s.end) })
	bucketSort(s.start)
	wg.Wait()
	s.first, s.last = s.start[0], min(s.end[len(s.end)-1], now)
	running, j := 0, 0
	for _, t := range s.start {
		for s.end[j] <= t { // at one instant ends come before starts
			j++
			running--
		}
		running++
		if running > s.peak {
			s.peak, s.peakAt = running, t
		}
	}
	return s
}

// mean is the average number of running tasks from the first start to the last end.
func (s *sweep) mean() float64 {
	if s.last <= s.first {
		return 0
	}
	return s.busy / float64(s.last-s.first)
}

// bucketSort sorts stamps. They are spread over buckets by their time first, so
// that only a few at a time are sorted by comparison.
func bucketSort(v []int64) {
	buckets := len(v)/16 + 1
	if buckets == 1 || slices.IsSorted(v) {
		slices.Sort(v)
		return
	}
	lo, hi := extent(v) // without never, which goes to the last bucket
	scale := float64(buckets) / (float64(hi-lo) + 1)
	bucket := func(t int64) int { return int(min(float64(buckets-1), float64(t-lo)*scale)) }
	begin := make([]int32, buckets+1)
	for _, t := range v {
		begin[bucket(t)+1]++
	}
	for k := range buckets {
		begin[k+1] += begin[k]
	}
	out, next := make([]int64, len(v)), slices.Clone(begin)
	for _, t := range v {
		k := bucket(t)
		out[next[k]] = t
		next[k]++
	}
	for k := range buckets {
		slices.Sort(out[begin[k]:begin[k+1]])
	}
	copy(v, out)
}

// curve is the number of running tasks by column of pixels.
type curve struct {
	min, max []int32   // the extremes within the column
	level    []int32   // the median over the column's time
	mean     []float64 // the average over the column's time
}

// columns cuts time into n columns of width w nanoseconds from x0 on.
func (s *sweep) columns(x0, w float64, n int) *curve {
	c := &curve{make([]int32, n), make([]int32, n), make([]int32, n), make([]float64, n)}
	dwell := make([]float64, s.peak+1) // time at each level within the column
	start, end := s.start, s.end
	running := int32(0)
	for k := range n {
		t, stop := x0+float64(k)*w, x0+float64(k+1)*w
		lo, hi := int32(math.MaxInt32), int32(-1)
		for {
			var at int64
			step := int32(1)
			switch {
			case len(end) > 0 && float64(end[0]) < stop && (len(start) == 0 || end[0] <= start[0]):
				at, end, step = end[0], end[1:], -1
			case len(start) > 0 && float64(start[0]) < stop:
				at, start = start[0], start[1:]
			default:
				step = 0
			}
			if step == 0 {
				break
			}
			if d := float64(at) - t; d > 0 {
				dwell[running] += d
				t = float64(at)
				lo, hi = min(lo, running), max(hi, running)
			}
			running += step
		}
		if d := stop - t; d > 0 || hi < 0 {
			dwell[running] += math.Max(0, d)
			lo, hi = min(lo, running), max(hi, running)
		}
		c.min[k], c.max[k] = lo, hi
		c.level[k], c.mean[k] = settle(dwell[c.min[k]:c.max[k]+1], c.min[k])
	}
	return c
}

// settle returns the median level and the mean level, and clears dwell, which
// begins with the level lo.
func settle(dwell []float64, lo int32) (level int32, mean float64) {
	total, area := 0.0, 0.0
	for i, d := range dwell {
		total += d
		area += d * float64(i)
	}
	level = lo + int32(len(dwell)) - 1
	below := 0.0
	for i, d := range dwell {
		if below += d; below >= total/2 {
			level = lo + int32(i)
			break
		}
	}
	clear(dwell)
	if total > 0 {
		mean = area / total
	}
	return level, float64(lo) + mean
}
