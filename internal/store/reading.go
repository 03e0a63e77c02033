package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// reading is one pass over a job's files: first the host's log, then the
// segments. In that order a record the host has read is always found, also while
// the job runs.
type reading struct {
	job       *Job
	log       *hostLog
	segments  []*segment
	pieces    []piece
	report    *Report
	seen      []bool // first attempts that a worker has recorded
	seenLater map[job.Attempt]bool
	damaged   map[string]int       // lines by path
	short     map[job.Attempt]bool // result or log are not all there, which is reported
	last      int64                // the latest stamp of the host
	pending   []short              // not reported yet, see settle
	again     madeAgain
}

// segment is the records of one worker, and how far what they point to reaches.
type segment struct {
	*source
	out, log *extent
}

// piece is a part of a segment that can be read independently.
type piece struct {
	seg *segment
	i   int
}

// extent is the size of a file that may grow.
type extent struct {
	path string
	size atomic.Int64
}

func newExtent(path string) *extent {
	e := &extent{path: path}
	e.look()
	return e
}

func (e *extent) look() {
	if info, err := os.Stat(e.path); err == nil {
		e.size.Store(info.Size())
	}
}

// check says whether the file has the bytes; those of nothing are everywhere.
func (e *extent) check(offset, size stats.Int) error {
	if !offset.OK || !size.OK || size.V == 0 {
		return nil
	}
	end := offset.V + size.V
	if offset.V >= 0 && size.V > 0 && end > e.size.Load() {
		e.look()
	}
	if have := e.size.Load(); offset.V < 0 || size.V < 0 || end > have {
		return fmt.Errorf("points to bytes %d to %d of %s, which has %d", offset.V, end, filepath.Base(e.path), have)
	}
	return nil
}

// read reads what the host says of n tasks from first on and opens the segments.
func (j *Job) read(first, n int) (*reading, error) {
	rd := &reading{job: j, log: newHostLog(first, n), report: &Report{},
		seen: make([]bool, n), seenLater: map[job.Attempt]bool{}, damaged: map[string]int{}, short: map[job.Attempt]bool{}, again: madeAgain{}}
	if !j.staged && j.state == JobRunning {
		return rd, nil // whatever there is by now came after the job was opened
	}
	dead, err := rd.dead() // first: the next host writes it down, and then removes the notes
	if err != nil {
		return nil, err
	}
	if err := rd.readHost(); err != nil {
		return nil, err
	}
	for i := range dead {
		rd.log.add(&dead[i])
	}
	workers, err := j.workers(StatsSegment)
	if err != nil {
		return nil, err
	}
	for _, n := range workers {
		path := SegmentPath(j.dir, n, StatsSegment)
		src, err := openSource(path, n)
		if err != nil {
			rd.add(Damage{Path: path, Msg: "cannot be opened: " + err.Error()})
			continue
		}
		seg := &segment{source: src, out: newExtent(SegmentPath(j.dir, n, OutSegment)), log: newExtent(SegmentPath(j.dir, n, LogSegment))}
		rd.segments = append(rd.segments, seg)
		for i := range src.blocks() {
			rd.pieces = append(rd.pieces, piece{seg, i})
		}
	}
	return rd, nil
}

// dead is what workers were at that died with their host, if nobody has resumed the job
// since.
func (rd *reading) dead() (lines []hostLine, err error) {
	if rd.job.state != JobBrokenOff {
		return nil, nil
	}
	workers, err := rd.job.workers(runningKind)
	for _, n := range workers {
		if r, ok := died(rd.job.dir, n, rd.job.Manifest.Tasks); ok && rd.log.holds(r.Task) {
			lines = append(lines, hostLine{id: attemptOf(&r), row: rowOf(&r)})
		}
	}
	return lines, err
}

func (rd *reading) close() {
	for _, seg := range rd.segments {
		seg.f.Close()
	}
}

// finish is the report of the pass.
func (rd *reading) finish() *Report {
	rd.report.number()
	return rd.report
}

func (rd *reading) add(found ...Damage) {
	for _, d := range found {
		if d.Line != atOffset || d.Offset > 0 || rd.job.Manifest.Version < 2 { // else it is no record that is damaged
			rd.damaged[d.Path]++
		}
	}
	rd.report.add(found...)
}

// settle reports what records point to that is not there, when all are known.
func (rd *reading) settle() {
	for i := range rd.pending {
		if d, found := rd.pending[i].damage(rd.again.after(rd.pending[i].id)); found {
			rd.add(d)
		}
	}
	rd.pending = nil
}

// take notes what reading a block came across, of the file of a worker or, -1, of the
// host.
func (rd *reading) take(b *block, worker int) {
	rd.add(b.damage...)
	if b.torn && (rd.job.state != JobRunning || worker >= 0 && rd.job.over(worker)) {
		rd.report.Torn++
	}
}

var hostKeys = stats.NewHostPicker()

type hostBlock struct {
	block
	layout stats.Layout
	lines  []hostLine
	r      stats.Record
	last   int64 // the latest stamp
}

