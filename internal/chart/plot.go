package chart

import (
	"github.com/wcharczuk/go-chart/v2"
	"github.com/wcharczuk/go-chart/v2/drawing"
)

// plot is the place where a layer draws. Its coordinates are pixels from the
// upper left corner of the data's box; the pixel k reaches from k to k+1, and a
// tick at k stands at k+0.5.
type plot struct {
	r    chart.Renderer
	box  chart.Box
	x, y *axis
	s    float64
}

// size is that of the box in pixels, the axis lines included.
func (p *plot) size() (w, h int) { return p.box.Width() + 1, p.box.Height() + 1 }

// atX is where v lies on the x axis.
func (p *plot) atX(v float64) float64 { return (v-p.x.min)*p.x.scale() + 0.5 }

// atY is where v lies on the plot's y axis.
func (p *plot) atY(v float64) float64 {
	return float64(p.box.Height()) + 0.5 - (v-p.y.min)*p.y.scale()
}

// mask paints a mask, which reaches margin pixels beyond the box on all sides.
func (p *plot) mask(m *mask, margin int, c drawing.Color) {
	left, top := p.box.Left-margin, p.box.Top-margin
	switch r := p.r.(type) {
	case *raster:
		m.blend(r.img, left, top, c)
	case *vector:
		r.mask(m, left, top, c)
	}
}

// svg returns the renderer if it writes SVG.
func (p *plot) svg() (*vector, bool) {
	v, ok := p.r.(*vector)
	return v, ok
}

// rect is a rectangle in the plot's coordinates.
type rect struct{ x0, y0, x1, y1 float64 }

// fill paints rectangles, all of one colour.
func (p *plot) fill(c drawing.Color, shapes []rect) {
	if v, ok := p.svg(); ok {
		v.rects(shapes, p.box.Left, p.box.Top, c)
		return
	}
	m := newMask(p.size())
	for _, q := range shapes {
		m.rect(q.x0, q.y0, q.x1, q.y1)
	}
	p.mask(m, 0, c)
}
