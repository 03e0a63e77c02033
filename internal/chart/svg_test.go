package chart

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

func TestSVGEscapes(t *testing.T) {
	c := seedJob(5, 5).columns()
	c.Name = `a<b>&"c"'d' 画像 🚀` + "\x00\n\xff"
	for _, kind := range Kinds() {
		if got, want := words(t, kind, c, Options{}), `a<b>&"c"'d' ?? ????`; !strings.Contains(got, want) {
			t.Errorf("%s: no %q in\n%s", kind, want, got)
		}
	}
}

// noise is a million tasks, or another number, that ink as many pixels as can be.
func noise(n int) *stats.Columns {
	r := rand.New(rand.NewPCG(8, 9))
	c := stats.NewColumns("noise-0-M000", "", created, n)
	c.ResultDone = make([]int64, n)
	for i := range n {
		at := r.Int64N(3600e9)
		c.State[i], c.Worker[i] = job.Success, r.Int32N(1000)
		if r.IntN(4) == 0 {
			c.State[i] = job.Error
		}
		for _, col := range all(c) {
			col[i] = at
			at += r.Int64N(300e9)
		}
	}
	return c
}

// TestSVGIsBounded holds the worst case of a million tasks to a few megabytes.
func TestSVGIsBounded(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 100_000
	}
	c := noise(n)
	for _, kind := range Kinds() {
		var b bytes.Buffer
		if err := Render(&b, kind, c, Options{SVG: true}); err != nil {
			t.Fatal(err)
		}
		parseSVG(t, b.Bytes())
		if b.Len() > 4<<20 {
			t.Errorf("%s: %d bytes", kind, b.Len())
		}
	}
}

// TestLayout sees to it that no text leaves the picture or runs into another,
// whatever the size, the names and the numbers.
func TestLayout(t *testing.T) {
	long := seedJob(2000, 70).columns()
	long.JobID, long.Name = "1b2c3d4f5g6h7j8-123-M000", strings.Repeat("a long name ", 20)
	for i := range 60 {
		long.State[i*3], long.State[i*3+1], long.State[i*3+2] = job.Error, job.Cancelled, job.Running
		long.Attempt[i] = 3
	}
	jobs := map[string]*stats.Columns{"long": long, "few": seedJob(8, 8).columns(), "short": shortJob(500, 8).columns()}
	for name, c := range edges() {
		jobs[name] = c
	}
	sizes := []Options{{Width: 400, Height: 300}, {Width: 3600, Height: 2160}, {}, {Width: 500, Height: 1500}, {Width: 2000, Height: 400}}
	if testing.Short() {
		sizes = sizes[:1]
	}
	for name, c := range jobs {
		for _, kind := range Kinds() {
			for _, o := range sizes {
				o.SVG = true
				var b bytes.Buffer
				if err := Render(&b, kind, c, o); err != nil {
					t.Fatal(err)
				}
				checkLayout(t, name+" "+string(kind), parseSVG(t, b.Bytes()), o.withDefaults())
			}
		}
	}
}

func checkLayout(t *testing.T, what string, found []text, o Options) {
	t.Helper()
	for i, a := range found {
		if a.turned {
			if a.y < 0 || a.y > float64(o.Height) || a.w > float64(o.Height) {
				t.Errorf("%s %dx%d: %q leaves the picture", what, o.Width, o.Height, a.s)
			}
			continue
		}
		if a.x < 0 || a.x+a.w > float64(o.Width) || a.y-0.7*a.size < 0 || a.y > float64(o.Height) {
			t.Errorf("%s %dx%d: %q leaves the picture", what, o.Width, o.Height, a.s)
		}
		for _, b := range found[:i] {
			if b.turned {
				continue
			}
			// capitals and figures are 0.7 of the font's size high
			apart := a.x >= b.x+b.w || b.x >= a.x+a.w || a.y-0.7*a.size >= b.y || b.y-0.7*b.size >= a.y
			if !apart {
				t.Errorf("%s %dx%d: %q runs into %q", what, o.Width, o.Height, a.s, b.s)
			}
		}
	}
}

func TestFit(t *testing.T) {
	ts, err := newTypeset(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		in   string
		room int
		want string
	}{
		{"short", 1000, "short"},
		{"", 100, ""},
		{"anything", 0, ""},
		{"anything", -5, ""},
		{"→ ✓ é", 1000, "? ? é"},
	} {
		if got := ts.fit(tc.in, 10, tc.room); got != tc.want {
			t.Errorf("fit(%q, %d) = %q, want %q", tc.in, tc.room, got, tc.want)
		}
	}
	in := strings.Repeat("wide ", 100)
	for room := 30; room < 400; room += 7 {
		got := ts.fit(in, 10, room)
		letters := len([]rune(got)) - 1
		if w := ts.width(got, 10); w > room || !strings.HasSuffix(got, "…") {
			t.Errorf("%d pixels wide, room for %d: %q", w, room, got)
		}
		if w := ts.width(in[:letters+1]+"…", 10); w <= room {
			t.Errorf("%q is shorter than need be for %d pixels", got, room)
		}
	}
}

// TestMaskRuns puts the stretches together again.
func TestMaskRuns(t *testing.T) {
	m := newMask(37, 11)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range m.pix {
		m.pix[i] = uint8(r.IntN(3) * 127)
	}
	got := newMask(m.w, m.h)
	m.runs(12, func(level, x, y, n int) {
		for k := range n {
			got.pix[y*m.w+x+k] += uint8(level)
		}
	})
	for i, v := range m.pix {
		if want := uint8(math.Round(float64(v) * 12 / 255)); got.pix[i] != want {
			t.Fatalf("pixel %d: level %d, want %d", i, got.pix[i], want)
		}
	}
}
