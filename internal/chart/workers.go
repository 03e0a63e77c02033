package chart

import (
	"fmt"
	"math"
	"slices"

	"github.com/wcharczuk/go-chart/v2"
)

// workers draws a lane per worker, with a bar for each task it ran: gaps are
// idle time, and what reaches farthest to the right is what the job waited for.
func (f *figure) workers() {
	c := f.c
	f.title = "Workers of job " + c.JobID
	t := tallyOf(c)
	f.facts = f.opening(t)
	f.yTitle = "worker"
	_, now := bounds(c)
	others := pieces(c, now)
	l := newLanes(c, others, now)
	if len(l.workers) == 0 {
		f.timeX(1, 0)
		f.left = rowAxis(0, f.yTicks())
		f.empty(noneYet(c.Len(), "no task has reached a worker yet"))
		return
	}
	f.timeX(min(0, l.first), f.until(l.first, l.last))
	f.left = rowAxis(len(l.workers), f.yTicks())
	f.left.ticks = slices.DeleteFunc(f.left.ticks, func(t chart.Tick) bool { return int(t.Value) >= len(l.workers) })
	for i, t := range f.left.ticks {
		f.left.ticks[i].Label = fmt.Sprint(l.workers[int(t.Value)])
	}
	f.facts = append(f.facts, f.workerCount(len(l.workers)))
	if l.timed {
		f.facts = append(f.facts, "utilisation "+percent(l.utilisation()))
	}
	if most, least, ok := l.extremes(); ok {
		f.facts = append(f.facts, fmt.Sprintf("busiest worker %d: %s, least busy %d: %s",
			l.workers[most], percent(l.share(most)), l.workers[least], percent(l.share(least))))
	}
	if l.homeless > 0 {
		f.facts = append(f.facts, count(l.homeless, "task")+" of unknown worker, not shown")
	}
	f.keys = []key{{f.task() + " running", palette.done, block}}
	f.reduceKey("", block)
	besides := "starting, uploading"
	if warm(c) {
		besides = "starting, overhead" // what is around a short call is neither
	}
	f.keys = append(f.keys, key{besides, palette.waiting, block})
	if t.failed > 0 {
		f.keys = append(f.keys, failedKey(t, block))
	}
	f.otherKey(repeated(others))
	f.layers = []layer{{draw: func(p *plot) { f.laneBars(p, l, t, others) }}}
	f.markReduce(false)
	f.markRuns()
}

// laneBars gives every other task of a lane a lighter shade, so that tasks
// without a gap between them can be told apart.
func (f *figure) laneBars(p *plot, l *lanes, t tally, others []piece) {
	const held, odd, even, other, reduce, bad = 0, 1, 2, 3, 4, 5
	paints := []paint{
		{color: palette.waiting},
		{color: palette.done},
		{color: overWhite(palette.done.WithAlpha(170))},
		otherPaint(len(others), 0),
		reducePaint(reduces(f.c), 0),
		failedPaint(t.failed),
	}
	scale := p.x.scale()
	r := p.newRows(0.7, 22)
	// shades are of use where a task is wide enough to see them
	shades := r.crisp && p.x.domain*len(l.workers) >= 4*f.c.Len()
	// of more tasks than pixels each shows as its share of one
	many := f.c.Len() > p.x.domain*len(l.workers)
	at := func(ns int64) float64 { return (float64(ns)-p.x.min)*scale + 0.5 }
	p.bars(r, paints, func(yield func(bar) bool) {
		for k := range others {
			o, b := &others[k], bar{row: l.lane[others[k].Worker], paint: other}
			if o.counts {
				b.paint = bad
			}
			if b.x0, b.x1 = widen(at(o.from), at(o.to), 2); !yield(b) {
				return
			}
		}
		flip := make([]bool, len(l.workers))
		for i := range f.c.Len() {
			lane, ok := l.of(f.c.Worker[i])
			if !ok {
				continue
			}
			from, to, ok := run(f.c, i)
			h0, h1, isHeld := l.held(f.c, i)
			if isHeld && !ok {
				from, to = h0, h0
			}
			if isHeld && h0 < from && !yield(bar{row: lane, x0: at(h0), x1: at(from), paint: held}) {
				return
			}
			if isHeld && to < h1 && !yield(bar{row: lane, x0: at(to), x1: at(h1), paint: held}) {
				return
			}
			if !ok {
				continue
			}
			b := bar{row: lane, paint: odd}
			least := 0.5
			if many {
				least = 0
			}
			if flip[lane] && shades {
				b.paint = even
			}
			flip[lane] = !flip[lane]
			if i >= f.c.Maps {
				b.paint = reduce
			}
			if failed(f.c.State[i]) {
				b.paint = bad
			}
			if paints[b.paint].loud {
				least = 2
			}
			b.x0, b.x1 = widen(at(from), at(to), least)
			b.x0 = math.Max(0, b.x0)
			if !yield(b) {
				return
			}
		}
	})
}
