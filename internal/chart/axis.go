package chart

import (
	"fmt"
	"math"
	"strconv"

	"github.com/wcharczuk/go-chart/v2"
)

// axis is a chart.Range that go-chart cannot change (SetMin and SetMax do
// nothing), that rounds to the nearest pixel (go-chart's own always rounds up)
// and that brings its ticks along: Ticks on a go-chart axis override its range,
// and on the secondary one they are broken.
type axis struct {
	min, max float64 // min < max; nanoseconds on a time axis
	domain   int     // pixels from min to max
	ticks    []chart.Tick
}

var (
	_ chart.Range         = (*axis)(nil)
	_ chart.TicksProvider = (*axis)(nil)
)

func (a *axis) String() string     { return fmt.Sprintf("[%g,%g]", a.min, a.max) }
func (a *axis) IsZero() bool       { return false }
func (a *axis) GetMin() float64    { return a.min }
func (a *axis) SetMin(float64)     {}
func (a *axis) GetMax() float64    { return a.max }
func (a *axis) SetMax(float64)     {}
func (a *axis) GetDelta() float64  { return a.max - a.min }
func (a *axis) GetDomain() int     { return a.domain }
func (a *axis) SetDomain(d int)    { a.domain = d }
func (a *axis) IsDescending() bool { return false }

// scale is in pixels per unit.
func (a *axis) scale() float64 { return float64(a.domain) / (a.max - a.min) }

// Translate is the pixel of v, counted from that of min.
func (a *axis) Translate(v float64) int { return int(math.Round((v - a.min) * a.scale())) }

// GetTicks returns the axis's own ticks.
func (a *axis) GetTicks(chart.Renderer, chart.Style, chart.ValueFormatter) []chart.Tick {
	return a.ticks
}

// grid has a line for every tick; go-chart's own leaves out the first and last.
func (a *axis) grid() []chart.GridLine {
	var lines []chart.GridLine
	for _, t := range a.ticks {
		lines = append(lines, chart.GridLine{Value: t.Value})
	}
	return lines
}

// unit is a unit of a time axis.
type unit struct {
	name  string
	ns    float64
	steps []float64 // of ticks; nil, or beyond the last: 1, 2, 5 times a power of ten
}

func unitFor(span float64) unit {
	switch {
	case span < 1e3:
		return unit{"nanoseconds", 1, nil}
	case span < 1e6:
		return unit{"microseconds", 1e3, nil}
	case span < 1e9:
		return unit{"milliseconds", 1e6, nil}
	case span < 240e9:
		return unit{"seconds", 1e9, nil}
	case span < 4*3600e9:
		return unit{"minutes", 60e9, []float64{1, 2, 5, 10, 15, 30, 60, 120}}
	case span < 4*86400e9:
		return unit{"hours", 3600e9, []float64{0.5, 1, 2, 3, 4, 6, 12, 24, 48}}
	}
	return unit{"days", 86400e9, nil}
}

// niceStep is the least round step of which at most target fit into span.
func niceStep(span float64, target int, steps []float64) float64 {
	raw := span / float64(target) * 0.999
	for _, s := range steps {
		if s >= raw {
			return s
		}
	}
	e := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if m*e >= raw {
			return m * e
		}
	}
	return 10 * e
}

// timeAxis covers lo to hi nanoseconds with about target ticks in the unit that
// suits top, the greatest time that counts.
func timeAxis(lo, hi float64, target int, top float64) (*axis, string) {
	u := unitFor(top)
	step := niceStep((hi-lo)/u.ns, target, u.steps)
	dec := 0
	if step < 1 {
		dec = int(math.Ceil(-math.Log10(step) - 1e-9))
	}
	a := &axis{min: lo, max: hi}
	for k := math.Ceil(lo/u.ns/step - 1e-9); k*step*u.ns <= hi*(1+1e-12); k++ {
		// + 0: no minus sign on a zero
		a.ticks = append(a.ticks, chart.Tick{Value: k * step * u.ns, Label: strconv.FormatFloat(k*step+0, 'f', dec, 64)})
	}
	return a, u.name
}

// logAxis covers 10^lo to 10^hi nanoseconds; a value's place on it is its logarithm.
// There is a tick at each power of ten of seconds or less, at round times above, or
// at some of them only, so that there are at most target.
func logAxis(lo, hi float64, target int) *axis {
	a := &axis{min: lo, max: hi}
	add := func(ns float64, label string) {
		if at := math.Log10(ns); at >= lo && at <= hi {
			a.ticks = append(a.ticks, chart.Tick{Value: at, Label: label})
		}
	}
	for _, u := range []struct {
		ns    float64
		name  string
		steps []float64
	}{{1, "ns", []float64{1, 10, 100}}, {1e3, "µs", []float64{1, 10, 100}}, {1e6, "ms", []float64{1, 10, 100}}, {1e9, "s", []float64{1, 10}},
		{60e9, "min", []float64{1, 10}}, {3600e9, "h", []float64{1, 10}}, {86400e9, "d", []float64{4, 40, 400, 4000}}} {
		for _, step := range u.steps {
			add(step*u.ns, strconv.FormatFloat(step, 'f', -1, 64)+" "+u.name)
		}
	}
	if every := (len(a.ticks) + target - 1) / target; every > 1 {
		kept := a.ticks[:0]
		for i := 0; i < len(a.ticks); i += every {
			kept = append(kept, a.ticks[i])
		}
		a.ticks = kept
	}
	return a
}

// countAxis covers lo to hi with at most about target ticks, all of them whole
// and none below zero.
func countAxis(lo, hi float64, target int) *axis {
	step := math.Max(1, niceStep(hi-lo, target, nil))
	a := &axis{min: lo, max: hi}
	for k := math.Ceil(math.Max(lo, 0) / step); k*step <= hi; k++ {
		a.ticks = append(a.ticks, chart.Tick{Value: k * step, Label: tickLabel(k*step, step)})
	}
	return a
}

// rowAxis has one row for each of n tasks or lanes, with a little air.
func rowAxis(n, target int) *axis {
	air := math.Max(0.5, 0.012*float64(n))
	return countAxis(-air, float64(max(n, 1)-1)+air, target)
}
