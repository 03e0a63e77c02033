package chart

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/wcharczuk/go-chart/v2/drawing"

	"github.com/lithops-go/lithops/internal/stats"
)

// fewFailed failed tasks or less are each drawn large enough to be seen.
const fewFailed = 200

// pixels is a set of pixels of the box. The place of a dot is a whole pixel, so
// that a second dot of one series at the same place changes nothing.
type pixels struct {
	w, h int
	bits []uint64
}

func newPixels(w, h int) *pixels { return &pixels{w, h, make([]uint64, (w*h+63)/64)} }

func (s *pixels) set(k int) { s.bits[k>>6] |= 1 << (k & 63) }

// each calls f for every pixel of the set, row by row.
func (s *pixels) each(f func(x, y int)) {
	for k, word := range s.bits {
		for ; word != 0; word &= word - 1 {
			at := k<<6 + bits.TrailingZeros64(word)
			f(at%s.w, at/s.w)
		}
	}
}

// locate calls f with the pixel of every task's stamp.
func (p *plot) locate(col []int64, f func(task, pixel int)) {
	w, h := p.size()
	sx, sy := p.x.scale(), p.y.scale()
	for i, v := range col {
		if !known(v) {
			continue
		}
		x := int((float64(v)-p.x.min)*sx + 0.5)
		y := h - 1 - int((float64(i)-p.y.min)*sy+0.5)
		if uint(x) < uint(w) && uint(y) < uint(h) {
			f(i, y*w+x)
		}
	}
}

// dots draws a dot at each of the stamps.
func (p *plot) dots(col []int64, radius float64, c drawing.Color) {
	set := newPixels(p.size())
	p.locate(col, func(_, at int) { set.set(at) })
	p.stampAll(set, dotStamp(radius), radius, c)
}

// stampAll puts the stamp on every pixel of the set.
func (p *plot) stampAll(set *pixels, st stamp, radius float64, c drawing.Color) {
	if v, ok := p.svg(); ok {
		p.svgDots(v, set, radius, c)
		return
	}
	m := newMask(set.w+2*st.r, set.h+2*st.r)
	set.each(func(x, y int) { m.stamp(st, x, y, 255) })
	p.mask(m, st.r, c)
}

// manyDots of one series are written to SVG as stretches instead of circles.
const manyDots = 4000

func (p *plot) svgDots(v *vector, set *pixels, radius float64, c drawing.Color) {
	n := 0
	for _, word := range set.bits {
		n += bits.OnesCount64(word)
	}
	if n > manyDots {
		m := newMask(set.w, set.h)
		set.each(func(x, y int) { m.pix[y*m.w+x] = 255 })
		v.mask(m, p.box.Left, p.box.Top, c)
		return
	}
	v.b.WriteString("<g")
	v.paint("fill", c)
	fmt.Fprintf(&v.b, ` transform="translate(%d.5 %d.5)">`+"\n", p.box.Left, p.box.Top)
	r := decimal(math.Max(0.5, radius))
	set.each(func(x, y int) { fmt.Fprintf(&v.b, `<circle cx="%d" cy="%d" r="%s"/>`, x, y, r) })
	v.b.WriteString("\n</g>\n")
}

// failures marks failed tasks at their end: few by crosses, many by red that is
// as strong as their share of the tasks that end at the pixel.
func (p *plot) failures(c *stats.Columns, n int, radius float64) {
	if n == 0 {
		return
	}
	ends := make([]int64, c.Len())
	for i := range ends {
		ends[i] = stats.Null
		if n > fewFailed || failed(c.State[i]) {
			ends[i] = ending(c, i)
		}
	}
	if n > fewFailed {
		p.failedShare(c, ends, radius)
		return
	}
	set := newPixels(p.size())
	p.locate(ends, func(_, at int) { set.set(at) })
	if v, ok := p.svg(); ok {
		p.svgCrosses(v, set, radius)
		return
	}
	p.stampAll(set, crossStamp(radius), radius, palette.failed)
}

func (p *plot) svgCrosses(v *vector, set *pixels, radius float64) {
	fmt.Fprintf(&v.b, `<path transform="translate(%d.5 %d.5)" fill="none"`, p.box.Left, p.box.Top)
	v.paint("stroke", palette.failed)
	fmt.Fprintf(&v.b, ` stroke-width="%s" d="`, decimal(math.Max(1.5, 0.56*radius)))
	r := decimal(radius)
	d := decimal(2 * radius)
	set.each(func(x, y int) {
		fmt.Fprintf(&v.b, "M%d %dm-%s -%sl%s %sm-%s 0l%s -%s", x, y, r, r, d, d, d, d, d)
	})
	v.b.WriteString("\"/>\n")
}

func (p *plot) failedShare(c *stats.Columns, ends []int64, radius float64) {
	w, h := p.size()
	ended, bad := make([]uint32, w*h), make([]uint32, w*h)
	p.locate(ends, func(task, at int) {
		ended[at]++
		if failed(c.State[task]) {
			bad[at]++
		}
	})
	st := dotStamp(radius)
	m := newMask(w+2*st.r, h+2*st.r)
	for at, n := range bad {
		if n > 0 {
			share := math.Max(0.25, math.Sqrt(float64(n)/float64(ended[at])))
			m.stamp(st, at%w, at/w, uint32(255*share))
		}
	}
	p.mask(m, st.r, palette.failed)
}

// stamp is the coverage of a marker by pixels, r of them to each side of its middle.
type stamp struct {
	r   int
	cov []uint8
}

// newStamp measures the coverage of the shape for which in holds.
func newStamp(reach float64, in func(x, y float64) bool) stamp {
	const sub = 16 // samples per pixel and direction
	r := max(0, int(math.Ceil(reach-0.5)))
	n := 2*r + 1
	s := stamp{r, make([]uint8, n*n)}
	for at := range s.cov {
		hits := 0
		for k := range sub * sub {
			x := float64(at%n-r) + (float64(k%sub)+0.5)/sub - 0.5
			y := float64(at/n-r) + (float64(k/sub)+0.5)/sub - 0.5
			if in(x, y) {
				hits++
			}
		}
		s.cov[at] = uint8(hits * 255 / (sub * sub))
	}
	return s
}

func dotStamp(radius float64) stamp {
	if radius <= 0.5 {
		return stamp{0, []uint8{255}}
	}
	return newStamp(radius, func(x, y float64) bool { return x*x+y*y <= radius*radius })
}

func crossStamp(radius float64) stamp {
	half := math.Max(0.75, radius*0.28) * math.Sqrt2
	return newStamp(radius+0.5, func(x, y float64) bool {
		return math.Abs(x) <= radius && math.Abs(y) <= radius && (math.Abs(x-y) <= half || math.Abs(x+y) <= half)
	})
}

// stamp puts s on a mask that has a margin of s.r, with a strength of up to
// 255; the greater coverage stays.
func (m *mask) stamp(s stamp, x, y int, strength uint32) {
	n := 2*s.r + 1
	for j := range n {
		row := m.pix[(y+j)*m.w+x : (y+j)*m.w+x+n]
		for i, c := range s.cov[j*n : j*n+n] {
			row[i] = max(row[i], uint8(uint32(c)*strength/255))
		}
	}
}
