package chart

import (
	"fmt"
	"math"

	"github.com/wcharczuk/go-chart/v2"
	"github.com/wcharczuk/go-chart/v2/drawing"

	"github.com/lithops-go/lithops/internal/stats"
)

// histogram draws each task as a bar from start to end, attempts that do not count
// lighter, and the number of tasks running at a time as a line by the right axis.
func (f *figure) histogram() {
	c, n := f.c, f.c.Len()
	f.title = "Histogram of job " + c.JobID
	t := tallyOf(c)
	f.facts = f.opening(t)
	_, now := bounds(c)
	others := pieces(c, now)
	lo, hi, running := f.ran()
	for k := range others {
		lo, hi = min(lo, others[k].from), max(hi, others[k].to)
	}
	if running > 0 {
		hi = now
	}
	end := f.until(lo, hi)
	f.timeX(lo, end)
	f.taskRows()
	if lo > hi {
		f.empty(noneYet(n, "no task has started yet"))
		return
	}
	s := newSweep(c, hi, others...)
	f.right = countAxis(0, math.Max(1, float64(s.peak)*1.08), f.yTicks())
	f.y2Title, f.y2Color = "tasks running", palette.submit
	if len(s.start) > 0 {
		f.facts = append(f.facts, fmt.Sprintf("peak %s running at %s, mean %s", comma(float64(s.peak), 0), duration(s.peakAt), figures(s.mean())),
			f.task()+" mean "+duration(meanRun(c, s, hi)))
	}
	f.facts = append(f.facts, f.total(t, end))

	f.keys = append(f.keys, key{f.task() + ", start to end", palette.bar, block})
	f.reduceKey("", block)
	if t.failed > 0 {
		f.keys = append(f.keys, failedKey(t, block))
	}
	f.otherKey(repeated(others))
	f.keys = append(f.keys, key{"tasks running (right axis)", palette.submit, line}, key{"mean " + figures(s.mean()), palette.submit, dashes})
	f.layers = []layer{{draw: func(p *plot) { f.taskBars(p, t, others) }}}
	f.retriedKey(t)
	f.markRuns()
	f.keys = append(f.keys, key{"least to most", palette.submit.WithAlpha(bandAlpha), block})
	f.layers = append(f.layers,
		layer{right: true, draw: func(p *plot) { p.level(s.mean(), float64(s.first), float64(s.last), palette.submit) }},
		layer{right: true, draw: func(p *plot) { f.running(p, s) }})
	f.markRetries(t, 0.5*f.s, c.Start, c.WorkerStart)
	f.markReduce(true)
}

// meanRun is how long a task of the map ran on average, until now if it still does.
func meanRun(c *stats.Columns, s *sweep, now int64) int64 {
	if reduces(c) == 0 && len(c.Others) == 0 {
		return int64(s.busy / float64(len(s.start)))
	}
	busy, n := 0.0, 0
	for i := range c.Maps {
		if from, to, ok := run(c, i); ok && to > from {
			busy += float64(max(0, min(to, now)-from))
			n++
		}
	}
	return int64(busy / float64(max(n, 1)))
}

// running draws the line. Whether it has a band is known only here, where the
// pixels are; the legend, which is drawn last, has room for it in any case.
func (f *figure) running(p *plot, s *sweep) {
	w, _ := p.size()
	wide := 1 / p.x.scale()
	t := newTrace(s.columns(p.x.min-wide/2, wide, w), f.px(6), 1/p.y.scale())
	if !t.band {
		f.keys = f.keys[:len(f.keys)-1]
	}
	p.trace(t, palette.submit)
}

// ran is the extent of all runs so far, and how many have not ended; lo > hi if
// no task has started.
func (f *figure) ran() (lo, hi int64, running int) {
	lo, hi = math.MaxInt64, math.MinInt64
	for i := range f.c.Len() {
		from, to, ok := run(f.c, i)
		if !ok {
			continue
		}
		if to == never {
			to = from
			running++
		}
		lo, hi = min(lo, from, to), max(hi, from, to)
	}
	return lo, hi, running
}

func (f *figure) taskBars(p *plot, t tally, others []piece) {
	floor := 0.0
	if f.c.Len() > 600 {
		floor = 0.45 // else single stragglers would not be seen
	}
	const good, other, reduce, bad = 0, 1, 2, 3
	paints := []paint{{color: palette.bar, floor: floor}, otherPaint(len(others), floor), reducePaint(reduces(f.c), floor), failedPaint(t.failed)}
	scale := p.x.scale()
	at := func(ns int64) float64 { return (float64(ns)-p.x.min)*scale + 0.5 }
	p.bars(p.newRows(0.4, 8), paints, func(yield func(bar) bool) {
		for k := range others {
			o, b := &others[k], bar{row: int(others[k].Task), paint: other}
			if o.counts {
				b.paint = bad
			}
			if b.x0, b.x1 = widen(at(o.from), at(o.to), 1); !yield(b) {
				return
			}
		}
		for i := range f.c.Len() {
			from, to, ok := run(f.c, i)
			if !ok {
				continue
			}
			b := bar{row: i, x0: at(from), x1: at(to)}
			least := 1.0 // pixel
			if i >= f.c.Maps {
				b.paint = reduce
			}
			if failed(f.c.State[i]) {
				b.paint = bad
			}
			if b.paint != good && paints[b.paint].loud {
				least = 3
			}
			b.x0, b.x1 = widen(b.x0, b.x1, least)
			if !yield(b) {
				return
			}
		}
	})
}

// level draws a dashed horizontal line at v, from x0 to x1.
func (p *plot) level(v, x0, x1 float64, c drawing.Color) {
	y := p.box.Bottom - p.y.Translate(v)
	for _, style := range []chart.Style{
		{StrokeColor: drawing.ColorWhite.WithAlpha(170), StrokeWidth: 3.5 * p.s},
		{StrokeColor: c, StrokeWidth: 1.5 * p.s, StrokeDashArray: []float64{5 * p.s, 4 * p.s}},
	} {
		style.WriteDrawingOptionsToRenderer(p.r)
		p.r.MoveTo(p.box.Left+p.x.Translate(x0), y)
		p.r.LineTo(p.box.Left+p.x.Translate(x1), y)
		p.r.Stroke()
	}
	p.r.SetStrokeDashArray(nil)
}
