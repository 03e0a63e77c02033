package stats

import (
	"math/bits"
	"slices"
)

// rank is the index of the p-th percentile among n sorted values, by nearest
// rank: the smallest value that at least p percent of the values do not exceed.
// A percentile is thus always a value that occurred.
func rank(n, p int) int { return max(1, (n*p+99)/100) - 1 }

// quantiles returns the percentiles ps, in rising order, of v, which must not be
// empty. It reorders v. The cost is linear, where sorting a million values for
// each of ten columns would take most of the time of a summary.
func quantiles(v []int64, ps ...int) []int64 {
	out := make([]int64, len(ps))
	done := 0 // v[:done] holds the smallest values
	for i, p := range ps {
		k := rank(len(v), p)
		selectNth(v[done:], k-done)
		out[i], done = v[k], k
	}
	return out
}

// selectNth moves the value that sorting would put at v[k] there, no greater ones
// before and no smaller ones after it. It sorts when its guesses of a pivot stay
// bad, so no input makes it quadratic.
func selectNth(v []int64, k int) {
	for tries := 2 * bits.Len(uint(len(v))); len(v) > 12 && tries > 0; tries-- {
		pivot := median(v[0], v[len(v)/2], v[len(v)-1])
		i, j := 0, len(v)-1
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			v = v[:j+1]
		case k >= i:
			v, k = v[i:], k-i
		default:
			return
		}
	}
	slices.Sort(v)
}

func median(a, b, c int64) int64 { return max(min(a, b), min(max(a, b), c)) }

// sum adds figures up; it is null before the first one and after an overflow.
type sum struct {
	v        int64
	n        int
	overflow bool
}

func (s *sum) add(v int64) {
	t := s.v + v
	s.overflow = s.overflow || (t^s.v)&(t^v) < 0
	s.v = t
	s.n++
}

func (s *sum) addSec(v Sec) {
	if v.OK {
		s.add(v.NS)
	}
}

func (s *sum) addInt(v Int) {
	if v.OK {
		s.add(v.V)
	}
}

// plus is the sum of what s and t added up.
func (s sum) plus(t sum) sum {
	n := s.n + t.n
	s.add(t.v)
	s.n, s.overflow = n, s.overflow || t.overflow
	return s
}

func (s sum) known() bool { return s.n > 0 && !s.overflow }

func (s sum) sec() Sec {
	if !s.known() {
		return Sec{}
	}
	return SecOf(s.v)
}

func (s sum) int() Int {
	if !s.known() {
		return Int{}
	}
	return IntOf(s.v)
}

// Dist is how a figure spreads over tasks: nearest-rank percentiles, so each is a
// value that occurred; the mean is rounded to the base unit.
type Dist[V Sec | Int] struct {
	Measured int `json:"measured"` // tasks of which the figure is known
	Min      V   `json:"min"`
	Median   V   `json:"median"`
	Mean     V   `json:"mean"`
	P95      V   `json:"p95"`
	P99      V   `json:"p99"`
	Max      V   `json:"max"`
}

// distOf computes the spread of v, whose order it changes.
func distOf[V Sec | Int](v []int64) Dist[V] {
	d := Dist[V]{Measured: len(v)}
	if len(v) == 0 {
		return d
	}
	var all sum
	for _, x := range v {
		all.add(x)
	}
	if all.known() {
		d.Mean = valueOf[V](divRound(all.v, int64(len(v))))
	}
	q := quantiles(v, 0, 50, 95, 99, 100)
	d.Min, d.Median, d.P95, d.P99, d.Max = valueOf[V](q[0]), valueOf[V](q[1]), valueOf[V](q[2]), valueOf[V](q[3]), valueOf[V](q[4])
	return d
}

// valueOf is a measured value: Sec and Int have the same form.
func valueOf[V Sec | Int](v int64) V {
	var out V
	switch p := any(&out).(type) {
	case *Sec:
		*p = SecOf(v)
	case *Int:
		*p = IntOf(v)
	}
	return out
}

func divRound(a, n int64) int64 {
	q, r := a/n, a%n
	switch {
	case r >= n-r:
		q++
	case -r >= n+r:
		q--
	}
	return q
}
