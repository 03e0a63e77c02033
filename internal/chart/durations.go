package chart

import (
	"math"

	"github.com/wcharczuk/go-chart/v2/drawing"
)

// durations draws how long tasks ran: a histogram, failed tasks on top of the
// others, with the median and the 95th and 99th percentile of the done ones.
func (f *figure) durations() {
	c := f.c
	f.title = "Run times of job " + c.JobID
	t := tallyOf(c)
	f.facts = f.opening(t)
	f.yTitle = "tasks"
	s := newLengths(c)
	ranked := s.good
	if len(ranked) == 0 {
		ranked = s.bad
	}
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
	f.facts = append(f.facts, "least "+duration(ranked[0])+", mean "+duration(int64(sum/float64(len(ranked))))+", most "+duration(ranked[len(ranked)-1]))
	if s.odd > 0 {
		f.facts = append(f.facts, comma(float64(s.odd), 0)+" ended before the start, not shown")
	}

	b := s.bins()
	top := 1
	for k := range b.good {
		top = max(top, b.good[k]+b.bad[k])
	}
	air := float64(b.width) * 0.6
	f.timeRange(math.Max(0, float64(b.from)-air), float64(b.at(len(b.good)))+air)
	f.left = countAxis(0, float64(top)*1.08, f.yTicks())

	f.keys = []key{{"tasks by run time", palette.bar, block}}
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
			x := p.atX(float64(m.ns))
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

// columns draws the bins, failed tasks in red on top.
func (p *plot) columns(b *bins) {
	var good, bad []rect
	for k := range b.good {
		x0, x1 := math.Round(p.atX(float64(b.at(k)))), math.Round(p.atX(float64(b.at(k+1))))
		if gap := math.Max(1, math.Round(p.s)); x1-x0 > 2*gap {
			x0 += gap
		}
		y, over := p.atY(float64(b.good[k])), p.atY(float64(b.good[k]+b.bad[k]))
		if b.good[k] > 0 {
			y = math.Min(y, p.atY(0)-1) // one task among a million is seen too
			good = append(good, rect{x0, y, x1, p.atY(0)})
		}
		if b.bad[k] > 0 {
			bad = append(bad, rect{x0, math.Min(over, y-1), x1, y})
		}
	}
	p.fill(palette.bar, good)
	p.fill(palette.failed, bad)
}
