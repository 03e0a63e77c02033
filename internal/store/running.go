package store

import (
	"encoding/binary"
	"errors"
	"fmt"
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

// died is what a worker was at that died with its host, as a host would have written it
// down that lives: the attempt was running. Where the worker has recorded it, that counts.
func died(dir string, worker, tasks int) (r stats.Record, ok bool) {
	const mostTries = 1 << 30
	a, _ := ReadRunning(dir, worker)
	if a.Try < 1 || a.Try > mostTries || a.Task < 0 || a.Task >= tasks {
		return r, false
	}
	return stats.Record{Task: a.Task, Attempt: a.Try, State: job.Running, Worker: stats.IntOf(worker)}, true
}

const runningKind = "now"

// RuntimePath is where WriteRuntime puts a file in the job directory dir.
func RuntimePath(dir, name string) string { return filepath.Join(dir, runtimeName, name) }
