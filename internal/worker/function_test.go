package worker

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/runtimes/python"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// squarer is a program that squares numbers; what it does at 3 is up to misdeed, which
// has the request's number in $id. It notes its process id when it starts.
func squarer(t *testing.T, misdeed string) *job.Spec {
	t.Helper()
	file := filepath.Join(t.TempDir(), "squarer")
	script := `#!/bin/sh
echo $$ >> "${0%/*}/pids"
echo '{"ready":{}}' >&4
while IFS= read -r line <&3; do
	id=${line#*:} id=${id%%,*}
	x=${line#*input\":} x=${x%\}}
	echo "at $x"
	if [ $x = 3 ]; then
		:
		` + misdeed + `
	fi
	printf '{"id":%s, "output": %s}\n' $id $((x * x)) >&4
done
`
	if err := os.WriteFile(file, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return &job.Spec{Function: job.Function{File: file}}
}

// pids are the processes that the squarer has run in.
func pids(t *testing.T, spec *job.Spec) (all []int) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(filepath.Dir(spec.Function.File), "pids"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(string(b)) {
		pid, err := strconv.Atoi(line)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, pid)
	}
	return all
}

func dead(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if syscall.Kill(pid, 0) == syscall.ESRCH {
			return
		}
	}
	t.Errorf("process %d lives", pid)
}

// output is what a record points to in a segment.
func (h *peer) output(kind string, offset, size stats.Int) string {
	h.t.Helper()
	b, err := os.ReadFile(store.SegmentPath(h.dir, 0, kind))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(b[offset.V : offset.V+size.V])
}

// end ends the worker in good order.
func (h *peer) end(wantExit int) {
	h.t.Helper()
	h.send(wire.Message{Kind: wire.End})
	go func() {
		var m wire.Message
		for h.from.Read(&m) == nil {
		}
	}()
	if code := <-h.exit; code != wantExit {
		h.t.Errorf("exit code %d, want %d", code, wantExit)
	}
}

