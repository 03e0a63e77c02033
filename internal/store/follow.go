package store

import (
	"errors"

	"github.com/lithops-go/lithops/internal/stats"
)

// Follower reads the records that the workers of a running job add. Not safe for
// concurrent use.
type Follower struct {
	job   *Job
	keys  *stats.Picker
	tails map[int]*Tail // by worker
}

// Follow begins behind what is recorded by now. keys is what will be looked at.
func (j *Job) Follow(keys stats.KeySet) (*Follower, error) {
	fl := &Follower{job: j, keys: stats.NewPicker(readKeys(keys)), tails: map[int]*Tail{}}
	err := fl.each(func(t *Tail) (err error) {
		if t.at, err = t.end(); err == nil && t.at > 0 {
			t.common, _ = readCommon(t.f)
		}
		return err
	})
	if err != nil {
		return nil, errors.Join(err, fl.Close())
	}
	return fl, nil
}

// each opens the segments that are new and calls f with all.
func (fl *Follower) each(f func(*Tail) error) error {
	workers, err := fl.job.workers(StatsSegment)
	if err != nil {
		return err
	}
	for _, n := range workers {
		t := fl.tails[n]
		if t == nil {
			if t, err = OpenTail(SegmentPath(fl.job.dir, n, StatsSegment)); err != nil {
				return err
			}
			fl.tails[n] = t
		}
		if err := f(t); err != nil {
			return err
		}
	}
	return nil
}

// Next calls f with the record of each attempt that was added since the last call:
// what its worker has written, without what the host knows. It is valid during the
// call only. Lines that are damaged are left out.
func (fl *Follower) Next(f func(*stats.Record) error) error {
	var r stats.Record
	return fl.each(func(t *Tail) error {
		return t.ReadRest(func(line []byte) error {
			if t.Parse(line, fl.keys, &r) != nil {
				return nil
			}
			fl.job.complete(&r)
			return f(&r)
		})
	})
}

// Close closes the segments.
func (fl *Follower) Close() error {
	var errs []error
	for _, t := range fl.tails {
		errs = append(errs, t.Close())
	}
	clear(fl.tails)
	return errors.Join(errs...)
}
