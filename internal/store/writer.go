package store

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// Writer is the host's side of one job: it holds the job's lock until Close. Not
// safe for concurrent use.
type Writer struct {
	dir   string
	lock  *os.File
	open  OpenFunc
	sync  bool // what is written is on the disk before it counts as written
	named bool // the job's own name is on the disk
	next  int  // number of the first worker of this run
	host  *Segment
	buf   []byte
}

// Create makes the directory of a new job and locks it. An id that exists is
// fs.ErrExist. open may be nil.
//
// The directory gets its name when the lock is held: no reader ever sees a job
// that starts without its host.
func (s *Store) Create(id string, open OpenFunc) (*Writer, error) {
	if !job.ValidID(id) {
		return nil, fmt.Errorf("create job: %q cannot be an id", id)
	}
	w := &Writer{dir: s.JobDir(id), open: open}
	if err := w.create(filepath.Dir(w.dir)); err != nil {
		return nil, fmt.Errorf("create job: %w", err)
	}
	return w, nil
}

func (w *Writer) create(jobs string) (err error) {
	for range 10 { // RemoveLeftovers may take what was begun for a leftover
		if err = w.createOnce(jobs); !errors.Is(err, errSwept) {
			break
		}
	}
	return err
}

var errSwept = errors.New("directory was removed while it was made")

func (w *Writer) createOnce(jobs string) error {
	tmp, err := os.MkdirTemp(jobs, newPrefix+"*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) // nothing is there after the rename
	w.lock, err = lockFile(filepath.Join(tmp, lockName))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("%w: %w", errSwept, err)
	}
	if err != nil {
		return err
	}
	if err = os.Rename(tmp, w.dir); err == nil {
		if w.host, err = CreateSegment(filepath.Join(w.dir, hostName), w.open); err != nil {
			os.RemoveAll(w.dir)
		}
	}
	if err != nil {
		w.lock.Close()
	}
	return err
}

// SetDurability says what of the job outlives which accident. With job.DurabilitySync
// all files that the host writes but host.jsonl are on the disk, with their names,
// before the method that makes them returns; host.jsonl is when the manifest is
// written, and at the end.
func (w *Writer) SetDurability(d job.Durability) { w.sync = d == job.DurabilitySync }

func (w *Writer) whole() wholeFiles { return wholeFiles{w.open, w.sync} }

// Lock is the job's lock, for the workers to inherit: it is free when the host and all
// of them are gone.
func (w *Writer) Lock() *os.File { return w.lock }

// NextWorker is the number of the first worker that there has never been: 0 in a new
// job.
func (w *Writer) NextWorker() int { return w.next }

// Dir is the job's directory.
func (w *Writer) Dir() string { return w.dir }

// WriteSpec keeps the job as it was submitted.
func (w *Writer) WriteSpec(src []byte) error {
	return w.whole().put(filepath.Join(w.dir, specName), src)
}

