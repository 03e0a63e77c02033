package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// Running tells the host, or the next one when it is dead, too, which attempt a worker was
// at when it died.
// A worker that records short calls in groups cannot be told from its segment: what
// it had finished last may be missing there. The file is mapped into the worker's
// memory, so that a note costs nothing and outlives the process.
type Running struct {
	path string
	page []byte
}

const runningSize = 16 // task and attempt, little endian; attempt 0: none

// CreateRunning makes the file of a worker.
func CreateRunning(dir string, worker int) (*Running, error) {
	path := SegmentPath(dir, worker, runningKind)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create worker's note: %w", err)
	}
	defer f.Close()
	// Written, not only made so long: a full disk must show here, and not as a fault
	// when the page is touched.
	if _, err := f.Write(make([]byte, runningSize)); err != nil {
		return nil, fmt.Errorf("write worker's note: %w", err)
	}
	page, err := unix.Mmap(int(f.Fd()), 0, runningSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map worker's note: %w", err)
	}
	return &Running{path, page}, nil
}

// Set notes the attempt that begins now; the zero Attempt is none.
func (r *Running) Set(a job.Attempt) {
	binary.LittleEndian.PutUint64(r.page[8:], 0)
	binary.LittleEndian.PutUint64(r.page, uint64(a.Task))
	binary.LittleEndian.PutUint64(r.page[8:], uint64(a.Try))
}

// Close removes the file: the worker ends well.
func (r *Running) Close() error {
	unix.Munmap(r.page)
	return os.Remove(r.path)
}

// ReadRunning is the attempt that a dead worker was at, the zero Attempt when none.
// It is not ok when the worker kept no note.
func ReadRunning(dir string, worker int) (a job.Attempt, ok bool) {
	b, err := os.ReadFile(SegmentPath(dir, worker, runningKind))
	if err != nil || len(b) != runningSize {
		return job.Attempt{}, false
	}
	a = job.Attempt{Task: int(binary.LittleEndian.Uint64(b)), Try: int(binary.LittleEndian.Uint64(b[8:]))}
	if a.Try == 0 {
		return job.Attempt{}, true
	}
	return a, true
}

// RemoveRunning removes what a dead worker has left, when the host's log tells of it.
func RemoveRunning(dir string, worker int) error {
	err := os.Remove(SegmentPath(dir, worker, runningKind))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// died notes what a worker was at that died with its host, unless that is recorded: it
// was running, and nobody has written that down.
func (w *Writer) died(worker int, m *Manifest) error {
	a, _ := ReadRunning(w.dir, worker)
	if a.Try == 0 || a.Task < 0 || a.Task >= m.Tasks {
		return nil
	}
	f, err := os.Open(SegmentPath(w.dir, worker, StatsSegment))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it had not come so far
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	const most = 4 << 20 // far more than a worker has in hand
	end := make([]byte, min(most, info.Size()))
	if _, err := f.ReadAt(end, info.Size()-int64(len(end))); err != nil && err != io.EOF {
		return err
	}
	if !bytes.Contains(end, fmt.Appendf(nil, `{"task":%d,"attempt":%d,`, a.Task, a.Try)) {
		w.Task(&stats.Record{Task: a.Task, Attempt: a.Try, State: job.Running, Worker: stats.IntOf(worker)})
	}
	return nil
}

const runningKind = "now"

// RuntimePath is where WriteRuntime puts a file in the job directory dir.
func RuntimePath(dir, name string) string { return filepath.Join(dir, runtimeName, name) }
