package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// GoFunc is a function of the program itself, as workers call it. Its output is JSON.
type GoFunc func(ctx context.Context, in GoInput) (output []byte, err error)

// GoInput is what a GoFunc gets: one item, or a list.
type GoInput struct {
	Task  int
	JSON  []byte // the item; valid during the call
	List  string // path of a file with one JSON value per line; "" for an item
	Count int    // of its lines
}

var goFuncs = struct {
	sync.Mutex
	by map[string]GoFunc
}{by: map[string]GoFunc{}}

// Register makes f known to the workers of this program, which are the same program
// again: it must be done before Main. A name that is taken is an error.
func Register(name string, f GoFunc) error {
	goFuncs.Lock()
	defer goFuncs.Unlock()
	if _, taken := goFuncs.by[name]; taken {
		return fmt.Errorf("function %q is registered twice", name)
	}
	goFuncs.by[name] = f
	return nil
}

func registered(name string) (GoFunc, bool) {
	goFuncs.Lock()
	defer goFuncs.Unlock()
	f, ok := goFuncs.by[name]
	return f, ok
}

// goCall is a call of a GoFunc that runs. It cannot be ended from outside: its
// context is, and when it does not mind that, its process.
type goCall struct {
	cancel context.CancelCauseFunc
	grace  time.Duration
	giveUp func(why job.State) // records the call; the process ends afterwards

	mu     sync.Mutex
	over   bool
	why    job.State
	killer *time.Timer
}

func (c *goCall) end(why job.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || c.why != 0 {
		return
	}
	c.why = why
	c.cancel(fmt.Errorf("lithops: the call was ended: %s", why))
	c.killer = time.AfterFunc(c.grace, func() {
		c.mu.Lock()
		late := !c.over
		c.over = true
		c.mu.Unlock()
		if late {
			c.giveUp(why)
		}
	})
}

// kill ends the process: the host is gone.
func (c *goCall) kill() { exitNow(exitHostGone) }

// finish says why the call was ended, 0 if it was not. It does not return when the call
// has been given up.
func (c *goCall) finish() job.State {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		select {} // the process is about to end
	}
	c.over = true
	defer c.mu.Unlock()
	if c.killer != nil {
		c.killer.Stop()
	}
	return c.why
}

// exitNow ends the process with all that the user's function has started.
func exitNow(code int) {
	endChildren(time.Second)
	os.Exit(code)
}

// enterGo makes the worker fit to run functions of its own program: what they print
// is their task's log.
func (r *runner) enterGo() error {
	for k, v := range r.spec.Env {
		os.Setenv(k, v)
	}
	os.Setenv("LITHOPS_JOB_ID", r.job.JobID)
	os.Setenv("LITHOPS_WORKER", strconv.Itoa(r.job.Worker))
	r.pid = os.Getpid() // which is a system call
	r.self = watch(r.pid)
	r.high, r.lastLong = r.self.peak(), true
	r.logFD = int(r.log.part.Fd())
	return ownOutput(r.logFD)
}

