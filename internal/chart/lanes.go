package chart

import (
	"cmp"
	"math"
	"slices"

	"github.com/lithops-go/lithops/internal/stats"
)

// lanes is what each worker did.
type lanes struct {
	workers     []int32 // their numbers, in order; the index is the lane
	lane        map[int32]int
	busy        []int64  // nanoseconds the worker had a task for, by lane
	timed       bool     // of some attempt it is known how long it took
	lost        []bool   // the worker took what it was busy with last along, by lane
	run         []int    // index of the job's run that the worker was of, by lane
	runs        []period // by run
	first, last int64    // from the first task's arrival to the last one's leave
	homeless    int      // tasks that ran on a worker that is not known
}

// period is when the workers of one run were at work: from its first task's arrival to
// its end, or the last task's leave where that is not known.
type period struct {
	first, last int64
	workers     int   // 0: unknown
	busy        int64 // of all of them
}

func (p *period) length() float64 { return float64(max(0, p.last-p.first)) }

// newLanes counts tasks that have not ended as running until now, and of others, which
// do not count, those whose time is known.
func newLanes(c *stats.Columns, others []piece, now int64) *lanes {
	l := &lanes{lane: map[int32]int{}, first: math.MaxInt64, last: math.MinInt64, runs: make([]period, max(1, len(c.Runs)))}
	for i, w := range c.Worker {
		_, _, ran := run(c, i)
		switch {
		case w >= 0 && (ran || known(c.WorkerStart[i])):
			l.lane[w] = 0
		case w < 0 && ran:
			l.homeless++
		}
	}
	for k := range others {
		l.lane[others[k].Worker] = 0
	}
	for w := range l.lane {
		l.workers = append(l.workers, w)
	}
	slices.Sort(l.workers)
	for k, w := range l.workers {
		l.lane[w] = k
	}
	l.lost = make([]bool, len(l.workers))
	busy, span := make([]stats.Spans, len(l.workers)), make([]period, len(l.workers))
	for k := range span {
		span[k] = period{first: math.MaxInt64, last: math.MinInt64}
	}
	seen := func(k int, from, to int64) {
		span[k].first, span[k].last = min(span[k].first, from), max(span[k].last, to)
	}
	for i, w := range c.Worker {
		k, ok := l.of(w)
		if !ok {
			continue
		}
		from, to, ran := run(c, i)
		if ran {
			to = min(to, max(now, from))
			seen(k, min(from, to), max(from, to))
		}
		if h0, h1, ok := l.held(c, i); ok {
			from, to, ran = h0, min(h1, max(now, h0)), true
			seen(k, from, to)
		}
		if ran {
			l.timed = true
			busy[k].Add(from, to)
		}
	}
	for k := range others {
		o, lane := &others[k], l.lane[others[k].Worker]
		seen(lane, o.from, o.to)
		if o.Lost() {
			l.lost[lane] = true
		} else {
			l.timed = true
			busy[lane].Add(o.from, o.to)
		}
	}
	l.sum(c, span, busy)
	return l
}

// sum adds up what the workers of each run did.
func (l *lanes) sum(c *stats.Columns, span []period, busy []stats.Spans) {
	for r := range l.runs {
		l.runs[r] = period{first: math.MaxInt64, last: math.MinInt64}
		if r < len(c.Runs) {
			l.runs[r].workers = c.Runs[r].Workers
		}
	}
	for k, s := range span {
		of := 0
		for of+1 < len(c.Runs) && c.Runs[of+1].AtNS <= s.first && c.Runs[of+1].AtNS < s.last {
			of++
		}
		r, total := &l.runs[of], busy[k].Total()
		l.run, l.busy = append(l.run, of), append(l.busy, total)
		r.first, r.last, r.busy = min(r.first, s.first), max(r.last, s.last), r.busy+total
		l.first, l.last = min(l.first, s.first), max(l.last, s.last)
	}
	for k := range l.runs {
		r, end := &l.runs[k], c.EndNS
		if k+1 < len(l.runs) {
			end = c.Runs[k+1].AtNS
		}
		if r.first <= r.last && known(end) {
			r.last = max(r.last, end)
		}
	}
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

// share is the part of its run's time that lane k was busy.
func (l *lanes) share(k int) float64 {
	if r := &l.runs[l.run[k]]; r.last > r.first {
		return float64(l.busy[k]) / r.length()
	}
	return 0
}

// utilisation is the part of the time of all workers in which they were busy: of as
// many as a run had at a time, where that is known, else of those that are there.
func (l *lanes) utilisation() float64 {
	there := make([]int, len(l.runs))
	for _, of := range l.run {
		there[of]++
	}
	busy, had := 0.0, 0.0
	for k := range l.runs {
		r := &l.runs[k]
		if there[k] == 0 {
			continue
		}
		busy += float64(r.busy)
		had += r.length() * float64(cmp.Or(r.workers, there[k]))
	}
	if had == 0 {
		return 0
	}
	return busy / had
}

// extremes are the lanes that were busy for the largest and the smallest share of
// their time, of those of which it is known; not ok if these are not two.
func (l *lanes) extremes() (most, least int, ok bool) {
	most, least = -1, -1
	for k := range l.busy {
		if l.lost[k] {
			continue
		}
		if most < 0 || l.share(k) > l.share(most) {
			most = k
		}
		if least < 0 || l.share(k) < l.share(least) {
			least = k
		}
		ok = ok || k != most || k != least
	}
	return most, least, ok
}
