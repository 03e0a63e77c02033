package chart

import "github.com/wcharczuk/go-chart/v2/drawing"

// palette is Okabe and Ito's, told apart with any colour vision: the least
// CIE76 distance between submit, start, done, fetched and failed is 54 for
// normal, 23 for protan, 18 for deutan and 17 for tritan eyes.
var palette = struct {
	submit, start, done, fetched, result, failed drawing.Color
	waiting, ink, soft, grid, frame, bar, hair   drawing.Color
	reduce                                       drawing.Color
}{
	submit:  drawing.ColorFromHex("0072B2"),
	start:   drawing.ColorFromHex("E69F00"),
	done:    drawing.ColorFromHex("009E73"),
	fetched: drawing.ColorFromHex("CC79A7"),
	result:  drawing.ColorFromHex("56B4E9"),
	failed:  drawing.ColorFromHex("D81B1B"),
	waiting: drawing.ColorFromHex("BFD9EA"),
	ink:     drawing.ColorFromHex("222222"),
	soft:    drawing.ColorFromHex("666666"),
	grid:    drawing.ColorFromHex("E4E4E4"),
	frame:   drawing.ColorFromHex("999999"),
	bar:     drawing.ColorFromHex("9C9C9C"),
	hair:    drawing.ColorFromHex("C8C8C8"),
	reduce:  drawing.ColorFromHex("3C3C3C"),
}

// overWhite is what a colour looks like on white paper.
func overWhite(c drawing.Color) drawing.Color {
	p := []uint8{255, 255, 255, 255}
	over(p, c, 255)
	return drawing.Color{R: p[0], G: p[1], B: p[2], A: 255}
}
