package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// text is a piece of text in an SVG.
type text struct {
	s             string
	x, y, w, size float64
	turned        bool
}

// parseSVG reads b as strictly as XML is, and returns its text.
func parseSVG(t *testing.T, b []byte) (found []text) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(b))
	var open *text
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if tok.Name.Local != "text" {
				continue
			}
			open = &text{}
			for _, a := range tok.Attr {
				v, _ := strconv.ParseFloat(a.Value, 64)
				switch a.Name.Local {
				case "x":
					open.x = v
				case "y":
					open.y = v
				case "textLength":
					open.w = v
				case "font-size":
					open.size = v
				case "transform":
					open.turned = true
				}
			}
		case xml.CharData:
			if open != nil {
				open.s += string(tok)
			}
		case xml.EndElement:
			if open != nil {
				found = append(found, *open)
				open = nil
			}
		}
	}
}

// words is all the text of a picture.
func words(t *testing.T, kind Kind, c *stats.Columns, o Options) string {
	t.Helper()
	o.SVG = true
	var b bytes.Buffer
	if err := Render(&b, kind, c, o); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, w := range parseSVG(t, b.Bytes()) {
		all = append(all, w.s)
	}
	return strings.Join(all, "\n")
}

// set makes a job of n successful tasks whose stamps f gives, in columns' order.
func set(n int, f func(i int) [6]int64) *stats.Columns {
	c := stats.NewColumns("edge-0-M000", "", created, n)
	for i := range n {
		v := f(i)
		c.State[i], c.Attempt[i], c.Worker[i] = job.Success, 1, int32(i%3)
		c.Submit[i], c.WorkerStart[i], c.Start[i], c.End[i], c.WorkerEnd[i], c.StatusDone[i] = v[0], v[1], v[2], v[3], v[4], v[5]
	}
	return c
}

// steps is a task's stamps from at on, each a step after the one before.
func steps(at, step int64) [6]int64 {
	return [6]int64{at, at + step, at + 2*step, at + 5*step, at + 6*step, at + 7*step}
}

var null = [6]int64{stats.Null, stats.Null, stats.Null, stats.Null, stats.Null, stats.Null}

// edges are jobs that have made a chart library hang, panic or draw nothing.
func edges() map[string]*stats.Columns {
	const day = 86400e9
	r := rand.New(rand.NewPCG(5, 6))
	return map[string]*stats.Columns{
		"no tasks":      set(0, nil),
		"one task":      set(1, func(int) [6]int64 { return steps(1e9, 1e8) }),
		"nothing known": set(5, func(int) [6]int64 { return null }),
		"not started": set(5, func(i int) [6]int64 {
			v := null
			v[0] = int64(i)
			return v
		}),
		"all equal":         set(9, func(int) [6]int64 { return steps(5e9, 0) }),
		"all zero":          set(9, func(int) [6]int64 { return steps(0, 0) }),
		"one at zero":       set(1, func(int) [6]int64 { return steps(0, 0) }),
		"end before start":  set(9, func(i int) [6]int64 { return steps(int64(i)*1e9, -1e8) }),
		"negative":          set(9, func(i int) [6]int64 { return steps(-3600e9+int64(i)*1e9, 1e8) }),
		"microseconds":      set(300, func(i int) [6]int64 { return steps(int64(i)*300, 137) }),
		"nanoseconds":       set(30, func(i int) [6]int64 { return steps(int64(i), 1) }),
		"thirty days":       set(300, func(i int) [6]int64 { return steps(int64(i)*day/10, day/50) }),
		"thirty years":      set(300, func(i int) [6]int64 { return steps(int64(i)*36*day, day) }),
		"absurd":            set(4, func(i int) [6]int64 { return steps([]int64{1e9, math.MaxInt64 - 1e12, -1 << 61, reach - 1}[i], 1e8) }),
		"one far straggler": set(500, func(i int) [6]int64 { return steps(int64(i)*1e6+int64(i/499)*9*day, 1e6) }),
		"unfinished":        stopAt(seedJob(100, 10).columns(), 20),
		"no task finished":  stopAt(seedJob(100, 10).columns(), 3),
		"all failed": func() *stats.Columns {
			c := seedJob(300, 10).columns()
			for i := range c.State {
				c.State[i] = job.Lost
				c.End[i], c.WorkerEnd[i] = stats.Null, stats.Null
			}
			return c
		}(),
		"chaos": chaos(r, 2000, 1e12),
		"calls": calls(3000),
		"calls of nothing": func() *stats.Columns {
			c := calls(300)
			for i := range c.Len() / 2 {
				c.End[2*i] = c.Start[2*i]
			}
			return c
		}(),
		"reduce":           thenReduce(seedJob(30, 5).columns(), 1, 3),
		"reduces":          thenReduce(seedJob(30, 5).columns(), 400, 3),
		"reduce alone":     thenReduce(set(0, nil), 1, 3),
		"reduce at once":   thenReduce(seedJob(300, 50).columns(), 1, 0),
		"reduce running":   stopAt(thenReduce(set(3, func(int) [6]int64 { return steps(0, 1e9) }), 2, 9), 9),
		"reduce not begun": stopAt(thenReduce(set(3, func(int) [6]int64 { return steps(0, 1e9) }), 2, 9), 7),
		"worker numbers": func() *stats.Columns {
			c := seedJob(90, 9).columns()
			for i := range c.Worker {
				c.Worker[i] = c.Worker[i]*100_000_000 + math.MaxInt32/2
			}
			return c
		}(),
	}
}

