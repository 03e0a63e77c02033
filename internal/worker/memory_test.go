package worker

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lithops-go/lithops/internal/cgroup"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/runtimes/node"
	"github.com/lithops-go/lithops/internal/runtimes/python"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// inCgroup has a worker limit memory by a cgroup of its own, which is gone, with all
// in it, at the end of the test.
func inCgroup(t *testing.T, memory int64) (change func(*wire.Job), version int) {
	t.Helper()
	place, err := cgroup.Find()
	if err != nil {
		t.Skip("no memory cgroup: ", err)
	}
	group, err := place.NewJob("worker-test-"+fmt.Sprint(os.Getpid()), memory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := group.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(group.Dir()); err == nil {
			t.Error("its cgroup was left")
		}
	})
	by := map[int]string{1: wire.ByCgroup1, 2: wire.ByCgroup2}[place.Version]
	return func(j *wire.Job) { j.Memory = &wire.MemoryLimit{By: by, Dir: group.Dir(), Bytes: memory} }, place.Version
}

const (
	room = 64 << 20
	hog  = "sed -n p /dev/zero" // reads a line that does not end
	atIt = "at its limit of 64 MiB (limits.memory)"
)

func TestTheKernelKillsACommandAtItsLimit(t *testing.T) {
	limit, version := inCgroup(t, room)
	for name, c := range map[string]struct {
		spec  *job.Spec
		state job.State
		error string
	}{
		"within it":         {shell("head -c 10000000 /dev/zero | tail -c 10000000 | wc -c"), job.Success, ""},
		"itself":            {&job.Spec{Command: job.Command{Argv: strings.Fields(hog)}}, job.Error, "out of memory: the kernel killed it " + atIt},
		"a child":           {shell(hog + "; exit $?"), job.Error, "out of memory: the kernel killed a process of it " + atIt},
		"a grandchild":      {shell("sh -c '" + hog + "; exit $?'; exit $?"), job.Error, "out of memory: the kernel killed a process of it " + atIt},
		"that nobody minds": {shell(hog + "; true"), job.Success, ""},
		"and its output is none": {&job.Spec{Command: job.Command{Shell: hog + "; true"}, Output: job.OutputJSON}, job.Error,
			"out of memory: the kernel killed a process of it " + atIt + ": standard output is empty, not one JSON value"},
		"not at all": {shell("exit 3"), job.Error, "exit code 3"},
		"by others":  {shell("kill -KILL $$"), job.Error, "ended by SIGKILL"},
	} {
		if version == 2 { // which kills all of a task together
			c.error = strings.Replace(c.error, "killed a process of it", "killed it", 1)
			if name == "that nobody minds" || name == "and its output is none" {
				c.state, c.error = job.Error, "out of memory: the kernel killed it "+atIt
			}
		}
		t.Run(name, func(t *testing.T) {
			h := newPeer(t, c.spec, limit)
			h.expect(wire.Ready)
			h.task(0, "1")
			h.send(wire.Message{Kind: wire.End})
			r := h.until(1)[0]
			if r.State != c.state || r.Error != c.error || strings.HasPrefix(c.error, "out of") != (r.ErrorType == "memory") {
				t.Errorf("%s, %s: %q; want %s: %q", r.State, r.ErrorType, r.Error, c.state, c.error)
			}
			if code := <-h.exit; code != exitDone {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// lines has each task be a shell's line.
func lines() *job.Spec { return &job.Spec{Command: job.Command{Argv: []string{"sh", "-c", "{}"}}} }

// The cgroup is used for one task after the other: what was is not told again.
func TestAKillIsToldOfOneTask(t *testing.T) {
	limit, version := inCgroup(t, room)
	h := newPeer(t, lines(), limit)
	h.expect(wire.Ready)
	all := []string{hog, "exit 137", hog + "; true", "exit 137", hog}
	for i, line := range all {
		h.task(int64(i), fmt.Sprintf("%q", line))
	}
	h.send(wire.Message{Kind: wire.End})
	survives := "" // the killing of a child
	if version == 2 {
		survives = "memory"
	}
	records := h.until(len(all))
	for i, want := range []string{"memory", "exit", survives, "exit", "memory"} {
		if r := records[i]; r.Task != i || r.ErrorType != want {
			t.Errorf("task %d, %q: %q, %s; want %q", r.Task, all[i], r.ErrorType, r.Error, want)
		}
	}
	<-h.exit
}

// languagesPeer has the runtimes where the worker looks for them.
func languagesPeer(t *testing.T, spec *job.Spec, change func(*wire.Job)) *peer {
	t.Helper()
	return newPeer(t, spec, change, func(j *wire.Job) {
		for l, source := range map[job.Language][]byte{job.Python: python.Source, job.JavaScript: node.Source} {
			path := store.RuntimePath(j.Dir, RuntimeFile(l))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, source, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func functionIn(t *testing.T, interpreter, name, source string) *job.Spec {
	t.Helper()
	if _, err := exec.LookPath(interpreter); err != nil {
		t.Skip("no ", interpreter)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(source), 0o700); err != nil {
		t.Fatal(err)
	}
	spec := &job.Spec{Function: job.Function{File: file, Name: "f"}}
	if interpreter == "sh" {
		spec.Function.Name = ""
	}
	return spec
}

func TestTheKernelKillsAFunctionAtItsLimit(t *testing.T) {
	limit, _ := inCgroup(t, 128<<20)
	for name, spec := range map[string]func(*testing.T) *job.Spec{
		"python": func(t *testing.T) *job.Spec {
			return functionIn(t, "python3", "f.py", "def f(n):\n    return len(bytearray(b'x') * n)\n")
		},
		"javascript": func(t *testing.T) *job.Spec {
			return functionIn(t, "node", "f.mjs", "export function f(n) { return Buffer.alloc(n, 'x').length }\n")
		},
		"a program": func(t *testing.T) *job.Spec {
			return functionIn(t, "sh", "f", `#!/bin/sh
echo '{"ready":{}}' >&4
while IFS= read -r line <&3; do
	id=${line#*'"id":'}; id=${id%%,*}
	n=${line#*'"input":'}; n=${n%%\}*}
	n=$(head -c $n /dev/zero | tail -c $n | wc -c) || exit 1
	[ $n -gt 0 ] || kill -KILL $$
	echo '{"id":'$id',"output":'$n'}' >&4
done
`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := languagesPeer(t, spec(t), limit)
			h.expect(wire.Ready)
			for i, n := range []string{"1000", "400000000", "2000"} {
				h.task(int64(i), n)
			}
			h.send(wire.Message{Kind: wire.End})
			var all []stats.Record
			for len(all) < 3 {
				var m wire.Message
				if err := h.from.Read(&m); err != nil {
					t.Fatal(err)
				}
				switch m.Kind {
				case wire.Done:
					all = h.records()
				case wire.Fatal:
					t.Fatalf("%s", m.JSON)
				}
			}
			for i, state := range []job.State{job.Success, job.Error, job.Success} {
				if all[i].Task != i || all[i].State != state {
					t.Errorf("task %d: %s: %s", all[i].Task, all[i].State, all[i].Error)
				}
			}
			const want = "out of memory: the kernel killed it at its limit of 128 MiB (limits.memory)"
			if r := all[1]; r.ErrorType != "memory" || r.Error != want || r.Signal != "SIGKILL" {
				t.Errorf("%s: %q, %s", r.ErrorType, r.Error, r.Signal)
			}
			if !all[2].WorkerColdStart.V {
				t.Error("the next call was not of a new runtime")
			}
			<-h.exit
		})
	}
}

// records are all that are in the store.
func (h *peer) records() (all []stats.Record) {
	h.t.Helper()
	tail, err := store.OpenTail(store.SegmentPath(h.dir, 0, store.StatsSegment))
	if err != nil {
		h.t.Fatal(err)
	}
	defer tail.Close()
	if err := tail.ReadRest(func(line []byte) error {
		all = append(all, stats.Record{})
		return tail.Parse(line, allKeys, &all[len(all)-1])
	}); err != nil {
		h.t.Fatal(err)
	}
	return all
}

func TestAFunctionWhoseChildIsKilled(t *testing.T) {
	limit, version := inCgroup(t, room)
	h := languagesPeer(t, functionIn(t, "python3", "f.py", `
import subprocess
def f(check):
    return subprocess.run("sed -n p /dev/zero".split(), check=check).returncode
`), limit)
	h.expect(wire.Ready)
	h.task(0, "false")
	h.expect(wire.Warm)
	first := h.until(1)[0]
	h.task(1, "true")
	h.expect(wire.Done)
	second := h.records()[1]
	h.send(wire.Message{Kind: wire.End})
	<-h.exit
	if version == 2 {
		if first.ErrorType != "memory" || second.ErrorType != "memory" {
			t.Errorf("%s, %s", first.ErrorType, second.ErrorType)
		}
		return
	}
	if first.State != job.Success {
		t.Errorf("it has borne it, and is %s: %s", first.State, first.Error)
	}
	const want = "out of memory: the kernel killed a process of it " + atIt + ": subprocess.CalledProcessError: "
	if second.State != job.Error || second.ErrorType != "memory" || !strings.HasPrefix(second.Error, want) {
		t.Errorf("%s, %s: %s", second.State, second.ErrorType, second.Error)
	}
}

func TestAFunctionThatDoesNotFitAtAll(t *testing.T) {
	limit, _ := inCgroup(t, 4<<20)
	h := languagesPeer(t, functionIn(t, "python3", "f.py", "def f(x): return x\n"), limit)
	h.expect(wire.Ready)
	h.task(0, "1")
	m := h.expect(wire.Fatal)
	if said := string(m.JSON); !strings.Contains(said, "at its limit of 4 MiB") || !strings.Contains(said, wire.FunctionFailure) {
		t.Errorf("it said %s", said)
	}
	if code := <-h.exit; code != exitFailed {
		t.Errorf("exit code %d", code)
	}
}

// Without a cgroup the limit is each process's own.
func TestALimitOnTheAddressSpace(t *testing.T) {
	for name, change := range map[string]func(*wire.Job){
		"said":     func(j *wire.Job) { j.Memory = &wire.MemoryLimit{By: wire.ByAddressSpace, Bytes: room} },
		"not said": func(j *wire.Job) { j.Spec.Limits.Memory = room },
	} {
		t.Run(name, func(t *testing.T) {
			h := newPeer(t, shell("ulimit -v"), change)
			h.expect(wire.Ready)
			h.task(0, "1")
			h.send(wire.Message{Kind: wire.End})
			r := h.until(1)[0]
			if got := h.output(store.OutSegment, r.ResultOffset, r.ResultSize); strings.TrimSpace(got) != fmt.Sprint(room>>10) {
				t.Errorf("ulimit -v says %q", got)
			}
			<-h.exit
		})
	}
}

// A cgroup that somebody removes meanwhile is no fault of the tasks.
func TestACgroupThatIsGone(t *testing.T) {
	limit, _ := inCgroup(t, room)
	var j wire.Job
	limit(&j)
	h := newPeer(t, shell("true"), limit)
	h.expect(wire.Ready)
	if err := syscall.Rmdir(filepath.Join(j.Memory.Dir, "w-0")); err != nil {
		t.Fatal(err)
	}
	h.task(0, "1")
	if said := string(h.expect(wire.Fatal).JSON); !strings.Contains(said, "memory cgroup") {
		t.Errorf("it said %s", said)
	}
	if code := <-h.exit; code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if all := h.records(); len(all) > 0 {
		t.Errorf("the task was burnt: %+v", all)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{64 << 20: "64 MiB", 1 << 30: "1 GiB", 3 << 29: "1536 MiB", 500e6: "477 MiB", 1 << 10: "1 KiB", 1000: "1000 B"} {
		if got := size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
