package store

import (
	"cmp"
	"fmt"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

func compareAttempts(a, b job.Attempt) int {
	return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.Try, b.Try))
}

// recordBlock is the records of one piece of a segment.
type recordBlock struct {
	block
	seg     *segment
	layout  stats.Layout
	records []stats.Record
	rows    []hostRow
	offsets []int64
	shorts  []short
}

// Scan calls f with the record of every attempt that was made, and with one record
// in the state new, queued or running for every task without any, in no
// particular order. keys is what f looks at; other keys may be null. A record is valid during the call only. An error of f ends the scan and
// is returned.
func (j *Job) Scan(keys stats.KeySet, f func(*stats.Record) error) (*Report, error) {
	return j.scan(0, j.Manifest.Tasks, nil, keys, f)
}

// scan is Scan for n tasks from first on. wanted tells their lines from others
// without reading them; nil wants all.
func (j *Job) scan(first, n int, wanted func(obj []byte) bool, keys stats.KeySet, f func(*stats.Record) error) (*Report, error) {
	rd, err := j.read(first, n)
	if err != nil {
		return nil, err
	}
	defer rd.close()
	if err = rd.scan(wanted, keys, f); err == nil {
		err = rd.unrecorded(f)
	}
	if err != nil {
		return nil, err
	}
	return rd.finish(), nil
}

// scan calls f with what the workers have recorded, in the order in which it stands in
// their segments.
func (rd *reading) scan(wanted func(obj []byte) bool, keys stats.KeySet, f func(*stats.Record) error) error {
	p := stats.NewPicker(readKeys(keys))
	do := func(i int, b *recordBlock) {
		b.seg, b.records, b.offsets = rd.pieces[i].seg, b.records[:0], b.offsets[:0]
		b.shorts = b.shorts[:0]
		b.read(b.seg.source, rd.pieces[i].i, func(obj []byte, offset int64) error {
			if wanted != nil && !wanted(obj) {
				return nil
			}
			return rd.workerLine(p, b, obj, offset)
		})
		b.merge(rd)
	}
	defer rd.settle()
	return inOrder(len(rd.pieces), do, func(b *recordBlock) error {
		rd.take(&b.block, b.seg.worker)
		rd.pending = append(rd.pending, b.shorts...)
		shorts := b.shorts
		for i := range b.records {
			r := &b.records[i]
			var s *short
			if len(shorts) > 0 && shorts[0].offset == b.offsets[i] {
				s, shorts = &shorts[0], shorts[1:]
			}
			rd.again.add(r, s)
			if !rd.mark(job.Attempt{Task: r.Task, Try: r.Attempt}) {
				rd.add(repeated(b.seg.path, b.offsets[i], r.Task, r.Attempt))
				continue
			}
			if err := f(r); err != nil {
				return err
			}
		}
		return nil
	})
}

func repeated(path string, offset int64, task, attempt int) Damage {
	return Damage{Path: path, Line: atOffset, Offset: offset, Msg: fmt.Sprintf("attempt %d at task %d is recorded twice", attempt, task)}
}

func (rd *reading) workerLine(p *stats.Picker, b *recordBlock, obj []byte, offset int64) error {
	id, at, ok := lineID(obj)
	if ours, err := rd.check(id.Task, ok && id.Try > 0); !ours {
		return err
	}
	n := len(b.records)
	if n == cap(b.records) {
		b.records = append(b.records, stats.Record{})[:n]
	}
	r := &b.records[:n+1][n]
	*r = b.seg.common
	r.Task, r.Attempt = id.Task, id.Try
	if n > 0 && r.WorkerHostname == "" {
		r.WorkerHostname = b.records[n-1].WorkerHostname // saves a copy of what is the same
	}
	if err := b.seg.parse(p, &b.layout, obj, at, r); err != nil {
		return err
	}
	b.records, b.offsets = b.records[:n+1], append(b.offsets, offset)
	return nil
}

// merge completes the records of the block. What the host knows of them lies all over its
// log, so it is fetched for all at once: then the memory is not waited for each time.
func (b *recordBlock) merge(rd *reading) {
	b.rows = b.rows[:0]
	for i := range b.records {
		row := rd.log.row(attemptOf(&b.records[i]))
		if row == nil {
			row = &hostRow{}
		}
		b.rows = append(b.rows, *row)
	}
	for i := range b.records {
		r := &b.records[i]
		rd.merge(b.seg, r, &b.rows[i])
		if s, found := b.seg.pointsTo(r); found {
			s.path, s.offset = b.seg.path, b.offsets[i]
			b.shorts = append(b.shorts, s)
		}
	}
}

// Columns reads what pictures need of every task, without the pauses between runs.
func (j *Job) Columns() (*stats.Columns, *Report, error) {
	m := j.Manifest
	c := stats.NewColumns(m.JobID, m.Name, time.Unix(0, m.Clock.Wall), m.Tasks)
	c.Started = make([]bool, m.Tasks)
	runs := j.Runs()
	c.MarkRuns(runs)
	rep, err := j.Scan(stats.ColumnKeys(), func(r *stats.Record) error {
		stats.Align(runs, r)
		c.Add(r)
		return nil
	})
	return c, rep, err
}
