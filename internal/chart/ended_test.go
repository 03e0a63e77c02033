package chart

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// both is what pictures and the summary say of the same records.
func both(info stats.JobInfo, tasks int, records []*stats.Record) (*stats.Columns, *stats.Summary) {
	info.Created = created.UnixNano()
	c, s := stats.NewColumns("j", "", created, tasks), stats.NewSummarizer(info, tasks)
	c.MarkRuns(info.Runs)
	for _, r := range records {
		own := *r
		stats.Align(info.Runs, &own)
		s.Add(&own)
		c.Add(&own)
	}
	return c, s.Summary()
}

func milli(n int64) stats.Sec { return stats.SecOf(created.UnixNano() + n*1e6) }

// brokenOff has three tasks on two workers, and a host that died 4 s after it had begun:
// one task is done, one was lost with its worker and one with the host.
func brokenOff() (stats.JobInfo, []*stats.Record) {
	info := stats.JobInfo{State: stats.BrokenOff, Workers: 2, Runs: []stats.JobRun{{Number: 1, Start: milli(0).NS, End: milli(4000).NS, Workers: 2}}}
	return info, []*stats.Record{
		{Task: 0, Attempt: 1, Run: stats.IntOf(1), State: job.Success, Worker: stats.IntOf(0), HostSubmit: milli(1), HostDispatch: milli(2), WorkerStart: milli(10),
			FuncStart: milli(12), FuncEnd: milli(500), FuncExec: stats.SecOf(int64(488e6)), WorkerEnd: milli(510), WorkerExec: stats.SecOf(int64(500e6)), StatusDone: milli(512)},
		{Task: 1, Attempt: 1, Run: stats.IntOf(1), State: job.Lost, Worker: stats.IntOf(1), HostSubmit: milli(1), HostDispatch: milli(5), StatusDone: milli(300)},
		{Task: 2, Attempt: 1, Run: stats.IntOf(1), State: job.Lost, Worker: stats.IntOf(0), HostSubmit: milli(1), HostDispatch: milli(6)},
		{Task: 3, State: job.New},
	}
}

func utilisationOf(c *stats.Columns) float64 {
	_, now := bounds(c)
	return newLanes(c, pieces(c, now), now).utilisation()
}

// TestJobThatBrokeOff draws a job that nobody has resumed: what was lost with its host
// goes on to the end, and the figures are those of the summary.
func TestJobThatBrokeOff(t *testing.T) {
	info, records := brokenOff()
	c, s := both(info, 4, records)
	_, now := bounds(c)
	if list := pieces(c, now); len(list) != 2 || list[1].from != 510e6 || list[1].to != 4000e6 {
		t.Errorf("pieces %+v", list)
	}
	if got := utilisationOf(c); math.Abs(100*got-s.Utilisation.V) > 1e-6 || math.Abs(got-500.0/(2*3995)) > 1e-6 {
		t.Errorf("utilisation %v, the summary has %v", got, s.Utilisation)
	}
	for _, kind := range []Kind{Timeline, Histogram, Phases, Workers} {
		got := words(t, kind, c, Options{Width: 2400})
		if kind != Workers && !strings.Contains(got, "total 4.00 s") || strings.Contains(got, "so far") || !strings.Contains(got, "1 done, 2 failed, 1 unfinished") {
			t.Errorf("%s:\n%s", kind, got)
		}
		if _, f := picture(t, kind, c, Options{}); f.x.max < 4e9 || f.x.max > 4.2e9 {
			t.Errorf("%s: the axis ends at %v", kind, f.x.max)
		}
	}
	// Resumed after an hour, with one worker, for half a second: two runs in one picture.
	info.Runs[0].State = stats.BrokenOff
	info.Runs = append(info.Runs, stats.JobRun{Number: 2, Start: milli(3_604_000).NS, End: milli(3_604_500).NS, Shift: int64(time.Hour), State: "cancelled", Workers: 1})
	info.State, info.Ended = "cancelled", milli(3_604_500).NS
	records = append(records, &stats.Record{Task: 3, Attempt: 1, Run: stats.IntOf(2), State: job.Success, Worker: stats.IntOf(2), HostSubmit: milli(3_604_010),
		WorkerStart: milli(3_604_020), FuncStart: milli(3_604_020), FuncEnd: milli(3_604_200), WorkerEnd: milli(3_604_220), StatusDone: milli(3_604_230)})
	c, s = both(info, 4, records)
	if got := utilisationOf(c); math.Abs(100*got-s.Utilisation.V) > 1e-6 || math.Abs(got-(500.0+200)/(2*3995+480)) > 1e-6 {
		t.Errorf("utilisation %v, the summary has %v", got, s.Utilisation)
	}
	if s.Wall != stats.SecOf(int64(4500e6)) || c.EndNS != s.Wall.NS {
		t.Errorf("wall %v, end %d", s.Wall, c.EndNS)
	}
	if got := words(t, Workers, c, Options{Width: 2400}); !strings.Contains(got, s.WorkersText()+" workers, 3 lanes") || s.WorkersText() != "1 to 2" {
		t.Errorf("workers %s, in the picture\n%s", s.WorkersText(), got)
	}
}

// TestNothingTimed has attempts that were lost and no others: nobody knows how busy the
// workers were.
func TestNothingTimed(t *testing.T) {
	info, records := brokenOff()
	c, s := both(info, 4, records[1:])
	if got := words(t, Workers, c, Options{}); strings.Contains(got, "utilisation") || !strings.Contains(got, "2 workers") || s.Utilisation.OK {
		t.Errorf("utilisation %v, in the picture\n%s", s.Utilisation, got)
	}
}

// TestEndWithoutStamps has a job that waited on after its last task, as for a back-off.
func TestEndWithoutStamps(t *testing.T) {
	c := seedJob(5, 2).columns()
	c.Runs, c.EndNS = []stats.RunMark{{Number: 1, Workers: 1}}, 60e9
	for kind, want := range map[Kind]string{Timeline: "total 60.0 s", Histogram: "total 60.0 s", Phases: "total 60.0 s", Workers: "1 worker, 2 lanes"} {
		if got := words(t, kind, c, Options{Width: 2400}); !strings.Contains(got, want) {
			t.Errorf("%s: no %q in\n%s", kind, want, got)
		}
	}
	none := stats.NewColumns("j", "", created, 3)
	none.EndNS = 5e9
	if got := words(t, Timeline, none, Options{}); !strings.Contains(got, "no task has been submitted yet") {
		t.Errorf("of a job without stamps:\n%s", got)
	}
}
