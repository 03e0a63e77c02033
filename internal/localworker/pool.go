// Package localworker is the backend for this machine: worker subprocesses, each
// the same program again.
package localworker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/proc"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// orphanTime bounds the wait for what a dead worker has left to die.
const orphanTime = 5 * time.Second

// alive are the workers of all pools of this process: what one pool takes for an
// orphan may be another's worker. Children belong to the process, not to a pool.
// It is locked from before a worker is started until it is in there, so that whoever
// has seen a child and then looks here knows what it is.
var alive = struct {
	sync.Mutex
	pids map[int]bool
}{pids: map[int]bool{}}

// sweeping lets one sweep run at a time: one would collect what another has just
// seen. stuck are the orphans that a sweep has waited for in vain.
var sweeping = struct {
	sync.Mutex
	stuck map[int]bool
}{stuck: map[int]bool{}}

// Pool starts workers and carries their messages. On a worker's death, children
// of this process that are no workers and were not there before the pool are
// taken for orphans of its tasks and killed; as a guest, only those that have
// the job's id in their environment.
type Pool struct {
	program string // to run as worker
	mark    string // in the environment of all that belongs to the job
	env     []string
	options Options
	events  chan<- executor.Event

	others []int // children this process had before

	mu      sync.Mutex
	workers map[int]*process // by number; those that are not gone
	wait    sync.WaitGroup
}

var _ executor.Backend = (*Pool)(nil)

// Options say whose workers they are.
type Options struct {
	JobID string
	Guest bool     // this process is a program of somebody else's, who may start processes meanwhile
	Lock  *os.File // of the job: every worker inherits it, so that it is held until all are gone; may be nil
}

// New makes a pool for a job that tells its events on events, which must be read
// until Close has returned.
func New(events chan<- executor.Event, o Options) (*Pool, error) {
	program, err := self()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	if err := proc.Subreaper(); err != nil {
		return nil, err
	}
	return &Pool{mark: proc.Mark(o.JobID), env: proc.Environ(os.Environ(), o.JobID), options: o, others: proc.Children(), program: program, events: events, workers: map[int]*process{}}, nil
}

// process is a worker as its parent sees it.
type process struct {
	number int
	proc   *os.Process
	errors string   // file with what it says on standard error
	said   []string // that, and for a function that shares its process the task's log
	ended  bool     // was told to end: its exit is no failure

	out *outbox
}

// Launch starts the worker j.Worker.
func (p *Pool) Launch(j *wire.Job) error {
	if err := p.launch(j); err != nil {
		return fmt.Errorf("start worker %d: %w", j.Worker, err)
	}
	return nil
}

func (p *Pool) launch(j *wire.Job) error {
	setup, err := json.Marshal(j)
	if err != nil {
		return err
	}
	var files closers
	defer files.close()
	null := files.open(os.Open(os.DevNull))
	errPath := store.SegmentPath(j.Dir, j.Worker, store.WorkerErr)
	said := files.open(os.OpenFile(errPath, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600))
	childIn, out, err1 := os.Pipe()
	in, childOut, err2 := os.Pipe()
	files.add(childIn, childOut)
	if err := errors.Join(files.err, err1, err2); err != nil {
		closeAll(out, in)
		return err
	}
	attr := &os.ProcAttr{
		Files: []*os.File{null, said, said, wire.FromHost: childIn, wire.ToHost: childOut, wire.LockFile: p.options.Lock},
		Env:   append(slices.Clip(p.env), wire.WorkerEnv+"="+strconv.Itoa(j.Worker)),
		// Ctrl-C in the terminal is for the host, which then ends tasks in good order.
		Sys: sysProcAttr(j.Isolation),
	}
	w := &process{number: j.Worker, errors: errPath, said: []string{errPath}, out: newOutbox(out)}
	if j.Spec.Function.Go != "" {
		w.said = append(w.said, store.SegmentPath(j.Dir, j.Worker, store.LogPart))
	}

	alive.Lock()
	w.proc, err = os.StartProcess(p.program, []string{os.Args[0], "worker", strconv.Itoa(j.Worker)}, attr)
	if err == nil {
		alive.pids[w.proc.Pid] = true
	}
	alive.Unlock()
	if err != nil {
		closeAll(out, in)
		return err
	}
	p.mu.Lock()
	p.workers[j.Worker] = w
	p.wait.Add(2)
	p.mu.Unlock()

	m := wire.Message{Kind: wire.Setup, Numbers: [2]int64{wire.Version}, JSON: setup}
	w.out.add(m.Append(nil))
	go func() {
		defer p.wait.Done()
		w.out.send()
	}()
	go p.follow(w, in)
	return nil
}

