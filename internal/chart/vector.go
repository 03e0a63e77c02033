package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/golang/freetype/truetype"
	"github.com/wcharczuk/go-chart/v2"
	"github.com/wcharczuk/go-chart/v2/drawing"
)

// vector writes SVG. go-chart's own SVG renderer does not escape text, knows
// whole pixels only and repeats its style for every dot. Text is measured by a
// renderer for PNG, so that both formats have the same layout.
type vector struct {
	chart.Renderer // of a single pixel, to measure text
	b              bytes.Buffer
	path           bytes.Buffer
	style          chart.Style
	turn           float64 // of text, in radians
}

var _ chart.Renderer = (*vector)(nil)

func newVector(w, h int) (chart.Renderer, error) {
	r, err := chart.PNG(1, 1)
	if err != nil {
		return nil, err
	}
	v := &vector{Renderer: r}
	fmt.Fprintf(&v.b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" `+
		`font-family="Roboto,'Helvetica Neue',Arial,sans-serif" font-weight="500">`+"\n", w, h, w, h)
	return v, nil
}

func (v *vector) ResetStyle() {
	v.style, v.turn = chart.Style{Font: v.style.Font}, 0
	v.Renderer.ResetStyle()
}

func (v *vector) SetStrokeColor(c drawing.Color)    { v.style.StrokeColor = c }
func (v *vector) SetFillColor(c drawing.Color)      { v.style.FillColor = c }
func (v *vector) SetStrokeWidth(w float64)          { v.style.StrokeWidth = w }
func (v *vector) SetStrokeDashArray(dash []float64) { v.style.StrokeDashArray = dash }

func (v *vector) SetFont(f *truetype.Font) {
	v.style.Font = f
	v.Renderer.SetFont(f)
}

func (v *vector) SetFontColor(c drawing.Color) {
	v.style.FontColor = c
	v.Renderer.SetFontColor(c)
}

func (v *vector) SetFontSize(size float64) {
	v.style.FontSize = size
	v.Renderer.SetFontSize(size)
}

func (v *vector) MoveTo(x, y int) { fmt.Fprintf(&v.path, "M%d %d", x, y) }
func (v *vector) LineTo(x, y int) { fmt.Fprintf(&v.path, "L%d %d", x, y) }
func (v *vector) Close()          { v.path.WriteByte('z') }

func (v *vector) QuadCurveTo(cx, cy, x, y int) { fmt.Fprintf(&v.path, "Q%d %d %d %d", cx, cy, x, y) }

// ArcTo is not used by any figure; a straight line to the arc's end stands for it.
func (v *vector) ArcTo(cx, cy int, rx, ry, start, delta float64) {
	v.LineTo(cx+int(rx*math.Cos(start+delta)), cy+int(ry*math.Sin(start+delta)))
}

func (v *vector) Circle(radius float64, x, y int) {
	r := decimal(radius)
	fmt.Fprintf(&v.path, "M%s %da%s %s 0 1 0 %s 0a%s %s 0 1 0 -%s 0z", decimal(float64(x)-radius), y, r, r, decimal(2*radius), r, r, decimal(2*radius))
}

func (v *vector) Stroke()     { v.flush(false, true) }
func (v *vector) Fill()       { v.flush(true, false) }
func (v *vector) FillStroke() { v.flush(true, true) }

// flush writes the path. Strokes are centred in their pixels, as in a PNG.
func (v *vector) flush(fill, stroke bool) {
	defer v.path.Reset()
	fill = fill && v.style.FillColor.A > 0
	stroke = stroke && v.style.StrokeColor.A > 0 && v.style.StrokeWidth > 0
	if v.path.Len() == 0 || !fill && !stroke {
		return
	}
	v.b.WriteString("<path")
	if fill {
		v.paint("fill", v.style.FillColor)
	} else {
		v.b.WriteString(` fill="none"`)
	}
	if stroke {
		v.paint("stroke", v.style.StrokeColor)
		fmt.Fprintf(&v.b, ` stroke-width="%s" transform="translate(.5 .5)"`, decimal(v.style.StrokeWidth))
		for i, d := range v.style.StrokeDashArray {
			v.b.WriteString([]string{` stroke-dasharray="`, " "}[min(i, 1)] + decimal(d))
		}
		if len(v.style.StrokeDashArray) > 0 {
			v.b.WriteByte('"')
		}
	}
	fmt.Fprintf(&v.b, " d=\"%s\"/>\n", v.path.Bytes())
}

