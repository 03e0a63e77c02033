package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/wire"
)

const (
	// maxIdleDeaths is how often in a row a runtime may end without having taken a
	// call before the call is given up.
	maxIdleDeaths = 3
	// longCall is from when on a call is worth looks that cost some microseconds.
	longCall = time.Millisecond
)

// callRuntime makes an attempt with a warm runtime, and those that come
// meanwhile, until nothing is with the runtime any more.
func (r *runner) callRuntime(c *callee, a assignment, w *worker) error {
	began := r.clock.Now()
	w.running(a.Attempt)
	cold, err := r.warmUp(c, w)
	if err != nil {
		return r.notReady(a, began, err, w)
	}
	list, err := r.list(a)
	if err != nil {
		return err
	}
	rt := r.rt
	w.begin(rt.p, rt)
	first := call{assignment: a, begun: began, cold: cold}
	rt.mu.Lock()
	rt.flight = append(rt.flight[:0], first)
	rt.mu.Unlock()
	if !rt.answered || rt.mean >= int64(longCall) || !rt.trusted() {
		rt.base, rt.baseOf = rt.watched.use(), a.Attempt
	}
	if !rt.trusted() {
		rt.watched.resetPeak()
	}
	r.next(rt, w)
	r.line = rt.request(r.line[:0], a, list)
	sent := rt.requests.send(r.line, rt.exited)
	if r.line = keep(r.line); !sent {
		return r.broken(rt, w, io.EOF)
	}
	for away := false; rt.inFlight() > 0; {
		if rt.p.ending() == 0 {
			r.askAhead(rt, w, list != nil)
		}
		if pause := rt.lull(); pause > 0 {
			// Who wants to end a call would meet the one after it: see begin below.
			w.begin(nil, rt)
			away = true
			nap(pause)
		}
		if away && rt.silent() {
			w.begin(rt.p, rt)
			away = false
		}
		line, err := rt.read()
		switch {
		case err != nil:
			return r.broken(rt, w, err)
		case !w.answered(rt.p):
			continue // whatever it says now: it was told to end
		}
		if err := r.answer(rt, line, w); err != nil {
			if errors.Is(err, errProtocol) {
				return r.broken(rt, w, err)
			}
			return err
		}
	}
	w.begin(nil, nil)
	return nil
}

// list is the input of a reduce task, nil for another.
func (r *runner) list(a assignment) (*wire.List, error) {
	if !r.reduces(a) {
		return nil, nil
	}
	list := new(wire.List)
	if err := json.Unmarshal(a.input, list); err != nil {
		return nil, fmt.Errorf("read input of reduce task %d: %w", a.Task, err)
	}
	list.File = filepath.Join(r.job.Dir, list.File)
	return list, nil
}

// next notes that a call begins.
func (r *runner) next(rt *funcRuntime, w *worker) {
	now := r.clock.Now()
	r.meter.ready(now)
	r.meter.begin(rt.p.pid)
	if r.spec.Timeout > 0 {
		rt.p.limit(r.spec.Timeout, w.takeBack) // else it would go on to those if it does not mind the signal
	}
}

// askAhead sends what else there is to do, so that the runtime need not wait for
// us between short calls.
func (r *runner) askAhead(rt *funcRuntime, w *worker, alone bool) {
	window := rt.window()
	if window < 2 || alone {
		return
	}
	rt.mu.Lock()
	defer rt.mu.Unlock()
	fits := func(a *assignment) bool { return len(a.input) < packet-128 && !r.reduces(*a) }
	if len(rt.flight) == 0 || !fits(&rt.flight[0].assignment) {
		return // it may still be reading that one
	}
	for len(rt.flight) < window {
		a, ok := w.tryNext(fits)
		if !ok {
			return
		}
		r.line = rt.request(r.line[:0], a, nil)
		begun := r.clock.Now() // before the runtime can begin
		if !rt.requests.trySend(r.line) {
			w.unshift([]assignment{a})
			return
		}
		rt.flight = append(rt.flight, call{assignment: a, begun: begun})
	}
}

