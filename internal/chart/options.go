package chart

import (
	"fmt"
	"strconv"
	"strings"
)

// Options say what a picture is to be like. The zero value is a PNG of 1200 by
// 720 pixels.
type Options struct {
	Width, Height int  // in pixels; 0: 1200 and 720
	SVG           bool // vector graphics instead of PNG
}

const (
	defaultWidth, defaultHeight = 1200, 720

	minWidth, minHeight = 400, 300 // below, header and labels leave no room for data
	maxSide             = 10_000
	maxPixels           = 50_000_000 // 200 MB as an image in memory
)

// Validate refuses sizes that cannot hold a picture or the memory of a machine.
func (o Options) Validate() error {
	o = o.withDefaults()
	switch {
	case o.Width < minWidth || o.Height < minHeight:
		return fmt.Errorf("picture size %dx%d is too small: at least %dx%d", o.Width, o.Height, minWidth, minHeight)
	case o.Width > maxSide || o.Height > maxSide:
		return fmt.Errorf("picture size %dx%d is too large: at most %d pixels in either direction", o.Width, o.Height, maxSide)
	case o.Width*o.Height > maxPixels:
		return fmt.Errorf("picture size %dx%d is too large: at most %d megapixels", o.Width, o.Height, maxPixels/1_000_000)
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Width == 0 {
		o.Width = defaultWidth
	}
	if o.Height == 0 {
		o.Height = defaultHeight
	}
	return o
}

// scale is the size of letters and markers relative to the standard picture.
// Below 0.72 letters could not be read; above 2.25 the labels of the axes, which
// go-chart sets at a fixed distance, would run into one another.
func (o Options) scale() float64 {
	return max(0.72, min(2.25, float64(o.Width)/defaultWidth, float64(o.Height)/defaultHeight))
}

// ParseSize reads a size such as "1600x900" and checks it as Validate does.
func ParseSize(s string) (width, height int, err error) {
	a, b, ok := strings.Cut(strings.ToLower(strings.TrimSpace(s)), "x")
	width, errW := strconv.Atoi(a)
	height, errH := strconv.Atoi(b)
	if !ok || errW != nil || errH != nil || width <= 0 || height <= 0 {
		return 0, 0, fmt.Errorf("bad picture size %q: want WIDTHxHEIGHT in pixels, such as %dx%d", s, defaultWidth, defaultHeight)
	}
	if err := (Options{Width: width, Height: height}).Validate(); err != nil {
		return 0, 0, err
	}
	return width, height, nil
}
