package chart

import (
	"image/color"
	"math"
	"testing"

	"github.com/wcharczuk/go-chart/v2/drawing"

	"github.com/lithops-go/lithops/internal/job"
)

func same(got color.RGBA, want drawing.Color) bool {
	return got == color.RGBA{R: want.R, G: want.G, B: want.B, A: 255}
}

// TestTimelinePixels looks every stamp of every task up in the picture. The
// stamps lie far apart, so that no dot hides another.
func TestTimelinePixels(t *testing.T) {
	c := seedJob(24, 24).columns()
	c.ResultDone = make([]int64, c.Len())
	for i := range c.Len() {
		at := int64(i) * 1e9
		c.Submit[i], c.WorkerStart[i], c.Start[i] = at, at+19e8, at+2e9
		c.End[i], c.WorkerEnd[i], c.StatusDone[i], c.ResultDone[i] = at+4e9, at+41e8, at+6e9, at+8e9
		c.State[i] = job.Success
	}
	c.State[7], c.State[12] = job.Timeout, job.Cancelled
	img, f := picture(t, Timeline, c, Options{})
	for i := range c.Len() {
		for _, s := range []struct {
			at   int64
			want drawing.Color
		}{{c.Submit[i], palette.submit}, {c.Start[i], palette.start}, {c.End[i], palette.done}, {c.StatusDone[i], palette.fetched}, {c.ResultDone[i], palette.result}} {
			if i == 7 && s.want == palette.done {
				s.want = palette.failed
			}
			x := f.box.Left + int(math.Round(float64(s.at)*float64(f.box.Width())/f.x.max))
			y := f.box.Bottom - f.left.Translate(float64(i))
			if got := img.RGBAAt(x, y); !same(got, s.want) {
				t.Errorf("task %d, stamp %d ns, at %d,%d: %v, want %v", i, s.at, x, y, got, s.want)
			}
		}
	}
}

// TestAxesPixels checks the axes against the geometry that the other tests use:
// the line of a tick is exactly where its value is.
func TestAxesPixels(t *testing.T) {
	img, f := picture(t, Timeline, seedJob(10, 10).columns(), Options{})
	for _, tick := range f.x.ticks[1:] {
		x := f.box.Left + f.x.Translate(tick.Value)
		for dx, want := range map[int]drawing.Color{-1: drawing.ColorWhite, 0: palette.grid, 1: drawing.ColorWhite} {
			if got := img.RGBAAt(x+dx, f.box.Top+3); !same(got, want) {
				t.Errorf("grid of %s, %d beside: %v, want %v", tick.Label, dx, got, want)
			}
		}
	}
}

// TestHistogramPixels finds the line of running tasks by counting, at every
// column in which nothing starts or ends.
func TestHistogramPixels(t *testing.T) {
	c := seedJob(40, 10).columns()
	img, f := picture(t, Histogram, c, Options{})
	per := f.x.max / float64(f.box.Width())
	checked := 0
	for k := 2; k < f.box.Width()-2; k++ {
		from, to := int64((float64(k)-2)*per), int64((float64(k)+2)*per)
		n, moving := 0, false
		for i := range c.Len() {
			if c.Start[i] <= from && c.End[i] > to {
				n++
			}
			for _, e := range []int64{c.Start[i], c.End[i]} {
				moving = moving || e > from && e <= to
			}
		}
		if moving {
			continue
		}
		checked++
		x, y := f.box.Left+k, f.box.Bottom-f.right.Translate(float64(n))
		if got := img.RGBAAt(x, y); !same(got, palette.submit) {
			t.Errorf("column %d: %v where %d running tasks belong", k, got, n)
		}
	}
	if checked < f.box.Width()/2 {
		t.Errorf("only %d columns looked at", checked)
	}
}

// TestUnfinishedBars follows the bar of a running task to the right edge, and
// looks for nothing behind the end of a finished one.
func TestUnfinishedBars(t *testing.T) {
	c := stopAt(seedJob(20, 5).columns(), 12)
	for _, kind := range []Kind{Histogram, Phases} {
		img, f := picture(t, kind, c, Options{})
		want := palette.bar
		if kind == Phases {
			want = palette.done
		}
		seen := map[bool]int{}
		for i := range c.Len() {
			from, to, ok := run(c, i)
			if !ok {
				continue
			}
			y := f.box.Bottom - f.left.Translate(float64(i))
			got := same(img.RGBAAt(f.box.Right-1, y), want)
			if got != (to == never) {
				t.Errorf("%s, task %d from %d to %d: bar at the right edge: %v", kind, i, from, to, got)
			}
			seen[got]++
		}
		if seen[true] == 0 || seen[false] == 0 {
			t.Errorf("%s: not both sorts of tasks: %v", kind, seen)
		}
	}
}

// TestReduceIsSeen finds the reduce, however many rows there are and however short
// it is: its bar in the pictures that have one, and the mark above the data.
func TestReduceIsSeen(t *testing.T) {
	for _, maps := range []int{3, 500, 100_000} {
		for _, seconds := range []float64{0, 6} {
			job := seedJob(maps, max(2, min(maps/10, 2000)))
			job.fail = 0
			c := thenReduce(job.columns(), 1, seconds)
			for _, kind := range []Kind{Timeline, Histogram, Phases, Workers} {
				img, f := picture(t, kind, c, Options{})
				x := f.box.Left + f.x.Translate(float64(c.Start[maps]+c.End[maps])/2)
				y := f.box.Bottom - f.left.Translate(float64(maps))
				if kind == Workers {
					y = f.box.Bottom - f.left.Translate(0)
				}
				// A reduce task of no length is hidden by the dots of its stamps, and its
				// running by its other phases.
				want := palette.reduce
				if kind == Phases {
					want = palette.done
				}
				if bar := img.RGBAAt(x, y); !same(bar, want) && (kind != Timeline && kind != Phases || seconds > 0) {
					t.Errorf("%s, %d map tasks, reduce of %v s: %v where its bar belongs", kind, maps, seconds, bar)
				}
				if mark := img.RGBAAt(x, f.box.Top-4); !same(mark, palette.reduce) {
					t.Errorf("%s, %d map tasks, reduce of %v s: %v where the mark belongs", kind, maps, seconds, mark)
				}
				ground := img.RGBAAt(x, f.box.Bottom-f.box.Height()/2-3)
				if ground.R > 240 || ground.R < 160 || ground.R != ground.G {
					t.Errorf("%s, %d map tasks, reduce of %v s: ground %v", kind, maps, seconds, ground)
				}
			}
		}
	}
}

// TestBackToBack has tasks that follow one another without a gap on one worker:
// at no time do two of them run.
func TestBackToBack(t *testing.T) {
	c := seedJob(1000, 1).columns()
	at := int64(123456789)
	for i := range c.Len() {
		c.Start[i] = at
		at += 10_000_000 + int64(i)*7919
		c.End[i] = at
	}
	s := newSweep(c, at)
	if s.peak != 1 || s.mean() != 1 {
		t.Errorf("peak %d, mean %v, want 1 and 1", s.peak, s.mean())
	}
}
