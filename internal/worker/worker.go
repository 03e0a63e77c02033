// Package worker is the process that runs tasks: it takes them from the host,
// runs each one's command in a process group of its own, or has a runtime that stays
// call its function, measures it, and writes result, log and record into its own
// segments of the store. A function of the program itself it calls itself.
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
	"github.com/lithops-go/lithops/internal/proc"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// Exit codes of a worker process.
const (
	exitDone     = 0
	exitFailed   = 1 // told the host why, with fatal
	exitHostGone = 3
	exitStuck    = 4 // a function of the program did not end when it was told to
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
	for _, fd := range []int{wire.FromHost, wire.ToHost, wire.LockFile} {
		syscall.CloseOnExec(fd)
	}
	takeName()
	host := os.NewFile(wire.FromHost, "host")
	os.Exit(serve(host, os.NewFile(wire.ToHost, "host"), func() {
		if closed(host) {
			endJob(os.Getenv(proc.JobEnv))
		}
	}))
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

// ender is what runs: a command, a runtime, or a call in this process.
type ender interface {
	end(why job.State) // in good order
	kill()
}

// worker is the state the receiving goroutine and the running one share.
type worker struct {
	send sender

	mu      sync.Mutex
	changed sync.Cond
	queue   []assignment
	ended   bool         // no more tasks will come
	stopped bool         // running and coming tasks are to be ended
	gone    bool         // the host is gone: leave at once
	current ender        // what runs, nil between tasks
	runtime *funcRuntime // with calls sent ahead, which can be taken back
	last    func()       // the last that the process does
	now     job.Attempt  // that is made
	dropped map[job.Attempt]bool
	note    *store.Running // of now, for the host; nil: it need not know
	high    int            // tasks in the queue when the last one came
	turned  bool           // half of them are gone, and the host was told so

	waited bool // of the running goroutine alone: since the last task there was none to run
}

// Serve works for the host at the other end of in and out until it is told to end
// or the host is gone, and returns the process's exit code.
func Serve(in io.Reader, out io.Writer) int { return serve(in, out, func() {}) }

// serve is Serve; last is called at the end, when no task runs any more.
func serve(in io.Reader, out io.Writer, last func()) int {
	w := &worker{send: sender{w: out}, waited: true, last: sync.OnceFunc(last)}
	w.changed.L = &w.mu
	defer w.last()
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
	if w.note, err = store.CreateRunning(run.job.Dir, run.job.Worker); err != nil {
		w.send.fatal("store", err)
		return exitFailed
	}
	hello, _ := json.Marshal(wire.Hello{Hostname: run.hostname})
	w.send.message(&wire.Message{Kind: wire.Ready, Numbers: [2]int64{wire.Version}, JSON: hello})

	if run.callees != [2]*callee{} || run.recorder.synced {
		w.leaveOnSignal()
	}
	run.recorder.fail = func(err error) {
		w.send.fatal("store", err)
		w.leave()
	}
	go w.receive(r)
	if err = run.all(w); err != nil && !w.isGone() {
		if failed, ok := errors.AsType[*functionError](err); ok {
			w.send.failure(wire.Failure{Type: wire.FunctionFailure, Error: failed.msg, Detail: failed.trace})
		} else {
			w.send.fatal("store", err)
		}
		run.close(true)
		return exitFailed
	}
	err = run.close(w.isGone())
	if w.isGone() {
		return exitHostGone
	}
	if err != nil {
		w.send.fatal("store", err)
		return exitFailed
	}
	if w.note != nil {
		w.note.Close()
	}
	w.send.ring(run.stats.Size(), true)
	return exitDone
}

// leaveOnSignal has the worker write down the calls that have ended, and end what runs,
// before a signal ends it. One that runs commands has nothing to write, but for records
// on their way to the disk where those have to get there; its host ends
// what it leaves, and waiting for signals takes the runtime three threads.
func (w *worker) leaveOnSignal() {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		<-term
		w.leave()
	}()
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
			w.high, w.turned = len(w.queue), false
			w.mu.Unlock()
			w.changed.Signal()
		case wire.Recall, wire.Cancel:
			w.takeBack()
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
		case wire.Drop:
			w.drop(m.Attempt())
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
		w.waited = true
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

// tryNext is a task that is there now and that fits.
func (w *worker) tryNext(fits func(*assignment) bool) (a assignment, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 || w.gone || w.stopped || w.dropped[w.queue[0].Attempt] || !fits(&w.queue[0]) {
		return a, false
	}
	a = w.queue[0]
	w.queue[0] = assignment{}
	w.queue = w.queue[1:]
	return a, true
}

// unshift puts tasks back to the front of the queue, or gives them back to the host
// when the job is being stopped.
func (w *worker) unshift(tasks []assignment) {
	w.mu.Lock()
	stopped := w.stopped
	if !stopped {
		w.queue = append(tasks, w.queue...)
		w.changed.Signal() // it may be the receiving goroutine that gives them back
	}
	w.mu.Unlock()
	if stopped {
		w.send.back(tasks)
	}
}

// takeBack puts the calls that a runtime has not begun back into the queue.
func (w *worker) takeBack() {
	w.mu.Lock()
	rt := w.runtime
	w.mu.Unlock()
	if rt != nil {
		w.unshift(rt.takeBack(false, w))
	}
}

// drop ends an attempt if it runs, or sees to it that it will not.
func (w *worker) drop(a job.Attempt) {
	w.takeBack()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dropped == nil {
		w.dropped = map[job.Attempt]bool{}
	}
	w.dropped[a] = true
	if w.now == a && w.current != nil {
		w.current.end(job.Cancelled)
	}
}

func (w *worker) isDropped(a job.Attempt) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped[a]
}

// running notes which attempt is made now; settled that it has ended.
func (w *worker) running(a job.Attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = a
	if w.note != nil {
		w.note.Set(a)
	}
}

// answered notes that the running call has answered: from now on neither its time
// limit nor a drop ends the process. False when it was ended before.
func (w *worker) answered(p *process) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !p.settle() {
		return false
	}
	w.now = job.Attempt{}
	return true
}

func (w *worker) settled() { w.running(job.Attempt{}) }

// turning says whether the host should hear of what has ended: because work is
// about to run out, once, or has, which idle says.
func (w *worker) turning(idle bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := len(w.queue)
	if idle && left == 0 {
		return true
	}
	if w.turned || 2*left > w.high {
		return false
	}
	w.turned = true
	return true
}

// begin makes e what runs, which is ended at once if that was asked for before. rt
// is the runtime that it is, if it is one.
func (w *worker) begin(e ender, rt *funcRuntime) {
	w.mu.Lock()
	w.current, w.runtime = e, rt
	gone := w.gone
	stopped := w.stopped || w.dropped[w.now]
	w.mu.Unlock()
	switch {
	case e == nil:
	case gone:
		e.kill()
	case stopped:
		e.end(job.Cancelled)
	}
}

// leave ends the worker because its host is gone.
func (w *worker) leave() {
	w.mu.Lock()
	w.gone = true
	current := w.current
	w.mu.Unlock()
	if _, ok := current.(*goCall); ok {
		w.last() // the call ends with the process
	}
	if current != nil {
		current.kill()
	}
	w.changed.Signal()
}

func (w *worker) isGone() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gone
}
