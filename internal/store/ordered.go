package store

import (
	"errors"
	"iter"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// place says where an attempt's line stands: the segment's index, from 1, and the
// offset in it. Zero is nowhere. Eight bytes, so that a million tasks take 8 MB.
type place uint64

const offsetBits = 44 // 16 TB; leaves a million segments

func placeOf(segment int, offset int64) place {
	return place(segment+1)<<offsetBits | place(offset)
}

func (p place) segment() int  { return int(p>>offsetBits) - 1 }
func (p place) offset() int64 { return int64(p & (1<<offsetBits - 1)) }

// index finds the line of every attempt at the tasks of a reading.
type index struct {
	from  int
	first []place // by task, from the task from on
	later map[job.Attempt]place
}

func (x *index) at(id job.Attempt) place {
	if id.Try > 1 {
		return x.later[id]
	}
	return x.first[id.Task-x.from]
}

// located is the attempts in one piece of a segment.
type located struct {
	block
	worker int
	ids    []job.Attempt
	places []place
}

func (rd *reading) index() (*index, error) {
	x := &index{from: rd.log.first, first: make([]place, len(rd.log.rows)), later: map[job.Attempt]place{}}
	number := map[*segment]int{}
	for i, seg := range rd.segments {
		number[seg] = i
	}
	do := func(i int, b *located) {
		p := rd.pieces[i]
		b.worker, b.ids, b.places = p.seg.worker, b.ids[:0], b.places[:0]
		b.read(p.seg.source, p.i, func(obj []byte, offset int64) error {
			id, _, ok := lineID(obj)
			if ours, err := rd.check(id.Task, ok && id.Try > 0); !ours || !rd.log.holds(id.Task) {
				return err
			}
			b.ids = append(b.ids, id)
			b.places = append(b.places, placeOf(number[p.seg], offset))
			return nil
		})
	}
	return x, inOrder(len(rd.pieces), do, func(b *located) error {
		rd.take(&b.block, b.worker)
		for i, id := range b.ids {
			at := b.places[i]
			switch {
			case !rd.mark(id):
				rd.add(repeated(rd.segments[at.segment()].path, at.offset(), id.Task, id.Try))
			case id.Try > 1:
				x.later[id] = at
			default:
				x.first[id.Task-x.from] = at
			}
		}
		return nil
	})
}

// Ordered is Scan in the order of the tasks, and of the attempts at each. It goes
// over the segments twice, the second time by an index of their lines.
func (j *Job) Ordered(keys stats.KeySet, f func(*stats.Record) error) (*Report, error) {
	return j.Tasks(0, j.Manifest.Tasks, keys, func(attempts []stats.Record) error {
		for i := range attempts {
			if err := f(&attempts[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// Tasks is Ordered for n tasks from first on, of which f gets one after the other:
// all attempts at it, in order and at least one, valid during the call only. The
// error is a *NoTaskError when the job has not so many tasks.
func (j *Job) Tasks(first, n int, keys stats.KeySet, f func(attempts []stats.Record) error) (*Report, error) {
	return j.tasks(first, n, keys, func(_ *reading, attempts []stats.Record) error { return f(attempts) })
}

func (j *Job) tasks(first, n int, keys stats.KeySet, f func(*reading, []stats.Record) error) (*Report, error) {
	if most := j.Manifest.Tasks; first < 0 || n < 0 || first > most || n > most-first {
		missing := first
		if first >= 0 {
			missing = max(first, most)
		}
		return nil, &NoTaskError{missing, most}
	}
	rd, err := j.read(first, n)
	if err != nil {
		return nil, err
	}
	defer rd.close()
	x, err := rd.index()
	if err != nil {
		return nil, err
	}
	p, later, end := stats.NewPicker(readKeys(keys)), rd.later(), first+n
	lost := map[int64]int{}
	do := func(i int, c *chunk) {
		from := first + i*chunkTasks
		c.choose(rd, x, later, from, min(from+chunkTasks, end))
		c.fetch(rd, p)
	}
	err = inOrder((n+chunkTasks-1)/chunkTasks, do, func(c *chunk) error {
		rd.add(c.damaged...)
		for i := range c.shorts {
			rd.short[c.shorts[i].id] = true
		}
		for all := c.records; len(all) > 0; {
			same := 1
			for same < len(all) && all[same].Task == all[0].Task {
				same++
			}
			if err := f(rd, all[:same:same]); err != nil {
				return err
			}
			all = all[same:]
		}
		for worker, n := range c.lost {
			lost[worker] += n
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	rd.missing(lost)
	return rd.finish(), nil
}

var errStop = errors.New("stop")

// Records is Ordered with all keys, as a sequence. What is damaged is left out.
func (j *Job) Records() iter.Seq2[*stats.Record, error] {
	return func(yield func(*stats.Record, error) bool) {
		_, err := j.Ordered(stats.AllKeys(), func(r *stats.Record) error {
			if !yield(r, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}