// WriteManifest replaces job.json.
func (w *Writer) WriteManifest(m *Manifest) error {
	m.Version = Version
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if w.sync {
		err = w.syncLog()
	}
	if err == nil {
		err = w.whole().put(filepath.Join(w.dir, manifestName), append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	return nil
}

// syncLog brings host.jsonl to the disk, and once the name of the job itself.
func (w *Writer) syncLog() error {
	err := w.host.Sync()
	if err == nil && !w.named {
		jobs := filepath.Dir(w.dir)
		err = w.whole().syncDirs(jobs, filepath.Dir(jobs))
		w.named = err == nil
	}
	return err
}

// FuncDir is where Stage puts files.
func (w *Writer) FuncDir() string { return filepath.Join(w.dir, funcName) }

// Stage copies the file at path into FuncDir and returns its size. Two files of
// one base name cannot both be staged.
func (w *Writer) Stage(path string) (size int64, err error) {
	src, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("stage file: %w", err)
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return 0, fmt.Errorf("stage file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return 0, fmt.Errorf("stage file: %s is not a regular file", path)
	}
	if err := os.MkdirAll(w.FuncDir(), 0o700); err != nil {
		return 0, fmt.Errorf("stage file: %w", err)
	}
	to := filepath.Join(w.FuncDir(), filepath.Base(path))
	if _, err := os.Lstat(to); err == nil {
		return 0, fmt.Errorf("stage file: %s: %w", to, fs.ErrExist)
	}
	err = w.whole().write(to, info.Mode().Perm()&0o700|0o600, func(dst io.Writer) (err error) {
		size, err = io.Copy(dst, src)
		return err
	})
	if err == nil {
		err = w.whole().syncDirs(w.dir)
	}
	if err != nil {
		return 0, fmt.Errorf("stage file: %w", err)
	}
	return size, nil
}

// WriteRuntime writes a file of the program's own that functions are run by, and
// returns its path.
func (w *Writer) WriteRuntime(name string, src []byte) (path string, err error) {
	if filepath.Base(name) != name {
		return "", fmt.Errorf("write runtime: %q cannot be a file's name", name)
	}
	dir := filepath.Join(w.dir, runtimeName)
	path = filepath.Join(dir, name)
	if err = os.MkdirAll(dir, 0o700); err == nil {
		err = w.whole().put(path, src)
	}
	if err == nil {
		err = w.whole().syncDirs(w.dir)
	}
	if err != nil {
		return "", fmt.Errorf("write runtime: %w", err)
	}
	return path, nil
}

// WriteList makes the file with the list that the n-th reduce task gets, one JSON
// value per line, of what write writes, and returns its path. The file is there
// complete or not at all.
func (w *Writer) WriteList(n int, write func(io.Writer) error) (path string, err error) {
	path = filepath.Join(w.dir, fmt.Sprintf(listName, n))
	err = w.whole().write(path, 0o600, func(f io.Writer) error {
		b := bufio.NewWriterSize(f, 1<<16)
		if err := write(b); err != nil {
			return err
		}
		return b.Flush()
	})
	if err != nil {
		return "", fmt.Errorf("write list of reduce task %d: %w", n, err)
	}
	return path, nil
}

// InputWriter writes input.jsonl.
type InputWriter struct {
	seg  *Segment
	buf  *bufio.Writer
	sync bool
}

// Inputs starts the job's inputs.
func (w *Writer) Inputs() (*InputWriter, error) {
	seg, err := CreateSegment(filepath.Join(w.dir, inputName), w.open)
	if err != nil {
		return nil, err
	}
	return w.inputs(seg), nil
}

func (w *Writer) inputs(seg *Segment) *InputWriter {
	return &InputWriter{seg: seg, buf: bufio.NewWriterSize(segmentWriter{seg}, 1<<18), sync: w.sync}
}

type segmentWriter struct{ *Segment }

func (s segmentWriter) Write(b []byte) (int, error) {
	if _, err := s.Append(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Add writes the next item: one JSON value without a line end in it.
func (in *InputWriter) Add(item []byte) error {
	in.buf.Write(item) // the error stays with the buffer
	return in.buf.WriteByte('\n')
}

// Flush writes what is buffered into the file.
func (in *InputWriter) Flush() error { return in.buf.Flush() }

// Close writes what is left.
func (in *InputWriter) Close() error {
	err := in.buf.Flush()
	if err == nil && in.sync {
		err = in.seg.Sync()
	}
	return errors.Join(err, in.seg.Close())
}

// Task notes what the host knows of one attempt: the keys it owns. A later line
// of the same attempt adds to an earlier one. It stands in the file after Flush.
func (w *Writer) Task(r *stats.Record) { w.buf = stats.AppendHostLine(w.buf, r) }

// Event is a line of host.jsonl that is about the job.
type Event struct {
	Event   string `json:"event"` // run, worker, progress, end
	TimeNS  int64  `json:"time_ns"`
	Worker  *int   `json:"worker,omitempty"`
	PID     int    `json:"pid,omitempty"`
	Text    string `json:"text,omitempty"`
	Done    int    `json:"done,omitempty"`    // progress: tasks that ended well,
	Failed  int    `json:"failed,omitempty"`  // that failed for good,
	Running int    `json:"running,omitempty"` // and that are with a worker
}

// Event notes something about the job. It stands in the file after Flush.
func (w *Writer) Event(e Event) {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // no field of Event can fail
	}
	start := len(w.buf)
	w.buf = stats.Seal(append(w.buf, b[:len(b)-1]...), start)
}

// Pending is the number of bytes noted since the last Flush.
func (w *Writer) Pending() int { return len(w.buf) }

// Flush appends what was noted to host.jsonl.
func (w *Writer) Flush() error {
	_, err := w.host.Append(w.buf)
	w.buf = w.buf[:0]
	return err
}

// Close flushes and gives the lock back.
func (w *Writer) Close() error {
	err := w.Flush()
	if err == nil && w.sync {
		err = w.host.Sync()
	}
	return errors.Join(err, w.host.Close(), w.lock.Close())
}

// InputReader reads input.jsonl from its start.
type InputReader struct {
	f   *os.File
	buf *bufio.Reader
	big []byte
}

// OpenInputs reads the inputs of the job in directory dir.
func OpenInputs(dir string) (*InputReader, error) { return OpenLines(filepath.Join(dir, inputName)) }

// OpenLines reads a file of one JSON value per line: the inputs, or the list of a
// reduce task.
func OpenLines(path string) (*InputReader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open inputs: %w", err)
	}
	return &InputReader{f: f, buf: bufio.NewReaderSize(f, 1<<18)}, nil
}

// Next returns the next item without its line end, valid until the next call, and
// io.EOF after the last. When there are more inputs later, so has Next.
func (in *InputReader) Next() ([]byte, error) {
	in.big = in.big[:0]
	for {
		line, err := in.buf.ReadSlice('\n')
		switch {
		case err == nil && len(in.big) == 0:
			return line[:len(line)-1], nil
		case err == nil:
			in.big = append(in.big, line[:len(line)-1]...)
			return in.big, nil
		case errors.Is(err, bufio.ErrBufferFull):
			in.big = append(in.big, line...)
		case err == io.EOF && len(line)+len(in.big) > 0:
			return nil, fmt.Errorf("read inputs: %s ends within a line", in.f.Name())
		default:
			return nil, err
		}
	}
}

// Close closes the file.
func (in *InputReader) Close() error { return in.f.Close() }
