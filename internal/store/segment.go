package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/lithops-go/lithops/internal/stats"
)

// File is what the store needs of a file it appends to. Tests put faults in its way.
type File interface {
	io.Writer
	Truncate(size int64) error
	Sync() error
	Close() error
}

// OpenFunc opens files for appending: a new one, which is OpenAppend, and where the
// store asks for one that exists, or for a directory that is to be synced,
// OpenExisting. nil stands for these.
type OpenFunc func(path string) (File, error)

func (open OpenFunc) orReal() OpenFunc {
	if open == nil {
		return OpenAppend
	}
	return open
}

// OpenAppend creates path for its one writer; a file that exists is an error,
// because somebody else writes or wrote it.
func OpenAppend(path string) (File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
}

// OpenExisting opens a file that exists for its one writer, who goes on with it, or a
// directory.
func OpenExisting(path string) (File, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return os.Open(path)
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
}

// Segment is an append-only file with one writer. What Append has returned an
// offset for is complete; a failed Append leaves the segment as it was.
type Segment struct {
	path  string
	f     File
	open  OpenFunc
	size  int64
	named bool  // its name is on the disk
	bad   error // the tail could not be cut, or not be brought to the disk: nothing may follow it
}

// CreateSegment makes a new segment. open may be nil.
func CreateSegment(path string, open OpenFunc) (*Segment, error) {
	f, err := open.orReal()(path)
	if err != nil {
		return nil, fmt.Errorf("create segment: %w", err)
	}
	return &Segment{path: path, f: f, open: open}, nil
}

// continueSegment goes on with a segment whose writer has closed it, or has died: behind
// its first end bytes. What follows them is cut off.
func continueSegment(path string, end int64, open OpenFunc) (*Segment, error) {
	if open == nil {
		open = OpenExisting
	}
	info, err := os.Stat(path)
	var f File
	if err == nil {
		f, err = open(path)
	}
	if err != nil {
		return nil, fmt.Errorf("continue segment: %w", err)
	}
	if end < info.Size() {
		if err := f.Truncate(end); err != nil {
			f.Close()
			return nil, fmt.Errorf("continue segment: cut %s: %w", path, err)
		}
	}
	return &Segment{path: path, f: f, open: open, size: end}, nil
}

// lines is where the last whole line of a file ends.
func lines(path string) (end int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return lineEnd(f, 0, info.Size())
}

// lineEnd is where the last line that ends in f[from:to] ends, from if none does.
func lineEnd(f io.ReaderAt, from, to int64) (int64, error) {
	buf := make([]byte, min(4<<10, to-from))
	for to > from {
		b := buf[:min(int64(len(buf)), to-from)]
		n, err := f.ReadAt(b, to-int64(len(b)))
		if err != nil && err != io.EOF { // the writer may cut off what it could not write in full
			return 0, err
		}
		to -= int64(len(b))
		if i := bytes.LastIndexByte(b[:n], '\n'); i >= 0 {
			return to + int64(i) + 1, nil
		}
	}
	return from, nil
}

// Size is the number of bytes in the segment.
func (s *Segment) Size() int64 { return s.size }

// Append writes b with one write(2) and returns where it stands.
func (s *Segment) Append(b []byte) (offset int64, err error) {
	if len(b) == 0 {
		return s.size, nil
	}
	return s.AppendFrom(func(w io.Writer) (int64, error) {
		n, err := w.Write(b)
		return int64(n), err
	})
}

// AppendFrom lets write add bytes to the segment and returns where they stand.
// When write fails, all it has written is cut off again.
func (s *Segment) AppendFrom(write func(io.Writer) (int64, error)) (offset int64, err error) {
	if s.bad != nil {
		return 0, s.bad
	}
	offset = s.size
	n, err := write(s.f)
	if err != nil {
		if cut := s.f.Truncate(offset); cut != nil {
			s.bad = fmt.Errorf("append to %s: %w", s.path, errors.Join(err, cut))
			return 0, s.bad
		}
		return 0, fmt.Errorf("append to %s: %w", s.path, err)
	}
	s.size += n
	return offset, nil
}