// answer takes in a reply and records the call. An error that is errProtocol is the
// runtime's.
func (r *runner) answer(rt *funcRuntime, line []byte, w *worker) error {
	read := r.clock.Now()
	p := &r.reply
	if err := p.parse(line, rt.trusted()); err != nil {
		return fmt.Errorf("%w: %w", errProtocol, err)
	}
	rt.mu.Lock()
	c := rt.flight[0]
	if p.id != int64(c.Task) {
		rt.mu.Unlock()
		if rt.answered && p.id == rt.lastID {
			return fmt.Errorf("%w: it answered task %d again", errProtocol, p.id)
		}
		return fmt.Errorf("%w: it answered task %d when task %d was asked", errProtocol, p.id, c.Task)
	}
	n := copy(rt.flight, rt.flight[1:])
	rt.flight[n] = call{}
	rt.flight = rt.flight[:n]
	if n > 0 {
		w.running(rt.flight[0].Attempt) // under rt.mu: takeBack may make another the first
	}
	rt.mu.Unlock()
	seen := r.meter.end(read)
	if n > 0 {
		r.next(rt, w)
	}

	rec, start := r.callRecord(rt, &c)
	end := read
	if p.measured {
		began, ended := r.job.Clock.At(p.m[mStart]), r.job.Clock.At(p.m[mEnd])
		if ahead := ended - read; ahead > 0 { // node's clock on macOS goes on while the machine sleeps
			began, ended = began-ahead, read
		}
		start = max(start, min(began, read))
		end = max(start, ended)
	}
	length := end - start
	rec.FuncStart, rec.FuncEnd = stats.SecOf(start), stats.SecOf(end)
	r.usageOf(rec, rt, p, time.Duration(length))
	seen.fillWithin(rec, start, end, r.clock)
	if c.cold {
		r.sampleOnce(rec, rt.p.pid)
	}
	rec.State = job.Success
	if p.err != nil {
		rec.State, rec.ErrorType, rec.Error = job.Error, p.err.Type, oneLine(p.err.Message)
		if rec.ErrorType == "" {
			rec.ErrorType = "error"
		}
	}
	if length >= int64(longCall) || p.err != nil {
		r.memory.blame(rec, rt.p.pid) // a process that the function has started
	}
	rt.lastEnd, rt.lastID, rt.answered, r.idleDeaths = end, p.id, true, 0
	const weight = 8
	if rt.mean == 0 {
		rt.mean = length
	}
	rt.mean += (length - rt.mean) / weight

	logEnd := int64(-1)
	if p.measured {
		logEnd = p.m[mLogEnd]
	}
	stack := ""
	if p.err != nil {
		stack = p.err.Stack
	}
	err := r.keep(rec, p.output, logEnd, stack, n == 0, w)
	if n == 0 {
		w.settled() // not before: a worker that dies of the result has not done with the call
	}
	return err
}

// callRecord is the beginning of a call's record; start is the earliest that the
// function can have begun.
func (r *runner) callRecord(rt *funcRuntime, c *call) (rec *stats.Record, start int64) {
	rec = r.record(c.Attempt, max(c.begun, rt.lastEnd))
	rec.WorkerColdStart, rec.PID = stats.BoolOf(c.cold), stats.IntOf(rt.p.pid)
	start = rec.WorkerStart.NS
	if c.cold {
		rec.FuncStartup = stats.SecOf(rt.ready - rt.begun)
		start = max(start, rt.ready)
	}
	return rec, start
}

// sampleOnce looks at the memory of a process after its first call, if nobody did
// during the call: that it is seen at least once is worth what it costs.
func (r *runner) sampleOnce(rec *stats.Record, pid int) {
	if !rec.RSS.OK {
		m := r.peaks.probe.memory(pid, false)
		rec.RSS, rec.USS, rec.VMS = m.rss, m.uss, m.vms
	}
}

// keep records an attempt at a call. The result is JSON, the log ends at logEnd, -1
// being where the file does; idle says that nothing else can be writing there.
func (r *runner) keep(rec *stats.Record, result []byte, logEnd int64, stack string, idle bool, w *worker) error {
	begun := r.clock.Now()
	rec.LogOffset, rec.LogSize = stats.IntOf(r.log.seg.Size()), stats.IntOf(0)
	if logEnd != r.log.at || stack != "" {
		offset, size, _, err := r.log.take(logEnd)
		if err == nil && stack != "" {
			var n int
			n, err = r.log.add(stack)
			size += int64(n)
		}
		if err == nil && idle {
			err = r.log.clear()
		}
		if err != nil {
			return err
		}
		rec.LogOffset, rec.LogSize = stats.IntOf(offset), stats.IntOf(size)
	}
	ended := r.clock.Now()
	rec.ResultUpload = stats.SecOf(ended - begun)
	rec.WorkerEnd = stats.SecOf(ended)
	rec.Derive()
	// Of a call that took long, the host hears at once.
	wrote, err := r.recorder.add(rec, result, rec.FuncExec.NS > int64(longCall) && !r.recorder.synced || w.turning(idle))
	r.stale = r.stale || wrote
	return err
}

