package chart

import (
	"math"
	"slices"
	"strings"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// reach is the greatest distance from job creation at which a stamp is believed,
// about 36 years. It leaves room to subtract any two without overflow.
const reach = 1 << 60

// known says whether a stamp came; stats.Null is out of reach too.
func known(ns int64) bool { return ns > -reach && ns < reach }

// never is the end of a run that has not ended: after everything, and still
// within int64 when a start is subtracted.
const never = math.MaxInt64 / 2

// tally counts tasks by how they went.
type tally struct {
	done, failed, cancelled, unfinished, retried int
	notBegun                                     bool // the reduce, though the map has ended
}

func tallyOf(c *stats.Columns) (t tally) {
	for i, s := range c.State {
		switch {
		case s == job.Success:
			t.done++
		case s == job.Cancelled:
			t.cancelled++
		case s.Final():
			t.failed++
		default:
			t.unfinished++
		}
		if retried(c, i) {
			t.retried++
		}
	}
	if n := reduces(c); n > 0 && t.unfinished == n && !slices.ContainsFunc(c.State[c.Maps:], func(s job.State) bool { return s != job.New }) {
		t.unfinished, t.notBegun = 0, true
	}
	return t
}

// failed says whether a task counts as failed: error, timeout or lost.
func failed(s job.State) bool { return s.Failed() && s != job.Cancelled }

func (t tally) String() string {
	parts := []string{comma(float64(t.done), 0) + " done", comma(float64(t.failed), 0) + " failed"}
	for _, p := range []struct {
		n    int
		what string
	}{{t.cancelled, " cancelled"}, {t.unfinished, " unfinished"}, {t.retried, " retried"}} {
		if p.n > 0 {
			parts = append(parts, comma(float64(p.n), 0)+p.what)
		}
	}
	if t.notBegun {
		parts = append(parts, "reduce not begun")
	}
	return strings.Join(parts, ", ")
}

// run is when task i ran the user's code. A task that is still running has the
// end never. One that was lost or killed before its end was stamped ran, as far
// as can be told, until its worker or the host was done with it. ok is false if
// it never started.
func run(c *stats.Columns, i int) (from, to int64, ok bool) {
	from, to = c.Start[i], c.End[i]
	if !known(from) {
		return 0, 0, false
	}
	if known(to) {
		return from, to, true
	}
	if !c.State[i].Final() {
		return from, never, true
	}
	for _, to := range []int64{c.WorkerEnd[i], c.StatusDone[i]} {
		if known(to) {
			return from, max(from, to), true
		}
	}
	return from, from, true
}

// ending is the stamp at which a failed task's mark stands: its end, or else
// what is known nearest to it.
func ending(c *stats.Columns, i int) int64 {
	for _, at := range [...]int64{c.End[i], c.WorkerEnd[i], c.StatusDone[i], c.Start[i], c.WorkerStart[i], c.Submit[i]} {
		if known(at) {
			return at
		}
	}
	return stats.Null
}

// extent is the least and the greatest known stamp; lo > hi if there is none.
func extent(cols ...[]int64) (lo, hi int64) {
	lo, hi = math.MaxInt64, math.MinInt64
	for _, col := range cols {
		for _, v := range col {
			if known(v) {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
	}
	return lo, hi
}

// all lists the columns of stamps.
func all(c *stats.Columns) [][]int64 {
	return [][]int64{c.Submit, c.WorkerStart, c.Start, c.End, c.WorkerEnd, c.StatusDone, c.ResultDone}
}

// span is what a time axis shows: from job creation, or from the first stamp if
// clocks went wrong, to a little after the last.
func span(lo, hi int64) (x0, x1 float64) {
	lo = min(lo, 0)
	if hi <= lo {
		hi = lo + 1e6
	}
	x0, x1 = float64(lo), float64(hi)
	return x0, x1 + 0.02*(x1-x0)
}
