//go:build linux

package faults

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestPeers has the situations in which other tools of this kind lose work, hang or
// leave processes behind, each with what lithops does then. docs/faults.md lists them.
func TestPeers(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *site)
	}{
		{"FunctionRaises", functionRaises},
		{"CommandKilled", commandKilled},
		{"WorkerKilled", workerKilled},
		{"WorkerDiesAtOnce", workerDiesAtOnce},
		{"TimeoutWithChild", timeoutWithChild},
		{"HostKilled", hostKilled},
		{"DiskFull", diskFull},
		{"SecondHost", secondHost},
		{"SysExit", sysExit},
		{"NotJSON", notJSON},
		{"ShortJob", shortJob},
		{"FailedIsNotNull", failedIsNotNull},
		{"OSExit", osExit},
		{"WaitWithTimeout", waitWithTimeout},
		{"Interrupt", interrupt},
		{"ProgramEndsWithoutWait", programEndsWithoutWait},
		{"SameSecond", sameSecond},
		{"CleanWhileRunning", cleanWhileRunning},
		{"SecondLook", secondLook},
		{"TimeoutMessage", timeoutMessage},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, newSite(t))
		})
	}
}

// runs runs a job that must end with an exit code.
func (s *site) runs(t *testing.T, want int, args ...string) (id, said string) {
	t.Helper()
	out, said, code := s.run(t, append([]string{"run"}, args...)...)
	if code != want {
		t.Fatalf("lithops run %s: exit code %d, want %d\n%s", strings.Join(args, " "), code, want, said)
	}
	return strings.TrimSpace(out), said
}

// attempts are the records of a job.
func (s *site) attempts(t *testing.T, id string) []record {
	t.Helper()
	all, err := records(s.must(t, "stats", id, "--jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if wrong := timesWrong(r); wrong != nil {
			t.Errorf("task %d, attempt %d: %v", r.int("task"), r.int("attempt"), wrong)
		}
	}
	return all
}

// states are those of a job's records, in a line.
func (s *site) states(t *testing.T, id string) string {
	t.Helper()
	var states []string
	for _, r := range s.attempts(t, id) {
		states = append(states, r["state"].(string))
	}
	return strings.Join(states, " ")
}

// expect compares keys of a record.
func expect(t *testing.T, r record, want keys) {
	t.Helper()
	for key, v := range want {
		if n, isInt := v.(int); isInt {
			v = float64(n)
		}
		if r[key] != v {
			t.Errorf("task %d: %s is %v, want %v", r.int("task"), key, r[key], v)
		}
	}
}

// holds fails the test unless each part is in the text.
func holds(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in:\n%s", part, text)
		}
	}
}

// lacks fails the test if one of the parts is in the text.
func lacks(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(text, part) {
			t.Errorf("%q is in:\n%s", part, text)
		}
	}
}

// python writes a file of functions and gives the flags that call one of them.
func (s *site) python(t *testing.T, text, name string) []string {
	t.Helper()
	path := interpreter("python3")
	if path == "" {
		t.Skip("python3 is not installed")
	}
	s.file(t, "calls.py", text)
	return []string{"--function", "calls.py:" + name, "--runtime", path}
}

// functionRaises: the others go on, and all of them can be drawn; with on_failure stop
// what runs is let finish.
func functionRaises(t *testing.T, s *site) {
	call := s.python(t, "def f(x):\n    if x == 1:\n        raise ValueError('I do not like 1')\n    return x\n", "f")
	id, said := s.runs(t, 1, append(call, "--range", "6", "--workers", "1")...)
	holds(t, said, "5 succeeded, 1 failed", "ValueError", "I do not like 1")
	if got := s.states(t, id); got != "success error success success success success" {
		t.Errorf("states: %s", got)
	}
	s.must(t, "plot", id, "-o", "plots")
	holds(t, s.list("plots"), id)
	id, said = s.runs(t, 1, append(call, "--range", "6", "--workers", "1", "--on-failure", "stop")...)
	holds(t, said, "1 succeeded, 1 failed", "not run")
	if got := s.states(t, id); got != "success error new new new new" {
		t.Errorf("states with on_failure stop: %s", got)
	}
}

// commandKilled: the signal is told as it was, and not taken for want of memory.
func commandKilled(t *testing.T, s *site) {
	id, said := s.runs(t, 1, "--workers", "1", "--", `test {} = a || kill -{} $$; echo fine`, ":::", "a", "KILL", "SEGV")
	all := s.attempts(t, id)
	expect(t, all[0], keys{"state": "success", "signal": nil})
	expect(t, all[1], keys{"state": "error", "error_type": "signal", "signal": "SIGKILL", "exit_code": nil})
	expect(t, all[2], keys{"state": "error", "error_type": "signal", "signal": "SIGSEGV", "exit_code": nil})
	lacks(t, said+all[1]["error"].(string), "memory")
}

