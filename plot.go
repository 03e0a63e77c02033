package lithops

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/lithops-go/lithops/internal/chart"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// Plot draws all jobs of the executor so far as one: <id>_timeline.png has a dot for
// each stage of each task, <id>_histogram.png a line for each task and how many ran
// at a time, where <id> is the executor's ID. They are written into directory dir,
// plots if that is empty, which is made if it is missing. Jobs may still run.
func (e *Executor) Plot(dir string) error {
	e.settle()
	e.mu.Lock()
	ids := slices.Clone(e.ended)
	running := slices.Clone(e.running)
	e.mu.Unlock()
	for _, c := range running {
		if c.staged() {
			c.sync()
			ids = append(ids, c.id)
		}
	}
	var all []*stats.Columns
	for _, id := range ids {
		j, err := e.store.Job(id)
		if err != nil {
			return fmt.Errorf("plot: %w", err)
		}
		c, _, err := j.Columns()
		if err != nil {
			return fmt.Errorf("plot job %s: %w", id, err)
		}
		all = append(all, c)
	}
	c := joined(all)
	if !slices.ContainsFunc(c.State, job.State.Final) {
		return errors.New("plot: no task has ended, so there is nothing to draw")
	}
	c.JobID, c.Name = cmp.Or(c.JobID, e.id), e.spec.Name
	dir = cmp.Or(dir, "plots")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	for _, kind := range []chart.Kind{chart.Timeline, chart.Histogram} {
		path := filepath.Join(dir, fmt.Sprintf("%s_%s.png", e.id, kind))
		if err := store.WriteFile(path, 0o644, func(w io.Writer) error { return chart.Render(w, kind, c, chart.Options{}) }); err != nil {
			return fmt.Errorf("plot: %w", err)
		}
	}
	return nil
}

// joined puts the tasks of several jobs one behind the other, as if the first of
// them had created all. One job stays as it is.
func joined(all []*stats.Columns) *stats.Columns {
	if len(all) == 1 {
		return all[0]
	}
	slices.SortStableFunc(all, func(a, b *stats.Columns) int { return a.Created.Compare(b.Created) })
	to := stats.NewColumns("", "", time.Time{}, 0)
	workers := int32(0)
	for i, c := range all {
		if i == 0 {
			to.Created = c.Created
		}
		first, later := to.Len(), int64(c.Created.Sub(to.Created))
		moved := func(at int64) int64 {
			if at != stats.Null {
				at += later
			}
			return at
		}
		add := func(to *[]int64, from []int64) {
			for _, at := range from {
				*to = append(*to, moved(at))
			}
		}
		had := len(to.Others)
		for _, o := range c.Others[:min(len(c.Others), stats.MostOthers-len(to.Others))] {
			o.Task += int32(first)
			if o.Worker >= 0 {
				o.Worker += workers
			}
			o.From, o.To, o.Start, o.End = moved(o.From), moved(o.To), moved(o.Start), moved(o.End)
			to.Others = append(to.Others, o)
		}
		to.OthersCut += c.OthersCut + len(c.Others) - (len(to.Others) - had)
		to.Retried = append(to.Retried, c.Retried...)
		add(&to.Submit, c.Submit)
		add(&to.WorkerStart, c.WorkerStart)
		add(&to.Start, c.Start)
		add(&to.End, c.End)
		add(&to.WorkerEnd, c.WorkerEnd)
		add(&to.StatusDone, c.StatusDone)
		to.State, to.Attempt = append(to.State, c.State...), append(to.Attempt, c.Attempt...)
		most := int32(-1)
		for _, w := range c.Worker {
			most = max(most, w)
			if w >= 0 {
				w += workers
			}
			to.Worker = append(to.Worker, w)
		}
		workers = min(workers+most+1, math.MaxInt32/2)
	}
	to.Maps = to.Len()
	return to
}