func TestAProgramStaysWarm(t *testing.T) {
	spec := squarer(t, "")
	h := newPeer(t, spec)
	h.expect(wire.Ready)
	for n := range int64(6) {
		h.task(n, fmt.Sprint(n))
	}
	h.expect(wire.Warm)
	for i, r := range h.until(6) {
		if r.Task != i || r.State != job.Success || r.ExitCode.OK || r.Error != "" {
			t.Errorf("record %d: task %d %s %v %q", i, r.Task, r.State, r.ExitCode, r.Error)
		}
		if got := h.output(store.OutSegment, r.ResultOffset, r.ResultSize); got != fmt.Sprint(i*i) {
			t.Errorf("result of task %d: %q", i, got)
		}
		if got := h.output(store.LogSegment, r.LogOffset, r.LogSize); got != fmt.Sprintf("at %d\n", i) {
			t.Errorf("log of task %d: %q", i, got)
		}
		if r.WorkerColdStart.V != (i == 0) || r.FuncStartup.OK != (i == 0) {
			t.Errorf("task %d: cold %v, startup %v", i, r.WorkerColdStart, r.FuncStartup)
		}
		if r.WorkerStart.NS > r.FuncStart.NS || r.FuncStart.NS > r.FuncEnd.NS || r.FuncEnd.NS > r.WorkerEnd.NS {
			t.Errorf("task %d: stamps out of order: %v %v %v %v", i, r.WorkerStart, r.FuncStart, r.FuncEnd, r.WorkerEnd)
		}
		if !r.CPUUser.OK || !r.CPUSystem.OK || r.CPUUser.NS < 0 || r.CPUSystem.NS < 0 {
			t.Errorf("task %d: cpu %v %v", i, r.CPUUser, r.CPUSystem)
		}
	}
	h.end(exitDone)
	all := pids(t, spec)
	if len(all) != 1 {
		t.Errorf("processes: %v", all)
	}
	dead(t, all[0])
	if left, _ := filepath.Glob(filepath.Join(h.dir, "w-0.*.part")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestOnlyTheCallThatBreaksItsRuntimeFails has task 3 of six do harm.
func TestOnlyTheCallThatBreaksItsRuntimeFails(t *testing.T) {
	for _, c := range []struct {
		name, misdeed   string
		failed          int
		state           job.State
		exit            stats.Int
		signal          string
		kind, errorText string
	}{
		{"error", `printf '{"id":%s,"error":{"type":"Bad","message":"no\\nway","stack":"at a\\nat b"}}\n' $id >&4; continue`, 3, job.Error, stats.Int{}, "", "Bad", "no way"},
		{"exit", "exit 7", 3, job.Error, stats.IntOf(7), "", "exit", "exit code 7"},
		{"exit 0", "exit 0", 3, job.Error, stats.IntOf(0), "", "exit", "ended its process with exit code 0 instead of returning"},
		{"crash", "kill -ABRT $$", 3, job.Error, stats.Int{}, "SIGABRT", "signal", "ended by SIGABRT"},
		{"child holds the pipe", "sleep 1000 & kill -KILL $$", 3, job.Error, stats.Int{}, "SIGKILL", "signal", "ended by SIGKILL"},
		{"daemon holds the pipe", "setsid sleep 1000 & kill -KILL $$", 3, job.Error, stats.Int{}, "SIGKILL", "signal", "ended by SIGKILL"},
		{"garbage", "echo hello >&4; sleep 1000", 3, job.Error, stats.Int{}, "", "protocol", `not a reply: invalid character 'h' looking for beginning of value: "hello"`},
		{"no output", `echo "{\"id\":$id}" >&4; sleep 1000`, 3, job.Error, stats.Int{}, "", "protocol", `reply has not one of output and error: "{\"id\":3}"`},
		{"output and error", `echo "{\"id\":$id,\"output\":1,\"error\":{}}" >&4; sleep 1000`, 3, job.Error, stats.Int{}, "", "protocol", `reply has not one of output and error: "{\"id\":3,\"output\":1,\"error\":{}}"`},
		{"no id", `echo '{"output":1}' >&4; sleep 1000`, 3, job.Error, stats.Int{}, "", "protocol", `reply without id: "{\"output\":1}"`},
		{"wrong id", `echo '{"id":99,"output":1}' >&4; sleep 1000`, 3, job.Error, stats.Int{}, "", "protocol", "it answered task 99 when task 3 was asked"},
		{"twice", `echo "{\"id\":$id,\"output\":9}" >&4`, 4, job.Error, stats.Int{}, "", "protocol", "it answered task 3 again"},
		{"closed pipe", "exec 4>&-; sleep 1000", 3, job.Error, stats.Int{}, "", "protocol", "it closed its pipe without an answer"},
		{"never", "sleep 1000", 3, job.Timeout, stats.Int{}, "SIGTERM", "timeout", "ended after its time limit of 500ms"},
		{"never, and does not mind", "trap '' TERM; while :; do sleep 0.01; done", 3, job.Timeout, stats.Int{}, "SIGKILL", "timeout", "ended after its time limit of 500ms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := squarer(t, c.misdeed)
			if c.state == job.Timeout {
				spec.Timeout = 500 * time.Millisecond
			}
			h := newPeer(t, spec)
			h.expect(wire.Ready)
			for n := range int64(6) {
				h.task(n, fmt.Sprint(n))
			}
			h.expect(wire.Warm)
			for i, r := range h.until(6) {
				if i != c.failed {
					if r.Task != i || r.State != job.Success {
						t.Errorf("task %d: %s %s", r.Task, r.State, r.Error)
					}
					continue
				}
				if r.Task != i || r.State != c.state || r.ExitCode != c.exit || r.Signal != c.signal || r.ErrorType != c.kind || r.Error != c.errorText {
					t.Errorf("task %d: %s, exit code %v, signal %q, %s: %q", r.Task, r.State, r.ExitCode, r.Signal, r.ErrorType, r.Error)
				}
				if got := h.output(store.LogSegment, r.LogOffset, r.LogSize); c.failed == 3 && !strings.HasPrefix(got, "at 3\n") {
					t.Errorf("log %q", got)
				} else if c.kind == "Bad" && got != "at 3\nat a\nat b\n" {
					t.Errorf("log %q has no stack", got)
				}
			}
			h.end(exitDone)
			for _, pid := range pids(t, spec) {
				dead(t, pid)
			}
		})
	}
}

func TestAFunctionThatCannotBeLoadedIsToldOnce(t *testing.T) {
	for _, c := range []struct{ name, script, text, trace string }{
		{"fatal", `echo '{"fatal":{"type":"ImportError","message":"no\nmodule","stack":"line 1\nline 2"}}' >&4; exit 1`, "load PROGRAM: ImportError: no module", "line 1\nline 2"},
		{"unknown", `echo '{"fatal":{"type":"UnknownFunction","message":"it has: a, b"}}' >&4; exit 1`, "it has: a, b", ""},
		{"exit", `echo "cannot do that" >&2; exit 4`, "PROGRAM ended before it was ready: exit code 4", "cannot do that"},
		{"killed", `kill -KILL $$`, "PROGRAM ended before it was ready: SIGKILL", ""},
		{"not ready", `echo hello >&4; sleep 1000`, `PROGRAM did not say {"ready":{}}: "hello"`, ""},
		{"other", `echo '{"id":0,"output":1}' >&4; sleep 1000`, `PROGRAM did not say {"ready":{}} but "{\"id\":0,\"output\":1}"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "program")
			script := strings.ReplaceAll(c.script, `\n`, `\\n`)
			if err := os.WriteFile(file, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			h := newPeer(t, &job.Spec{Function: job.Function{File: file}})
			h.expect(wire.Ready)
			h.task(0, "0")
			h.task(1, "1")
			var f wire.Failure
			if err := json.Unmarshal(h.expect(wire.Fatal).JSON, &f); err != nil {
				t.Fatal(err)
			}
			if want := strings.ReplaceAll(c.text, "PROGRAM", file); f.Type != wire.FunctionFailure || f.Error != want || f.Detail != c.trace {
				t.Errorf("told %s %q, %q; want %q, %q", f.Type, f.Error, f.Detail, want, c.trace)
			}
			if code := <-h.exit; code != exitFailed {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

func TestARuntimeThatIsKilledWhileItStartsIsStartedAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(file, []byte(`#!/bin/sh
[ -e "$0.tried" ] || { : > "$0.tried"; kill -KILL $$; }
echo '{"ready":{}}' >&4
read -r line <&3
echo '{"id":0,"output":1}' >&4
`), 0o700); err != nil {
		t.Fatal(err)
	}
	h := newPeer(t, &job.Spec{Function: job.Function{File: file}})
	h.expect(wire.Ready)
	h.task(0, "0")
	h.expect(wire.Warm)
	if r := h.until(1)[0]; r.State != job.Success || !r.WorkerColdStart.V {
		t.Errorf("%s %s", r.State, r.Error)
	}
	h.end(exitDone)
}

func TestARuntimeDiesWithItsHost(t *testing.T) {
	spec := squarer(t, "sleep 1000")
	h := newPeer(t, spec)
	h.expect(wire.Ready)
	h.task(0, "3")
	h.expect(wire.Warm)
	all := pids(t, spec)
	h.to.Close()
	if code := <-h.exit; code != exitHostGone {
		t.Errorf("exit code %d", code)
	}
	dead(t, all[0])
}

func TestAnIdleRuntimeDiesWithItsHost(t *testing.T) {
	spec := squarer(t, "")
	h := newPeer(t, spec)
	h.expect(wire.Ready)
	h.task(0, "1")
	h.expect(wire.Warm)
	h.until(1)
	h.to.Close()
	if code := <-h.exit; code != exitHostGone {
		t.Errorf("exit code %d", code)
	}
	dead(t, pids(t, spec)[0])
}

// pythonFunction is a job of a Python function with the given source.
func pythonFunction(t *testing.T, source string) *job.Spec {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3")
	}
	file := filepath.Join(t.TempDir(), "f.py")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return &job.Spec{Function: job.Function{File: file, Name: "f"}}
}

// newPythonPeer has the runtime where the worker looks for it.
func newPythonPeer(t *testing.T, spec *job.Spec) *peer {
	t.Helper()
	h := newPeer(t, spec)
	path := store.RuntimePath(h.dir, RuntimeFile(job.Python))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, python.Source, 0o600); err != nil {
		t.Fatal(err)
	}
	h.expect(wire.Ready)
	return h
}

// waiting is a function that does nothing until the file go is there, if its
// argument is a path, and says that it waits.
const waiting = `
import os, time
def f(x):
    if isinstance(x, str):
        open(x + "/waits", "w").close()
        while not os.path.exists(x + "/go"):
            time.sleep(0.001)
    return x
`

func TestCallsSentAheadComeBackWhenOneIsLong(t *testing.T) {
	spec := pythonFunction(t, waiting)
	h := newPythonPeer(t, spec)
	const short = 40
	for n := range int64(short) { // until the worker knows that calls are short
		h.task(n, fmt.Sprint(n))
	}
	h.expect(wire.Warm)
	h.until(short)
	h.task(short, strconv.Quote(h.dir))
	for n := range int64(8) {
		h.task(short+1+n, "0")
	}
	wait(t, filepath.Join(h.dir, "waits"))
	h.send(wire.Message{Kind: wire.Recall})
	got := map[int64]bool{}
	for range 8 {
		m := h.expect(wire.Back)
		got[m.Numbers[0]] = true
	}
	for n := range int64(8) {
		if !got[short+1+n] {
			t.Errorf("task %d did not come back", short+1+n)
		}
	}
	if err := os.WriteFile(filepath.Join(h.dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	all := h.until(short + 1)
	if r := all[short]; r.Task != short || r.State != job.Success {
		t.Errorf("task %d: %s %s", r.Task, r.State, r.Error)
	}
	h.end(exitDone)
}

// TestCancelledCallsThatHadNotBegunComeBack: what lay in the pipe behind the call that
// was ended has not been tried, wherever it was when the job was stopped.
func TestCancelledCallsThatHadNotBegunComeBack(t *testing.T) {
	spec := pythonFunction(t, waiting)
	h := newPythonPeer(t, spec)
	const short, behind = 40, 30 // more than the pipe holds
	for n := range int64(short) {
		h.task(n, fmt.Sprint(n))
	}
	h.expect(wire.Warm)
	h.until(short)
	h.task(short, strconv.Quote(h.dir))
	for n := range int64(behind) {
		h.task(short+1+n, "0")
	}
	wait(t, filepath.Join(h.dir, "waits"))
	h.send(wire.Message{Kind: wire.Cancel})
	back, done := map[int64]bool{}, false
	for len(back) < behind || !done {
		var m wire.Message
		if err := h.from.Read(&m); err != nil {
			t.Fatal(err)
		}
		done = done || m.Kind == wire.Done
		if m.Kind == wire.Back {
			back[m.Numbers[0]] = true
		}
	}
	h.end(exitDone)
	all, cancelled := h.records(), 0
	for _, r := range all {
		if r.State == job.Cancelled {
			cancelled++
		}
	}
	if len(all) != short+1 || cancelled != 1 {
		t.Errorf("%d records, of which %d are cancelled", len(all), cancelled)
	}
}

func TestOneAttemptCanBeDropped(t *testing.T) {
	spec := pythonFunction(t, waiting)
	h := newPythonPeer(t, spec)
	h.task(0, strconv.Quote(h.dir))
	h.task(1, "1")
	h.task(2, "2")
	h.expect(wire.Warm)
	wait(t, filepath.Join(h.dir, "waits"))
	h.send(wire.Message{Kind: wire.Drop, Numbers: [2]int64{1, 1}})
	h.send(wire.Message{Kind: wire.Drop, Numbers: [2]int64{0, 1}})
	states := map[int]job.State{}
	for _, r := range h.until(3) {
		states[r.Task] = r.State
	}
	if states[0] != job.Cancelled || states[1] != job.Cancelled || states[2] != job.Success {
		t.Errorf("states %v", states)
	}
	h.end(exitDone)
}

// TestWhatHasEndedIsToldWhileALongCallRuns: short calls are recorded in groups, but
// none waits for a long one behind it.
func TestWhatHasEndedIsToldWhileALongCallRuns(t *testing.T) {
	spec := pythonFunction(t, waiting)
	h := newPythonPeer(t, spec)
	const short = 20
	for n := range int64(short) {
		h.task(n, fmt.Sprint(n))
	}
	h.task(short, strconv.Quote(h.dir))
	h.expect(wire.Warm)
	h.until(short)
	if _, err := os.Stat(filepath.Join(h.dir, "go")); err == nil {
		t.Fatal("the long call was let go")
	}
	h.send(wire.Message{Kind: wire.Cancel})
	if r := h.until(short + 1)[short]; r.State != job.Cancelled || r.Signal != "SIGTERM" {
		t.Errorf("long call: %s, %s", r.State, r.Signal)
	}
	h.end(exitDone)
}

func TestTheWorkerNotesWhichCallRuns(t *testing.T) {
	spec := pythonFunction(t, waiting)
	h := newPythonPeer(t, spec)
	h.task(7, "1")
	h.expect(wire.Warm)
	h.until(1)
	h.task(8, strconv.Quote(h.dir))
	wait(t, filepath.Join(h.dir, "waits"))
	if a, ok := store.ReadRunning(h.dir, 0); !ok || a != (job.Attempt{Task: 8, Try: 1}) {
		t.Errorf("running %v, %v", a, ok)
	}
	h.send(wire.Message{Kind: wire.Cancel})
	h.until(2)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) { // right after the record
		if a, ok := store.ReadRunning(h.dir, 0); ok && a == (job.Attempt{}) {
			break
		} else if time.Now().After(end) {
			t.Fatalf("running %v, %v after the end", a, ok)
		}
	}
	h.end(exitDone)
	if _, ok := store.ReadRunning(h.dir, 0); ok {
		t.Error("the note is left")
	}
}

func wait(t *testing.T, path string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		}
	}
	t.Fatalf("%s does not come", path)
}

func TestReplyFrames(t *testing.T) {
	var r reply
	line := `{"id":17,"m":[1,2,3,4,5,6,7,8,9,10,11,12],"output":{"a":"}"}}`
	if err := r.parse([]byte(line), true); err != nil || r.id != 17 || !r.measured || r.m[mLogEnd] != 12 || string(r.output) != `{"a":"}"}` {
		t.Errorf("%v, %+v, %s", err, r, r.output)
	}
	line = `{"id":18,"m":[1,2,3,4,5,6,7,8,9,10,11,12],"error":{"type":"E","message":"m","stack":"s"}}`
	if err := r.parse([]byte(line), true); err != nil || r.id != 18 || r.output != nil || *r.err != (callError{"E", "m", "s"}) {
		t.Errorf("%v, %+v", err, r)
	}
	for _, bad := range []string{"", "{", `{"id":1,"m":[1,2,3,4,5,6,7,8,9,10,11,12],"output":`,
		`{"id":1,"m":[1,2,3,4,5,6,7,8,9,10,11,12],"error":{"type":3}}`, `{"id":-1,"output":}`, `null`, `{"id":null,"output":1}`} {
		if err := r.parse([]byte(bad), true); err == nil {
			t.Errorf("%q is taken: %+v", bad, r)
		}
	}
	if err := r.parse([]byte(`{"output":null,"id":3}`), false); err != nil || r.id != 3 || string(r.output) != "null" || r.measured {
		t.Errorf("%v, %+v", err, r)
	}
}

func FuzzReply(f *testing.F) {
	f.Add([]byte(`{"id":17,"m":[1,2,3,4,5,6,7,8,9,10,11,12],"output":1}`))
	f.Add([]byte(`{"id":17,"m":[1,2,3,4,5,6,7,8,9,10,11,12],"error":{"type":"E","message":"m"}}`))
	f.Add([]byte(`{"id":1,"error":{}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		var r reply
		if r.parse(line, false) == nil && (r.id < 0 && r.measured || (r.output == nil) == (r.err == nil) || r.output != nil && !json.Valid(r.output)) {
			t.Errorf("%q gives %+v", line, r)
		}
		r.parse(line, true)
	})
}