// follow turns what the worker says into events, until it is gone.
func (p *Pool) follow(w *process, in *os.File) {
	defer p.wait.Done()
	defer in.Close()
	r := wire.NewReader(in)
	var m wire.Message
	var err error
	for err == nil {
		if err = r.Read(&m); err == nil {
			err = p.tell(w, &m)
		}
	}
	if err != io.EOF {
		w.proc.Kill() // it talks nonsense
	} else {
		err = nil
	}
	state, waitErr := w.proc.Wait()
	if err == nil {
		err = waitErr
	}
	alive.Lock()
	delete(alive.pids, w.proc.Pid)
	alive.Unlock()
	p.mu.Lock()
	delete(p.workers, w.number)
	ended := w.ended
	p.mu.Unlock()
	w.out.close()
	if err == nil && state.Success() && ended {
		os.Remove(w.errors) // most often empty
	} else {
		p.sweep(w.proc.Pid)
		if err == nil {
			if said := lastWords(w.said...); state.Exited() {
				err = &executor.ExitError{Code: state.ExitCode(), Said: said}
			} else {
				err = fmt.Errorf("worker process died: %s", strings.TrimSuffix(state.String()+": "+said, ": "))
			}
		}
	}
	p.events <- executor.Event{Kind: executor.Gone, Worker: w.number, Err: err}
}

func (p *Pool) tell(w *process, m *wire.Message) error {
	ev := executor.Event{Worker: w.number}
	switch m.Kind {
	case wire.Done:
		ev.Kind, ev.Offset = executor.Done, m.Numbers[0]
	case wire.Back:
		ev.Kind, ev.Attempt = executor.Back, m.Attempt()
	case wire.Ready:
		var hello wire.Hello
		if err := json.Unmarshal(m.JSON, &hello); err != nil {
			return err
		}
		ev.Kind, ev.PID, ev.Hostname = executor.Ready, w.proc.Pid, hello.Hostname
	case wire.Fatal:
		var f wire.Failure
		if err := json.Unmarshal(m.JSON, &f); err != nil {
			return err
		}
		ev.Kind, ev.Err = executor.Fatal, fmt.Errorf("worker %d: %s", w.number, f.Error)
		if f.Type == wire.FunctionFailure {
			ev.Err = &executor.FunctionError{Msg: f.Error, Trace: f.Detail}
		}
	case wire.Warm:
		ev.Kind = executor.Warm
	default:
		return fmt.Errorf("%w: %s from a worker", wire.ErrGarbage, m.Kind)
	}
	p.events <- ev
	return nil
}

// sweep ends what a dead worker has left. Workers can be started meanwhile.
func (p *Pool) sweep(worker int) {
	sweeping.Lock()
	defer sweeping.Unlock()
	for pid := range sweeping.stuck {
		if got, err := syscall.Wait4(pid, nil, syscall.WNOHANG, nil); got == pid || err != nil {
			delete(sweeping.stuck, pid)
		}
	}
	ours := map[int]bool{}
	for _, pid := range proc.KillOrphans(func(pid int) bool {
		alive.Lock()
		known := alive.pids[pid]
		alive.Unlock()
		if known || sweeping.stuck[pid] || slices.Contains(p.others, pid) {
			return true
		}
		group, _ := syscall.Getpgid(pid) // all that a zombie has left
		ours[pid] = ours[pid] || !p.options.Guest || group == worker || proc.HasMark(pid, p.mark)
		return !ours[pid]
	}, orphanTime) {
		sweeping.stuck[pid] = true
	}
}

// Send queues lines for a worker, however long it has not read any: it may be
// stopped, and go on. What is queued is bounded, see outbox.
func (p *Pool) Send(worker int, lines []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.workers[worker]
	if w == nil {
		return
	}
	if string(lines) == string(wire.End)+"\n" {
		w.ended = true
	}
	w.out.add(lines)
}

// Close ends all workers at once.
func (p *Pool) Close() error {
	p.mu.Lock()
	for _, w := range p.workers {
		w.proc.Kill()
	}
	p.mu.Unlock()
	p.wait.Wait()
	return nil
}

// lastWords is the line that a dead worker, or the function that shared its process, has
// said last, for a message. Of a Go program that crashed it is the one that says why.
func lastWords(paths ...string) string {
	for _, path := range paths {
		text := strings.TrimSpace(tail(path, 256<<10))
		if text == "" {
			continue
		}
		last := text[strings.LastIndexByte(text, '\n')+1:]
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
				last = strings.TrimSpace(line) + " (more in " + path + ")"
				break
			}
		}
		const most = 500
		if len(last) > most {
			last = last[:most] + "…"
		}
		return last
	}
	return ""
}

// tail is the end of a file, "" when it cannot be read.
func tail(path string, most int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	b := make([]byte, min(most, info.Size()))
	n, _ := f.ReadAt(b, info.Size()-int64(len(b)))
	return strings.ToValidUTF8(string(b[:n]), "\uFFFD")
}

// closers collects files to close, and the first error in opening one.
type closers struct {
	files []*os.File
	err   error
}

func (c *closers) open(f *os.File, err error) *os.File {
	if c.err == nil {
		c.err = err
	}
	c.add(f)
	return f
}

func (c *closers) add(files ...*os.File) { c.files = append(c.files, files...) }
func (c *closers) close()                { closeAll(c.files...) }

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}