// Sync brings what was appended to the disk. When that fails nothing can be appended any
// more: what the system says of the file from then on is not to be trusted.
func (s *Segment) Sync() error {
	if s.bad != nil {
		return s.bad
	}
	err := s.f.Sync()
	if err == nil && !s.named {
		err = syncDir(s.open, filepath.Dir(s.path))
	}
	if err != nil {
		s.bad = fmt.Errorf("sync %s: %w", s.path, err)
		return s.bad
	}
	s.named = true
	return nil
}

// Close closes the segment's file.
func (s *Segment) Close() error { return s.f.Close() }

// Tail reads the complete lines that a writer appends to a segment, from its
// start on, as far as it is told they reach.
type Tail struct {
	f    *os.File
	path string
	at   int64
	buf  []byte

	common stats.Record // of a worker's: what lines leave out
	layout stats.Layout
}

// OpenTail opens the segment at path for following.
func OpenTail(path string) (*Tail, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	return &Tail{f: f, path: path}, nil
}

// At is the offset up to which lines were read.
func (t *Tail) At() int64 { return t.at }

// ReadTo calls line with every line, its end included, up to offset end, which
// must be a line's end that the writer has announced. A worker's first line, of what the
// others leave out, is not among them. The line may be changed by
// the callee and is valid only during the call.
func (t *Tail) ReadTo(end int64, line func([]byte) error) error {
	const most = 1 << 20
	for t.at < end {
		n := min(end-t.at, most)
		for {
			if int64(cap(t.buf)) < n {
				t.buf = make([]byte, n)
			}
			t.buf = t.buf[:n]
			if got, err := t.f.ReadAt(t.buf, t.at); int64(got) < n {
				return fmt.Errorf("read %s at %d: %w", t.path, t.at, errors.Join(err, io.ErrUnexpectedEOF))
			}
			if bytes.IndexByte(t.buf, '\n') >= 0 || n == end-t.at {
				break
			}
			n = min(2*n, end-t.at) // a line longer than the buffer
		}
		chunk := t.buf
		for {
			i := bytes.IndexByte(chunk, '\n')
			if i < 0 {
				break
			}
			if t.at > 0 || !t.first(chunk[:i+1]) {
				if err := line(chunk[:i+1]); err != nil {
					return err
				}
			}
			t.at += int64(i + 1)
			chunk = chunk[i+1:]
		}
		if len(chunk) > 0 && t.at+int64(len(chunk)) == end {
			return fmt.Errorf("read %s at %d: line without end", t.path, t.at)
		}
	}
	return nil
}

// first takes in the line of what others leave out, if it is that.
func (t *Tail) first(line []byte) (ok bool) {
	obj, err := stats.Unseal(bytes.Clone(line))
	if err != nil {
		return false
	}
	common, ok, err := stats.ParseCommon(obj)
	if ok = ok && err == nil; ok {
		t.common = common
	}
	return ok
}

// Parse reads the keys of p of a line of a worker's segment, which it overwrites, into r:
// what the worker knows of an attempt.
func (t *Tail) Parse(line []byte, p *stats.Picker, r *stats.Record) error {
	obj, err := stats.Unseal(line)
	if err != nil {
		return err
	}
	id, at, ok := lineID(obj)
	if !ok {
		return fmt.Errorf("%w: no record", stats.ErrDamaged)
	}
	*r = t.common
	r.Task, r.Attempt = id.Task, id.Try
	return p.Parse(obj, at, &t.layout, r)
}

// ReadRest is ReadTo the last complete line the segment holds now: what a writer
// that died had not announced any more. A torn last line is left out.
func (t *Tail) ReadRest(line func([]byte) error) error {
	end, err := t.end()
	if err != nil {
		return err
	}
	return t.ReadTo(end, line)
}

// end is where the last complete line ends now.
func (t *Tail) end() (int64, error) {
	info, err := t.f.Stat()
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", t.path, err)
	}
	end, err := lineEnd(t.f, t.at, info.Size())
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", t.path, err)
	}
	return max(end, t.at), nil
}

// Sync brings to the disk what the writer has appended and is not there yet.
func (t *Tail) Sync() error {
	if err := t.f.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", t.path, err)
	}
	return nil
}

// Close closes the file.
func (t *Tail) Close() error { return t.f.Close() }
