package chart

import (
	"iter"
	"math"

	"github.com/wcharczuk/go-chart/v2/drawing"
)

// bar is a stretch of pixels in a row of the left axis.
type bar struct {
	row    int
	x0, x1 float64 // as plot.atX
	paint  int     // which of the paints
}

// paint is how bars of one meaning look.
type paint struct {
	color drawing.Color
	floor float64 // the least strength at which a touched pixel is shown
	loud  bool    // each bar is to be seen: thick enough, and on top of the others
	rare  bool    // stronger than its share of a pixel, so as not to be lost
}

// failedPaint is red: for few failed tasks each is to be seen, for many red is
// as strong as their share.
func failedPaint(n int) paint {
	return paint{color: palette.failed, floor: 1, loud: n <= fewFailed, rare: n > fewFailed}
}

// rows is how the rows of the left axis lie in pixels.
type rows struct {
	bottom, pitch, thick float64
	crisp                bool // there is room for space between bars
}

// newRows makes bars fill the given share of a row, up to most pixels, and all
// of it where the rows are too narrow for space between them.
func (p *plot) newRows(share, most float64) rows {
	r := rows{bottom: p.atY(0), pitch: p.y.scale()}
	r.thick, r.crisp = r.pitch, r.pitch >= 3
	if r.crisp {
		r.thick = math.Round(math.Max(1, math.Min(most*p.s, r.pitch*share)))
	}
	return r
}

// span is where a bar of the row begins and ends.
func (r rows) span(row int, thick float64) (y0, y1 float64) {
	y0 = r.bottom - float64(row)*r.pitch - thick/2
	if r.crisp {
		y0 = math.Round(y0)
	}
	return y0, y0 + thick
}

// bars draws bars. Each pixel gets its exact share of every paint, so that
// nothing depends on the order of tasks, and a million bars cost little more
// than the picture's own pixels.
func (p *plot) bars(r rows, paints []paint, each iter.Seq[bar]) {
	if _, ok := p.svg(); ok && r.crisp {
		p.svgBars(r, paints, each)
		return
	}
	p.pixelBars(r, paints, each)
}

func (p *plot) pixelBars(r rows, paints []paint, each iter.Seq[bar]) {
	w, h := p.size()
	all := make([]*sums, len(paints))
	for b := range each {
		if all[b.paint] == nil {
			all[b.paint] = newSums(w, h)
		}
		thick := r.thick
		if paints[b.paint].loud {
			thick = math.Max(thick, 1.5)
		}
		y0, y1 := r.span(b.row, thick)
		all[b.paint].add(b.x0, b.x1, y0, y1)
	}
	for k, m := range resolve(all, paints) {
		if m != nil {
			p.mask(m, 0, paints[k].color)
		}
	}
}

// svgBars writes every bar as a rectangle, unless there are too many.
func (p *plot) svgBars(r rows, paints []paint, each iter.Seq[bar]) {
	shapes := make([][]rect, len(paints))
	count := 0
	for b := range each {
		y0, y1 := r.span(b.row, r.thick)
		shapes[b.paint] = append(shapes[b.paint], rect{b.x0, y0, b.x1, y1})
		if count++; count > manyBars {
			p.pixelBars(r, paints, each)
			return
		}
	}
	for k := range shapes {
		p.fill(paints[k].color, shapes[k])
	}
}

// manyBars are written to SVG as pixels, fewer as rectangles.
const manyBars = 6000

// widen makes a stretch at least as wide as given, about its middle.
func widen(x0, x1, least float64) (float64, float64) {
	if x1-x0 < least {
		mid := (x0 + x1) / 2
		return mid - least/2, mid + least/2
	}
	return x0, x1
}

// sums adds up bars in constant time each: for every row of pixels it keeps the
// differences of coverage along x.
type sums struct {
	w, h int
	d    []float32
}

func newSums(w, h int) *sums { return &sums{w, h, make([]float32, (w+2)*h)} }

func (s *sums) add(x0, x1, y0, y1 float64) {
	x0, x1 = math.Max(x0, 0), math.Min(x1, float64(s.w))
	y0, y1 = math.Max(y0, 0), math.Min(y1, float64(s.h))
	if x0 >= x1 {
		return
	}
	a, b := int(x0), int(x1)
	fa, fb := float32(x0-float64(a)), float32(x1-float64(b))
	for y := int(y0); float64(y) < y1; y++ {
		c := float32(math.Min(y1, float64(y+1)) - math.Max(y0, float64(y)))
		row := s.d[y*(s.w+2) : (y+1)*(s.w+2)]
		row[a] += c * (1 - fa)
		row[a+1] += c * fa
		row[b] -= c * (1 - fb)
		row[b+1] -= c * fb
	}
}

// resolve turns sums into masks that give the right shares when they are
// painted one over the other in order. Loud paints keep all of theirs.
func resolve(all []*sums, paints []paint) []*mask {
	masks := make([]*mask, len(all))
	for k, s := range all {
		if s != nil {
			masks[k] = newMask(s.w, s.h)
		}
	}
	acc, cov := make([]float32, len(all)), make([]float32, len(all))
	for _, any := range masks {
		if any == nil {
			continue
		}
		for y := range any.h {
			clear(acc)
			for x := range any.w {
				for k, s := range all {
					if s != nil {
						acc[k] += s.d[y*(s.w+2)+x]
						cov[k] = acc[k]
					}
				}
				shares(cov, paints)
				for k, m := range masks {
					if m != nil && cov[k] > 0 {
						m.pix[y*m.w+x] = uint8(cov[k]*255 + 0.5)
					}
				}
			}
		}
		break
	}
	return masks
}

// shares changes the coverage by each paint into the opacity it is painted with.
func shares(cov []float32, paints []paint) {
	const least = 1e-5 // below is what remains of rounding
	total, floor, rare := float32(0), 0.0, -1
	for k, p := range paints {
		switch {
		case cov[k] < least:
			cov[k] = 0
		case p.loud:
			cov[k] = lift(cov[k], p.floor)
		case p.rare:
			rare = k
			total += cov[k]
		default:
			total += cov[k]
			floor = max(floor, p.floor)
		}
	}
	if total == 0 {
		return
	}
	if rare >= 0 {
		emphasise(cov, paints, rare, total)
	}
	scale := lift(total, floor) / total
	rest := float32(1)
	for k := len(cov) - 1; k >= 0; k-- {
		if cov[k] == 0 || paints[k].loud {
			continue
		}
		share := cov[k] * scale
		cov[k] = 1
		if share < rest {
			cov[k] = share / rest
		}
		rest = max(0, rest-share)
	}
}

// emphasise raises the share of the rare paint to its root, at the cost of the others.
func emphasise(cov []float32, paints []paint, rare int, total float32) {
	share := cov[rare] / total
	if share >= 1 {
		return
	}
	raised := max(0.25, float32(math.Sqrt(float64(share))))
	for k := range cov {
		if !paints[k].loud {
			cov[k] *= (1 - raised) / (1 - share)
		}
	}
	cov[rare] = raised * total
}

// lift puts a coverage between floor and 1.
func lift(cov float32, floor float64) float32 {
	return float32(floor) + (1-float32(floor))*min(cov, 1)
}
