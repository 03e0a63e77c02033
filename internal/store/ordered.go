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

// index finds the line of every attempt.
type index struct {
	first []place // by task
	later map[job.Attempt]place
}

func (x *index) at(id job.Attempt) place {
	if id.Try > 1 {
		return x.later[id]
	}
	return x.first[id.Task]
}

// located is the attempts in one piece of a segment.
type located struct {
	block
	ids    []job.Attempt
	places []place
}

func (rd *reading) index() (*index, error) {
	x := &index{first: make([]place, len(rd.log.rows)), later: map[job.Attempt]place{}}
	number := map[*segment]int{}
	for i, seg := range rd.segments {
		number[seg] = i
	}
	do := func(i int, b *located) {
		p := rd.pieces[i]
		b.ids, b.places = b.ids[:0], b.places[:0]
		b.read(p.seg.source, p.i, func(obj []byte, offset int64) error {
			task, try, ok := lineID(obj)
			if err := rd.check(task, ok && try > 0); err != nil {
				return err
			}
			b.ids = append(b.ids, job.Attempt{Task: task, Try: try})
			b.places = append(b.places, placeOf(number[p.seg], offset))
			return nil
		})
	}
	return x, inOrder(len(rd.pieces), do, func(b *located) error {
		rd.take(&b.block)
		for i, id := range b.ids {
			at := b.places[i]
			switch {
			case !rd.mark(id):
				rd.add(repeated(rd.segments[at.segment()].path, at.offset(), id.Task, id.Try))
			case id.Try > 1:
				x.later[id] = at
			default:
				x.first[id.Task] = at
			}
		}
		return nil
	})
}

// Ordered is Scan in the order of the tasks, and of the attempts at each. It goes
// over the segments twice, the second time by an index of their lines.
func (j *Job) Ordered(keys stats.KeySet, f func(*stats.Record) error) (*Report, error) {
	rd, err := j.read(0, j.Manifest.Tasks)
	if err != nil {
		return nil, err
	}
	defer rd.close()
	x, err := rd.index()
	if err != nil {
		return nil, err
	}
	p, later, n := newPicker(keys), rd.later(), len(rd.log.rows)
	lost := map[int64]int{}
	do := func(i int, c *chunk) {
		c.choose(rd, x, later, i*chunkTasks, min((i+1)*chunkTasks, n))
		c.fetch(rd, p)
	}
	err = inOrder((n+chunkTasks-1)/chunkTasks, do, func(c *chunk) error {
		rd.add(c.damaged...)
		for i := range c.records {
			if err := f(&c.records[i]); err != nil {
				return err
			}
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
