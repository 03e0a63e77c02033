package chart

import (
	"math"
	"time"

	"github.com/wcharczuk/go-chart/v2"
)

// A job that was resumed is drawn without the pauses between its runs. Where each
// further run begins there is a line, with a label above the data while there are few.

const (
	fewRuns     = 8
	resumedHead = 15 // the room that the labels need
)

// markRuns makes the beginnings of further runs be seen, in a picture whose x axis is
// time. It is called when all other layers are there.
func (f *figure) markRuns() {
	if len(f.c.Runs) < 2 {
		return
	}
	f.resumed = true
	if !f.labelled() {
		f.keys = append(f.keys, key{"resumed (" + comma(float64(len(f.c.Runs)-1), 0) + " times)", palette.soft, line})
	}
	f.layers = append(f.layers, layer{draw: func(p *plot) {
		style := chart.Style{StrokeColor: palette.soft, StrokeWidth: f.line()}
		for _, r := range f.c.Runs[1:] {
			if x, ok := f.runAt(r.AtNS); ok {
				style.WriteDrawingOptionsToRenderer(p.r)
				p.r.MoveTo(p.box.Left+x, p.box.Top)
				p.r.LineTo(p.box.Left+x, p.box.Bottom)
				p.r.Stroke()
			}
		}
	}})
}

// labelled says whether the lines have labels.
func (f *figure) labelled() bool { return f.resumed && len(f.c.Runs)-1 <= fewRuns }

// runAt is the pixel of a run's beginning; not ok if the picture ends before.
func (f *figure) runAt(ns int64) (x int, ok bool) {
	x = f.x.Translate(float64(ns))
	return x, x >= 0 && x <= f.x.domain
}

// writeRuns puts the labels above the data, and joins them to their lines.
func (f *figure) writeRuns(r chart.Renderer, box chart.Box) {
	if !f.labelled() {
		return
	}
	head := 0
	if f.reduce != nil {
		head = f.px(reduceHead)
	}
	base, free := box.Top-head-f.px(4), box.Left
	for k, run := range f.c.Runs[1:] {
		x, ok := f.runAt(run.AtNS)
		if !ok {
			continue
		}
		for _, label := range runLabels(run.Start, f.c.Runs[k].Start, run.Pause) {
			w := f.t.width(label, factSize)
			left := max(box.Left, min(box.Left+x-f.px(3), box.Right-w))
			if left < free {
				continue
			}
			f.t.write(r, label, left, base, factSize, palette.ink)
			free = left + w + f.px(12)
			break
		}
		chart.Style{StrokeColor: palette.soft, StrokeWidth: f.line()}.WriteDrawingOptionsToRenderer(r)
		r.MoveTo(box.Left+x, base+f.px(3))
		r.LineTo(box.Left+x, box.Top)
		r.Stroke()
	}
}

// runLabels say when a run began, the longest first: resumed 17:03, after 10 h.
func runLabels(start, before time.Time, pause time.Duration) []string {
	at := start.Format("15:04")
	if start.YearDay() != before.YearDay() || start.Year() != before.Year() {
		at = start.Format("Jan 2 15:04")
	}
	after := about(pause)
	return []string{"resumed " + at + ", after " + after, "resumed " + at, "after " + after, at}
}

// about is a time span in a round number of the unit that suits it.
func about(d time.Duration) string {
	in := func(unit time.Duration, name string) string {
		return comma(math.Round(float64(d)/float64(unit)), 0) + name
	}
	switch {
	case d >= 48*time.Hour:
		return in(24*time.Hour, " d")
	case d >= 90*time.Minute:
		return in(time.Hour, " h")
	case d >= 90*time.Second:
		return in(time.Minute, " min")
	case d >= time.Second:
		return in(time.Second, " s")
	}
	return duration(int64(d))
}
