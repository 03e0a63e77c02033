package chart

import (
	"math"

	"github.com/wcharczuk/go-chart/v2"

	"github.com/lithops-go/lithops/internal/stats"
)

// A picture of a job with reduce tasks has them in its last rows, which may be
// less than a pixel high. When they ran is marked above the data and by a light
// ground behind it.

// reduces is the number of reduce tasks.
func reduces(c *stats.Columns) int { return c.Len() - c.Maps }

// reduceSpan is from the first reduce task's start to the last one's end, or to
// never; ok is false if none has started.
func reduceSpan(c *stats.Columns) (from, to int64, ok bool) {
	from, to = math.MaxInt64, math.MinInt64
	for i := c.Maps; i < c.Len(); i++ {
		if t0, t1, ran := run(c, i); ran {
			from, to = min(from, t0), max(to, t0, t1)
		}
	}
	return from, to, from <= to
}

// markReduce makes the reduce be seen, in a picture whose x axis is time. rows
// says that each task has a row. It is called when all other layers are there.
func (f *figure) markReduce(rows bool) {
	from, to, ok := reduceSpan(f.c)
	if !ok {
		return
	}
	f.reduce = &[2]int64{from, to}
	ground := []layer{{draw: func(p *plot) {
		w, h := p.size()
		x0, x1 := f.reducePixels(float64(w))
		alpha := uint8(22)
		if x1-x0 < 6*f.s {
			alpha = 70 // or such a narrow one would not be seen
		}
		p.fill(palette.reduce.WithAlpha(alpha), []rect{{x0, 0, x1, float64(h)}})
	}}}
	if rows {
		ground = append(ground, layer{draw: f.reduceRule})
	}
	f.layers = append(ground, f.layers...)
}

// reducePixels is where the reduce lies in a box of the given width, in the
// coordinates of a plot; at least three pixels.
func (f *figure) reducePixels(width float64) (x0, x1 float64) {
	at := func(ns int64) float64 { return math.Min((float64(ns)-f.x.min)*f.x.scale()+0.5, width) }
	return widen(at(f.reduce[0]), at(f.reduce[1]), 3*f.s)
}

// reduceRule is a line between the rows of the map and those of the reduce, where
// these are high enough together to see which they are.
func (f *figure) reduceRule(p *plot) {
	if float64(reduces(f.c))*p.y.scale() < 4*f.s {
		return
	}
	chart.Style{StrokeColor: palette.frame, StrokeWidth: f.line()}.WriteDrawingOptionsToRenderer(p.r)
	y := p.box.Bottom - p.y.Translate(float64(f.c.Maps)-0.5)
	p.r.MoveTo(p.box.Left, y)
	p.r.LineTo(p.box.Right, y)
	p.r.Stroke()
}

// reduceHead is the room that the mark above the data needs.
const reduceHead = 16

// writeReduce puts the mark above the data.
func (f *figure) writeReduce(r chart.Renderer, box chart.Box) {
	if f.reduce == nil {
		return
	}
	x0, x1 := f.reducePixels(float64(box.Width() + 1))
	left, right := box.Left+int(math.Round(x0)), box.Left+int(math.Round(x1))
	bottom := box.Top - f.px(2)
	chart.Style{FillColor: palette.reduce}.WriteDrawingOptionsToRenderer(r)
	r.MoveTo(left, bottom-f.px(3))
	r.LineTo(right, bottom-f.px(3))
	r.LineTo(right, bottom)
	r.LineTo(left, bottom)
	r.Close()
	r.Fill()
	label := stats.StageReduce
	if f.reduce[1] != never {
		label += " " + duration(f.reduce[1]-f.reduce[0])
	}
	w := f.t.width(label, factSize)
	x := max(box.Left, min((left+right-w)/2, box.Right-w))
	f.t.write(r, label, x, bottom-f.px(6), factSize, palette.ink)
}

// reducePaint is dark: of few reduce tasks each is to be seen.
func reducePaint(n int, floor float64) paint {
	if n <= fewFailed {
		return paint{color: palette.reduce, floor: 1, loud: true}
	}
	return paint{color: palette.reduce, floor: floor}
}

// reduceKey adds the reduce tasks to the legend, if some are to be seen.
func (f *figure) reduceKey(what string, s shape) {
	if _, _, ok := reduceSpan(f.c); !ok {
		return
	}
	label := "reduce task"
	if reduces(f.c) > 1 {
		label += "s"
	}
	f.keys = append(f.keys, key{label + what, palette.reduce, s})
}

// reduceLines joins the start of each reduce task to its end.
func (f *figure) reduceLines(p *plot) {
	paints := []paint{reducePaint(reduces(f.c), 0.45)}
	scale := p.x.scale()
	p.bars(p.newRows(0.25, 3), paints, func(yield func(bar) bool) {
		for i := f.c.Maps; i < f.c.Len(); i++ {
			from, to, ok := run(f.c, i)
			if !ok {
				continue
			}
			b := bar{row: i}
			b.x0, b.x1 = widen((float64(from)-p.x.min)*scale+0.5, (float64(to)-p.x.min)*scale+0.5, 2)
			if !yield(b) {
				return
			}
		}
	})
}
