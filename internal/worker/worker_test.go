package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// peer is the other end of a worker that runs in this process.
type peer struct {
	t    *testing.T
	dir  string
	to   io.WriteCloser
	from *wire.Reader
	exit chan int
}

func newPeer(t *testing.T, spec *job.Spec, change ...func(*wire.Job)) *peer {
	t.Helper()
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chdir(cwd) }) // a worker enters the job's directory
	h := &peer{t: t, dir: t.TempDir(), exit: make(chan int, 1)}
	spec.Dir, spec.Workdir = h.dir, h.dir
	in, to := io.Pipe()
	from, out := io.Pipe()
	h.to, h.from = to, wire.NewReader(from)
	go func() {
		h.exit <- Serve(in, out)
		out.Close()
	}()
	j := wire.Job{JobID: "j", Dir: h.dir, Clock: clock.NewBase(), Spec: spec, Isolation: job.IsolationGroup, GraceNS: int64(100 * time.Millisecond)}
	for _, f := range change {
		f(&j)
	}
	setup, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	h.send(wire.Message{Kind: wire.Setup, Numbers: [2]int64{wire.Version}, JSON: setup})
	return h
}

func (h *peer) send(m wire.Message) {
	h.t.Helper()
	if _, err := h.to.Write(m.Append(nil)); err != nil {
		h.t.Fatal(err)
	}
}

func (h *peer) task(n int64, input string) {
	h.t.Helper()
	h.send(wire.Message{Kind: wire.Task, Numbers: [2]int64{n, 1}, JSON: []byte(input)})
}

func (h *peer) expect(kind wire.Kind) wire.Message {
	h.t.Helper()
	var m wire.Message
	if err := h.from.Read(&m); err != nil || m.Kind != kind {
		h.t.Fatalf("got %s %v %s, %v; want %s", m.Kind, m.Numbers, m.JSON, err, kind)
	}
	return m
}

var allKeys = stats.NewPicker(stats.AllKeys())

// until reads doorbells until n records are there.
func (h *peer) until(n int) (all []stats.Record) {
	h.t.Helper()
	tail, err := store.OpenTail(store.SegmentPath(h.dir, 0, store.StatsSegment))
	if err != nil {
		h.t.Fatal(err)
	}
	defer tail.Close()
	for len(all) < n {
		m := h.expect(wire.Done)
		if err := tail.ReadTo(m.Numbers[0], func(line []byte) error {
			all = append(all, stats.Record{})
			return tail.Parse(line, allKeys, &all[len(all)-1])
		}); err != nil {
			h.t.Fatal(err)
		}
	}
	return all
}

func shell(line string) *job.Spec { return &job.Spec{Command: job.Command{Shell: line}} }

func TestServeRunsTasksInOrderAndEnds(t *testing.T) {
	h := newPeer(t, shell("echo {}"))
	h.expect(wire.Ready)
	for i := range int64(20) {
		h.task(i, `"x"`)
	}
	h.send(wire.Message{Kind: wire.End})
	for i, r := range h.until(20) {
		if r.Task != i || r.State != job.Success || r.ResultSize.V != 2 || r.ResultOffset.V != int64(2*i) || r.WorkerColdStart.V != (i == 0) {
			t.Errorf("record %d: %+v", i, r)
		}
	}
	if code := <-h.exit; code != exitDone {
		t.Errorf("exit code %d", code)
	}
	for _, part := range []string{store.OutPart, store.LogPart} {
		if _, err := os.Stat(store.SegmentPath(h.dir, 0, part)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was left: %v", part, err)
		}
	}
}

