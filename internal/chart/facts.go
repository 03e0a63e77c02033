package chart

import (
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// opening is the facts that all pictures begin with.
func (f *figure) opening(t tally) []string {
	if f.c.Len() == 0 {
		return nil
	}
	return []string{count(f.c.Len(), "task"), t.String()}
}

// submitted says how long it took to submit all tasks.
func (f *figure) submitted() string {
	n := 0
	for _, v := range f.c.Submit {
		if known(v) {
			n++
		}
	}
	if n < f.c.Len() {
		return comma(float64(n), 0) + " submitted"
	}
	_, last := extent(f.c.Submit)
	return "all submitted after " + duration(last)
}

// total says when the last thing happened that is known of.
func (f *figure) total(t tally, last int64) string {
	if t.unfinished > 0 {
		return duration(last) + " so far"
	}
	return "total " + duration(last)
}

// noneYet is the note on a picture that lacks what it is about.
func noneYet(tasks int, note string) string {
	if tasks == 0 {
		return "no tasks"
	}
	return note
}

// active says whether task i may still go on.
func active(c *stats.Columns, i int) bool { return c.State[i] <= job.Running }
