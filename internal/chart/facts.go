package chart

import (
	"cmp"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// opening is the facts that all pictures begin with.
func (f *figure) opening(t tally) []string {
	if f.c.Len() == 0 {
		return nil
	}
	tasks := count(f.c.Len(), "task")
	if n := reduces(f.c); n > 0 {
		tasks = count(f.c.Maps, "map task") + ", " + count(n, "reduce task")
	}
	return []string{tasks, t.String()}
}

// submitted says how long it took to submit all tasks of the map.
func (f *figure) submitted() string {
	stamps := f.c.Submit[:f.c.Maps]
	n := 0
	for _, v := range stamps {
		if known(v) {
			n++
		}
	}
	if n < len(stamps) {
		return comma(float64(n), 0) + " submitted"
	}
	_, last := extent(stamps)
	if reduces(f.c) > 0 {
		return "map submitted after " + duration(last)
	}
	return "all submitted after " + duration(last)
}

// task is what the tasks are called of which a mean is told.
func (f *figure) task() string {
	if reduces(f.c) > 0 {
		return "map task"
	}
	return "task"
}

// until is the job's end, if that is known, or else the last that happened, which is hi
// to go by the stamps; hi if there are none, lo > hi.
func (f *figure) until(lo, hi int64) int64 {
	if end := f.c.EndNS; lo <= hi && known(end) {
		return max(hi, end)
	}
	return hi
}

// total says how long the job took, or when the last thing happened that is known of.
func (f *figure) total(t tally, last int64) string {
	if t.unfinished > 0 && f.c.EndNS == 0 {
		return duration(last) + " so far"
	}
	return "total " + duration(last)
}

// workerCount says how many workers the job had at a time, and how many lanes there are
// if that is another number: a lane is of one process.
func (f *figure) workerCount(lanes int) string {
	least, most := 0, 0
	for _, r := range f.c.Runs {
		if n := r.Workers; n > 0 {
			least, most = min(cmp.Or(least, n), n), max(most, n)
		}
	}
	if most == 0 {
		return count(lanes, "worker")
	}
	s := count(most, "worker")
	if least < most {
		s = comma(float64(least), 0) + " to " + s
	}
	if lanes != most {
		s += ", " + count(lanes, "lane")
	}
	return s
}

// noneYet is the note on a picture that lacks what it is about.
func noneYet(tasks int, note string) string {
	if tasks == 0 {
		return "no tasks"
	}
	return note
}

// warm says whether some task is a call for which nothing was started.
func warm(c *stats.Columns) bool {
	for i, started := range c.Started {
		if !started && known(c.Start[i]) {
			return true
		}
	}
	return false
}

// active says whether task i may still go on.
func active(c *stats.Columns, i int) bool { return c.State[i] <= job.Running }
