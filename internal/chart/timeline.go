package chart

import (
	"math"
	"slices"

	"github.com/wcharczuk/go-chart/v2"
	"github.com/wcharczuk/go-chart/v2/drawing"

	"github.com/lithops-go/lithops/internal/stats"
)

// timeline draws when each task was submitted, started, done and fetched.
func (f *figure) timeline() {
	c, n := f.c, f.c.Len()
	f.title = "Timeline of job " + c.JobID
	series := []struct {
		name  string
		col   []int64
		color drawing.Color
	}{
		{"host submit", c.Submit, palette.submit},
		{"call start", c.Start, palette.start},
		{"call done", c.End, palette.done},
		{"status fetched", c.StatusDone, palette.fetched},
		{"result fetched", c.ResultDone, palette.result},
	}
	if c.ResultDone == nil {
		series = series[:4]
	}
	t := tallyOf(c)
	lo, hi := extent(all(c)...)
	hi = f.until(lo, hi)
	f.timeX(lo, hi)
	f.taskRows()
	f.facts = f.opening(t)
	if lo > hi {
		f.empty(noneYet(n, "no task has been submitted yet"))
		return
	}
	f.facts = append(f.facts, f.submitted(), f.total(t, hi))

	base := 0.7 * dotRadius(n) * f.s
	// Each later stamp is a little smaller, so that stamps of about the same
	// instant show as rings instead of hiding one another.
	grow := math.Max(0.4*f.s, base*0.65)
	if n <= 60 {
		f.layers = append(f.layers, layer{draw: f.hairlines})
	}
	if reduces(c) > 0 {
		f.layers = append(f.layers, layer{draw: f.reduceLines})
	}
	if t.failed > 0 && t.failed <= fewFailed {
		series[2].col = f.endings() // a failed task has its cross in place of the dot
	}
	mark := 0.0
	for i, s := range series {
		radius := base + grow*float64(len(series)-1-i)
		if i == 2 {
			mark = radius
		}
		f.keys = append(f.keys, key{s.name, s.color, dot})
		f.layers = append(f.layers, layer{draw: func(p *plot) { p.dots(s.col, radius, s.color) }})
	}
	if t.failed <= fewFailed {
		mark = math.Max(mark, 3*f.s)
	}
	f.markFailures(t, mark)
	f.reduceKey(", start to end", line)
	f.retriedKey(t)
	f.markRetries(t, base+grow*float64(len(series)-1)+0.5*f.s, c.Submit, c.WorkerStart, c.Start)
	f.markReduce(true)
	f.markRuns()
}

// endings is when tasks that did not fail were done.
func (f *figure) endings() []int64 {
	col := slices.Clone(f.c.End)
	for i, s := range f.c.State {
		if failed(s) {
			col[i] = stats.Null
		}
	}
	return col
}

// markFailures marks the failed tasks, if there are any, and says so in the legend.
func (f *figure) markFailures(t tally, radius float64) {
	if t.failed == 0 {
		return
	}
	shape := cross
	if t.failed > fewFailed {
		shape = dot
	}
	f.keys = append(f.keys, failedKey(t, shape))
	f.layers = append(f.layers, layer{draw: func(p *plot) { p.failures(f.c, t.failed, radius) }})
}

func failedKey(t tally, s shape) key {
	return key{"failed (" + comma(float64(t.failed), 0) + ")", palette.failed, s}
}

// dotRadius is that of the smallest dot for n tasks.
func dotRadius(n int) float64 {
	for _, step := range []struct {
		most   int
		radius float64
	}{{30, 4}, {120, 2.5}, {1000, 1.7}, {5000, 1.2}, {50_000, 0.8}} {
		if n <= step.most {
			return step.radius
		}
	}
	return 0.5
}

// hairlines joins a task's first stamp to its last, or to the right edge while
// the task is running.
func (f *figure) hairlines(p *plot) {
	chart.Style{StrokeColor: palette.hair, StrokeWidth: 1.5 * f.s}.WriteDrawingOptionsToRenderer(p.r)
	for i := range f.c.Len() {
		var stamps []int64
		for _, col := range all(f.c) {
			if col != nil {
				stamps = append(stamps, col[i])
			}
		}
		lo, hi := extent(stamps)
		if lo > hi {
			continue
		}
		x0, x1 := p.x.Translate(float64(lo)), p.x.Translate(float64(hi))
		if _, to, ok := run(f.c, i); ok && to == never {
			x1 = p.x.domain
		}
		if y := p.box.Bottom - p.y.Translate(float64(i)); x0 < x1 {
			p.r.MoveTo(p.box.Left+x0, y)
			p.r.LineTo(p.box.Left+x1, y)
			p.r.Stroke()
		}
	}
}
