package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/wire"
)

const (
	// MaxResult bounds a function's result as JSON.
	MaxResult = 128 << 20
	// startTime is what a program gets to say that it is ready, loadTime what a
	// function's file gets to be loaded.
	startTime = time.Minute
	loadTime  = 5 * time.Minute
	// closeTime is what a runtime that has closed its pipe gets to end.
	closeTime = time.Second
	// aheadTime is how much work lies in a runtime's pipe, beside what it does.
	aheadTime = 2 * time.Millisecond
	// packet is how long a request may be to be sent ahead: it is taken by one read.
	packet = 4096
)

// call is a request that a runtime was sent.
type call struct {
	assignment
	begun int64 // when the worker took it up, Unix ns
	cold  bool
}

// funcRuntime is a persistent process that runs functions. The worker's thread
// alone uses it, but for takeBack and what it says.
type funcRuntime struct {
	*callee
	p        *process
	watched  *watched
	requests requests
	replies  int           // descriptor, blocking
	exited   chan struct{} // closed when the process is a zombie
	followed chan struct{} // closed when follow kills nobody any more
	over     atomic.Bool   // its replies were read to the end
	buf      []byte        // read from replies and not used
	used     int           // of buf

	mu     sync.Mutex
	flight []call // sent and not answered: the first one runs

	begun, ready int64 // of the start, Unix ns
	lastEnd      int64 // of the call before
	high         int64 // peak resident size so far, bytes; 0: not known
	floor        int64 // below this, the kernel's peak is that of the process that started it
	mean         int64 // length of a call, recent ones weigh more, ns
	answered     bool  // a call
	lastID       int64 // of the last answer
	base         procUse
	baseOf       job.Attempt // the call that base was read before
}

