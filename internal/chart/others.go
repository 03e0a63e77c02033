package chart

import (
	"github.com/wcharczuk/go-chart/v2/drawing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// Attempts that do not count are drawn lighter, where there are bars of attempts:
// the time they took is time lost.

// piece is an attempt apart from the columns, as it is drawn.
type piece struct {
	*stats.OtherAttempt
	from, to int64
	counts   bool // it is of a task that was lost for good
}

// pieces are the attempts apart from the columns. A lost one is drawn from its
// dispatch, or the last thing that its worker did before, until the host noticed; if
// that died as well, until its run broke off, or until now if nothing came after.
func pieces(c *stats.Columns, now int64) []piece {
	if len(c.Others) == 0 {
		return nil
	}
	idle := lastEnds(c)
	list := make([]piece, 0, len(c.Others))
	for k := range c.Others {
		o := &c.Others[k]
		p := piece{OtherAttempt: o, from: o.From, to: o.To}
		switch {
		case !known(p.from):
			p.from, p.to = o.Start, o.End
		case o.Lost():
			p.counts = c.State[o.Task] == job.Lost && c.Attempt[o.Task] == o.Attempt
			if !known(p.to) {
				p.to = runEnd(c, o, now)
			}
			p.to = max(p.to, p.from)
			p.from = min(max(p.from, idle[o.Worker]), p.to)
		}
		if !known(p.to) || p.to < p.from {
			p.to = p.from
		}
		if known(p.from) {
			list = append(list, p)
		}
	}
	return list
}

// lastEnds is when the workers that lost an attempt were done with the one before.
func lastEnds(c *stats.Columns) map[int32]int64 {
	ends := map[int32]int64{}
	for k := range c.Others {
		if o := &c.Others[k]; o.Lost() {
			ends[o.Worker] = stats.Null
		}
	}
	if len(ends) == 0 {
		return ends
	}
	note := func(worker int32, at int64) {
		if end, ok := ends[worker]; ok && known(at) && at > end {
			ends[worker] = at
		}
	}
	for i, w := range c.Worker {
		note(w, c.WorkerEnd[i])
	}
	for k := range c.Others {
		if o := &c.Others[k]; !o.Lost() {
			note(o.Worker, o.To)
		}
	}
	return ends
}

// runEnd is when the host of a lost attempt died: the next run begins there; or now.
// If it did not die, it is not known when it noticed.
func runEnd(c *stats.Columns, o *stats.OtherAttempt, now int64) int64 {
	for k, r := range c.Runs {
		switch {
		case r.Number != int(o.Run):
		case r.Ended:
			return o.From
		case k+1 < len(c.Runs):
			return c.Runs[k+1].AtNS
		}
	}
	return max(o.From, now)
}

// bounds is the least and the greatest known stamp of all attempts, or the job's end if
// that is later; lo > hi if there is none.
func bounds(c *stats.Columns) (lo, hi int64) {
	lo, hi = extent(all(c)...)
	for k := range c.Others {
		o := &c.Others[k]
		for _, at := range [...]int64{o.From, o.To, o.Start, o.End} {
			if known(at) {
				lo, hi = min(lo, at), max(hi, at)
			}
		}
	}
	if lo <= hi && known(c.EndNS) {
		hi = max(hi, c.EndNS)
	}
	return lo, hi
}

// repeated is how many pieces are of attempts that do not count.
func repeated(list []piece) (n int) {
	for k := range list {
		if !list[k].counts {
			n++
		}
	}
	return n
}

// otherPaint is a light red: of few attempts each is to be seen.
func otherPaint(n int, floor float64) paint {
	return paint{color: lighter(palette.failed), floor: max(floor, 0.3), loud: n <= fewFailed}
}

func lighter(c drawing.Color) drawing.Color { return overWhite(c.WithAlpha(100)) }

// otherKey adds the attempts that do not count to the legend, if there are some.
func (f *figure) otherKey(n int) {
	if n == 0 {
		return
	}
	number := comma(float64(n), 0)
	if cut := f.c.OthersCut; cut > 0 {
		number += " of " + comma(float64(n+cut), 0) + " drawn"
	}
	f.keys = append(f.keys, key{"repeated attempts (" + number + ")", lighter(palette.failed), block})
}
