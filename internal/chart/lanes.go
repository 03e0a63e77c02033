package chart

import (
	"math"
	"slices"

	"github.com/lithops-go/lithops/internal/stats"
)

// lanes is what each worker did.
type lanes struct {
	workers     []int32 // their numbers, in order; the index is the lane
	lane        map[int32]int
	busy        []int64 // nanoseconds the worker had a task for, by lane
	first, last int64   // from the first task's arrival to the last one's leave
	homeless    int     // tasks that ran on a worker that is not known
}

// newLanes counts tasks that have not ended as running until now.
func newLanes(c *stats.Columns, now int64) *lanes {
	l := &lanes{lane: map[int32]int{}, first: math.MaxInt64, last: math.MinInt64}
	for i, w := range c.Worker {
		_, _, ran := run(c, i)
		switch {
		case w >= 0 && (ran || known(c.WorkerStart[i])):
			l.lane[w] = 0
		case w < 0 && ran:
			l.homeless++
		}
	}
	for w := range l.lane {
		l.workers = append(l.workers, w)
	}
	slices.Sort(l.workers)
	for k, w := range l.workers {
		l.lane[w] = k
	}
	busy := make([]stats.Spans, len(l.workers))
	for i, w := range c.Worker {
		k, ok := l.of(w)
		if !ok {
			continue
		}
		from, to, ran := run(c, i)
		if ran {
			to = min(to, max(now, from))
			l.first, l.last = min(l.first, from, to), max(l.last, from, to)
		}
		if h0, h1, ok := l.held(c, i); ok {
			from, to, ran = h0, min(h1, max(now, h0)), true
			l.first, l.last = min(l.first, from), max(l.last, to)
		}
		if ran {
			busy[k].Add(from, to)
		}
	}
	for k := range busy {
		l.busy = append(l.busy, busy[k].Total())
	}
	return l
}

// of is the lane of a worker.
func (l *lanes) of(worker int32) (int, bool) {
	if worker < 0 {
		return 0, false
	}
	k, ok := l.lane[worker]
	return k, ok
}

// held is when task i was with its worker; never if it still is.
func (l *lanes) held(c *stats.Columns, i int) (from, to int64, ok bool) {
	from, to = c.WorkerStart[i], c.WorkerEnd[i]
	if !known(from) {
		return 0, 0, false
	}
	if !known(to) {
		if active(c, i) {
			return from, never, true
		}
		to = from
		if known(c.End[i]) {
			to = c.End[i]
		}
	}
	return from, max(from, to), true
}

// share is the part of the workers' time that lane k was busy.
func (l *lanes) share(k int) float64 {
	if l.last <= l.first {
		return 0
	}
	return float64(l.busy[k]) / float64(l.last-l.first)
}

// utilisation is the mean share of all lanes.
func (l *lanes) utilisation() float64 {
	sum := 0.0
	for k := range l.busy {
		sum += l.share(k)
	}
	return sum / float64(len(l.busy))
}

// extremes are the lanes that were busy the longest and the shortest.
func (l *lanes) extremes() (most, least int) {
	for k, b := range l.busy {
		if b > l.busy[most] {
			most = k
		}
		if b < l.busy[least] {
			least = k
		}
	}
	return most, least
}
