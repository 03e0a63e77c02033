package store

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// ErrNoOutput is an attempt that has no result or log, because it did not come so far.
var ErrNoOutput = errors.New("no output recorded")

// Result reads the result of an attempt. When its bytes are not those the worker
// wrote, the error in place of io.EOF is a Damage.
func (j *Job) Result(r *stats.Record) (io.ReadCloser, error) {
	return j.output(r, OutSegment, r.ResultOffset, r.ResultSize, r.ResultCRC)
}

// Log reads the log of an attempt. Of one that died with its worker it is what it had
// written, with what calls before it had, where that cannot be told apart.
func (j *Job) Log(r *stats.Record) (io.ReadCloser, error) {
	kind, offset, size := j.logOf(r)
	return j.output(r, kind, offset, size, stats.Int{})
}

// LogTail is the end of an attempt's log: whole lines of at most limit bytes in
// all, or the end of the last line when that alone is longer. It has no line end
// at its own end.
func (j *Job) LogTail(r *stats.Record, limit int) (string, error) {
	kind, offset, size := j.logOf(r)
	room := int64(limit) + 2 // the last line end, and the one before the first line
	cut := offset.OK && size.OK && size.V > room
	if cut {
		offset.V, size.V = offset.V+size.V-room, room
	}
	f, err := j.output(r, kind, offset, size, stats.Int{})
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return "", err
	}
	b = bytes.TrimRight(b, "\r\n")
	if len(b) > limit || cut {
		b = b[max(0, len(b)-limit-1):]
		if _, lines, ok := bytes.Cut(b, []byte{'\n'}); ok {
			b = lines
		}
		b = b[max(0, len(b)-limit):]
	}
	return string(b), nil
}

// output is a part of a segment, as the record tells it.
type output struct {
	f    *os.File
	id   job.Attempt
	from *io.SectionReader
	want stats.Int
	sum  uint32
	left int64
}

// recorded says whether a record tells of an output.
func recorded(r *stats.Record, offset, size stats.Int) error {
	if !r.Worker.OK || !size.OK || size.V > 0 && !offset.OK {
		return fmt.Errorf("task %d, attempt %d: %w", r.Task, r.Attempt, ErrNoOutput)
	}
	return nil
}

func (j *Job) output(r *stats.Record, kind string, offset, size, sum stats.Int) (io.ReadCloser, error) {
	if err := recorded(r, offset, size); err != nil {
		return nil, err
	}
	if size.V == 0 {
		return io.NopCloser(bytes.NewReader(nil)), nil
	}
	path := SegmentPath(j.dir, int(r.Worker.V), kind)
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read output of task %d: %w", r.Task, err)
	}
	return &output{f: f, id: attemptOf(r), from: io.NewSectionReader(f, offset.V, size.V), want: sum, left: size.V}, nil
}

func attemptOf(r *stats.Record) job.Attempt { return job.Attempt{Task: r.Task, Try: r.Attempt} }

func (o *output) Read(p []byte) (int, error) {
	n, err := o.from.Read(p)
	o.left -= int64(n)
	if o.want.OK {
		o.sum = crc32.Update(o.sum, castagnoli, p[:n])
	}
	if err != io.EOF {
		return n, err
	}
	return n, o.end()
}

// end says how the output ends: with io.EOF, or with a Damage.
func (o *output) end() error {
	what := ""
	switch {
	case o.left > 0:
		what = "is cut short"
	case o.want.OK && int64(o.sum) != o.want.V:
		what = "was changed"
	default:
		return io.EOF
	}
	_, at, _ := o.from.Outer()
	return Damage{Path: o.f.Name(), Offset: at, Msg: fmt.Sprintf("output of task %d, attempt %d at byte %d %s", o.id.Task, o.id.Try, at, what)}
}

func (o *output) Close() error { return o.f.Close() }

// castagnoli is the table of CRC-32C, which the hardware computes.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)