// paint writes a colour and its opacity as attributes.
func (v *vector) paint(what string, c drawing.Color) {
	fmt.Fprintf(&v.b, ` %s="#%02x%02x%02x"`, what, c.R, c.G, c.B)
	if c.A < 255 {
		fmt.Fprintf(&v.b, ` %s-opacity="%s"`, what, decimal(float64(c.A)/255))
	}
}

// Text writes body with the width it was measured with, so that another font
// in the reader's program cannot make it run into its neighbour.
func (v *vector) Text(body string, x, y int) {
	if body == "" {
		return
	}
	size := drawing.PointsToPixels(v.GetDPI(), v.style.FontSize)
	fmt.Fprintf(&v.b, `<text x="%d" y="%d" font-size="%s"`, x, y, decimal(size))
	v.paint("fill", v.style.FontColor)
	v.Renderer.ClearTextRotation() // to measure along the line
	fmt.Fprintf(&v.b, ` textLength="%d" lengthAdjust="spacingAndGlyphs"`, v.MeasureText(body).Width())
	if v.turn != 0 {
		fmt.Fprintf(&v.b, ` transform="rotate(%s %d %d)"`, decimal(v.turn*180/math.Pi), x, y)
	}
	v.b.WriteByte('>')
	xml.EscapeText(&v.b, []byte(body)) // into memory: cannot fail
	v.b.WriteString("</text>\n")
}

// MeasureText gives labels a common height, see level.
func (v *vector) MeasureText(body string) chart.Box { return level(v.Renderer, body) }

func (v *vector) SetTextRotation(radians float64) { v.turn = radians }
func (v *vector) ClearTextRotation()              { v.turn = 0 }

func (v *vector) Save(w io.Writer) error {
	v.b.WriteString("</svg>\n")
	_, err := w.Write(v.b.Bytes())
	return err
}

// mostRuns bounds what one mask may add to a file, at about ten bytes a run.
const mostRuns = 60_000

// mask writes a mask, moved to left, top, as horizontal strokes of equal
// opacity. One too detailed is written at half, a quarter, … of its detail.
func (v *vector) mask(m *mask, left, top int, c drawing.Color) {
	const levels = 12
	size, runs := 1, 0
	for {
		runs = 0
		m.runs(levels, func(int, int, int, int) { runs++ })
		if runs <= mostRuns {
			break
		}
		m, size = m.halve(), 2*size
	}
	var paths [levels + 1]runPath
	m.runs(levels, func(level, x, y, n int) { paths[level].add(x, y, n) })
	for level := range paths {
		if p := &paths[level]; len(p.d) > 0 {
			c := c.WithAlpha(uint8(int(c.A) * level / levels))
			v.open(left, top, float64(size)/2, size)
			v.paint("stroke", c)
			fmt.Fprintf(&v.b, " fill=\"none\" stroke-width=\"1\" shape-rendering=\"crispEdges\" d=\"%s\"/>\n", p.d)
		}
	}
}

// rects writes rectangles, moved to left, top, as one path.
func (v *vector) rects(shapes []rect, left, top int, c drawing.Color) {
	if len(shapes) == 0 {
		return
	}
	v.open(left, top, 0, 1)
	v.paint("fill", c)
	v.b.WriteString(` d="`)
	for _, q := range shapes {
		w := decimal(q.x1 - q.x0)
		fmt.Fprintf(&v.b, "M%s %sh%sv%sh-%sz", decimal(q.x0), decimal(q.y0), w, decimal(q.y1-q.y0), w)
	}
	v.b.WriteString("\"/>\n")
}

// open begins a path in pixels of the given size.
func (v *vector) open(left, top int, drop float64, size int) {
	fmt.Fprintf(&v.b, `<path transform="translate(%d %s)`, left, decimal(float64(top)+drop))
	if size > 1 {
		fmt.Fprintf(&v.b, ` scale(%d)`, size)
	}
	v.b.WriteByte('"')
}

// runPath is path data of horizontal strokes in reading order, each given
// relative to the end of the one before.
type runPath struct {
	d    []byte
	x, y int
}

func (p *runPath) add(x, y, n int) {
	p.d = append(p.d, 'm')
	p.d = strconv.AppendInt(p.d, int64(x-p.x), 10)
	if y >= p.y {
		p.d = append(p.d, ' ')
	}
	p.d = strconv.AppendInt(p.d, int64(y-p.y), 10)
	p.d = append(p.d, 'h')
	p.d = strconv.AppendInt(p.d, int64(n), 10)
	p.x, p.y = x+n, y
}

// decimal writes v with at most two decimals.
func decimal(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100+0, 'f', -1, 64)
}
