package worker

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/wire"
)

// TestTakingBackHurtsNobody: while calls are taken out of the runtime's pipe, again and
// again, it goes on reading there. Each call is made once, and answered as itself.
func TestTakingBackHurtsNobody(t *testing.T) {
	spec := pythonFunction(t, "def f(x):\n    with open('ran', 'a') as g:\n        g.write('%s\\n' % x)\n    return x\n")
	h := newPythonPeer(t, spec)
	const n = 3000
	stranger := (&wire.Message{Kind: wire.Drop, Numbers: [2]int64{1 << 30, 1}}).Append(nil)
	stop := make(chan struct{})
	written := make(chan struct{})
	go func() {
		defer close(written)
		for i := range int64(n) {
			h.to.Write((&wire.Message{Kind: wire.Task, Numbers: [2]int64{i, 1}, JSON: strconv.AppendInt(nil, i, 10)}).Append(nil))
			if i%3 == 0 {
				h.to.Write(stranger)
			}
		}
		for { // until all is done
			select {
			case <-stop:
				return
			default:
				h.to.Write(stranger)
			}
		}
	}()
	h.expect(wire.Warm)
	seen := map[int]bool{}
	for _, r := range h.until(n) {
		if seen[r.Task] {
			t.Errorf("task %d is recorded twice", r.Task)
		}
		seen[r.Task] = true
		if r.State != job.Success {
			t.Errorf("task %d: %s %s", r.Task, r.State, r.Error)
		}
	}
	close(stop)
	<-written
	h.end(exitDone)
	once(t, h, n)
}

// once checks that each of n calls was made once, going by what they wrote.
func once(t *testing.T, h *peer, n int) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(h.dir, "ran"))
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for _, x := range strings.Fields(string(b)) {
		if times[x]++; times[x] > 1 {
			t.Errorf("call %s was made %d times", x, times[x])
		}
	}
	if len(times) != n {
		t.Errorf("%d of %d calls were made", len(times), n)
	}
}

// TestACrashLosesNoFinishedCall: what was answered before a process died is recorded,
// and not made again; the call that it died of is the one that is blamed.
func TestACrashLosesNoFinishedCall(t *testing.T) {
	spec := pythonFunction(t, `
import os, signal
def f(x):
    with open("ran", "a") as g:
        g.write("%s\n" % x)
    if x % 300 == 200:
        os._exit(3)
    if x % 300 == 250:
        os.kill(os.getpid(), signal.SIGKILL)
    if x % 7 == 0:
        print("printed by", x)
    return x
`)
	h := newPythonPeer(t, spec)
	const n = 1200
	go func() {
		for i := range int64(n) {
			h.to.Write((&wire.Message{Kind: wire.Task, Numbers: [2]int64{i, 1}, JSON: strconv.AppendInt(nil, i, 10)}).Append(nil))
		}
	}()
	h.expect(wire.Warm)
	for _, r := range h.until(n) {
		want, log := "", ""
		switch {
		case r.Task%300 == 200:
			want = "exit"
		case r.Task%300 == 250:
			want = "signal"
		case r.Task%7 == 0:
			log = fmt.Sprintln("printed by", r.Task)
		}
		if r.ErrorType != want || (r.State == job.Success) != (want == "") {
			t.Errorf("task %d: %s %s %s", r.Task, r.State, r.ErrorType, r.Error)
		}
		if got := h.output("log", r.LogOffset, r.LogSize); got != log {
			t.Errorf("task %d printed %q, want %q", r.Task, got, log)
		}
	}
	h.end(exitDone)
	once(t, h, n)
}

// TestARuntimeThatDoesNotMindItsTimeLimit goes on with no call that lies behind the one
// whose time is over.
func TestARuntimeThatDoesNotMindItsTimeLimit(t *testing.T) {
	spec := pythonFunction(t, `
import signal, time
def f(x):
    signal.signal(signal.SIGTERM, lambda *_: None)
    with open("ran", "a") as g:
        g.write("%s\n" % x)
    if x == 50:
        time.sleep(60)
    return x
`)
	spec.Timeout = time.Second
	h := newPythonPeer(t, spec)
	const n = 100
	go func() {
		for i := range int64(n) {
			h.to.Write((&wire.Message{Kind: wire.Task, Numbers: [2]int64{i, 1}, JSON: strconv.AppendInt(nil, i, 10)}).Append(nil))
		}
	}()
	h.expect(wire.Warm)
	for _, r := range h.until(n) {
		want := job.Success
		if r.Task == 50 {
			want = job.Timeout
		}
		if r.State != want {
			t.Errorf("task %d: %s %s", r.Task, r.State, r.Error)
		}
	}
	h.end(exitDone)
	once(t, h, n)
}

// TestAReplyThatCrossesItsTimeLimit: a call whose answer has come is done; the next one is
// not to blame for how long it took to read.
func TestAReplyThatCrossesItsTimeLimit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(file, []byte(`#!/bin/sh
big=$(head -c 3000000 /dev/zero | tr '\0' 1)
echo '{"ready":{}}' >&4
while IFS= read -r line <&3; do
	id=${line#*:} id=${id%%,*}
	case $line in
	*'input":1}') sleep 0.97; echo "{\"id\":$id,\"output\":\"$big\"}" >&4;;
	*) echo "{\"id\":$id,\"output\":0}" >&4;;
	esac
done
`), 0o700); err != nil {
		t.Fatal(err)
	}
	h := newPeer(t, &job.Spec{Function: job.Function{File: file}, Timeout: time.Second})
	h.expect(wire.Ready)
	const n = 6
	for i := range int64(n) {
		h.task(i, strconv.FormatInt(i%2, 10))
	}
	h.expect(wire.Warm)
	for _, r := range h.until(n) {
		if r.Task%2 == 0 && r.State != job.Success { // the others may be too slow or not
			t.Errorf("task %d: %s %s after %v", r.Task, r.State, r.Error, time.Duration(r.FuncExec.NS))
		}
	}
	h.end(exitDone)
}
