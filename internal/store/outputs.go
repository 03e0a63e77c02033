package store

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// Outputs reads the results and logs of many attempts. It keeps the segments open
// that it has read from, so that a small result costs one read(2), and of many that
// stand one after the other only a part of one. Not safe for concurrent use.
type Outputs struct {
	job    *Job
	dir    string
	files  map[outputFile]*segmentFile
	result resultReader
}

// segmentFile reads a segment, ahead of those who go through it.
type segmentFile struct {
	*os.File
	ahead []byte // what stands from offset from on; a segment only grows
	from  int64
	next  int64 // the end of the last read
}

const readAhead = 64 << 10

// ReadAt is as that of a file.
func (f *segmentFile) ReadAt(p []byte, off int64) (int, error) {
	end := off + int64(len(p))
	sequential := off == f.next
	f.next = end
	if off < f.from || end > f.from+int64(len(f.ahead)) {
		if !sequential || len(p) > readAhead/4 {
			return f.File.ReadAt(p, off)
		}
		if f.ahead == nil {
			f.ahead = make([]byte, readAhead)
		}
		n, err := f.File.ReadAt(f.ahead[:readAhead], off)
		f.ahead, f.from = f.ahead[:n], off
		if n < len(p) {
			return copy(p, f.ahead), err
		}
	}
	return copy(p, f.ahead[off-f.from:]), nil
}

type outputFile struct {
	worker int64
	kind   string
}

// Outputs reads results and logs of the job, until it is closed.
func (j *Job) Outputs() *Outputs {
	return &Outputs{job: j, dir: j.dir, files: map[outputFile]*segmentFile{}}
}

// Close closes the segments.
func (o *Outputs) Close() error {
	var errs []error
	for _, f := range o.files {
		errs = append(errs, f.Close())
	}
	clear(o.files)
	return errors.Join(errs...)
}

func (o *Outputs) open(r *stats.Record, kind string) (*segmentFile, error) {
	of := outputFile{r.Worker.V, kind}
	if f := o.files[of]; f != nil {
		return f, nil
	}
	path := SegmentPath(o.dir, int(r.Worker.V), kind)
	f, err := os.Open(path)
	if _, gone := os.Stat(o.dir); errors.Is(err, fs.ErrNotExist) && gone == nil {
		return nil, Damage{Path: path, Msg: fmt.Sprintf("is missing, with the output of task %d, attempt %d", r.Task, r.Attempt)}
	}
	if err != nil {
		return nil, fmt.Errorf("read output of task %d: %w", r.Task, err)
	}
	o.files[of] = &segmentFile{File: f}
	return o.files[of], nil
}

// Result reads the result of an attempt; the reader is valid until the next call.
// When the bytes are not those the worker wrote, its error in place of io.EOF is a
// Damage. A result of up to 1 MiB is checked before the first byte is given out.
// The errors are ErrNoOutput, a Damage when the segment is missing, and what the
// file system says.
func (o *Outputs) Result(r *stats.Record) (io.Reader, error) {
	if err := recorded(r, r.ResultOffset, r.ResultSize); err != nil {
		return nil, err
	}
	o.result.start(nil, r)
	if r.ResultSize.V == 0 {
		return &o.result, nil
	}
	f, err := o.open(r, OutSegment)
	if err != nil {
		return nil, err
	}
	o.result.start(f, r)
	return &o.result, nil
}

// AppendResult appends the result of an attempt to b. When the bytes are not those the
// worker wrote, the error is a Damage, and b is as it was; the other errors are those
// of Result.
func (o *Outputs) AppendResult(b []byte, r *stats.Record) ([]byte, error) {
	if err := recorded(r, r.ResultOffset, r.ResultSize); err != nil || r.ResultSize.V == 0 {
		return b, err
	}
	f, err := o.open(r, OutSegment)
	if err != nil {
		return b, err
	}
	had, size := len(b), int(r.ResultSize.V)
	all := slices.Grow(b, size)[:had+size]
	n, err := f.ReadAt(all[had:], r.ResultOffset.V)
	if err != nil && err != io.EOF {
		return b, fmt.Errorf("read output of task %d: %w", r.Task, err)
	}
	read := output{f: f.File, id: attemptOf(r), from: io.NewSectionReader(f, r.ResultOffset.V, r.ResultSize.V), want: r.ResultCRC,
		left: int64(size - n), sum: crc32.Checksum(all[had:had+n], castagnoli)}
	if err := read.end(); err != io.EOF {
		return b, err
	}
	return all, nil
}

