package chart

import (
	"io"
	"math"
	"sync"

	"github.com/wcharczuk/go-chart/v2"
	"github.com/wcharczuk/go-chart/v2/drawing"

	"github.com/lithops-go/lithops/internal/stats"
)

// font is Roboto Medium. go-chart makes it on first use without regard to other
// goroutines.
var font = sync.OnceValues(chart.GetDefaultFont)

// figure is a picture before it is drawn.
type figure struct {
	c *stats.Columns
	o Options
	s float64 // size of letters and markers relative to the standard picture
	t *typeset

	title string   // of which the job's id is the end
	facts []string // the most important ones first
	keys  []key
	note  string // stands in the middle of a picture without data

	x, left, right          *axis // right: nil if there is none
	xTitle, yTitle, y2Title string
	y2Color                 drawing.Color
	layers                  []layer
	reduce                  *[2]int64 // when the reduce ran, if it is marked
	resumed                 bool      // the beginnings of further runs are marked
	box                     chart.Box // of the data; known once drawn
}

// layer draws a part of the data.
type layer struct {
	right bool // by the right axis
	draw  func(p *plot)
}

// blank is a figure of c without content.
func blank(c *stats.Columns, o Options) (*figure, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	f := &figure{c: c, o: o.withDefaults()}
	f.s = f.o.scale()
	var err error
	f.t, err = newTypeset(f.s)
	return f, err
}

// xTicks is how many ticks fit below the picture.
func (f *figure) xTicks() int { return max(2, int(float64(f.o.Width)/(95*f.s))) }

// yTicks is how many ticks fit beside the picture.
func (f *figure) yTicks() int { return max(2, int((float64(f.o.Height)-150*f.s)/(47*f.s))) }

// timeX makes the x axis one of time since job creation, from lo to hi; a
// second if there is no stamp, lo > hi.
func (f *figure) timeX(lo, hi int64) {
	if lo > hi {
		lo, hi = 0, 1e9
	}
	x0, x1 := span(lo, hi)
	var unit string
	f.x, unit = timeAxis(x0, x1, f.xTicks(), x1-x0)
	f.xTitle = "time since job creation (" + unit + ")"
}

// taskRows makes the left axis one of tasks.
func (f *figure) taskRows() {
	f.left, f.yTitle = rowAxis(f.c.Len(), f.yTicks()), "task"
}

// empty leaves nothing in the figure but its title, axes and a note why.
func (f *figure) empty(note string) {
	f.note, f.keys, f.layers, f.right, f.y2Title = note, nil, nil, nil, ""
}

// px is a length in pixels that grows with the picture.
func (f *figure) px(v float64) int { return int(math.Round(v * f.s)) }

// line is the width of a line that is one pixel wide in the standard picture.
func (f *figure) line() float64 { return math.Max(1, math.Round(f.s)) }

func (f *figure) render(w io.Writer) error {
	provider := newRaster
	if f.o.SVG {
		provider = newVector
	}
	return f.chart().Render(provider, w)
}

func (f *figure) chart() chart.Chart {
	tick := chart.Style{Font: f.t.font, FontColor: palette.ink, FontSize: 9, StrokeColor: palette.frame, StrokeWidth: f.line()}
	grid := chart.Style{StrokeColor: palette.grid, StrokeWidth: f.line()}
	right := 24
	// go-chart's primary y axis is the one on the right
	primary := chart.YAxis{Range: &axis{min: 0, max: 1}, Style: chart.Hidden()}
	if f.right != nil {
		right = 34
		style := tick
		style.FontColor = f.y2Color
		primary = chart.YAxis{Range: f.right, Style: style, TickStyle: style, GridMajorStyle: chart.Hidden(), GridMinorStyle: chart.Hidden()}
	}
	top := f.px(92) + (f.legendRows()-1)*f.px(22)
	if f.reduce != nil {
		top += f.px(reduceHead)
	}
	if f.labelled() {
		top += f.px(resumedHead)
	}
	pad := chart.Box{Top: top, Left: f.px(34), Right: f.px(float64(right)), Bottom: f.px(34), IsSet: true}
	c := chart.Chart{
		Width: f.o.Width, Height: f.o.Height, DPI: f.t.dpi, Font: f.t.font,
		Background:     chart.Style{Padding: pad, FillColor: drawing.ColorWhite},
		Canvas:         chart.Style{FillColor: drawing.ColorWhite},
		XAxis:          chart.XAxis{Range: f.x, Style: tick, TickStyle: tick, GridLines: f.x.grid(), GridMajorStyle: grid},
		YAxis:          primary,
		YAxisSecondary: chart.YAxis{Range: f.left, Style: tick, TickStyle: tick, GridLines: f.left.grid(), GridMajorStyle: grid},
		Series:         []chart.Series{series{f: f, layer: layer{draw: func(p *plot) { f.box = p.box }}}},
	}
	for _, l := range f.layers {
		c.Series = append(c.Series, series{f, l})
	}
	c.Elements = []chart.Renderable{func(r chart.Renderer, box chart.Box, _ chart.Style) { f.decorate(r, box) }}
	return c
}

// series makes a layer a chart.Series. It is no ValuesProvider, so go-chart
// does not walk the data to find ranges.
type series struct {
	f *figure
	layer
}

var _ chart.Series = series{}

func (s series) GetName() string       { return "" }
func (s series) GetStyle() chart.Style { return chart.Style{} }
func (s series) Validate() error       { return nil }

func (s series) GetYAxis() chart.YAxisType {
	if s.right {
		return chart.YAxisPrimary
	}
	return chart.YAxisSecondary
}

func (s series) Render(r chart.Renderer, box chart.Box, x, y chart.Range, _ chart.Style) {
	s.draw(&plot{r: r, box: box, x: x.(*axis), y: y.(*axis), s: s.f.s})
}
