package chart

import (
	"unicode"
	"unicode/utf8"

	"github.com/golang/freetype/truetype"
	"github.com/wcharczuk/go-chart/v2"
	"github.com/wcharczuk/go-chart/v2/drawing"
)

// typeset measures and fits text before anything is drawn.
type typeset struct {
	font *truetype.Font
	dpi  float64
	r    chart.Renderer
}

func newTypeset(scale float64) (*typeset, error) {
	f, err := font()
	if err != nil {
		return nil, err
	}
	r, err := chart.PNG(1, 1)
	if err != nil {
		return nil, err
	}
	t := &typeset{font: f, dpi: 96 * scale, r: r}
	r.SetDPI(t.dpi)
	return t, nil
}

func (t *typeset) style(size float64, c drawing.Color) chart.Style {
	return chart.Style{Font: t.font, FontSize: size, FontColor: c}
}

// width is that of s in pixels.
func (t *typeset) width(s string, size float64) int {
	if s == "" { // go-chart measures it as endless
		return 0
	}
	return chart.Draw.MeasureText(t.r, s, t.style(size, palette.ink)).Width()
}

// fit replaces what the font cannot write by question marks, and shortens s
// until it is no wider than room; it is empty if not even one letter fits.
func (t *typeset) fit(s string, size float64, room int) string {
	out := make([]rune, 0, min(len(s), 1024))
	for _, c := range s {
		if len(out) == cap(out) {
			break
		}
		if t.font.Index(c) == 0 || !unicode.IsPrint(c) || c == utf8.RuneError {
			c = '?'
		}
		out = append(out, c)
	}
	if t.width(string(out), size) <= room {
		return string(out)
	}
	lo, hi := 0, len(out) // the longest start that fits with an ellipsis has lo letters
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if t.width(string(out[:mid])+"…", size) <= room {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	if lo == 0 {
		return ""
	}
	return string(out[:lo]) + "…"
}

// write puts s with its baseline at x, y.
func (t *typeset) write(r chart.Renderer, s string, x, y int, size float64, c drawing.Color) {
	if s != "" {
		chart.Draw.Text(r, s, x, y, t.style(size, c))
	}
}

// writeUp writes s turned by 90 or 270 degrees, the middle of its line at y.
// go-chart rotates by other angles differently on different processors.
func (t *typeset) writeUp(r chart.Renderer, s string, x, y, degrees int, size float64, c drawing.Color) {
	if s == "" {
		return
	}
	half := t.width(s, size) / 2
	if degrees == 270 {
		half = -half
	}
	style := t.style(size, c)
	style.TextRotationDegrees = float64(degrees)
	chart.Draw.Text(r, s, x, y-half, style)
	r.ClearTextRotation() // go-chart keeps the turn for all that is drawn after
}
