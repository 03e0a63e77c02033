package worker

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/lithops-go/lithops/internal/store"
)

// output is one stream of the commands: each task writes into a file of its own
// life, the part, which is then moved to the end of the segment. The segment
// itself is never handed to a command: "> /dev/stdout" would truncate what the
// tasks before it had written.
type output struct {
	part *os.File
	path string
	seg  *store.Segment
	buf  []byte
}

func newOutput(dir string, worker int, part, segment string) (o *output, err error) {
	o = &output{path: store.SegmentPath(dir, worker, part)}
	if o.seg, err = store.CreateSegment(store.SegmentPath(dir, worker, segment), nil); err != nil {
		return nil, err
	}
	o.part, err = os.OpenFile(o.path, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create output file: %w", err)
	}
	return o, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// collect moves what the task has written into the segment and returns where it
// stands, its size and its CRC-32C.
func (o *output) collect() (offset, size int64, sum uint32, err error) {
	// The command may have changed the flags, which are the open file's: dd oflag=direct does.
	if _, err := unix.FcntlInt(o.part.Fd(), unix.F_SETFL, unix.O_APPEND); err != nil {
		return 0, 0, 0, fmt.Errorf("read output: %w", err)
	}
	info, err := o.part.Stat()
	if err != nil {
		return 0, 0, 0, fmt.Errorf("read output: %w", err)
	}
	if info.Size() == 0 {
		return o.seg.Size(), 0, 0, nil
	}
	if o.buf == nil {
		o.buf = make([]byte, 64<<10)
	}
	offset, err = o.seg.AppendFrom(func(w io.Writer) (int64, error) {
		for size < info.Size() {
			chunk := o.buf[:min(int64(len(o.buf)), info.Size()-size)]
			if _, err := o.part.ReadAt(chunk, size); err != nil {
				return size, fmt.Errorf("read output: %w", err)
			}
			sum = crc32.Update(sum, castagnoli, chunk)
			if _, err := w.Write(chunk); err != nil {
				return size, err
			}
			size += int64(len(chunk))
		}
		return size, nil
	})
	if err != nil {
		return 0, 0, 0, err
	}
	return offset, size, sum, o.clear()
}

// clear empties the part for the next task.
func (o *output) clear() error {
	_, err := o.part.Seek(0, io.SeekStart) // for a command that does not append
	if err = errors.Join(err, o.part.Truncate(0)); err != nil {
		return fmt.Errorf("clear output file: %w", err)
	}
	return nil
}

// close removes the part.
func (o *output) close() {
	o.part.Close()
	os.Remove(o.path)
	o.seg.Close()
}
