package chart

import (
	"math"

	"github.com/wcharczuk/go-chart/v2/drawing"
)

// durations draws how long tasks ran: a histogram, reduce and failed tasks on top
// of the others, with the median and the 95th and 99th percentile of the done ones
// of the map.
func (f *figure) durations() {
	c := f.c
	f.title = "Run times of job " + c.JobID
	t := tallyOf(c)
	f.facts = f.opening(t)
	f.yTitle = "tasks"
	s := newLengths(c)
	ranked := s.ranked()
	if len(ranked) == 0 {
		f.timeRange(0, 1e9)
		f.left = countAxis(0, 1, f.yTicks())
		f.empty(noneYet(c.Len(), "no task has ended yet"))
		return
	}
	sum := 0.0
	for _, d := range ranked {
		sum += float64(d)
	}
	of := ""
	if reduces(c) > 0 && len(s.good) > 0 {
		of = "map tasks: "
	}
	f.facts = append(f.facts, of+"least "+duration(ranked[0])+", mean "+duration(int64(sum/float64(len(ranked))))+", most "+duration(ranked[len(ranked)-1]))
	if s.odd > 0 {
		f.facts = append(f.facts, comma(float64(s.odd), 0)+" ended before the start, not shown")
	}

	b := s.bins()
	top := 1
	for k := range b.good {
		top = max(top, b.good[k]+b.reduce[k]+b.bad[k])
	}
	if lo, hi := b.span(); b.log {
		f.logRange(lo, hi)
	} else {
		f.timeRange(lo, hi)
	}
	f.left = countAxis(0, float64(top)*1.08, f.yTicks())

	f.keys = []key{{f.task() + "s by run time", palette.bar, block}}
	switch len(s.reduce) {
	case 0:
	case 1:
		f.keys = append(f.keys, key{"reduce task " + duration(s.reduce[0]), palette.reduce, block})
	default:
		f.reduceKey("", block)
	}
	if len(s.bad) > 0 {
		f.keys = append(f.keys, key{count(len(s.bad), "failed task"), palette.failed, block})
	}
	marks := []struct {
		name  string
		ns    int64
		color drawing.Color
	}{
		{"median", percentile(ranked, 0.5), palette.submit},
		{"95 %", percentile(ranked, 0.95), palette.start},
		{"99 %", percentile(ranked, 0.99), palette.fetched},
	}
	for _, m := range marks {
		f.keys = append(f.keys, key{m.name + " " + duration(m.ns), m.color, line})
	}
	f.layers = []layer{{draw: func(p *plot) {
		p.columns(b)
		// each line is shorter than the one before, so that equal ones all show
		for k, m := range marks {
			x := p.atX(b.place(float64(m.ns)))
			p.fill(m.color, []rect{{x - p.s, float64(k) * 0.06 * float64(p.box.Height()), x + p.s, float64(p.box.Height())}})
		}
	}}}
}

// timeRange makes the x axis one of run times.
func (f *figure) timeRange(lo, hi float64) {
	var unit string
	f.x, unit = timeAxis(lo, hi, f.xTicks(), hi)
	f.xTitle = "run time (" + unit + ")"
}

// logRange makes the x axis one of run times whose powers of ten are lo to hi.
func (f *figure) logRange(lo, hi float64) {
	f.x, f.xTitle = logAxis(lo, hi, f.xTicks()), "run time (logarithmic)"
}

// columns draws the bins: reduce tasks dark above those of the map, failed tasks in
// red on top.
func (p *plot) columns(b *bins) {
	parts := []struct {
		count []int
		color drawing.Color
		least float64 // pixels: one task among a million is seen too
	}{{b.good, palette.bar, 1}, {b.reduce, palette.reduce, 3 * p.s}, {b.bad, palette.failed, 1}}
	shapes := make([][]rect, len(parts))
	for k := range b.good {
		x0, x1 := math.Round(p.atX(b.place(float64(b.edges[k])))), math.Round(p.atX(b.place(float64(b.edges[k+1]))))
		if gap := math.Max(1, math.Round(p.s)); x1-x0 > 2*gap {
			x0 += gap
		}
		y, n := p.atY(0), 0
		for i, part := range parts {
			if part.count[k] == 0 {
				continue
			}
			n += part.count[k]
			top := math.Min(p.atY(float64(n)), y-part.least)
			shapes[i] = append(shapes[i], rect{x0, top, x1, y})
			y = top
		}
	}
	for i, part := range parts {
		p.fill(part.color, shapes[i])
	}
}
