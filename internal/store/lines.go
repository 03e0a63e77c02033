package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

const (
	blockSize = 64 << 10
	cacheLine = 64
	maxLine   = 16 << 20 // what is longer is no line of ours
)

// source is an append-only file of sealed lines, as long as it was when opened.
type source struct {
	path   string
	worker int // -1: the host
	f      *os.File
	size   int64
	common stats.Record // what its lines leave out, see stats.ParseCommon
}

func openSource(path string, worker int) (*source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	s := &source{path: path, worker: worker, f: f, size: info.Size()}
	if worker >= 0 {
		s.common, _ = readCommon(f) // one that cannot be read is damage, and reported with the lines
	}
	return s, nil
}

// readCommon reads the first line of a worker's segment. The error is for one that is
// there and damaged.
func readCommon(f io.ReaderAt) (common stats.Record, err error) {
	line := make([]byte, 4<<10) // longer than any
	n, err := f.ReadAt(line, 0)
	if err != nil && err != io.EOF {
		return common, err
	}
	n = bytes.IndexByte(line[:n], '\n') + 1
	if n == 0 {
		return common, nil
	}
	obj, err := stats.Unseal(line[:n])
	if err != nil {
		return common, err
	}
	common, _, err = stats.ParseCommon(obj)
	return common, err
}

// blocks is the number of pieces that can be read independently.
func (s *source) blocks() int { return int((s.size + blockSize - 1) / blockSize) }

// block reads the lines of one piece of a source: those that start in it.
type block struct {
	buf    []byte
	damage []Damage
	torn   bool // the source ends within a line
}

// read calls line with each line of piece i of s, unsealed and without its line
// end, and its offset. The line is valid, and may be changed, during the call; an
// error from it is damage like a line that does not fit its checksum.
func (b *block) read(s *source, i int, line func(obj []byte, offset int64) error) {
	b.damage, b.torn = b.damage[:0], false
	from := int64(i) * blockSize
	to := min(from+blockSize, s.size)
	if i > 0 {
		// Whether a line starts with the piece's first byte. The kernel copies at a third of its
		// speed between places that do not lie alike in their cache lines.
		from -= cacheLine
	}
	if err := b.fill(s, from, 0, int(to-from)); err != nil {
		b.bad(s, from, err)
		return
	}
	at := 0
	if i > 0 {
		at = cacheLine - 1
		n := bytes.IndexByte(b.buf[min(at, len(b.buf)):], '\n') + 1
		if n == 0 {
			return
		}
		at += n
	}
	for end := len(b.buf); at < end; {
		n := bytes.IndexByte(b.buf[at:], '\n') + 1
		if n == 0 {
			var err error
			if n, err = b.finish(s, from, at); err != nil {
				b.bad(s, from+int64(at), err)
				return
			}
			if b.torn = n == 0; b.torn {
				return
			}
		}
		b.unseal(s, b.buf[at:at+n], from+int64(at), line)
		at += n
	}
}

// finish reads on from the end of the piece until the line at b.buf[at:] has its
// end, and returns its length, 0 when the source ends first.
func (b *block) finish(s *source, from int64, at int) (int, error) {
	for more := 4 << 10; ; more *= 2 {
		have := len(b.buf)
		if more = int(min(int64(more), s.size-from-int64(have))); more <= 0 {
			return 0, nil
		}
		if have-at > maxLine {
			if s.zeroes(from + int64(have)) {
				return 0, nil
			}
			return 0, fmt.Errorf("%w: longer than %d bytes", stats.ErrDamaged, maxLine)
		}
		if err := b.fill(s, from, have, more); err != nil {
			return 0, err
		}
		if len(b.buf) == have {
			return 0, nil // the writer has cut off what it could not write in full
		}
		if n := bytes.IndexByte(b.buf[have:], '\n') + 1; n > 0 {
			return have + n - at, nil
		}
	}
}

// zeroes says whether the source has nothing but zeroes from an offset on: a file that was
// not on the disk when the power went may have its length, and no more.
func (s *source) zeroes(from int64) bool {
	buf, zero := make([]byte, blockSize), make([]byte, blockSize)
	for from < s.size {
		n, err := s.f.ReadAt(buf[:min(blockSize, s.size-from)], from)
		if !bytes.Equal(buf[:n], zero[:n]) || n == 0 && err != nil {
			return false
		}
		from += int64(n)
	}
	return true
}

// fill reads n bytes more into the buffer, which holds have bytes from offset from
// on. Fewer are no error: the file may have become shorter.
func (b *block) fill(s *source, from int64, have, n int) error {
	if cap(b.buf) < have+n {
		b.buf = append(make([]byte, 0, have+n+8<<10), b.buf[:have]...) // with room for a last line's rest
	}
	b.buf = b.buf[:have+n]
	got, err := s.f.ReadAt(b.buf[have:], from+int64(have))
	b.buf = b.buf[:have+got]
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (b *block) bad(s *source, offset int64, err error) {
	b.damage = append(b.damage, Damage{Path: s.path, Line: atOffset, Offset: offset, Msg: err.Error()})
}

// unseal checks one line and passes it on. When the damage has swallowed a line
// end, the lines that run into each other are told apart by their first key.
func (b *block) unseal(s *source, raw []byte, offset int64, line func([]byte, int64) error) {
	obj, err := stats.Unseal(raw)
	if err == nil && offset == 0 && s.worker >= 0 {
		var first bool
		if _, first, err = stats.ParseCommon(obj); first && err == nil {
			return // the source has it
		}
	}
	if err == nil {
		err = line(obj, offset)
	}
	if err == nil {
		return
	}
	b.bad(s, offset, err)
	second := max(bytes.LastIndex(raw, []byte(`{"task":`)), bytes.LastIndex(raw, []byte(`{"event":`)))
	if second <= 0 || !errors.Is(err, stats.ErrDamaged) {
		return
	}
	b.salvage(s, append(raw[:second-1:second-1], '\n'), offset, line)
	b.salvage(s, bytes.Clone(raw[second:]), offset+int64(second), line)
}

// salvage passes on a part of a damaged line if it is whole. It is a copy: who
// knows where it stands may read it again.
func (b *block) salvage(s *source, raw []byte, offset int64, line func([]byte, int64) error) {
	obj, err := stats.Unseal(raw)
	if err != nil {
		return // was reported with the line it is part of
	}
	if err := line(obj, offset); err != nil {
		b.bad(s, offset, err)
	}
}

// lineID reads the keys that every record's line starts with, and tells where they end.
func lineID(obj []byte) (id job.Attempt, end int, ok bool) {
	rest, ok := bytes.CutPrefix(obj, []byte(`{"task":`))
	if !ok {
		return id, 0, false
	}
	if id.Task, rest, ok = leadingInt(rest, 18); !ok {
		return id, 0, false
	}
	if rest, ok = bytes.CutPrefix(rest, []byte(`,"attempt":`)); !ok {
		return id, 0, false
	}
	id.Try, rest, ok = leadingInt(rest, 18)
	return id, len(obj) - len(rest), ok
}

// leadingInt reads the number of at most so many digits that b starts with.
func leadingInt(b []byte, digits int) (n int, rest []byte, ok bool) {
	i := 0
	for ; i < len(b) && i < digits && b[i]-'0' <= 9; i++ {
		n = n*10 + int(b[i]-'0')
	}
	return n, b[i:], i > 0
}
