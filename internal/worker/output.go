package worker

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"

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
	at   int64 // of the part: what stands before was moved
	buf  []byte

	file   string     // path of the segment
	disk   store.File // the segment, see durable
	onDisk int64      // what stands before is on the disk
}

func newOutput(dir string, worker int, part, segment string) (o *output, err error) {
	o = &output{path: store.SegmentPath(dir, worker, part), file: store.SegmentPath(dir, worker, segment)}
	if o.seg, err = store.CreateSegment(o.file, nil); err != nil {
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
	if offset, size, sum, err = o.take(-1); err != nil || size == 0 {
		return offset, size, sum, err
	}
	return offset, size, sum, o.clear()
}

// take moves what stands before end, -1 being all there is.
func (o *output) take(end int64) (offset, size int64, sum uint32, err error) {
	info, err := o.part.Stat()
	if err != nil {
		return 0, 0, 0, fmt.Errorf("read output: %w", err)
	}
	if end < 0 || end > info.Size() { // it may have been truncated
		end = info.Size()
	}
	if end <= o.at {
		o.at = end
		return o.seg.Size(), 0, 0, nil
	}
	if o.buf == nil {
		o.buf = make([]byte, 64<<10)
	}
	offset, err = o.seg.AppendFrom(func(w io.Writer) (int64, error) {
		for o.at < end {
			chunk := o.buf[:min(int64(len(o.buf)), end-o.at)]
			if _, err := o.part.ReadAt(chunk, o.at); err != nil {
				return size, fmt.Errorf("read output: %w", err)
			}
			sum = crc32.Update(sum, castagnoli, chunk)
			if _, err := w.Write(chunk); err != nil {
				return size, err
			}
			size += int64(len(chunk))
			o.at += int64(len(chunk))
		}
		return size, nil
	})
	return offset, size, sum, err
}

// add appends text, and a line end where it has none, to the segment.
func (o *output) add(text string) (n int, err error) {
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	_, err = o.seg.Append([]byte(text))
	return len(text), err
}

// tail is the end of what stands in the part.
func (o *output) tail() string {
	const most = 4096
	info, err := o.part.Stat()
	if err != nil {
		return ""
	}
	from := max(o.at, info.Size()-most)
	b := make([]byte, max(0, info.Size()-from))
	n, _ := o.part.ReadAt(b, from)
	return strings.ToValidUTF8(strings.TrimSpace(string(b[:n])), "\uFFFD")
}

// clear empties the part for the next task.
func (o *output) clear() error {
	_, err := o.part.Seek(0, io.SeekStart) // for a command that does not append
	if err = errors.Join(err, o.part.Truncate(0)); err != nil {
		return fmt.Errorf("clear output file: %w", err)
	}
	o.at = 0
	return nil
}

// durable prepares for force. It opens the segment's file once more: while that goes to
// the disk, the next task's output is appended to the segment, which has one user.
func (o *output) durable() (err error) {
	if o.disk, err = store.OpenExisting(o.file); err != nil {
		return fmt.Errorf("open output file: %w", err)
	}
	return nil
}

// force brings what stands before end of the segment to the disk.
func (o *output) force(end int64) error {
	if end <= o.onDisk {
		return nil
	}
	if err := o.disk.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", o.file, err)
	}
	o.onDisk = end
	return nil
}

// close removes the part; with keep only when there is nothing in it, because it is of
// an attempt that has no record.
func (o *output) close(keep bool) {
	if o.disk != nil {
		o.disk.Close()
	}
	info, err := o.part.Stat()
	o.part.Close()
	if !keep || err == nil && info.Size() == 0 {
		os.Remove(o.path)
	}
	o.seg.Close()
}