// inTime fails the test if f hangs.
func inTime(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(60 * time.Second):
		t.Fatalf("%s: hangs", what)
	}
}

func TestEdges(t *testing.T) {
	options := []Options{{Width: 400, Height: 300}, {SVG: true}, {Width: 3000, Height: 300, SVG: true}}
	if testing.Short() {
		options = options[:2]
	}
	for name, c := range edges() {
		for _, kind := range Kinds() {
			for _, o := range options {
				inTime(t, fmt.Sprintf("%s, %s, %+v", name, kind, o), func() {
					var b bytes.Buffer
					if err := Render(&b, kind, c, o); err != nil {
						t.Errorf("%s, %s, %+v: %v", name, kind, o, err)
						return
					}
					if o.SVG {
						parseSVG(t, b.Bytes())
						if s := b.String(); strings.Contains(s, "NaN") || strings.Contains(s, "Inf") {
							t.Errorf("%s, %s: not a number in the picture", name, kind)
						}
						return
					}
					o = o.withDefaults()
					if img := decode(t, &b); img.Rect.Dx() != o.Width || img.Rect.Dy() != o.Height {
						t.Errorf("%s, %s: %v, want %+v", name, kind, img.Rect, o)
					}
				})
			}
		}
	}
}

// TestEdgesShow finds data in each of the edge cases that have some: go-chart
// alone draws a blank picture of one task.
func TestEdgesShow(t *testing.T) {
	for name, c := range edges() {
		lo, hi := extent(all(c)...)
		if lo > hi {
			continue
		}
		img, f := picture(t, Timeline, c, Options{Width: 400, Height: 300})
		seen := false
		for y := f.box.Top; y < f.box.Bottom; y++ {
			for x := f.box.Left; x < f.box.Right; x++ {
				seen = seen || same(img.RGBAAt(x, y), palette.submit) || same(img.RGBAAt(x, y), palette.start) || same(img.RGBAAt(x, y), palette.fetched)
			}
		}
		if !seen {
			t.Errorf("%s: no dot in the timeline", name)
		}
	}
}

func TestNotes(t *testing.T) {
	e := edges()
	for _, tc := range []struct {
		name string
		kind Kind
		want string
	}{
		{"no tasks", Timeline, "no tasks"},
		{"no tasks", Histogram, "no tasks"},
		{"no tasks", Phases, "no tasks"},
		{"no tasks", Durations, "no tasks"},
		{"no tasks", Workers, "no tasks"},
		{"nothing known", Timeline, "no task has been submitted yet"},
		{"not started", Histogram, "no task has started yet"},
		{"not started", Workers, "no task has reached a worker yet"},
		{"no task finished", Durations, "no task has ended yet"},
	} {
		if got := words(t, tc.kind, e[tc.name], Options{}); !strings.Contains(got, tc.want) {
			t.Errorf("%s of %s: no %q in\n%s", tc.kind, tc.name, tc.want, got)
		}
	}
}
