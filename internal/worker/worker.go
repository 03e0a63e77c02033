// Package worker is the process that runs tasks: it takes them from the host,
// runs each one's command in a process group of its own, measures it, and writes
// result, log and record into its own segments of the store.
package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/wire"
)

// Exit codes of a worker process.
const (
	exitDone     = 0
	exitFailed   = 1 // told the host why, with fatal
	exitHostGone = 3
)

// Main makes the process a worker when it was started as one, and then does not
// return.
func Main() {
	number, ok := os.LookupEnv(wire.WorkerEnv)
	if !ok {
		return
	}
	os.Unsetenv(wire.WorkerEnv) // a lithops that a task starts is no worker
	if _, err := strconv.Atoi(number); err != nil {
		fmt.Fprintf(os.Stderr, "lithops: %s=%q is no worker's number\n", wire.WorkerEnv, number)
		os.Exit(exitFailed)
	}
	syscall.CloseOnExec(wire.FromHost)
	syscall.CloseOnExec(wire.ToHost)
	takeName()
	tune()
	os.Exit(Serve(os.NewFile(wire.FromHost, "host"), os.NewFile(wire.ToHost, "host")))
}

// tune makes the process fit to start commands: small, because a child's peak
// memory is never counted below its parent's size, and with three processors,
// however many there are: a thread that starts a child blocks its own, and the
// receiving and the sampling goroutine must go on.
func tune() {
	debug.SetGCPercent(50)
	runtime.GOMAXPROCS(3)
}

// assignment is one attempt to make.
type assignment struct {
	job.Attempt
	input []byte
}

// worker is the state the receiving goroutine and the running one share.
type worker struct {
	send sender

	mu      sync.Mutex
	changed sync.Cond
	queue   []assignment
	ended   bool     // no more tasks will come
	stopped bool     // running and coming tasks are to be ended
	gone    bool     // the host is gone: leave at once
	current *process // the running command, nil between tasks
	high    int      // tasks in the queue when the last one came
}

// Serve works for the host at the other end of in and out until it is told to end
// or the host is gone, and returns the process's exit code.
func Serve(in io.Reader, out io.Writer) int {
	// Parent-death signals follow the thread that started the child.
	runtime.LockOSThread()
	wakeFirst()

	w := &worker{send: sender{w: out}}
	w.changed.L = &w.mu
	r := wire.NewReader(in)
	var m wire.Message
	if err := r.Read(&m); err != nil || m.Kind != wire.Setup {
		return exitHostGone
	}
	run, err := newRunner(&m, &w.send)
	if err != nil {
		w.send.fatal("setup", err)
		return exitFailed
	}
	hello, _ := json.Marshal(wire.Hello{Hostname: run.hostname})
	w.send.message(&wire.Message{Kind: wire.Ready, Numbers: [2]int64{wire.Version}, JSON: hello})

	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		<-term
		w.leave()
	}()
	go w.receive(r)
	for {
		a, ok := w.next()
		if !ok {
			break
		}
		if err := run.do(a, w); err != nil {
			if w.isGone() {
				break
			}
			w.send.fatal("store", err)
			return exitFailed
		}
	}
	run.close()
	if w.isGone() {
		return exitHostGone
	}
	w.send.ring(run.stats.Size(), true)
	return exitDone
}

// receive takes messages from the host until there are none.
func (w *worker) receive(r *wire.Reader) {
	var m wire.Message
	for {
		if err := r.Read(&m); err != nil {
			w.mu.Lock()
			ended := w.ended
			w.mu.Unlock()
			if !errors.Is(err, io.EOF) {
				w.send.fatal("protocol", fmt.Errorf("read from host: %w", err))
			}
			if !ended || !errors.Is(err, io.EOF) {
				w.leave()
			}
			return
		}
		switch m.Kind {
		case wire.Task:
			a := assignment{m.Attempt(), append([]byte(nil), m.JSON...)}
			w.mu.Lock()
			w.queue = append(w.queue, a)
			w.high = len(w.queue)
			w.mu.Unlock()
			w.changed.Signal()
		case wire.Recall, wire.Cancel:
			w.mu.Lock()
			back, current := w.queue, w.current
			w.queue = nil
			w.stopped = w.stopped || m.Kind == wire.Cancel
			stopped := w.stopped
			w.mu.Unlock()
			w.send.back(back)
			if stopped && current != nil {
				current.end(job.Cancelled)
			}
		case wire.End:
			w.mu.Lock()
			w.ended = true
			w.mu.Unlock()
			w.changed.Signal()
		}
	}
}

// next waits for a task; false when there will be none.
func (w *worker) next() (a assignment, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) == 0 && !w.ended && !w.gone {
		w.changed.Wait()
	}
	if w.gone || len(w.queue) == 0 {
		return a, false
	}
	a = w.queue[0]
	w.queue[0] = assignment{}
	w.queue = w.queue[1:]
	return a, true
}

// low says whether the host should hear now, because work is about to run out.
func (w *worker) low() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return 2*len(w.queue) <= w.high
}

// begin makes p the running command, which is ended at once if that was asked
// for before it ran.
func (w *worker) begin(p *process) {
	w.mu.Lock()
	w.current = p
	gone, stopped := w.gone, w.stopped
	w.mu.Unlock()
	switch {
	case p == nil:
	case gone:
		p.kill()
	case stopped:
		p.end(job.Cancelled)
	}
}

// leave ends the worker because its host is gone.
func (w *worker) leave() {
	w.mu.Lock()
	w.gone = true
	p := w.current
	w.mu.Unlock()
	if p != nil {
		p.kill()
	}
	w.changed.Signal()
}

func (w *worker) isGone() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gone
}
