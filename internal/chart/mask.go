package chart

import (
	"image"
	"math"

	"github.com/wcharczuk/go-chart/v2/drawing"
)

// mask is how much of each pixel is covered, 0 to 255.
type mask struct {
	w, h int
	pix  []uint8
}

func newMask(w, h int) *mask { return &mask{w, h, make([]uint8, w*h)} }

// rect covers a rectangle, with part of a pixel at its edges. Where something
// is covered already, the greater coverage stays.
func (m *mask) rect(x0, y0, x1, y1 float64) {
	x0, x1 = math.Max(x0, 0), math.Min(x1, float64(m.w))
	y0, y1 = math.Max(y0, 0), math.Min(y1, float64(m.h))
	if x0 >= x1 {
		return
	}
	for y := int(y0); float64(y) < y1; y++ {
		cy := math.Min(y1, float64(y+1)) - math.Max(y0, float64(y))
		row := m.pix[y*m.w : (y+1)*m.w]
		for x := int(x0); float64(x) < x1; x++ {
			cx := math.Min(x1, float64(x+1)) - math.Max(x0, float64(x))
			row[x] = max(row[x], uint8(cx*cy*255+0.5))
		}
	}
}

// blend paints colour c over img where the mask covers it, its corner at left, top.
func (m *mask) blend(img *image.RGBA, left, top int, c drawing.Color) {
	b := img.Rect
	x0, x1 := max(0, b.Min.X-left), min(m.w, b.Max.X-left)
	y0, y1 := max(0, b.Min.Y-top), min(m.h, b.Max.Y-top)
	for y := y0; y < y1; y++ {
		row := m.pix[y*m.w : (y+1)*m.w]
		o := img.PixOffset(left+x0, top+y)
		for x := x0; x < x1; x++ {
			if row[x] != 0 {
				over(img.Pix[o:o+4:o+4], c, uint32(row[x]))
			}
			o += 4
		}
	}
}

// over paints colour c with coverage cov (0 to 255) and opacity c.A over an
// opaque pixel.
func over(p []uint8, c drawing.Color, cov uint32) {
	a := cov * uint32(c.A) // 0 to 65025
	ia := 65025 - a
	p[0] = uint8((uint32(p[0])*ia + uint32(c.R)*a + 32512) / 65025)
	p[1] = uint8((uint32(p[1])*ia + uint32(c.G)*a + 32512) / 65025)
	p[2] = uint8((uint32(p[2])*ia + uint32(c.B)*a + 32512) / 65025)
	p[3] = 255
}

// halve is the mask at half the size: the mean of each square of four pixels.
func (m *mask) halve() *mask {
	out := newMask((m.w+1)/2, (m.h+1)/2)
	for y := range out.h {
		for x := range out.w {
			sum := 0
			for _, p := range [4][2]int{{2 * x, 2 * y}, {2*x + 1, 2 * y}, {2 * x, 2*y + 1}, {2*x + 1, 2*y + 1}} {
				if p[0] < m.w && p[1] < m.h {
					sum += int(m.pix[p[1]*m.w+p[0]])
				}
			}
			out.pix[y*out.w+x] = uint8((sum + 3) / 4)
		}
	}
	return out
}

// runs calls f for every stretch of equal coverage in a row, in steps of
// 1/levels; a covered pixel is at least one step.
func (m *mask) runs(levels int, f func(level, x, y, n int)) {
	var step [256]int
	for v := 1; v < len(step); v++ {
		step[v] = max(1, (v*levels+127)/255)
	}
	for y := range m.h {
		row := m.pix[y*m.w : (y+1)*m.w]
		for x := 0; x < m.w; {
			x0, level := x, step[row[x]]
			for x < m.w && step[row[x]] == level {
				x++
			}
			if level > 0 {
				f(level, x0, y, x-x0)
			}
		}
	}
}
