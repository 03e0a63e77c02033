package chart

import (
	"bytes"
	"errors"
	"image"
	"image/draw"
	"image/png"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/lithops-go/lithops/internal/stats"
)

// picture draws c and returns the pixels, and the figure that knows where what is.
func picture(t *testing.T, kind Kind, c *stats.Columns, o Options) (*image.RGBA, *figure) {
	t.Helper()
	f, err := newFigure(kind, c, o)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.render(&b); err != nil {
		t.Fatal(err)
	}
	return decode(t, &b), f
}

func decode(t *testing.T, r io.Reader) *image.RGBA {
	t.Helper()
	img, err := png.Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Rect, img, image.Point{}, draw.Src)
	return out
}

func TestParseKind(t *testing.T) {
	for _, k := range Kinds() {
		if got, err := ParseKind(string(k)); got != k || err != nil {
			t.Errorf("ParseKind(%q) = %q, %v", k, got, err)
		}
	}
	for name, want := range map[string]string{
		"timelime":  `unknown kind of picture "timelime": want timeline, histogram, phases, durations or workers; did you mean timeline?`,
		"Histogram": `; did you mean histogram?`,
		"worker":    `; did you mean workers?`,
		"pie":       `durations or workers`,
		"":          `durations or workers`,
	} {
		_, err := ParseKind(name)
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("ParseKind(%q): %v, want …%s", name, err, want)
		}
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string][2]int{"1600x900": {1600, 900}, " 400X300 ": {400, 300}, "10000x5000": {10000, 5000}} {
		w, h, err := ParseSize(s)
		if err != nil || w != want[0] || h != want[1] {
			t.Errorf("ParseSize(%q) = %d, %d, %v", s, w, h, err)
		}
	}
	for s, want := range map[string]string{
		"":                       `want WIDTHxHEIGHT in pixels, such as 1200x720`,
		"1600":                   `bad picture size "1600"`,
		"1600*900":               `bad picture size`,
		"0x0":                    `bad picture size`,
		"-5x900":                 `bad picture size`,
		"1e3x900":                `bad picture size`,
		"9x9x9":                  `bad picture size`,
		"399x900":                `too small: at least 400x300`,
		"900x299":                `too small`,
		"10001x500":              `too large: at most 10000 pixels in either direction`,
		"10000x5001":             `too large: at most 50 megapixels`,
		"99999999999999999999x1": `bad picture size`,
	} {
		if _, _, err := ParseSize(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseSize(%q): %v, want %s", s, err, want)
		}
	}
}

func TestValidate(t *testing.T) {
	for o, ok := range map[Options]bool{
		{}:                          true,
		{SVG: true}:                 true,
		{Width: 500}:                true,
		{Height: 200}:               false,
		{Width: -1}:                 false,
		{Width: 9000, Height: 9000}: false,
	} {
		if err := o.Validate(); (err == nil) != ok {
			t.Errorf("%+v: %v", o, err)
		}
		if err := Render(io.Discard, Timeline, sim{}.columns(), o); (err == nil) != ok {
			t.Errorf("Render with %+v: %v", o, err)
		}
	}
}

func TestRenderUnknownKind(t *testing.T) {
	err := Render(io.Discard, "pie", seedJob(3, 1).columns(), Options{})
	if err == nil || !strings.Contains(err.Error(), `unknown kind of picture "pie"`) {
		t.Error(err)
	}
}

// broken fails at the first write.
type broken struct{ err error }

func (w broken) Write([]byte) (int, error) { return 0, w.err }

func TestRenderReportsWriteError(t *testing.T) {
	want := errors.New("disk full")
	for _, svg := range []bool{false, true} {
		if err := Render(broken{want}, Phases, seedJob(3, 1).columns(), Options{SVG: svg}); !errors.Is(err, want) {
			t.Errorf("svg %v: %v", svg, err)
		}
	}
}

// TestParallel draws all kinds of one job at the same time; they share the font
// and the columns. It is of use with -race.
func TestParallel(t *testing.T) {
	c := seedJob(200, 20).columns()
	var alone [5]bytes.Buffer
	for i, k := range Kinds() {
		if err := Render(&alone[i], k, c, Options{Width: 400, Height: 300}); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for range 2 {
		for i, k := range Kinds() {
			wg.Go(func() {
				var b bytes.Buffer
				if err := Render(&b, k, c, Options{Width: 400, Height: 300}); err != nil {
					t.Error(err)
				}
				if !bytes.Equal(b.Bytes(), alone[i].Bytes()) {
					t.Errorf("%s differs when drawn beside others", k)
				}
			})
		}
	}
	wg.Wait()
}
