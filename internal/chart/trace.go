package chart

import (
	"math"
	"slices"
	"strings"

	"github.com/wcharczuk/go-chart/v2/drawing"
)

// trace is the line of running tasks as it is drawn, by column of pixels: the
// exact level, or where it moves faster than pixels can show an average, with a
// band from the least to the most.
type trace struct {
	level    []float64
	min, max []float64 // of the band
	band     bool      // there is one to be seen
}

// newTrace looks radius columns to either side where it averages. A band that is
// nowhere as wide as visible is dropped.
func newTrace(c *curve, radius int, visible float64) *trace {
	n := len(c.level)
	t := &trace{make([]float64, n), make([]float64, n), make([]float64, n), false}
	for k, v := range c.level {
		t.level[k] = float64(v)
	}
	copy(t.min, t.level)
	copy(t.max, t.level)
	lively, count, turns := c.lively()
	switch first, last := c.active(); {
	case turns*20 > last-first || c.hidden(first, last):
		for _, s := range stretches(lively, 2*radius) {
			t.average(c, s[0], s[1], radius)
		}
	case count > 8: // fewer can be drawn as they are
		t.settle(c, first, last, radius)
	}
	for k := range t.level {
		t.band = t.band || t.max[k]-t.min[k] >= visible
	}
	return t
}

// average draws the mean over the neighbourhood, in columns first to last.
// Drawn as they are, the steps would make a blot of the line.
func (t *trace) average(c *curve, first, last, radius int) {
	level, lo, hi := t.level[first:last], t.min[first:last], t.max[first:last]
	smooth(level, c.mean[first:last], radius)
	smooth(level, slices.Clone(level), radius) // twice, for no corners
	for k := range level {
		lo[k], hi[k] = float64(c.min[first+k]), float64(c.max[first+k])
	}
	envelope(lo, radius, math.Min)
	envelope(hi, radius, math.Max)
	for k, v := range level {
		lo[k], hi[k] = math.Min(lo[k], v), math.Max(hi[k], v)
	}
}

// settle moves what lasts for less than three columns from the line to the band.
func (t *trace) settle(c *curve, first, last, radius int) {
	n := last - first
	below, above := make([]float64, n), make([]float64, n)
	for k := first; k < last; k++ {
		near := [5]int32{}
		for j := range near {
			near[j] = c.level[max(first, min(last-1, k+j-2))]
		}
		slices.Sort(near[:])
		t.level[k] = float64(near[2])
	}
	for k := range n {
		lo, hi := t.level[first+k], t.level[first+k]
		for _, v := range t.level[first+max(0, k-2) : first+min(n, k+3)] {
			lo, hi = math.Min(lo, v), math.Max(hi, v)
		}
		below[k] = math.Max(0, lo-float64(c.min[first+k]))
		above[k] = math.Max(0, float64(c.max[first+k])-hi)
	}
	envelope(below, radius, math.Max)
	envelope(above, radius, math.Max)
	for k := range n {
		v := t.level[first+k]
		// next to a step the band must not show what never was
		from, to := first+max(0, k-radius), first+min(n, k+radius+1)
		t.min[first+k] = math.Min(v, math.Max(v-below[k], float64(slices.Min(c.min[from:to]))))
		t.max[first+k] = math.Max(v, math.Min(v+above[k], float64(slices.Max(c.max[from:to]))))
	}
}

// lively marks the columns in which the count does more than step from the
// level before to the level after, and those where it turns, and counts both.
func (c *curve) lively() (marks []bool, count, turns int) {
	marks = make([]bool, len(c.level))
	dir := int32(0)
	for k := 1; k < len(marks); k++ {
		prev, next := c.level[k-1], c.level[min(k+1, len(marks)-1)]
		step := c.level[k] - prev
		turn := step != 0 && dir != 0 && (step > 0) != (dir > 0)
		if step != 0 {
			dir = step
		}
		lo, hi := min(prev, c.level[k], next), max(prev, c.level[k], next)
		if marks[k] = turn || c.min[k] < lo || c.max[k] > hi; marks[k] {
			count++
		}
		if turn {
			turns++
		}
	}
	return marks, count, turns
}

// hidden says that the level is far from the mean all over: calls are so short that
// none runs for half of a column's time.
func (c *curve) hidden(first, last int) bool {
	off, most := 0.0, 0.0
	for k := first; k < last; k++ {
		off += math.Abs(c.mean[k] - float64(c.level[k]))
		most += float64(c.max[k])
	}
	return off*25 > most
}