// workerKilled: nobody of the worker's is left, and the task is made again.
func workerKilled(t *testing.T, s *site) {
	h := s.start(t, "run", "--workers", "1", "--range", "3", "--",
		`if test {#}.$LITHOPS_ATTEMPT = 1.1; then sleep 1000 & echo $! > child; echo $PPID > worker; wait; fi; echo {#}`)
	worker := atoi(t, s.awaitFile(t, "worker"))
	child := atoi(t, s.awaitFile(t, "child"))
	if !hit(worker, h.mark, syscall.SIGKILL) {
		t.Fatal("the worker is not there")
	}
	await(t, func() bool { return !alive(child) }, func() string { return "the task's child outlives the worker" })
	if code := h.wait(t, s); code != 0 {
		t.Fatalf("exit code %d\n%s", code, h.said())
	}
	if got := s.must(t, "results", h.id()); got != "0\n1\n2\n" {
		t.Errorf("results %q", got)
	}
	if got := s.states(t, h.id()); got != "success lost success success" {
		t.Errorf("states: %s", got)
	}
}

// workerDiesAtOnce: the job ends, with what the worker has said.
func workerDiesAtOnce(t *testing.T, s *site) {
	h := s.tenant(t, "dumb")
	if code := h.wait(t, s); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	holds(t, h.said(), "cannot find libmagic.so.7", "exit")
}

// timeoutWithChild: all that the task has started ends with it.
func timeoutWithChild(t *testing.T, s *site) {
	h := s.start(t, "run", "-q", "--timeout", "300ms", "--", `setsid sleep 1000 & echo $! > stray-{}; sleep 1000 & echo $! > child-{}; wait`, ":::", "a", "b")
	if code := h.wait(t, s); code != 1 {
		t.Errorf("exit code %d, want 1\n%s", code, h.said())
	}
	for _, name := range []string{"stray-a", "stray-b", "child-a", "child-b"} {
		if pid := atoi(t, s.awaitFile(t, name)); alive(pid) {
			t.Errorf("%s is alive", name)
		}
	}
	if got := s.states(t, h.id()); got != "timeout timeout" {
		t.Errorf("states: %s", got)
	}
}

// hostKilled: nobody is left, and a resume runs what is missing and no more.
func hostKilled(t *testing.T, s *site) {
	h := s.start(t, "run", "-q", "--workers", "1", "--range", "5", "--",
		`echo >> ran-{#}; if test {#}.$LITHOPS_ATTEMPT = 2.1; then setsid sleep 1000 & sleep 1000 & echo $! > child; wait; fi; echo $(({#} * 3))`)
	s.awaitFile(t, "child")
	await(t, func() bool { return strings.Contains(s.states(t, "last"), "running") }, func() string { return "no task is shown to run" })
	if !h.kill([]int{h.pid()}) {
		t.Fatal("the host is not there")
	}
	<-h.ended
	h.nobodyLeft(t, s)
	id := h.id()
	holds(t, s.must(t, "list"), "broken off")
	_, said, code := s.run(t, "results", id)
	if code != 1 {
		t.Errorf("results of a job that broke off: exit code %d\n%s", code, said)
	}
	_, said, code = s.run(t, "resume", id)
	if code != 0 {
		t.Fatalf("resume: exit code %d\n%s", code, said)
	}
	holds(t, said, "3 of 5 tasks to run", "2 succeeded before")
	if got := s.must(t, "results", id); got != "0\n3\n6\n9\n12\n" {
		t.Errorf("results %q", got)
	}
	for n, want := range []int{1, 1, 2, 1, 1} {
		if got := strings.Count(s.read("ran-"+strconv.Itoa(n)), "\n"); got != want {
			t.Errorf("task %d was run %d times, want %d", n, got, want)
		}
	}
	if got := s.states(t, id); got != "success success lost success success success" {
		t.Errorf("states: %s", got)
	}
	out, said, code := s.run(t, "resume", id)
	if code != 0 || strings.TrimSpace(out) != "" && strings.TrimSpace(out) != id {
		t.Errorf("resume of a job that is done: exit code %d\n%s%s", code, out, said)
	}
	holds(t, said, "nothing to resume")
}

// list is the names of the files of a directory of the site.
func (s *site) list(dir string) string {
	entries, _ := os.ReadDir(s.dir + "/" + dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, "\n")
}

// tenant starts the program that uses the Go API.
func (s *site) tenant(t *testing.T, what string) *host {
	t.Helper()
	path, err := tenant()
	if err != nil {
		t.Fatal(err)
	}
	own := *s
	own.env = append(s.env[:len(s.env):len(s.env)], "TENANT="+what)
	return own.start(t, path)
}

func atoi(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