// startRuntime starts the process; it is not ready yet.
func (r *runner) startRuntime(c *callee, now int64) (*funcRuntime, error) {
	rt := &funcRuntime{callee: c, exited: make(chan struct{}), followed: make(chan struct{}), begun: now, floor: r.peaks.probe.floor()}
	var err error
	var childIn, childOut int
	if rt.requests, childIn, err = newRequests(c.trusted()); err != nil {
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	defer syscall.Close(childIn)
	if rt.replies, childOut, err = pipe(); err != nil {
		rt.requests.close()
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	defer syscall.Close(childOut)
	attr := &syscall.ProcAttr{
		Env:   r.env.warm(),
		Files: []uintptr{r.null.Fd(), r.log.part.Fd(), r.log.part.Fd(), uintptr(childIn), uintptr(childOut)},
		Sys:   sysProcAttr(),
	}
	path, argv := r.memory.wrap(c.path, c.argv, attr)
	r.memory.begin()
	pid, err := r.start(path, argv, attr)
	if err != nil {
		rt.requests.close()
		syscall.Close(rt.replies)
		return nil, startError(c.argv, err)
	}
	rt.p = &process{pid: pid, grace: time.Duration(r.job.GraceNS)}
	rt.watched = watch(pid)
	go rt.follow()
	return rt, nil
}

// follow ends what the process leaves behind when it exits: a child of it that
// holds its pipe open would keep the reader waiting for ever.
func (rt *funcRuntime) follow() {
	defer close(rt.followed)
	awaitExit(rt.p.pid)
	close(rt.exited)
	for pause := 50 * time.Microsecond; !rt.over.Load(); pause = min(2*pause, 10*time.Millisecond) {
		time.Sleep(pause)
		if rt.over.Load() {
			return
		}
		endGroup(rt.p.pid)
	}
}

// read returns the next line, valid until the next call; io.EOF when there will be
// none.
func (rt *funcRuntime) read() ([]byte, error) {
	from := rt.used
	for {
		if i := bytes.IndexByte(rt.buf[from:], '\n'); i >= 0 {
			line := rt.buf[rt.used : from+i]
			rt.used = from + i + 1
			return line, nil
		}
		n := copy(rt.buf, rt.buf[rt.used:])
		rt.buf, rt.used, from = rt.buf[:n], 0, n
		if n > MaxResult+packet {
			return nil, fmt.Errorf("wrote a line of more than %d bytes; a large result belongs into a file", MaxResult)
		}
		if n == 0 && cap(rt.buf) > 4<<20 {
			rt.buf = nil // a worker that was large once need not stay so
		}
		if cap(rt.buf)-n < 32<<10 {
			grown := make([]byte, n, max(64<<10, 2*cap(rt.buf)))
			copy(grown, rt.buf)
			rt.buf = grown
		}
		got, err := syscall.Read(rt.replies, rt.buf[n:cap(rt.buf)])
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return nil, fmt.Errorf("read replies: %w", err)
		case got == 0:
			rt.over.Store(true)
			return nil, io.EOF
		default:
			rt.buf = rt.buf[:n+got]
		}
	}
}

// silent says that a read would wait.
func (rt *funcRuntime) silent() bool {
	if rt.used < len(rt.buf) {
		return false // a line, or a part of one
	}
	n, _ := unix.Poll([]unix.PollFd{{Fd: int32(rt.replies), Events: unix.POLLIN}}, 0)
	return n <= 0
}

// awaitReady reads the first line. The error is for the user: why his function
// cannot be called.
func (rt *funcRuntime) awaitReady() error {
	limit := startTime
	if rt.trusted() {
		limit = loadTime
	}
	late := time.AfterFunc(limit, rt.p.kill)
	defer late.Stop()
	line, err := rt.read()
	if err != nil && !late.Stop() {
		return &functionError{msg: fmt.Sprintf("%s was not ready after %v", rt.function, limit)}
	}
	if errors.Is(err, io.EOF) {
		return &functionError{msg: fmt.Sprintf("%s ended before it was ready", rt.function), early: true}
	}
	if err != nil {
		return &functionError{msg: fmt.Sprintf("%s: %v", rt.function, err)}
	}
	var h hello
	switch err := json.Unmarshal(line, &h); {
	case err != nil:
		return &functionError{msg: fmt.Sprintf(`%s did not say {"ready":{}}: %s`, rt.function, shorten(line))}
	case h.Fatal != nil:
		return &functionError{msg: h.Fatal.text(rt.function.File), trace: h.Fatal.Stack}
	case h.Ready == nil:
		return &functionError{msg: fmt.Sprintf(`%s did not say {"ready":{}} but %s`, rt.function, shorten(line))}
	}
	return nil
}

// text is a loading error in one line. Those of ours, that there is no such function or
// that the interpreter is too old, say all there is to say.
func (e *callError) text(file string) string {
	if e.Type == "UnknownFunction" || e.Type == "" || strings.HasPrefix(e.Message, "needs ") {
		return oneLine(e.Message)
	}
	return fmt.Sprintf("load %s: %s: %s", file, e.Type, oneLine(e.Message))
}

// functionError says that a function cannot be called at all.
type functionError struct {
	msg, trace string
	early      bool   // the process ended: what it ended with says more
	killed     bool   // by SIGKILL, which is nobody's own doing
	oom        string // what the kernel has to do with that, "" for nothing
}

func (e *functionError) Error() string { return e.msg }

// request is the line for an attempt.
func (rt *funcRuntime) request(b []byte, a assignment, list *wire.List) []byte {
	b = append(b, `{"id":`...)
	b = strconv.AppendInt(b, int64(a.Task), 10)
	if list != nil {
		b = append(b, `,"list":`...)
		file, _ := json.Marshal(list.File) // a string always marshals
		b = append(b, file...)
		b = append(b, `,"count":`...)
		b = strconv.AppendInt(b, int64(list.Count), 10)
	} else {
		b = append(b, `,"input":`...)
		b = append(b, a.input...)
	}
	if rt.index > 0 {
		b = append(b, `,"f":`...)
		b = strconv.AppendInt(b, int64(rt.index), 10)
	}
	return append(b, '}', '\n')
}

// window is how many calls may be with the runtime now.
func (rt *funcRuntime) window() int {
	if !rt.requests.ahead() || !rt.answered || rt.mean > int64(aheadTime) {
		return 1
	}
	return 1 + int(min(int64(aheadTime)/max(rt.mean, 1), int64(rt.requests.places)))
}

// lull is for how long to leave a runtime alone that has so many short calls to make
// that it will not miss us: to be woken by each of its replies would cost as much as
// the call. 0 when it is not so.
func (rt *funcRuntime) lull() time.Duration {
	const (
		fewest   = 8                     // calls that it has
		longest  = 20 * time.Microsecond // of their length
		beside   = 5 * time.Microsecond  // what a call costs the runtime itself, at the least
		mostLull = 200 * time.Microsecond
	)
	if rt.used < len(rt.buf) || rt.mean > int64(longest) {
		return 0
	}
	n := rt.inFlight()
	if n < fewest {
		return 0
	}
	return min(time.Duration(n/2)*(time.Duration(rt.mean)+beside), mostLull)
}

// takeBack takes the calls out of the runtime's pipe that it has not begun, the first
// excepted: it is as good as begun, unless the process is dead.
func (rt *funcRuntime) takeBack(dead bool, w *worker) (back []assignment) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if !rt.requests.ahead() || len(rt.flight) < 2 && !dead {
		return nil
	}
	all, taken := slices.Clone(rt.flight), rt.requests.takeBack()
	kept := rt.flight[:0]
	for _, c := range all {
		if slices.Contains(taken, int64(c.Task)) {
			back = append(back, c.assignment)
		} else {
			kept = append(kept, c)
		}
	}
	if len(kept) == 0 && len(all) > 0 && !dead {
		kept, back = append(kept, all[0]), back[1:]
		rt.requests.send(rt.request(nil, all[0].assignment, nil), rt.exited)
	}
	if len(kept) > 0 && kept[0].Attempt != all[0].Attempt && !dead {
		w.running(kept[0].Attempt)
	}
	clear(rt.flight[len(kept):])
	rt.flight = kept
	return back
}