// Log reads the log of an attempt, as Job.Log. Of a log that is cut short it has what
// there is left. The errors are those of Result.
func (o *Outputs) Log(r *stats.Record) (*io.SectionReader, error) {
	kind, offset, size := o.job.logOf(r)
	if err := recorded(r, offset, size); err != nil {
		return nil, err
	}
	if size.V == 0 {
		return io.NewSectionReader(nothing{}, 0, 0), nil
	}
	f, err := o.open(r, kind)
	if err != nil {
		return nil, err
	}
	return io.NewSectionReader(f.File, offset.V, size.V), nil
}

type nothing struct{}

func (nothing) ReadAt([]byte, int64) (int, error) { return 0, io.EOF }

// wholeResult is the size up to which a result is read at once.
const wholeResult = 1 << 20

// resultReader is one result after the other.
type resultReader struct {
	large output
	small []byte // what is left of a small result
	read  bool   // a small result was read into buf
	buf   []byte
	err   error // how it ends, once that is known
}

// start begins with the result of r in f.
func (rr *resultReader) start(f *segmentFile, r *stats.Record) {
	rr.small, rr.read, rr.err = nil, false, nil
	if f == nil {
		rr.err = io.EOF
		return
	}
	rr.large = output{f: f.File, id: attemptOf(r), from: io.NewSectionReader(f, r.ResultOffset.V, r.ResultSize.V), want: r.ResultCRC, left: r.ResultSize.V}
}

func (rr *resultReader) Read(p []byte) (n int, err error) {
	if rr.err != nil && len(rr.small) == 0 {
		return 0, rr.err
	}
	if rr.err == nil && rr.large.from.Size() > wholeResult {
		n, rr.err = rr.large.Read(p)
		return n, rr.err
	}
	if !rr.read {
		if err := rr.readWhole(); err != nil {
			return 0, err
		}
	}
	n = copy(p, rr.small)
	rr.small = rr.small[n:]
	return n, nil
}

func (rr *resultReader) readWhole() error {
	rr.read = true
	size := int(rr.large.left)
	if cap(rr.buf) < size {
		rr.buf = make([]byte, max(size, 4<<10))
	}
	b := rr.buf[:size]
	n, err := rr.large.from.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		rr.err = fmt.Errorf("read output of task %d: %w", rr.large.id.Task, err)
		return rr.err
	}
	rr.large.left -= int64(n)
	rr.large.sum = crc32.Checksum(b[:n], castagnoli)
	if rr.err = rr.large.end(); rr.err != io.EOF {
		return rr.err
	}
	rr.small = b
	return nil
}

// damage is how the result is damaged, once its reader has come across it.
func (rr *resultReader) damage() (d Damage, found bool) { return errors.AsType[Damage](rr.err) }

// Counting is the attempt that counts among those at one task: the last successful one,
// else the last.
func Counting(attempts []stats.Record) *stats.Record {
	for i := len(attempts) - 1; i >= 0; i-- {
		if attempts[i].State == job.Success {
			return &attempts[i]
		}
	}
	return &attempts[len(attempts)-1]
}

// resultKeys are the keys that Results has.
var resultKeys = stats.NewKeySet("state", "worker", "exit_code", "signal", "error_type", "error",
	"func_result_size", "result_offset", "result_crc32c", "log_offset", "log_size")

// Results calls f with the attempt that counts and its result of each of n tasks
// from first on, in order. result is nil for a task that has none: that has not
// succeeded, or whose record was lost. Of r, those keys of the worker are there that
// say what the attempt is, how it ended, and where its result and log are. Both are
// valid during the call only.
//
// What is read of a damaged result ends with a Damage, see Outputs.Result; it is
// reported, too, and when f returns it Results goes on with the next task. Every
// other error of f ends it and is returned. What f does not read is not checked.
func (j *Job) Results(first, n int, f func(r *stats.Record, result io.Reader) error) (*Report, error) {
	outputs := j.Outputs()
	defer outputs.Close()
	return j.tasks(first, n, resultKeys, func(rd *reading, attempts []stats.Record) error {
		r := Counting(attempts)
		if r.State != job.Success {
			return f(r, nil)
		}
		result, err := outputs.Result(r)
		damage, damaged := errors.AsType[Damage](err)
		switch {
		case errors.Is(err, ErrNoOutput):
			return f(r, nil)
		case damaged:
			result = failed{damage}
		case err != nil:
			return err
		}
		err = f(r, result)
		if !damaged {
			damage, damaged = outputs.result.damage()
		}
		if !damaged {
			return err
		}
		if !rd.short[attemptOf(r)] {
			rd.add(damage)
		}
		if errors.Is(err, damage) {
			err = nil
		}
		return err
	})
}

// failed is a reader that cannot read.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }
