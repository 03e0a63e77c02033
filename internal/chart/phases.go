package chart

import (
	"github.com/wcharczuk/go-chart/v2/drawing"
)

// phase is a part of a task's life, between two of its stamps.
type phase struct {
	name  string
	color drawing.Color
	begin []int64
	end   []int64
	// starts says that a process is started meanwhile, if the task needs one.
	starts bool
}

// phases draws where each task's time went: one bar per task, its phases in
// colours.
func (f *figure) phases() {
	c, n := f.c, f.c.Len()
	f.title = "Phases of job " + c.JobID
	t := tallyOf(c)
	f.facts = f.opening(t)
	lo, hi := extent(c.Submit, c.WorkerStart, c.Start, c.End, c.WorkerEnd, c.StatusDone)
	end := f.until(lo, hi)
	f.timeX(lo, end)
	f.taskRows()
	if lo > hi {
		f.empty(noneYet(n, "no task has been submitted yet"))
		return
	}
	list := []phase{
		{"waiting", palette.waiting, c.Submit, c.WorkerStart, false},
		{"starting", palette.start, c.WorkerStart, c.Start, true},
		{"running", palette.done, c.Start, c.End, false},
		{"uploading", palette.submit, c.End, c.WorkerEnd, false},
		{"fetching", palette.fetched, c.WorkerEnd, c.StatusDone, false},
	}
	sums, mapped, all := make([]float64, len(list)), make([]float64, len(list)), 0.0
	for k := range list {
		for i := range n {
			if i == c.Maps {
				mapped[k] = sums[k]
			}
			if from, to, ok := f.phase(list, k, i); ok && to > from {
				sums[k] += float64(min(to, hi) - from)
			}
		}
		if c.Maps == n {
			mapped[k] = sums[k]
		}
		all += sums[k]
	}
	for k, p := range list {
		label := p.name
		if all > 0 {
			label += " " + percent(sums[k]/all)
		}
		f.keys = append(f.keys, key{label, p.color, block})
	}
	f.facts = append(f.facts, f.total(t, end))
	mean := func(k int) string { return list[k].name + " " + duration(int64(mapped[k]/float64(max(c.Maps, 1)))) }
	f.facts = append(f.facts, "mean per "+f.task()+": "+mean(0)+", "+mean(2)+", "+mean(4))
	f.layers = []layer{{draw: func(p *plot) { f.phaseBars(p, list) }}}
	mark := 3 * f.s
	if t.failed > fewFailed {
		mark = dotRadius(n) * f.s
	}
	f.markFailures(t, mark)
	f.markReduce(true)
	f.markRuns()
}

// phase is when task i was in phase k; of a call for which nothing was started,
// what lies between the worker's start and the call's is no phase. One that has begun and not ended, of a
// task that may still go on, has the end never. ok is false if the task did not
// get there, or if it cannot be told.
func (f *figure) phase(list []phase, k, i int) (from, to int64, ok bool) {
	from, to = list[k].begin[i], list[k].end[i]
	if !known(from) || list[k].starts && known(to) && f.c.Started != nil && !f.c.Started[i] {
		return 0, 0, false
	}
	if known(to) {
		return from, to, true
	}
	for _, later := range list[k+1:] {
		if known(later.end[i]) {
			return 0, 0, false
		}
	}
	// a task that ended keeps its host waiting for nothing but its status
	if !active(f.c, i) {
		return 0, 0, false
	}
	return from, never, true
}

func (f *figure) phaseBars(p *plot, list []phase) {
	paints := make([]paint, 2*len(list)) // of the map, of the reduce
	for k := range list {
		paints[k].color = list[k].color
		paints[len(list)+k] = reducePaint(reduces(f.c), 0)
		paints[len(list)+k].color = list[k].color
	}
	scale := p.x.scale()
	p.bars(p.newRows(0.5, 12), paints, func(yield func(bar) bool) {
		var bars [5]bar
		for i := range f.c.Len() {
			row := bars[:0]
			for k := range list {
				if from, to, ok := f.phase(list, k, i); ok && to >= from {
					if i >= f.c.Maps {
						k += len(list)
					}
					row = append(row, bar{row: i, paint: k, x0: (float64(from)-p.x.min)*scale + 0.5, x1: (float64(to)-p.x.min)*scale + 0.5})
				}
			}
			stretch(row)
			for _, b := range row {
				if !yield(b) {
					return
				}
			}
		}
	})
}

// stretch makes a task's bars together at least a pixel wide, about their
// middle, so that no task is invisible.
func stretch(row []bar) {
	if len(row) == 0 {
		return
	}
	x0, x1 := row[0].x0, row[len(row)-1].x1
	wide := x1 - x0
	if wide >= 1 {
		return
	}
	if wide <= 0 {
		row[0].x0, row[0].x1 = widen(x0, x0, 1)
		return
	}
	mid := (x0 + x1) / 2
	for k := range row {
		row[k].x0 = mid + (row[k].x0-mid)/wide
		row[k].x1 = mid + (row[k].x1-mid)/wide
	}
}