func (rt *funcRuntime) inFlight() int {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return len(rt.flight)
}

// close lets the runtime end and waits for it: it has no call. now means at once.
func (rt *funcRuntime) close(stuck map[int]bool, now bool) {
	if now {
		rt.p.kill()
	}
	rt.requests.close()
	late := time.AfterFunc(rt.p.grace, rt.p.kill)
	defer late.Stop()
	rt.drain() // what it says now is not asked for
	<-rt.exited
	rt.reap(stuck)
}

// awaitExit gives a runtime that has closed its pipe, or was told to end, a while
// for that.
func (rt *funcRuntime) awaitExit() (exited bool) {
	select {
	case <-rt.exited:
		return true
	case <-time.After(closeTime):
		return false
	}
}

// drain reads what is left of the replies and drops it.
func (rt *funcRuntime) drain() {
	var buf [4096]byte
	for !rt.over.Load() {
		if n, err := syscall.Read(rt.replies, buf[:]); n == 0 && err == nil || err != nil && err != syscall.EINTR {
			rt.over.Store(true)
		}
	}
}

// reap collects the exited process with all that it has left behind. own is what
// it has used with the children it waited for.
func (rt *funcRuntime) reap(stuck map[int]bool) (status syscall.WaitStatus, own syscall.Rusage, why job.State, err error) {
	rt.over.Store(true)
	<-rt.followed // it would hit what is started next
	why = rt.p.done()
	status, own, _, err = rt.p.reap(stuck)
	rt.requests.close()
	syscall.Close(rt.replies)
	rt.watched.close()
	return status, own, why, err
}
