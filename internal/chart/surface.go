package chart

import (
	"image"
	"image/draw"
	"image/png"
	"io"
	"math"
	"strings"

	"github.com/wcharczuk/go-chart/v2"
	"github.com/wcharczuk/go-chart/v2/drawing"
)

// raster is go-chart's PNG renderer with its pixels within reach of the layers.
// It draws straight lines itself: go-chart puts them between two rows of
// pixels, where a hairline becomes a blur. And it fills rectangles itself, which is faster.
type raster struct {
	chart.Renderer
	img   *image.RGBA
	line  []image.Point // the path's points so far
	style chart.Style
	fill  drawing.Color
}

func newRaster(w, h int) (chart.Renderer, error) {
	r, err := chart.PNG(w, h)
	if err != nil {
		return nil, err
	}
	s := &raster{Renderer: r}
	return s, r.Save(catcher{&s.img})
}

// catcher is a chart.RGBACollector: go-chart hands its private image to it, at
// any time, in place of encoding it.
type catcher struct{ img **image.RGBA }

func (c catcher) SetRGBA(i *image.RGBA)       { *c.img = i }
func (c catcher) Write(p []byte) (int, error) { return len(p), nil }

// MeasureText gives labels a common height, see level.
func (s *raster) MeasureText(body string) chart.Box { return level(s.Renderer, body) }

// level measures body as if no letter went below the line. go-chart places a tick's
// label by its height, and "1 µs" would stand lower than "1 ms".
func level(r chart.Renderer, body string) chart.Box {
	box := r.MeasureText(body)
	if strings.Contains(body, "µ") {
		plain := r.MeasureText(strings.ReplaceAll(body, "µ", "u"))
		box.Top, box.Bottom = plain.Top, plain.Bottom
	}
	return box
}

// Save encodes the picture.
func (s *raster) Save(w io.Writer) error { return png.Encode(w, s.img) }

func (s *raster) SetFillColor(c drawing.Color) {
	s.fill = c
	s.Renderer.SetFillColor(c)
}

func (s *raster) SetStrokeColor(c drawing.Color) {
	s.style.StrokeColor = c
	s.Renderer.SetStrokeColor(c)
}

func (s *raster) SetStrokeWidth(w float64) {
	s.style.StrokeWidth = w
	s.Renderer.SetStrokeWidth(w)
}

func (s *raster) SetStrokeDashArray(dash []float64) {
	s.style.StrokeDashArray = dash
	s.Renderer.SetStrokeDashArray(dash)
}

func (s *raster) ResetStyle() {
	s.style, s.fill = chart.Style{}, drawing.Color{}
	s.Renderer.ResetStyle()
}

func (s *raster) MoveTo(x, y int) {
	s.line = append(s.line, image.Pt(x, y))
	s.Renderer.MoveTo(x, y)
}

func (s *raster) LineTo(x, y int) {
	s.line = append(s.line, image.Pt(x, y))
	s.Renderer.LineTo(x, y)
}

func (s *raster) Fill() {
	s.line = s.line[:0]
	s.Renderer.Fill()
}

func (s *raster) FillStroke() {
	box, ok := rectangle(s.line)
	s.line = s.line[:0]
	if !ok || s.fill.A != 255 {
		s.Renderer.FillStroke()
		return
	}
	draw.Draw(s.img, box, image.NewUniform(s.fill), image.Point{}, draw.Src)
	s.Renderer.Stroke()
}

// rectangle is the one that a path goes round, if it does.
func rectangle(path []image.Point) (image.Rectangle, bool) {
	if len(path) != 5 || path[4] != path[0] || path[0].Y != path[1].Y || path[1].X != path[2].X || path[2].Y != path[3].Y || path[3].X != path[0].X {
		return image.Rectangle{}, false
	}
	return image.Rectangle{path[0], path[2]}.Canon(), true
}

func (s *raster) Stroke() {
	c, w := s.style.StrokeColor, math.Round(s.style.StrokeWidth)
	straight := len(s.line) == 2 && (s.line[0].X == s.line[1].X || s.line[0].Y == s.line[1].Y)
	if !straight || len(s.style.StrokeDashArray) > 0 || c.A != 255 || w != s.style.StrokeWidth {
		s.line = s.line[:0]
		s.Renderer.Stroke()
		return
	}
	// the path itself is stroked without a trace, which clears it
	s.Renderer.SetStrokeColor(drawing.ColorTransparent)
	s.Renderer.Stroke()
	s.Renderer.SetStrokeColor(c)
	line := image.Rectangle{s.line[0], s.line[1]}.Canon()
	before, after := int(w)/2, int(w)-int(w)/2
	if line.Dx() == 0 {
		line.Min.X, line.Max.X, line.Max.Y = line.Min.X-before, line.Min.X+after, line.Max.Y+1
	} else {
		line.Min.Y, line.Max.Y, line.Max.X = line.Min.Y-before, line.Min.Y+after, line.Max.X+1
	}
	draw.Draw(s.img, line, image.NewUniform(c), image.Point{}, draw.Src)
	s.line = s.line[:0]
}
