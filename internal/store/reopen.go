package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lithops-go/lithops/internal/job"
)

// ErrNotStaged is a job whose host died before any task was submitted: there is nothing
// to go on with.
var ErrNotStaged = errors.New("the job broke off before any task was submitted: run it again")

// Reopen is the host's side of a job that has ended or broken off, for a further run.
// Whatever is read with the manifest stays as it is until the next WriteManifest. open
// may be nil.
//
// A last line of host.jsonl that is torn is cut off, and so is what stands in
// input.jsonl behind the inputs of the tasks that the manifest knows. A stale request to
// cancel and files that only a living worker needs are removed. What a worker that died
// had in hand of its task's log, and what it said itself, is kept: there is no other
// trace of it.
//
// The errors are *NotFoundError, *RunningError, ErrNotStaged, ErrNewer, and what is
// wrong with the job's files.
func (s *Store) Reopen(id string, open OpenFunc) (*Writer, *Manifest, error) {
	if !job.ValidID(id) {
		return nil, nil, &NotFoundError{Ref: id}
	}
	lock, err := s.lock(id)
	if err != nil {
		return nil, nil, err
	}
	w := &Writer{dir: s.JobDir(id), lock: lock, open: open}
	m, err := w.reopen()
	if err != nil {
		lock.Close()
		return nil, nil, fmt.Errorf("reopen job %s: %w", id, err)
	}
	return w, m, nil
}

func (w *Writer) reopen() (*Manifest, error) {
	m, err := readManifest(w.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotStaged
	}
	if err != nil {
		return nil, err
	}
	if m.Spec == nil {
		return nil, fmt.Errorf("%s holds no specification", filepath.Join(w.dir, manifestName))
	}
	if err := w.cutInputs(m); err != nil {
		return nil, err
	}
	if err := w.sweep(m); err != nil {
		return nil, err
	}
	path := filepath.Join(w.dir, hostName)
	end, err := lines(path)
	if errors.Is(err, fs.ErrNotExist) { // what was in it is lost, which readers report
		w.host, err = CreateSegment(path, w.open)
	} else if err == nil {
		w.host, err = continueSegment(path, end, w.open)
	}
	if err == nil {
		err = w.deaths(m)
	}
	return m, err
}

// deaths notes what workers were at that died with their host.
func (w *Writer) deaths(m *Manifest) error {
	left, err := filepath.Glob(filepath.Join(w.dir, "w-*."+runningKind))
	if err != nil {
		return err
	}
	var dead []int
	for _, path := range left {
		if n, ok := segmentWorker(filepath.Base(path), runningKind); ok {
			dead = append(dead, n)
			if r, ok := died(w.dir, n, m.Tasks); ok {
				w.Task(&r)
			}
		}
	}
	err = w.Flush()
	for _, n := range dead {
		if err == nil {
			err = RemoveRunning(w.dir, n)
		}
	}
	return err
}

// cutInputs checks that the inputs of the map are there, and cuts off what a host that
// died had begun to add.
func (w *Writer) cutInputs(m *Manifest) error {
	path := filepath.Join(w.dir, inputName)
	found, end, size, err := firstLines(path, m.Tasks)
	if err != nil {
		return fmt.Errorf("read inputs: %w", err)
	}
	if found < m.Maps() {
		return fmt.Errorf("%s is cut short: it holds %d inputs of %d", path, found, m.Maps())
	}
	if len(m.Runs) == 0 && m.Reduces > 0 && found == m.Tasks {
		m.ReduceRun = 1 // programs that did not resume jobs did not write it
	}
	if m.ReduceRun > 0 && found < m.Tasks {
		m.ReduceStale = true // what the reduce tasks were to get is lost, and can be made again
	}
	if end < size {
		err = os.Truncate(path, end)
	}
	return err
}

// firstLines counts the whole lines of a file, up to most, and says where they end and
// how long the file is.
func firstLines(path string, most int) (n int, end, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, 0, 0, err
	}
	at := int64(0)
	for b := bufio.NewReaderSize(f, 1<<18); n < most; {
		part, err := b.ReadSlice('\n')
		at += int64(len(part))
		switch {
		case err == nil:
			n, end = n+1, at
		case errors.Is(err, io.EOF):
			return n, end, info.Size(), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return 0, 0, 0, err
		}
	}
	return n, end, info.Size(), nil
}

// sweep removes what is left of workers and hosts that are dead, and finds the number
// of the next worker. Nothing that is recorded points to any of it.
func (w *Writer) sweep(m *Manifest) error {
	names, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	for _, run := range m.Runs {
		w.next = max(w.next, run.FirstWorker)
	}
	for _, d := range names {
		name := d.Name()
		n, ofWorker := anyWorker(name)
		if ofWorker {
			w.next = max(w.next, n+1)
		}
		if d.IsDir() || !w.stale(name, ofWorker) {
			continue
		}
		if err := os.Remove(filepath.Join(w.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	left, err := filepath.Glob(filepath.Join(w.dir, runtimeName, "*.tmp"))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// stale says whether a file was needed by those who are dead only.
func (w *Writer) stale(name string, ofWorker bool) bool {
	_, kind, _ := strings.Cut(name, ".")
	switch {
	case name == cancelName, strings.HasPrefix(name, "stdin-"), strings.HasSuffix(name, ".tmp"):
		return true
	case !ofWorker:
		return false
	case kind == OutPart:
		return true
	case kind == LogPart, kind == WorkerErr:
		info, err := os.Stat(filepath.Join(w.dir, name))
		return err == nil && info.Size() == 0
	}
	return false
}

// InputsFrom goes on with the job's inputs after the n-th line; what follows is cut off.
func (w *Writer) InputsFrom(n int) (*InputWriter, error) {
	path := filepath.Join(w.dir, inputName)
	found, end, _, err := firstLines(path, n)
	if err == nil && found < n {
		err = fmt.Errorf("%s has %d lines too few", path, n-found)
	}
	if err != nil {
		return nil, fmt.Errorf("continue inputs: %w", err)
	}
	seg, err := continueSegment(path, end, w.open)
	if err != nil {
		return nil, err
	}
	return w.inputs(seg), nil
}