// usageOf sets what the call has used.
func (r *runner) usageOf(rec *stats.Record, rt *funcRuntime, p *reply, length time.Duration) {
	peak := int64(0)
	if p.measured {
		p.fill(rec)
		peak = p.m[mPeak]
		if rt.language == job.JavaScript && length >= longCall {
			use := rt.watched.use()
			use.addChildren(rec, &rt.base)
			rt.base = use
		}
	} else {
		use := rt.watched.use()
		use.fill(rec, &rt.base)
		peak = rt.watched.peak()
	}
	if length >= 10*longCall {
		user, system, orphanPeak := orphans(rt.p.pid)
		if rec.CPUUser.OK {
			rec.CPUUser.NS += user
			rec.CPUSystem.NS += system
		}
		peak = max(peak, orphanPeak)
	}
	floor := rt.floor
	if !p.measured {
		floor = 0 // that was read from the process itself
	}
	rt.peaks(rec, peak, floor)
}

// peaks sets the memory keys from the peak that was seen during a call, 0 being
// none. One that is not above floor is another process's.
func (rt *funcRuntime) peaks(rec *stats.Record, peak, floor int64) {
	if rt.high > 0 {
		rec.PeakMemoryStart = stats.IntOf(rt.high)
	}
	if peak > floor+floor/16 {
		rec.TaskPeakMemory = stats.IntOf(peak)
		rt.high = max(rt.high, peak)
	}
	if rt.high > 0 {
		rec.PeakMemoryEnd = stats.IntOf(rt.high)
	}
}

// broken records the call that a runtime did not answer, because it has ended or has
// to be, and queues those again that it had not begun.
func (r *runner) broken(rt *funcRuntime, w *worker, cause error) error {
	violation := ""
	if !errors.Is(cause, io.EOF) {
		violation = strings.TrimPrefix(cause.Error(), errProtocol.Error()+": ")
		rt.p.kill()
	}
	if !rt.awaitExit() && rt.p.ending() == 0 {
		violation = "it closed its pipe without an answer"
		rt.p.kill()
	}
	<-rt.exited
	ended := r.clock.Now()
	back := rt.takeBack(true, w)
	rt.mu.Lock()
	begun := rt.flight
	rt.flight = nil
	rt.mu.Unlock()
	w.begin(nil, nil)
	r.rt = nil
	seen := r.meter.end(ended)
	status, own, why, err := rt.reap(r.stuck)
	if w.isGone() {
		return errHostGone
	}
	if len(begun) == 0 && len(back) > 0 {
		if r.idleDeaths++; r.idleDeaths <= maxIdleDeaths {
			w.unshift(back)
			return err
		}
		begun, back = []call{{assignment: back[0], begun: ended}}, back[1:]
	}
	for _, c := range begun[1:] { // it was ended while it went on to these
		back = append([]assignment{c.assignment}, back...)
	}
	w.unshift(back)

	c := begun[0]
	rec, start := r.callRecord(rt, &c)
	end := max(start, ended)
	rec.FuncStart, rec.FuncEnd = stats.SecOf(start), stats.SecOf(end)
	if rt.base.ok && rt.baseOf == c.Attempt {
		b := &rt.base
		rec.CPUUser = stats.SecOf(max(0, own.Utime.Nano()-b.childUser-(b.cpu-b.system)))
		rec.CPUSystem = stats.SecOf(max(0, own.Stime.Nano()-b.childSys-b.system))
		rec.MinorFaults, rec.MajorFaults = stats.IntOf(max(0, own.Minflt-b.minor)), stats.IntOf(max(0, own.Majflt-b.major))
	}
	peak := maxRSS(&own)
	if peak <= rt.high { // of an earlier call
		peak = 0
	}
	rt.peaks(rec, peak, rt.floor)
	seen.fillWithin(rec, start, end, r.clock)
	outcome(rec, status, why, r.spec)
	switch {
	case err != nil:
		return err
	case violation != "" && why == 0:
		rec.State, rec.ErrorType, rec.Error = job.Error, "protocol", violation
		rec.ExitCode, rec.Signal = stats.Int{}, "" // of ours
	case rec.State == job.Success:
		rec.State, rec.ErrorType, rec.Error = job.Error, "exit", "ended its process with exit code 0 instead of returning"
	default:
		r.memory.blame(rec, rt.p.pid)
	}
	defer w.settled() // not before it is recorded
	return r.keep(rec, nil, -1, "", true, w)
}

var (
	errCancelled = errors.New("cancelled")
	errHostGone  = errors.New("host is gone")
)
