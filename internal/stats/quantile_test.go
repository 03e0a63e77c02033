package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestQuantilesAgainstSorting(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	shapes := map[string]func(i, n int) int64{
		"random":     func(int, int) int64 { return rng.Int64() - math.MaxInt64/2 },
		"few values": func(int, int) int64 { return rng.Int64N(3) },
		"equal":      func(int, int) int64 { return 7 },
		"rising":     func(i, _ int) int64 { return int64(i) },
		"falling":    func(i, _ int) int64 { return -int64(i) },
		"pipe":       func(i, n int) int64 { return int64(min(i, n-i)) },
		"saw":        func(i, _ int) int64 { return int64(i % 17) },
	}
	percentiles := []int{0, 1, 50, 95, 99, 100}
	for name, shape := range shapes {
		for _, n := range []int{1, 2, 3, 5, 12, 13, 14, 20, 100, 101, 1000, 4097} {
			v := make([]int64, n)
			for i := range v {
				v[i] = shape(i, n)
			}
			sorted := slices.Clone(v)
			slices.Sort(sorted)
			got := quantiles(v, percentiles...)
			for i, p := range percentiles {
				want := sorted[max(0, int(math.Ceil(float64(p)*float64(n)/100))-1)]
				if got[i] != want {
					t.Errorf("%s, n=%d, p%d: %d, want %d", name, n, p, got[i], want)
				}
			}
			slices.Sort(v)
			if !slices.Equal(v, sorted) {
				t.Fatalf("%s, n=%d: values lost", name, n)
			}
		}
	}
}

func TestSelectNthWhenPivotsStayBad(t *testing.T) {
	// An order built so that each median of three is one of the smallest values.
	const n = 2000
	v, order := make([]int64, n), make([]int, n)
	for i := range order {
		order[i] = i
	}
	value := int64(0)
	for lo := 0; lo+3 < n; lo += 2 {
		mid := lo + (n-lo)/2
		order[lo+1], order[mid] = order[mid], order[lo+1]
		v[order[lo]], v[order[lo+1]] = value, value+1
		value += 2
	}
	sorted := slices.Clone(v)
	slices.Sort(sorted)
	if selectNth(v, n-5); v[n-5] != sorted[n-5] {
		t.Errorf("got %d, want %d", v[n-5], sorted[n-5])
	}
}

func TestDist(t *testing.T) {
	d := distOf[Sec]([]int64{4, 1, 2})
	if want := (Dist[Sec]{3, SecOf(1), SecOf(2), SecOf(2), SecOf(4), SecOf(4), SecOf(4)}); d != want {
		t.Errorf("got %+v, want %+v", d, want)
	}
	if d := distOf[Int](nil); d != (Dist[Int]{}) {
		t.Errorf("of nothing: %+v", d)
	}
	big := distOf[Int]([]int64{math.MaxInt64, 1})
	if big.Mean.OK || big.Max != IntOf(int64(math.MaxInt64)) {
		t.Errorf("a sum that overflows: %+v", big)
	}
}

func TestDivRound(t *testing.T) {
	for _, c := range [][3]int64{{0, 3, 0}, {1, 3, 0}, {2, 3, 1}, {3, 2, 2}, {-1, 3, 0}, {-2, 3, -1}, {-3, 2, -2}, {7, 7, 1}, {math.MaxInt64, 1, math.MaxInt64}} {
		if got := divRound(c[0], c[1]); got != c[2] {
			t.Errorf("%d/%d: %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

func BenchmarkQuantiles(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	v, scratch := make([]int64, 1_000_000), make([]int64, 1_000_000)
	for i := range v {
		v[i] = rng.Int64N(1e9)
	}
	for b.Loop() {
		copy(scratch, v)
		quantiles(scratch, 0, 50, 95, 99, 100)
	}
}