// active is the range of columns from the first to the last with a running task.
func (c *curve) active() (first, last int) {
	last = len(c.max)
	for last > 0 && c.max[last-1] == 0 {
		last--
	}
	for first < last && c.max[first] == 0 {
		first++
	}
	return first, last
}

// stretches are the ranges from mark to mark with no gap longer than gap.
func stretches(marks []bool, gap int) [][2]int {
	var out [][2]int
	for k, m := range marks {
		if !m {
			continue
		}
		if last := len(out) - 1; last >= 0 && k-out[last][1] <= gap {
			out[last][1] = k + 1
		} else {
			out = append(out, [2]int{k, k + 1})
		}
	}
	return out
}

// smooth sets out to the mean of in over radius columns to each side, and over
// fewer towards the ends, so that it meets what lies beyond them.
func smooth(out, in []float64, radius int) {
	for k := range in {
		r := min(radius, k, len(in)-1-k)
		sum := 0.0
		for _, v := range in[k-r : k+r+1] {
			sum += v
		}
		out[k] = sum / float64(2*r+1)
	}
}

// envelope replaces v by a smooth curve that v does not cross: the extreme of
// the neighbourhood, averaged over it.
func envelope(v []float64, radius int, extreme func(a, b float64) float64) {
	wide := slices.Clone(v)
	for k := range v {
		for _, x := range v[max(0, k-radius):min(len(v), k+radius+1)] {
			wide[k] = extreme(wide[k], x)
		}
	}
	smooth(v, wide, radius)
}

const bandAlpha = 64

// trace draws t.
func (p *plot) trace(t *trace, c drawing.Color) {
	if v, ok := p.svg(); ok {
		p.svgTrace(v, t, c)
		return
	}
	w, h := p.size()
	width := 2 * p.s
	core, halo, band := newMask(w, h), newMask(w, h), newMask(w, h)
	half, glow := width/2, width/2+1.5*p.s
	prev := p.atY(0)
	for k, v := range t.level {
		x, y := float64(k), p.atY(v)
		top, bottom := math.Min(y, prev), math.Max(y, prev)
		core.rect(x, y-half, x+1, y+half)
		halo.rect(x, y-glow, x+1, y+glow)
		core.rect(x-half, top-half, x+half, bottom+half)
		halo.rect(x-glow, top-glow, x+glow, bottom+glow)
		if t.band {
			band.rect(x, p.atY(t.max[k]), x+1, p.atY(t.min[k]))
		}
		prev = y
	}
	p.mask(band, 0, c.WithAlpha(bandAlpha))
	p.mask(halo, 0, drawing.ColorWhite.WithAlpha(200))
	p.mask(core, 0, c)
}

func (p *plot) svgTrace(v *vector, t *trace, c drawing.Color) {
	if t.band {
		var d strings.Builder
		for k := range t.level {
			d.WriteString("ML"[min(k, 1):][:1] + decimal(float64(k)+0.5) + " " + decimal(p.atY(t.max[k])))
		}
		for k := len(t.level) - 1; k >= 0; k-- {
			d.WriteString("L" + decimal(float64(k)+0.5) + " " + decimal(p.atY(t.min[k])))
		}
		v.open(p.box.Left, p.box.Top, 0, 1)
		v.paint("fill", c.WithAlpha(bandAlpha))
		v.b.WriteString(` d="` + d.String() + "z\"/>\n")
	}
	var d strings.Builder
	prev := p.atY(0)
	d.WriteString("M0 " + decimal(prev))
	for k, level := range t.level {
		if y := p.atY(level); y != prev {
			d.WriteString("H" + decimal(float64(k)) + "V" + decimal(y))
			prev = y
		}
	}
	d.WriteString("H" + decimal(float64(len(t.level))))
	for _, pen := range []struct {
		c drawing.Color
		w float64
	}{{drawing.ColorWhite.WithAlpha(200), 5 * p.s}, {c, 2 * p.s}} {
		v.open(p.box.Left, p.box.Top, 0, 1)
		v.paint("stroke", pen.c)
		v.b.WriteString(` fill="none" stroke-linejoin="round" stroke-width="` + decimal(pen.w) + `" d="` + d.String() + "\"/>\n")
	}
}
