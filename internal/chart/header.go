package chart

import (
	"strings"
	"time"

	"github.com/wcharczuk/go-chart/v2"
	"github.com/wcharczuk/go-chart/v2/drawing"
)

// key is an entry of the legend.
type key struct {
	label string
	color drawing.Color
	shape shape
}

type shape int

const (
	dot shape = iota
	cross
	triangle
	block
	line
	dashes
)

// width is that of a marker in the standard picture.
func (s shape) width() float64 {
	if s <= triangle {
		return 10
	}
	return 24
}

const (
	titleSize = 15.0
	factSize  = 9.5
)

// decorate writes all that stands around the data.
func (f *figure) decorate(r chart.Renderer, box chart.Box) {
	created := f.created(box.Width())
	room := box.Width()
	if created != "" {
		w := f.t.width(created, factSize)
		f.t.write(r, created, box.Right-w, f.px(28), factSize, palette.soft)
		room -= w + f.px(16)
	}
	title := f.t.fit(f.title, titleSize, room)
	f.t.write(r, title, box.Left, f.px(30), titleSize, palette.ink)
	if f.c.Name != "" {
		used := f.t.width(title, titleSize) + f.px(12)
		f.t.write(r, f.t.fit(f.c.Name, 11, room-used), box.Left+used, f.px(30), 11, palette.soft)
	}
	f.t.write(r, f.factLine(box.Width()), box.Left, f.px(52), factSize, palette.soft)
	for i, row := range f.legend(box.Width()) {
		x, y := box.Left, f.px(74)+i*f.px(22)
		for _, k := range row {
			f.mark(r, k, x, y)
			f.t.write(r, k.label, x+f.px(k.shape.width()+7), y+f.px(4), factSize, palette.ink)
			x += f.keyWidth(k)
		}
	}
	mid := box.Left + box.Width()/2
	f.t.write(r, f.xTitle, mid-f.t.width(f.xTitle, 10)/2, f.o.Height-f.px(12), 10, palette.ink)
	f.t.writeUp(r, f.yTitle, f.px(20), box.Top+box.Height()/2, 270, 10, palette.ink)
	f.t.writeUp(r, f.y2Title, f.o.Width-f.px(20), box.Top+box.Height()/2, 90, 10, f.y2Color)
	f.writeReduce(r, box)
	f.writeRuns(r, box)
	f.writeNote(r, mid, box.Top+box.Height()/2)
}

// writeNote puts the note on a white ground, which no grid line crosses.
func (f *figure) writeNote(r chart.Renderer, x, y int) {
	if f.note == "" {
		return
	}
	half := f.t.width(f.note, 13) / 2
	side, up, down := half+f.px(10), f.px(22), f.px(12)
	chart.Style{FillColor: drawing.ColorWhite}.WriteDrawingOptionsToRenderer(r)
	r.MoveTo(x-side, y-up)
	r.LineTo(x+side, y-up)
	r.LineTo(x+side, y+down)
	r.LineTo(x-side, y+down)
	r.Close()
	r.Fill()
	f.t.write(r, f.note, x-half, y, 13, palette.soft)
}

// created is the time of creation, as long as it may be beside the title and
// the beginning of the job's name.
func (f *figure) created(room int) string {
	if f.c.Created.IsZero() {
		return ""
	}
	room -= f.t.width(f.title, titleSize) + f.px(16)
	if f.c.Name != "" {
		room -= min(f.t.width(f.t.fit(f.c.Name, 11, room), 11)+f.px(12), f.px(110))
	}
	for _, layout := range []string{"created 2006-01-02 15:04:05 MST", time.DateTime, "2006-01-02 15:04", time.DateOnly} {
		if s := f.c.Created.Format(layout); f.t.width(s, factSize) <= room {
			return s
		}
	}
	return ""
}

// factLine joins as many facts as there is room for.
func (f *figure) factLine(room int) string {
	for n := len(f.facts); n > 0; n-- {
		for _, gap := range []string{"   ·   ", "  ·  "} {
			if s := strings.Join(f.facts[:n], gap); f.t.width(s, factSize) <= room {
				return s
			}
		}
	}
	return f.t.fit(strings.Join(f.facts, "  ·  "), factSize, room)
}

// keyWidth is a key's share of the legend's row, with the gap behind it.
func (f *figure) keyWidth(k key) int {
	return f.px(k.shape.width()+7) + f.t.width(k.label, factSize) + f.px(24)
}

// legend spreads the keys over rows.
func (f *figure) legend(room int) [][]key {
	var rows [][]key
	x := 0
	for _, k := range f.keys {
		w := f.keyWidth(k)
		if len(rows) == 0 || x+w-f.px(24) > room {
			rows, x = append(rows, nil), 0
		}
		last := len(rows) - 1
		rows[last] = append(rows[last], k)
		x += w
	}
	return rows
}

// legendRows is how many rows the legend has, at least one. It is needed to lay
// the picture out, when the box's width is not known but for its labels.
func (f *figure) legendRows() int {
	room := f.o.Width - f.px(34) - f.px(34)
	widest := func(a *axis) (w int) {
		for _, t := range a.ticks {
			w = max(w, f.t.width(t.Label, 9))
		}
		return w + chart.DefaultYAxisMargin
	}
	room -= widest(f.left)
	if f.right != nil {
		room -= widest(f.right)
	}
	return max(1, len(f.legend(room)))
}

// mark draws a key's marker with its left end at x and its middle at y.
func (f *figure) mark(r chart.Renderer, k key, x, y int) {
	w := f.px(k.shape.width())
	chart.Style{FillColor: k.color, StrokeColor: k.color, StrokeWidth: 2 * f.s}.WriteDrawingOptionsToRenderer(r)
	switch k.shape {
	case dot:
		r.Circle(4.5*f.s, x+w/2, y)
		r.Fill()
	case cross:
		d := f.px(4.5)
		r.MoveTo(x, y-d)
		r.LineTo(x+2*d, y+d)
		r.MoveTo(x+2*d, y-d)
		r.LineTo(x, y+d)
		r.Stroke()
	case triangle:
		d := f.px(4.5)
		r.MoveTo(x, y-d)
		r.LineTo(x+2*d, y)
		r.LineTo(x, y+d)
		r.Close()
		r.Fill()
	case block:
		d := f.px(3)
		r.MoveTo(x, y-d)
		r.LineTo(x+w, y-d)
		r.LineTo(x+w, y+d)
		r.LineTo(x, y+d)
		r.Close()
		r.Fill()
	default:
		if k.shape == dashes {
			r.SetStrokeDashArray([]float64{5 * f.s, 4 * f.s})
			r.SetStrokeWidth(1.5 * f.s)
		}
		r.MoveTo(x, y)
		r.LineTo(x+w, y)
		r.Stroke()
		r.SetStrokeDashArray(nil)
	}
}