// callGo makes an attempt with a function of this program.
func (r *runner) callGo(c *callee, a assignment, w *worker) error {
	w.running(a.Attempt)
	began := r.clock.Now()
	rec := r.record(a.Attempt, began)
	rec.WorkerColdStart = stats.BoolOf(!r.warm)
	r.warm = true
	if c.call == nil {
		var ok bool
		if c.call, ok = registered(c.function.Go); !ok {
			return fmt.Errorf("function %q is not registered in the worker: lithops.Func must run before lithops.Init", c.function.Go)
		}
	}
	in := GoInput{Task: a.Task, JSON: a.input}
	if list, err := r.list(a); err != nil {
		return err
	} else if list != nil {
		in.List, in.Count = list.File, list.Count
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	call := &goCall{cancel: cancel, grace: time.Duration(r.job.GraceNS)}
	call.giveUp = func(why job.State) { r.giveUp(*rec, why, w) }
	defer cancel(nil)

	long := r.lastLong // then looks that cost microseconds are worth it
	if long {
		r.self.resetPeak()
	}
	if r.stale || w.waited { // else the reading after the call before will do
		r.used, r.stale, w.waited = usageSelf(), false, false
	}
	before, children := r.used, r.children
	r.meter.ready(began)
	r.meter.begin(r.pid)
	w.begin(call, nil)
	if t := r.spec.Timeout; t > 0 {
		defer time.AfterFunc(t, func() { call.end(job.Timeout) }).Stop()
	}
	rec.FuncStart = stats.SecOf(r.clock.Now())
	returned := false
	defer func() {
		if !returned { // this goroutine ends; another goes on with what comes next
			if err := r.goEnded(rec, call, nil, errGoexit, &before, &children, long, w); err != nil {
				w.send.fatal("store", err)
				exitNow(exitFailed)
			}
		}
	}()
	output, err := invoke(ctx, c.call, in)
	returned = true
	return r.goEnded(rec, call, output, err, &before, &children, long, w)
}

// goEnded records a call that has come to its end.
func (r *runner) goEnded(rec *stats.Record, call *goCall, output []byte, err error, before, children *syscall.Rusage, long bool, w *worker) error {
	start, end := rec.FuncStart.NS, r.clock.Now()
	why := call.finish()
	w.begin(nil, nil)
	r.used = usageSelf()
	length := time.Duration(end - start)
	seen := r.meter.end(end)

	rec.PID = stats.IntOf(r.pid)
	rec.FuncEnd = stats.SecOf(end)
	usage(rec, before, &r.used)
	if length >= 100*time.Microsecond { // in less, no child can be waited for
		r.children = childUsage()
		addUsage(rec, children, &r.children)
	}
	if long {
		peak := r.self.peak()
		if child := maxRSS(&r.children); child > maxRSS(children) {
			peak = max(peak, child)
		}
		rec.PeakMemoryStart = stats.IntOf(r.high)
		rec.TaskPeakMemory = stats.IntOf(peak)
		r.high = max(r.high, peak)
		rec.PeakMemoryEnd = stats.IntOf(r.high)
	}
	r.lastLong = length >= longCall
	seen.fillWithin(rec, start, end, r.clock)
	if rec.WorkerColdStart.V {
		r.sampleOnce(rec, r.pid)
	}
	stack := r.goOutcome(rec, output, err, why)
	if rec.State != job.Success {
		output = nil
	}
	logEnd, logErr := unix.Seek(r.logFD, 0, io.SeekCurrent) // all writers share it: its end
	if logErr != nil {
		logEnd = -1
	}
	defer w.settled() // not before it is recorded
	return r.keep(rec, output, logEnd, stack, true, w)
}

var errGoexit = errors.New("called runtime.Goexit instead of returning")

// goOutcome sets how the call has ended and returns a panic's stack.
func (r *runner) goOutcome(rec *stats.Record, output []byte, err error, why job.State) (stack string) {
	rec.State = job.Success
	switch p, panicked := errors.AsType[*panicError](err); {
	case why != 0:
		ended(rec, why, r.spec)
	case panicked:
		rec.State, rec.ErrorType, rec.Error, stack = job.Error, "panic", oneLine(p.Error()), p.stack
	case err == errGoexit:
		rec.State, rec.ErrorType, rec.Error = job.Error, "goexit", err.Error()
	case err != nil:
		rec.State, rec.ErrorType, rec.Error = job.Error, typeName(err), oneLine(err.Error())
	case len(output) > MaxResult:
		rec.State, rec.ErrorType = job.Error, "result"
		rec.Error = fmt.Sprintf("result of %d bytes as JSON is more than the %d that are taken; write it to a file and return its name", len(output), MaxResult)
	}
	return stack
}

// giveUp records a call that does not return although its context has ended, and
// ends the process. rec is a copy: the function may still be running.
func (r *runner) giveUp(rec stats.Record, why job.State, w *worker) {
	now := r.clock.Now()
	rec.PID = stats.IntOf(r.pid)
	rec.FuncStart = rec.WorkerStart
	rec.FuncEnd = stats.SecOf(now)
	ended(&rec, why, r.spec)
	rec.Error += "; it did not return within " + time.Duration(r.job.GraceNS).String() + " after its context had ended, so its process was ended"
	code := exitStuck
	if err := r.keep(&rec, nil, -1, "", true, w); err != nil {
		w.send.fatal("store", err)
		code = exitFailed
	}
	if err := r.recorder.flush(); err != nil {
		code = exitFailed
	}
	w.settled()
	exitNow(code)
}

// panicError is a panic of a user's function.
type panicError struct {
	value any
	stack string
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func invoke(ctx context.Context, f GoFunc, in GoInput) (output []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{v, userStack(debug.Stack())}
		}
	}()
	return f(ctx, in)
}

// userStack leaves out the frames of recovering, which stand first.
func userStack(b []byte) string {
	head, rest, ok := strings.Cut(string(b), "\n")
	if i := strings.Index(rest, "\npanic("); ok && i >= 0 {
		if lines := strings.SplitN(rest[i+1:], "\n", 3); len(lines) == 3 {
			return head + "\n" + lines[2]
		}
	}
	return string(b)
}

// typeName is the type of an error, "error" for those made of a text.
func typeName(err error) string {
	switch name := strings.TrimPrefix(fmt.Sprintf("%T", err), "*"); name {
	case "errors.errorString", "fmt.wrapError", "fmt.wrapErrors", "errors.joinError":
		return "error"
	default:
		return name
	}
}

// usageSelf is what this process has used.
func usageSelf() (ru syscall.Rusage) {
	syscall.Getrusage(unix.RUSAGE_SELF, &ru) // fails for no valid argument
	return ru
}
