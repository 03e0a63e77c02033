package chart

import (
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wcharczuk/go-chart/v2/drawing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// trouble is a made-up job whose attempts fail, whose workers die, and whose host dies
// at given seconds of its own time and goes on after a pause.
type trouble struct {
	tasks, workers int
	fail, lost     float64   // share of attempts
	dies           []float64 // seconds since job creation, without pauses
	pause          time.Duration
}

// columns runs the job, on one worker more in each run. It is the same at every call.
func (o trouble) columns() *stats.Columns {
	r := rand.New(rand.NewPCG(11, 5))
	c := stats.NewColumns("d3f4g5-0-M000", "", created, o.tasks)
	ns := func(s float64) int64 { return int64(s * 1e9) }
	type try struct {
		task, try int
		ready     float64
	}
	var queue []try
	for i := range o.tasks {
		queue = append(queue, try{i, 1, 0.5 + 0.002*float64(i)})
	}
	number, begin := int32(0), 0.0
	var runs []stats.JobRun
	var records []*stats.Record
	for k := range len(o.dies) + 1 {
		stop := 1e9
		if k < len(o.dies) {
			stop = o.dies[k]
		}
		shift := int64(o.pause) * int64(k)
		runs = append(runs, stats.JobRun{Number: k + 1, Start: created.UnixNano() + ns(begin) + shift, Shift: shift, Workers: o.workers + k, State: stats.BrokenOff})
		pool := make([]slot, o.workers+k)
		for w := range pool {
			pool[w] = slot{begin + 0.1, number}
			number++
		}
		var left []try
		for len(queue) > 0 {
			slices.SortStableFunc(queue, func(a, b try) int { return int(1e6 * (a.ready - b.ready)) })
			slices.SortFunc(pool, func(a, b slot) int { return int(1e6 * (a.free - b.free)) })
			t, w := queue[0], &pool[0]
			queue = queue[1:]
			from := max(t.ready, w.free, begin) + 0.004
			if from >= stop {
				left = append(left, t)
				continue
			}
			length, fate := 1+2*r.Float64(), r.Float64()
			at := func(s float64) stats.Sec { return stats.SecOf(created.UnixNano() + ns(s) + shift) }
			rec := &stats.Record{Task: t.task, Attempt: t.try, Run: stats.IntOf(k + 1), Worker: stats.IntOf(w.worker), State: job.Success,
				HostSubmit: at(max(t.ready, begin)), HostDispatch: at(from - 0.002)}
			again := try{t.task, t.try + 1, 0}
			switch to := from + length; {
			case to >= stop: // the host dies
				rec.State = job.Lost
				again.ready, w.free = 0, stop
				left = append(left, again)
			case fate < o.lost:
				rec.State, rec.StatusDone = job.Lost, at(to)
				w.free, w.worker, again.ready = to+0.1, number, to+0.5
				number++
				queue = append(queue, again)
			default:
				if fate < o.lost+o.fail {
					rec.State, again.ready = job.Error, to+1
					queue = append(queue, again)
				}
				rec.WorkerStart, rec.FuncStart, rec.FuncEnd = at(from), at(from+0.01), at(to)
				rec.WorkerEnd, rec.StatusDone = at(to+0.01), at(to+0.03)
				w.free = to + 0.012
			}
			records = append(records, rec)
		}
		begin, queue = stop, left
	}
	c.MarkRuns(runs)
	for _, rec := range records {
		stats.Align(runs, rec)
		c.Add(rec)
	}
	return c
}

var (
	retriedJob = trouble{tasks: 60, workers: 6, fail: 0.12, lost: 0.05}
	resumedJob = trouble{tasks: 40, workers: 4, fail: 0.06, lost: 0.03, dies: []float64{7, 13}, pause: 10 * time.Hour}
	brokenJob  = trouble{tasks: 1500, workers: 40, fail: 0.2, lost: 0.02, dies: []float64{8, 16, 24, 32, 40, 48, 56, 64, 72, 76}, pause: time.Minute}
)

// near says whether some pixel within a few of x, y has the colour.
func near(img *image.RGBA, x, y int, want drawing.Color) bool {
	for dy := -2; dy <= 2; dy++ {
		for dx := -2; dx <= 2; dx++ {
			if same(img.RGBAAt(x+dx, y+dy), want) {
				return true
			}
		}
	}
	return false
}

// TestRetriesAreMarked looks a triangle up before every retried task, and none before
// the others.
func TestRetriesAreMarked(t *testing.T) {
	c := retriedJob.columns()
	for kind, at := range map[Kind][]int64{Timeline: c.Submit, Histogram: c.Start} {
		img, f := picture(t, kind, c, Options{Width: 2400, Height: 1440})
		gap := 3.5 + 0.5
		if kind == Timeline {
			gap += 0.7*dotRadius(c.Len()) + 3*max(0.4, 0.7*dotRadius(c.Len())*0.65)
		}
		n := 0
		for i := range c.Len() {
			x := f.box.Left + f.x.Translate(float64(at[i])) - int(gap*f.s)
			got := near(img, x, f.box.Bottom-f.left.Translate(float64(i)), palette.ink)
			if got != (c.Attempt[i] > 1) {
				t.Errorf("%s: task %d, attempt %d, has a mark: %v", kind, i, c.Attempt[i], got)
			}
			if got {
				n++
			}
		}
		if n == 0 {
			t.Errorf("%s: no task was retried", kind)
		}
		if got := words(t, kind, c, Options{}); !strings.Contains(got, fmt.Sprintf("retried (%d)", n)) {
			t.Errorf("%s: no %d retried in\n%s", kind, n, got)
		}
	}
}

// TestRetriedWithoutASecondSuccess has a task whose first attempt counts.
func TestRetriedWithoutASecondSuccess(t *testing.T) {
	c := seedJob(5, 2).columns()
	if got := words(t, Timeline, c, Options{}); strings.Contains(got, "retried") {
		t.Errorf("retries where there are none:\n%s", got)
	}
	c.Retried[2] = true
	if got := words(t, Timeline, c, Options{}); !strings.Contains(got, "1 retried") || !strings.Contains(got, "retried (1)") {
		t.Errorf("no retry in\n%s", got)
	}
	c.Retried, c.Attempt[1], c.Attempt[4] = nil, 2, 3
	if got := words(t, Timeline, c, Options{}); !strings.Contains(got, "retried (2)") {
		t.Errorf("no retries by number in\n%s", got)
	}
}

// TestRepeatedAttemptsAreSeen looks up every attempt that does not count.
func TestRepeatedAttemptsAreSeen(t *testing.T) {
	c := retriedJob.columns()
	light := lighter(palette.failed)
	for _, kind := range []Kind{Histogram, Workers} {
		img, f := picture(t, kind, c, Options{Width: 2400, Height: 1440})
		if len(c.Others) == 0 {
			t.Fatal("no attempt was repeated")
		}
		_, now := bounds(c)
		l := newLanes(c, pieces(c, now), now)
		lost := 0
		for _, o := range c.Others {
			row := int(o.Task)
			if kind == Workers {
				row = l.lane[o.Worker]
			}
			y := f.box.Bottom - f.left.Translate(float64(row))
			at := func(part float64) (int, int) {
				return f.box.Left + f.x.Translate(float64(o.From)+part*float64(o.To-o.From)), y
			}
			hits := 0
			for k := range 19 { // the line of running tasks can hide some
				if x, y := at(0.05 * float64(k+1)); same(img.RGBAAt(x, y), light) {
					hits++
				}
			}
			if hits == 0 {
				t.Errorf("%s: attempt %d at task %d, %v, is not there", kind, o.Attempt, o.Task, o.State)
			}
			if o.Lost() {
				lost++
			}
		}
		if lost == 0 || lost == len(c.Others) {
			t.Errorf("%d of %d attempts were lost", lost, len(c.Others))
		}
		if got := words(t, kind, c, Options{}); !strings.Contains(got, fmt.Sprintf("repeated attempts (%d)", len(c.Others))) {
			t.Errorf("%s: no repeated attempts in\n%s", kind, got)
		}
	}
	c.OthersCut = 4321
	if got := words(t, Workers, c, Options{}); !strings.Contains(got, fmt.Sprintf("repeated attempts (%d of 4,330 drawn)", len(c.Others))) {
		t.Errorf("not told that some are cut:\n%s", got)
	}
	if got := words(t, Workers, seedJob(20, 4).columns(), Options{}); strings.Contains(got, "repeated") || strings.Contains(got, "resumed") {
		t.Errorf("of a job without trouble:\n%s", got)
	}
}

// TestPieces tells when an attempt was made of which no worker could tell.
func TestPieces(t *testing.T) {
	c := stats.NewColumns("", "", created, 6)
	c.Runs = []stats.RunMark{{Number: 1}, {Number: 2, AtNS: 500, Ended: true}, {Number: 3, AtNS: 700}}
	c.Worker[0], c.WorkerEnd[0] = 1, 90
	c.State[1], c.Attempt[1] = job.Lost, 2
	lost := func(task, worker, run int32, try uint16, from, to int64) stats.OtherAttempt {
		return stats.OtherAttempt{Task: task, Worker: worker, Run: run, Attempt: try, State: job.Lost, From: from, To: to, Start: stats.Null, End: stats.Null}
	}
	c.Others = []stats.OtherAttempt{
		lost(1, 1, 1, 1, 50, 200),          // its worker was at task 0 until 90
		lost(1, 2, 1, 2, 60, 200),          // the last attempt at a task that was given up
		lost(2, 3, 1, 1, 70, stats.Null),   // its run broke off
		lost(2, 6, 1, 2, 500, stats.Null),  // at the very moment it was sent
		lost(3, 5, 2, 1, 600, stats.Null),  // its run did not
		lost(3, 4, 3, 2, 800, stats.Null),  // the last one did
		lost(4, 1, 3, 1, stats.Null, 1000), // never sent
		{Task: 5, Worker: 1, Attempt: 1, State: job.Error, From: 10, To: 40, Start: 20, End: 30},
		{Task: 5, Worker: 1, Attempt: 2, State: job.Error, From: stats.Null, To: stats.Null, Start: 20, End: 30},
	}
	var got []string
	for _, p := range pieces(c, 900) {
		got = append(got, fmt.Sprint(p.Task, "/", p.Attempt, " ", p.from, "-", p.to, " ", p.counts))
	}
	want := []string{"1/1 90-200 false", "1/2 60-200 true", "2/1 70-500 false", "2/2 500-500 false", "3/1 600-600 false", "3/2 800-900 false", "5/1 10-40 false", "5/2 20-30 false"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestLostForGoodIsRed has a task whose worker died at every attempt.
func TestLostForGoodIsRed(t *testing.T) {
	clean := seedJob(8, 2)
	clean.fail = 0
	c := clean.columns()
	c.State[3], c.Attempt[3], c.Retried[3] = job.Lost, 2, true
	c.Start[3], c.End[3], c.WorkerStart[3], c.WorkerEnd[3] = stats.Null, stats.Null, stats.Null, stats.Null
	for try := range int64(2) {
		c.Others = append(c.Others, stats.OtherAttempt{Task: 3, Worker: 10 + int32(try), Attempt: uint16(try + 1), State: job.Lost,
			From: try * 4e9, To: try*4e9 + 3e9, Start: stats.Null, End: stats.Null})
	}
	img, f := picture(t, Workers, c, Options{})
	for try, want := range []drawing.Color{lighter(palette.failed), palette.failed} {
		x, y := f.box.Left+f.x.Translate(float64(try)*4e9+1e9), f.box.Bottom-f.left.Translate(float64(2+try))
		if got := img.RGBAAt(x, y); !same(got, want) {
			t.Errorf("attempt %d: %v, want %v", try+1, got, want)
		}
	}
	if got := words(t, Workers, c, Options{}); !strings.Contains(got, "repeated attempts (1)") || !strings.Contains(got, "failed (1)") {
		t.Error(got)
	}
}

// TestRunningCountsAllAttempts compares the line with the bars of a job with trouble.
func TestRunningCountsAllAttempts(t *testing.T) {
	c := resumedJob.columns()
	_, now := bounds(c)
	list := pieces(c, now)
	s := newSweep(c, now, list...)
	events := len(s.start)
	for _, at := range slices.Concat(s.start, s.end) {
		n := runningAt(c, at)
		for _, p := range list {
			from, to := p.from, p.to
			if !p.Lost() {
				from, to = p.Start, p.End
			}
			if from <= at && at < to {
				n++
			}
		}
		k, _ := slices.BinarySearch(s.start, at+1)
		j, _ := slices.BinarySearch(s.end, at+1)
		if k-j != n {
			t.Errorf("%d running at %d, want %d", k-j, at, n)
		}
	}
	if events <= c.Len() {
		t.Errorf("%d runs of %d tasks", events, c.Len())
	}
	// all workers of the first run were at work when its host died
	if n := runningAtSweep(s, 7e9-1e6); n != 4 {
		t.Errorf("%d ran when the host died", n)
	}
	if mean := meanRun(c, s, now); mean != meanRun(c, newSweep(c, now), now) {
		t.Errorf("the mean of tasks is %d: not of those that count", mean)
	}
}

func runningAtSweep(s *sweep, at int64) int {
	k, _ := slices.BinarySearch(s.start, at+1)
	j, _ := slices.BinarySearch(s.end, at+1)
	return k - j
}

// TestUtilisationOfRuns has two runs of which each keeps its workers busy all the
// time, and workers that came in the place of others.
func TestUtilisationOfRuns(t *testing.T) {
	c := stats.NewColumns("", "", created, 6)
	for i, q := range [][3]int64{{0, 0, 10}, {1, 0, 10}, {2, 10, 20}, {3, 10, 20}, {4, 10, 14}, {5, 14, 20}} {
		c.State[i], c.Attempt[i], c.Worker[i] = job.Success, 1, int32(q[0])
		c.WorkerStart[i], c.Start[i], c.End[i], c.WorkerEnd[i] = q[1], q[1], q[2], q[2]
	}
	l := newLanes(c, nil, 20)
	if got := l.utilisation(); got != 50.0/(6*20) {
		t.Errorf("as one run on six workers: %v", got)
	}
	c.Runs = []stats.RunMark{{Workers: 2}, {AtNS: 10, Workers: 3}}
	l = newLanes(c, nil, 20)
	if got := l.utilisation(); got != 1 {
		t.Errorf("two runs: %v", got)
	}
	if l.share(0) != 1 || l.share(2) != 1 || l.share(4) != 0.4 {
		t.Errorf("shares %v, %v, %v", l.share(0), l.share(2), l.share(4))
	}
	c.Runs[1].Workers = 0
	if got := newLanes(c, nil, 20).utilisation(); got != 50.0/60 {
		t.Errorf("of unknown workers: %v", got)
	}
	c.Others = []stats.OtherAttempt{{Task: 5, Worker: 9, Attempt: 1, State: job.Lost, From: 12, To: 20, Start: stats.Null, End: stats.Null}}
	if most, least, ok := newLanes(c, pieces(c, 20), 20).extremes(); !ok || most != 0 || least != 4 {
		t.Errorf("busiest %d, least busy %d, %v", most, least, ok)
	}
}

// TestRunsAreMarked finds a line where each further run begins, and what it says.
func TestRunsAreMarked(t *testing.T) {
	c := resumedJob.columns()
	for _, kind := range []Kind{Timeline, Histogram, Phases, Workers} {
		img, f := picture(t, kind, c, Options{})
		for _, at := range []float64{7e9, 13e9} {
			x := f.box.Left + f.x.Translate(at)
			for _, y := range []int{f.box.Top + 1, f.box.Bottom - 30} {
				if kind == Histogram && y > f.box.Top+1 {
					break // the line of running tasks falls and rises here
				}
				if got := img.RGBAAt(x, y); !same(got, palette.soft) {
					t.Errorf("%s: %v at %d,%d, where a run begins", kind, got, x, y)
				}
			}
		}
		got := words(t, kind, c, Options{})
		for _, want := range []string{"resumed 17:24, after 10 h", "resumed Nov 23 03:24, after 10 h"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", kind, want, got)
			}
		}
		if f.x.max > 25e9 {
			t.Errorf("%s: the axis goes to %v, which has the pauses in", kind, f.x.max)
		}
	}
	if got := words(t, Durations, c, Options{}); strings.Contains(got, "resumed") {
		t.Errorf("run times know no runs:\n%s", got)
	}
	many := brokenJob.columns()
	if got := words(t, Workers, many, Options{}); !strings.Contains(got, "resumed (10 times)") || strings.Contains(got, "after") {
		t.Errorf("of many runs:\n%s", got)
	}
	// Labels that would run into one another are left out or cut, those of no run too.
	c.Runs[1].AtNS, c.Runs[2].AtNS = 12_900_000_000, 13_000_000_000
	if got := words(t, Timeline, c, Options{}); strings.Contains(got, "resumed Nov") || !strings.Contains(got, "resumed 17:24, after 10 h") {
		t.Errorf("of two at one place:\n%s", got)
	}
	c.Runs[2].AtNS = 1 << 50
	if got := words(t, Timeline, c, Options{}); strings.Contains(got, "Nov 23") {
		t.Errorf("of a run that is not in the picture:\n%s", got)
	}
}

func TestAbout(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0 s", 20 * time.Millisecond: "20.0 ms", time.Second: "1 s", 89 * time.Second: "89 s", 90 * time.Second: "2 min",
		time.Hour: "60 min", 95 * time.Minute: "2 h", 10 * time.Hour: "10 h", 47 * time.Hour: "47 h", 50 * time.Hour: "2 d", 1e4 * time.Hour: "417 d"} {
		if got := about(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