func (rd *reading) readHost() error {
	path := filepath.Join(rd.job.dir, hostName)
	src, err := openSource(path, -1)
	if err != nil {
		if _, gone := os.Stat(rd.job.dir); gone != nil {
			return fmt.Errorf("read job: %w", err)
		}
		if rd.job.staged || !errors.Is(err, fs.ErrNotExist) {
			rd.add(Damage{Path: path, Msg: "cannot be opened: " + err.Error()})
		}
		return nil
	}
	defer src.f.Close()
	return inOrder(src.blocks(), func(i int, b *hostBlock) {
		b.lines, b.last = b.lines[:0], 0
		b.read(src, i, func(obj []byte, _ int64) error { return rd.hostLine(b, obj) })
	}, func(b *hostBlock) error {
		rd.take(&b.block, -1)
		for i := range b.lines {
			rd.log.add(&b.lines[i])
		}
		rd.last = max(rd.last, b.last)
		return nil
	})
}

func (rd *reading) hostLine(b *hostBlock, obj []byte) error {
	if bytes.HasPrefix(obj, []byte(`{"event":`)) {
		b.last = max(b.last, eventTime(obj))
		return nil
	}
	id, at, ok := lineID(obj)
	if ours, err := rd.check(id.Task, ok); !ours || !rd.log.holds(id.Task) {
		return err
	}
	new(hostRow).fill(&b.r) // clears what rowOf looks at; clearing all of a record takes longer than reading the line
	b.r.Task, b.r.Attempt, b.r.State, b.r.Worker, b.r.ErrorType, b.r.Error = id.Task, id.Try, 0, stats.Int{}, "", ""
	if err := hostKeys.Parse(obj, at, &b.layout, &b.r); err != nil {
		return err
	}
	b.last = max(b.last, hostStamp(&b.r))
	b.lines = append(b.lines, hostLine{id, rowOf(&b.r), hostText{b.r.ErrorType, b.r.Error}})
	return nil
}

// eventTime is the time of an event, 0 where none can be read.
func eventTime(obj []byte) int64 {
	const key = `"time_ns":`
	i := bytes.Index(obj, []byte(key))
	if i < 0 {
		return 0
	}
	n, _, _ := leadingInt(obj[i+len(key):], 19)
	return int64(n)
}

// check says whether a line is about a task of the job, and what is wrong with it
// if it is not: nothing while the job runs, because it may have got more tasks after
// it was opened.
func (rd *reading) check(task int, ok bool) (ours bool, err error) {
	if !ok {
		return false, errors.New("neither a record nor an event")
	}
	n := rd.job.Manifest.Tasks
	if task >= n && rd.job.state != JobRunning {
		err = fmt.Errorf("about task %d of a job of %d tasks", task, n)
	}
	return task < n, err
}

// parse reads a worker's line, which goes on at obj[at], into r, a record that has no more than its
// task and attempt.
func (seg *segment) parse(p *stats.Picker, l *stats.Layout, obj []byte, at int, r *stats.Record) error {
	if err := p.Parse(obj, at, l, r); err != nil {
		return err
	}
	if !r.Worker.OK {
		r.Worker = stats.IntOf(seg.worker)
	}
	if r.Worker.V != int64(seg.worker) {
		return fmt.Errorf("record of worker %d in the segment of worker %d", r.Worker.V, seg.worker)
	}
	return nil
}

// merge adds to a record of seg what is known of the attempt from elsewhere: row is what the
// host knows, nil for nothing. It may be called by several goroutines once the host's log is read.
func (rd *reading) merge(seg *segment, r *stats.Record, row *hostRow) {
	// What waited when its run broke off may have been made, under the same number, by another.
	if row != nil {
		if by := row.int(rowWorker); !by.OK || by.V == int64(seg.worker) {
			row.fill(r)
		} else {
			r.FuncDataSize = row.size()
		}
	}
	rd.job.complete(r)
}

// pointsTo says what is not there of r's result and log.
func (seg *segment) pointsTo(r *stats.Record) (s short, found bool) {
	s = short{id: attemptOf(r), result: seg.out.check(r.ResultOffset, r.ResultSize), log: seg.log.check(r.LogOffset, r.LogSize)}
	return s, s.result != nil || s.log != nil
}

// short is an attempt whose record points to what is not there.
type short struct {
	id          job.Attempt
	path        string // where the record stands
	offset      int64
	result, log error
}

// damage is what of it is to be reported, if anything. Nobody misses a result that has
// been made again.
func (s *short) damage(again bool) (d Damage, found bool) {
	err := errors.Join(s.result, s.log)
	if again {
		err = s.log
	}
	if err == nil {
		return d, false
	}
	return Damage{Path: s.path, Line: atOffset, Offset: s.offset, Msg: err.Error()}, true
}

// madeAgain holds the last attempt at a task that has a result, where it is not the
// first.
type madeAgain map[int]int

// add takes in a record; s is what is not there of what it points to.
func (m madeAgain) add(r *stats.Record, s *short) {
	if r.State == job.Success && r.Attempt > 1 && (s == nil || s.result == nil) {
		m[r.Task] = max(m[r.Task], r.Attempt)
	}
}

// after says whether there is a result of an attempt after this one.
func (m madeAgain) after(id job.Attempt) bool { return m[id.Task] > id.Try }

// mark notes that a worker has recorded an attempt, and whether for the first time.
func (rd *reading) mark(id job.Attempt) bool {
	if id.Try > 1 {
		first := !rd.seenLater[id]
		rd.seenLater[id] = true
		return first
	}
	first := !rd.seen[id.Task-rd.log.first]
	rd.seen[id.Task-rd.log.first] = true
	return first
}
