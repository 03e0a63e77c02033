package chart

import (
	"math"
	"strings"
	"testing"

	"github.com/wcharczuk/go-chart/v2"
)

func labels(ticks []chart.Tick) string {
	var all []string
	for _, t := range ticks {
		all = append(all, t.Label)
	}
	return strings.Join(all, " ")
}

func TestTimeAxis(t *testing.T) {
	const (
		min = 60e9
		h   = 60 * min
		day = 24 * h
	)
	for _, tc := range []struct {
		lo, hi float64
		target int
		unit   string
		want   string
	}{
		{0, 999e3, 12, "microseconds", "0 100 200 300 400 500 600 700 800 900"},
		{0, 5, 5, "nanoseconds", "0 1 2 3 4 5"},
		{0, 5e6, 12, "milliseconds", "0.0 0.5 1.0 1.5 2.0 2.5 3.0 3.5 4.0 4.5 5.0"},
		{0, 900, 12, "nanoseconds", "0 100 200 300 400 500 600 700 800 900"},
		{0, 20e6, 12, "milliseconds", "0 2 4 6 8 10 12 14 16 18 20"},
		{0, 1.45e9, 12, "seconds", "0.0 0.2 0.4 0.6 0.8 1.0 1.2 1.4"},
		{0, 82e9, 12, "seconds", "0 10 20 30 40 50 60 70 80"},
		{0, 82e9, 3, "seconds", "0 50"},
		{-15e9, 30e9, 6, "seconds", "-10 0 10 20 30"},
		{0, 5 * min, 12, "minutes", "0 1 2 3 4 5"},
		{0, 90 * min, 12, "minutes", "0 10 20 30 40 50 60 70 80 90"},
		{0, 5 * h, 12, "hours", "0.0 0.5 1.0 1.5 2.0 2.5 3.0 3.5 4.0 4.5 5.0"},
		{0, 41 * h, 12, "hours", "0 4 8 12 16 20 24 28 32 36 40"},
		{0, 30 * day, 12, "days", "0 5 10 15 20 25 30"},
	} {
		a, unit := timeAxis(tc.lo, tc.hi, tc.target, tc.hi-tc.lo)
		if got := labels(a.ticks); got != tc.want || unit != tc.unit {
			t.Errorf("%v to %v: %s in %s, want %s in %s", tc.lo, tc.hi, got, unit, tc.want, tc.unit)
		}
	}
}

func TestLogAxis(t *testing.T) {
	for _, tc := range []struct {
		lo, hi float64 // nanoseconds
		target int
		want   string
	}{
		{100, 1e6, 12, "100 ns 1 µs 10 µs 100 µs 1 ms"},
		{100, 50e9, 12, "100 ns 1 µs 10 µs 100 µs 1 ms 10 ms 100 ms 1 s 10 s"},
		{100, 50e9, 4, "100 ns 100 µs 100 ms"},
		{1e9, 40 * 86400e9, 12, "1 s 10 s 1 min 10 min 1 h 10 h 4 d 40 d"},
		{1, 1e18, 30, "1 ns 10 ns 100 ns 1 µs 10 µs 100 µs 1 ms 10 ms 100 ms 1 s 10 s 1 min 10 min 1 h 10 h 4 d 40 d 400 d 4000 d"},
	} {
		a := logAxis(math.Log10(tc.lo)-0.01, math.Log10(tc.hi)+0.01, tc.target)
		if got := labels(a.ticks); got != tc.want {
			t.Errorf("%v to %v: %s, want %s", tc.lo, tc.hi, got, tc.want)
		}
		for i, tick := range a.ticks[1:] {
			if tick.Value <= a.ticks[i].Value {
				t.Errorf("%v to %v: tick %s is not behind %s", tc.lo, tc.hi, tick.Label, a.ticks[i].Label)
			}
		}
	}
}

func TestCountAxis(t *testing.T) {
	for _, tc := range []struct {
		lo, hi float64
		target int
		want   string
	}{
		{0, 1, 10, "0 1"},
		{-0.5, 0.5, 12, "0"},
		{-0.5, 7.5, 12, "0 1 2 3 4 5 6 7"},
		{-6, 505, 12, "0 50 100 150 200 250 300 350 400 450 500"},
		{-6, 505, 3, "0 200 400"},
		{-120, 10119, 12, "0 1000 2000 3000 4000 5000 6000 7000 8000 9000 10k"},
		{-12000, 1011999, 12, "0 100k 200k 300k 400k 500k 600k 700k 800k 900k 1M"},
		{0, 12_000_000, 6, "0 2M 4M 6M 8M 10M 12M"},
	} {
		if got := labels(countAxis(tc.lo, tc.hi, tc.target).ticks); got != tc.want {
			t.Errorf("%v to %v: %s, want %s", tc.lo, tc.hi, got, tc.want)
		}
	}
}

// TestTicksFit asks for any range and number: there are never more ticks than
// asked for by more than one, nor none at all.
func TestTicksFit(t *testing.T) {
	for span := 1.0; span < 1e18; span *= 1.37 {
		for target := 2; target < 30; target++ {
			a, unit := timeAxis(0, span, target, span)
			if n := len(a.ticks); n < 1 || n > target+1 {
				t.Errorf("%d ticks in %v ns (%s), want at most %d", n, span, unit, target+1)
			}
		}
	}
}

func TestTranslate(t *testing.T) {
	a := &axis{min: -10, max: 90, domain: 1000}
	a.SetMin(5)
	a.SetMax(6)
	for v, want := range map[float64]int{-10: 0, 0: 100, 0.04: 100, 0.06: 101, 90: 1000} {
		if got := a.Translate(v); got != want {
			t.Errorf("%v is at %d, want %d", v, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for ns, want := range map[int64]string{
		0: "0 s", 1: "1 ns", -999: "-999 ns", 1000: "1.00 µs", 1500: "1.50 µs", 999_400: "999 µs", 999_600: "1.00 ms",
		20_049_999: "20.0 ms", 999_499_999: "999 ms", 999_600_000: "1.00 s",
		9_994_000_000: "9.99 s", 9_996_000_000: "10.0 s", 119e9: "119 s", 119_600_000_000: "2 min 00 s",
		7199e9: "119 min 59 s", 7200e9: "2 h 00 min", 41*3600e9 + 28*60e9: "41 h 28 min",
		30 * 86400e9: "30 d 00 h", -1500: "-1.50 µs", -3 * 3600e9: "-3 h 00 min",
	} {
		if got := duration(ns); got != want {
			t.Errorf("duration(%d) = %q, want %q", ns, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for got, want := range map[string]string{
		comma(1234567, 0): "1,234,567", comma(-1234.5, 1): "-1,234.5", comma(999, 0): "999",
		figures(0): "0.00", figures(9.999): "10.0", figures(99.96): "100", figures(1234.5): "1,234",
		percent(0): "0 %", percent(0.0001): "<1 %", percent(0.5): "50 %", percent(0.9999): ">99 %", percent(1): "100 %",
		count(1, "task"): "1 task", count(0, "task"): "0 tasks", count(1000, "task"): "1,000 tasks",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