func TestServeGivesBackWhatItHasNotBegun(t *testing.T) {
	h := newPeer(t, shell("touch up; sleep 1000"))
	h.expect(wire.Ready)
	for i := range int64(3) {
		h.task(i, `1`)
	}
	for {
		if _, err := os.Stat(filepath.Join(h.dir, "up")); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	h.send(wire.Message{Kind: wire.Recall})
	for i := range 2 {
		if a := h.expect(wire.Back); a.Attempt() != (job.Attempt{Task: i + 1, Try: 1}) {
			t.Errorf("got back %+v", a.Attempt())
		}
	}
	h.send(wire.Message{Kind: wire.Cancel})
	if r := h.until(1)[0]; r.Task != 0 || r.State != job.Cancelled || r.Signal != "SIGTERM" {
		t.Errorf("%+v", r)
	}
	h.send(wire.Message{Kind: wire.End})
	if code := <-h.exit; code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

func TestServeEndsItsTaskWhenTheHostIsGone(t *testing.T) {
	h := newPeer(t, shell("echo $$ > pid; exec sleep 1000"))
	h.expect(wire.Ready)
	h.task(0, "1")
	for {
		if b, _ := os.ReadFile(filepath.Join(h.dir, "pid")); len(b) > 1 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	h.to.Close()
	if code := <-h.exit; code != exitHostGone {
		t.Errorf("exit code %d", code)
	}
	if all := h.records(); len(all) != 0 {
		t.Errorf("an attempt that nobody waits for was recorded: %+v", all)
	}
}

func TestServeRefusesAnotherVersionAndASecondWorker(t *testing.T) {
	h := newPeer(t, shell("true"))
	h.expect(wire.Ready)
	h.send(wire.Message{Kind: wire.End})
	<-h.exit

	second := &peer{t: t, exit: make(chan int, 1)}
	for name, c := range map[string]struct {
		version int64
		want    string
	}{"version": {wire.Version + 1, fmt.Sprintf("speaks version %d", wire.Version+1)}, "second": {wire.Version, "file exists"}} {
		t.Run(name, func(t *testing.T) {
			setup, _ := json.Marshal(wire.Job{Dir: h.dir, Clock: clock.NewBase(), Spec: &job.Spec{Command: job.Command{Shell: "true"}, Dir: h.dir, Workdir: h.dir}})
			m := wire.Message{Kind: wire.Setup, Numbers: [2]int64{c.version}, JSON: setup}
			var out bytes.Buffer
			if code := Serve(bytes.NewReader(m.Append(nil)), &out); code != exitFailed {
				t.Errorf("exit code %d", code)
			}
			second.from = wire.NewReader(&out)
			if said := second.expect(wire.Fatal); !strings.Contains(string(said.JSON), c.want) {
				t.Errorf("it said %s", said.JSON)
			}
		})
	}
}

func TestDoorbellsArePutTogether(t *testing.T) {
	var out bytes.Buffer
	s := &sender{w: &out}
	s.ring(10, true)
	for i := range int64(100) {
		s.ring(11+i, false) // well within the delay, but the last one may be late
	}
	s.ring(200, true)
	s.ring(200, true) // nothing new
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if lines[0] != "done 10" || lines[len(lines)-1] != "done 200" || len(lines) > 50 {
		t.Errorf("%d messages: %v", len(lines), lines)
	}
}

func TestPeaksTellTheTaskFromTheWorker(t *testing.T) {
	p := newProbe(costFactor)
	own := p.floor()
	if own <= 0 {
		t.Fatalf("own peak is %d", own)
	}
	for name, c := range map[string]struct {
		peak   int64
		hidden bool
	}{"smaller than the worker": {own / 2, true}, "of its size": {own + 8192, true}, "larger": {4 * own, false}} {
		k, r := peaks{probe: p}, stats.Record{}
		k.fill(&r, c.peak)
		if r.TaskPeakMemory.OK == c.hidden || r.PeakMemoryEnd.V != c.peak || r.PeakMemoryStart.V > c.peak {
			t.Errorf("%s: start %v, end %v, task %v", name, r.PeakMemoryStart, r.PeakMemoryEnd, r.TaskPeakMemory)
		}
	}
}

func TestMachineUse(t *testing.T) {
	from := reading{ok: true, netOK: true, busy: []float64{1, 1}, total: []float64{10, 10}, net: netCount{100, 200, 5, 6}}
	to := reading{ok: true, netOK: true, busy: []float64{2, 1.5}, total: []float64{12, 12}, net: netCount{150, 260, 5, 7}}
	u := to.since(&from)
	if !slices.Equal(u.cores, []float64{50, 25}) || u.sent.V != 50 || u.recv.V != 60 || u.loSent.V != 0 || !u.loSent.OK || u.loRecv.V != 1 {
		t.Errorf("%+v", u)
	}
	if u := from.since(&from); u.cores != nil {
		t.Errorf("no tick has gone by, yet cores show %v", u.cores)
	}
	if u := from.since(&to); u.sent.OK || u.recv.OK {
		t.Errorf("counters that fell give %+v", u)
	}
}

func TestACostIsNotFooledByOneLongTime(t *testing.T) {
	c := cost(50 * time.Microsecond)
	if got := c.add(time.Second); got > 200*time.Microsecond {
		t.Errorf("after one second: %v", got)
	}
	for range 100 {
		c.add(5 * time.Millisecond)
	}
	if got := time.Duration(c); got < 4*time.Millisecond || got > 6*time.Millisecond {
		t.Errorf("after many of 5 ms: %v", got)
	}
}

func TestFindProgram(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"bin/run": 0o755, "bin/plain": 0o644, "here": 0o755} {
		os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755)
		if err := os.WriteFile(filepath.Join(dir, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	path := "relative-nowhere:" + filepath.Join(dir, "bin")
	for name, want := range map[string]string{
		"run": filepath.Join(dir, "bin/run"), "./here": filepath.Join(dir, "here"), "bin/run": filepath.Join(dir, "bin/run"),
		filepath.Join(dir, "here"): filepath.Join(dir, "here"),
		"plain":                    "error: not executable", "here": "error: command not found: here", "./none": "error: command not found", "./bin": "error: is a directory", "": "error: empty",
	} {
		got, err := FindProgram(name, dir, path)
		if message, bad := strings.CutPrefix(want, "error: "); bad {
			if err == nil || !strings.Contains(err.Error(), message) {
				t.Errorf("%q: %q, %v; want %q", name, got, err, message)
			}
		} else if got != want || err != nil {
			t.Errorf("%q: %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestSamplesBelongToTheirTask(t *testing.T) {
	m := newMeter(1)
	defer m.close()
	now := time.Now().UnixNano()
	m.ready(now)
	m.begin(os.Getpid())
	for {
		m.mu.Lock()
		have := m.mem.rss.OK
		m.mu.Unlock()
		if have {
			break
		}
		time.Sleep(time.Millisecond)
	}
	m.mu.Lock()
	if pause := m.free.Sub(m.looked); pause < time.Millisecond {
		t.Errorf("the next sample may follow after %v", pause)
	}
	m.mu.Unlock()
	s := m.end(now + 1)
	if s.rss.V < 1<<20 || s.vms.V < s.rss.V {
		t.Errorf("this process has rss %v, vms %v", s.rss, s.vms)
	}
	m.ready(now)
	m.begin(1 << 30) // no such process
	if s := m.end(now + 1); s.rss.OK || s.machine.cores != nil {
		t.Errorf("a task without a sample has %+v", s)
	}
}

func TestFlagsThatACommandLeavesBehindAreUndone(t *testing.T) {
	o, err := newOutput(t.TempDir(), 0, store.OutPart, store.OutSegment)
	if err != nil {
		t.Fatal(err)
	}
	defer o.close(false)
	for i := range int64(3) {
		if _, err := o.part.WriteString("abc"); err != nil {
			t.Fatal(err)
		}
		if _, err := unix.FcntlInt(o.part.Fd(), unix.F_SETFL, 0); err != nil { // no O_APPEND any more
			t.Fatal(err)
		}
		o.part.Write([]byte("d"))
		offset, size, _, err := o.collect()
		if err != nil || offset != 4*i || size != 4 {
			t.Errorf("output %d: %d bytes at %d, %v", i, size, offset, err)
		}
		if flags, err := unix.FcntlInt(o.part.Fd(), unix.F_GETFL, 0); err != nil || flags&unix.O_APPEND == 0 {
			t.Errorf("flags %#x, %v", flags, err)
		}
	}
}

func TestCheckJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":[1,2,{"b":null}]}` + "\n": "", `[]`: "", ` "x" `: "", "1e400": "", "false": "",
		"": "empty", " \n": "empty", "1 2": "more than one", "{} []": "more than one", "hello": "not one JSON value",
		`{"a":1`: "not one JSON value", `[1,]`: "not one JSON value", `{"a" 1}`: "not one JSON value", "[1]]": "not one JSON value",
	} {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		f.WriteString(text)
		err = checkJSON(f)
		f.Close()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestALeftoverIsAskedOnce(t *testing.T) {
	h := newPeer(t, shell(`sh -c 'trap "echo asked >> asked" TERM; touch up; while :; do sleep 0.01; done' & until [ -e up ]; do sleep 0.01; done`))
	h.expect(wire.Ready)
	h.task(0, "1")
	if r := h.until(1)[0]; r.State != job.Success {
		t.Errorf("%+v", r)
	}
	if b, err := os.ReadFile(filepath.Join(h.dir, "asked")); string(b) != "asked\n" {
		t.Errorf("%q, %v", b, err)
	}
	h.send(wire.Message{Kind: wire.End})
	<-h.exit
}

func TestManyWorkersSampleMoreRarely(t *testing.T) {
	few, many := newMeter(1), newMeter(1000*runtime.NumCPU())
	defer few.close()
	defer many.close()
	if few.factor != costFactor || many.factor != 1000*costFactor {
		t.Errorf("pauses of %d and %d times the cost", few.factor, many.factor)
	}
}

func TestAStartNoticedLateIsCorrected(t *testing.T) {
	cpu := syscall.Rusage{Utime: syscall.Timeval{Usec: 400}, Stime: syscall.Timeval{Usec: 100}} // 500 µs
	const us = int64(time.Microsecond)
	for name, c := range map[string]struct{ started, forked, ended, want int64 }{
		"in time":            {200 * us, 0, 1000 * us, 200 * us},
		"late":               {990 * us, 0, 1000 * us, 500 * us},
		"more CPU than time": {190 * us, 100 * us, 300 * us, 100 * us},
	} {
		if got := noLater(c.started, c.forked, c.ended, &cpu); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
