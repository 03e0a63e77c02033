package chart

import (
	"fmt"
	"math"

	"github.com/wcharczuk/go-chart/v2/drawing"

	"github.com/lithops-go/lithops/internal/stats"
)

// retried says whether more than one attempt was made at task i. Where that is not
// told it follows from the attempt's number.
func retried(c *stats.Columns, i int) bool {
	if i < len(c.Retried) {
		return c.Retried[i]
	}
	return c.Attempt[i] > 1
}

// retriedKey adds the retried tasks to the legend, if there are any.
func (f *figure) retriedKey(t tally) {
	if t.retried > 0 {
		f.keys = append(f.keys, key{"retried (" + comma(float64(t.retried), 0) + ")", palette.ink, triangle})
	}
}

// markRetries marks the retried tasks, if there are any, by a triangle that points at
// the first of the stamps which a task has, gap pixels before it.
func (f *figure) markRetries(t tally, gap float64, first ...[]int64) {
	if t.retried == 0 {
		return
	}
	radius := 3.5 * f.s
	if t.retried > fewFailed {
		radius = math.Max(1, dotRadius(f.c.Len())) * f.s
	}
	f.layers = append(f.layers, layer{draw: func(p *plot) {
		at := make([]int64, f.c.Len())
		for i := range at {
			at[i] = stats.Null
			for k := len(first) - 1; k >= 0 && retried(f.c, i); k-- {
				if known(first[k][i]) {
					at[i] = first[k][i]
				}
			}
		}
		p.triangles(at, radius, gap+radius)
	}})
}

// triangles draws one before each of the stamps, its middle so many pixels off.
func (p *plot) triangles(col []int64, radius, off float64) {
	w, h := p.size()
	set := newPixels(w, h)
	p.locate(col, func(_, at int) { set.set(at - min(at%w, int(math.Round(off)))) })
	p.stampTriangles(set, radius)
}

func (p *plot) stampTriangles(set *pixels, radius float64) {
	if v, ok := p.svg(); ok {
		p.svgTriangles(v, set, radius)
		return
	}
	if radius >= 3 {
		p.stampAll(set, triangleStamp(radius+1.2), radius, drawing.ColorWhite.WithAlpha(220))
	}
	p.stampAll(set, triangleStamp(radius), radius, palette.ink)
}

func triangleStamp(radius float64) stamp {
	return newStamp(radius, func(x, y float64) bool { return x >= -radius && math.Abs(y) <= (radius-x)/2 })
}

func (p *plot) svgTriangles(v *vector, set *pixels, radius float64) {
	fmt.Fprintf(&v.b, `<path transform="translate(%d.5 %d.5)"`, p.box.Left, p.box.Top)
	v.paint("fill", palette.ink)
	v.b.WriteString(` d="`)
	r, d := decimal(radius), decimal(2*radius)
	set.each(func(x, y int) { fmt.Fprintf(&v.b, "M%d %dm-%s -%sv%sl%s -%sz", x, y, r, r, d, d, r) })
	v.b.WriteString("\"/>\n")
}
