//go:build linux

package faults

import (
	"encoding/csv"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// diskFull: the job ends with the real error, nothing half-written counts, and with
// room the rest is run.
func diskFull(t *testing.T, s *site) {
	d := s.disk(t, 256<<10)
	out, said, code := s.run(t, "run", "-q", "--workers", "1", "--range", "40", "--", `head -c 9000 /dev/zero | tr '\0' x; echo {#}`)
	if code != 1 {
		t.Fatalf("exit code %d\n%s", code, said)
	}
	noSpace(t, said)
	id := strings.TrimSpace(out)
	d.resize(t, 4<<20)
	s.must(t, "resume", "-q", id)
	results := s.must(t, "results", id)
	for n, line := range strings.Split(strings.TrimSpace(results), "\n") {
		if want := strings.Repeat("x", 9000) + strconv.Itoa(n); line != want {
			t.Fatalf("result %d has %d bytes, and ends with %q", n, len(line), line[max(0, len(line)-5):])
		}
	}
	if n := strings.Count(results, "\n"); n != 40 {
		t.Errorf("%d results", n)
	}
}

// secondHost: two hosts in one store do not get in each other's way.
func secondHost(t *testing.T, s *site) {
	args := []string{"run", "-q", "--workers", "2", "--range", "30", "--", `sleep 0.01; echo {#}`}
	a, b := s.start(t, args...), s.start(t, args...)
	for _, h := range []*host{a, b} {
		if code := h.wait(t, s); code != 0 {
			t.Fatalf("exit code %d\n%s", code, h.said())
		}
		if got, want := s.states(t, h.id()), strings.TrimSpace(strings.Repeat("success ", 30)); got != want {
			t.Errorf("states: %s", got)
		}
	}
	if s.must(t, "results", a.id()) != s.must(t, "results", b.id()) {
		t.Error("the two jobs differ")
	}
}

// sysExit and osExit: the task has failed, with its exit code; the others go on.
func sysExit(t *testing.T, s *site) {
	exits(t, s, "import sys\ndef f(x):\n    if x == 1:\n        sys.exit(3)\n    return x\n")
}

func osExit(t *testing.T, s *site) {
	exits(t, s, "import os\ndef f(x):\n    if x == 1:\n        os._exit(3)\n    return x\n")
}

func exits(t *testing.T, s *site, text string) {
	t.Helper()
	id, said := s.runs(t, 1, append(s.python(t, text, "f"), "--range", "3", "--workers", "1")...)
	holds(t, said, "2 succeeded, 1 failed", "exit code 3")
	lacks(t, said, "memory")
	all := s.attempts(t, id)
	expect(t, all[1], keys{"state": "error", "error_type": "exit", "exit_code": 3, "signal": nil})
	expect(t, all[2], keys{"state": "success"})
}

// notJSON: the error names what cannot be a result.
func notJSON(t *testing.T, s *site) {
	id, _ := s.runs(t, 1, append(s.python(t, `
class Odd(Exception):
    def __init__(self):
        super().__init__("odd", lambda: 1)

def f(x):
    if x == 0:
        return [1, {"x": {3}}]
    raise Odd()
`, "f"), "--range", "2", "-q")...)
	all := s.attempts(t, id)
	holds(t, all[0]["error"].(string), "result of f is not JSON", "set at [1]")
	holds(t, all[1]["error_type"].(string), "Odd")
	holds(t, all[1]["error"].(string), "odd", "lambda")
}

// shortJob: its picture fills the frame.
func shortJob(t *testing.T, s *site) {
	id, _ := s.runs(t, 0, "-q", "--workers", "2", "--range", "6", "--", "true {#}")
	s.must(t, "plot", id, "--kind", "histogram", "-o", "plots")
	f, err := os.Open(filepath.Join(s.dir, "plots", id+"_histogram.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	first, last := -1, -1
	bounds := img.Bounds()
	for x := bounds.Min.X; x < bounds.Max.X; x++ {
		for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
			if r, g, b, _ := img.At(x, y).RGBA(); b > r+0x4000 && b > g+0x2000 { // of the line that counts tasks
				if last = x; first < 0 {
					first = x
				}
				break
			}
		}
	}
	if first < 0 || last-first < bounds.Dx()/2 {
		t.Errorf("the line goes from %d to %d of %d pixels", first, last, bounds.Dx())
	}
}

// failedIsNotNull: a task that failed and one that returned nothing are told apart, and
// rows keep their tasks' numbers.
func failedIsNotNull(t *testing.T, s *site) {
	id, _ := s.runs(t, 1, append(s.python(t, "def f(x):\n    if x == 2:\n        raise KeyError('x')\n    return None if x == 1 else x\n", "f"),
		"--range", "4", "-q", "--on-failure-tolerate", "3")...)
	out, _, code := s.run(t, "results", id, "--jsonl")
	if code != 1 {
		t.Errorf("results: exit code %d, want 1", code)
	}
	for n, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		result, has := r["result"]
		if r.int("task") != n || has == (n == 2) || n == 1 && result != nil {
			t.Errorf("line %d is %s", n, line)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(s.must(t, "stats", id, "--csv"))).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for n, row := range rows[1:] {
		if row[0] != strconv.Itoa(n) {
			t.Errorf("row %d is of task %s", n, row[0])
		}
	}
	s.must(t, "plot", id, "-o", "plots", "--kind", "timeline", "--format", "svg")
	holds(t, s.read("plots/"+id+"_timeline.svg"), "failed")
}

// waitWithTimeout: to stop waiting changes nothing for what runs.
func waitWithTimeout(t *testing.T, s *site) {
	h := s.tenant(t, "wait")
	if code := h.wait(t, s); code != 0 {
		t.Fatalf("exit code %d\n%s", code, h.said())
	}
	holds(t, h.out(), "[0 1 4]\nend of main")
	for _, name := range []string{"began-0", "began-1", "began-2"} {
		if n := strings.Count(s.read(name), "\n"); n != 1 {
			t.Errorf("%s: called %d times", name, n)
		}
	}
}

// interrupt: what runs is ended in good order, and one line says how to go on.
func interrupt(t *testing.T, s *site) {
	h := s.start(t, "run", "--workers", "1", "--range", "3", "--",
		`if test {#}.$LITHOPS_ATTEMPT = 1.1; then trap 'echo in good order > tidied; exit 1' TERM; echo > began; sleep 1000 & wait; fi; echo {#}`)
	s.awaitFile(t, "began")
	if !hit(h.pid(), h.mark, syscall.SIGINT) {
		t.Fatal("the host is not there")
	}
	if code := h.wait(t, s); code != 130 {
		t.Errorf("exit code %d, want 130\n%s", code, h.said())
	}
	if got := s.read("tidied"); got != "in good order\n" {
		t.Errorf("the task was not ended in good order: %q", got)
	}
	id := h.id()
	holds(t, h.said(), "1 succeeded, 1 cancelled, 1 not run", "lithops resume "+id)
	lacks(t, h.said(), "goroutine", "panic")
	if n := strings.Count(h.said(), "lithops resume"); n != 1 {
		t.Errorf("%d lines tell how to resume\n%s", n, h.said())
	}
	s.must(t, "resume", "-q", id)
	if got := s.states(t, id); got != "success cancelled success success" {
		t.Errorf("states: %s", got)
	}
}

// programEndsWithoutWait: with Close the calls are cancelled; without it they end with
// the program, nobody is left, and the store says that it broke off.
func programEndsWithoutWait(t *testing.T, _ *site) {
	for what, state := range map[string]string{"leave": "broken off", "close": "cancelled"} {
		s := newSite(t)
		h := s.tenant(t, what)
		if code := h.wait(t, s); code != 0 {
			t.Fatalf("%s: exit code %d\n%s", what, code, h.said())
		}
		holds(t, h.out(), "end of main")
		holds(t, s.must(t, "list"), h.id(), " "+state+" ")
	}
}

// sameSecond: names of pictures have the job's id.
func sameSecond(t *testing.T, s *site) {
	args := []string{"run", "-q", "--range", "2", "--", "true {#}"}
	a, b := s.start(t, args...), s.start(t, args...)
	for _, h := range []*host{a, b} {
		if code := h.wait(t, s); code != 0 {
			t.Fatalf("exit code %d\n%s", code, h.said())
		}
		s.must(t, "plot", h.id(), "-o", "plots")
	}
	if names := s.list("plots"); a.id() == b.id() || strings.Count(names, ".png") != 4 {
		t.Errorf("pictures:\n%s", names)
	}
}

// cleanWhileRunning: a running job is never touched.
func cleanWhileRunning(t *testing.T, s *site) {
	h := s.start(t, "run", "-q", "--workers", "1", "--range", "3", "--", `echo {#}; echo > began-{#}; until test -e go; do sleep 0.01; done`)
	s.awaitFile(t, "began-0")
	_, said, code := s.run(t, "clean", h.id())
	if code != 2 {
		t.Errorf("clean of a running job: exit code %d, want 2", code)
	}
	holds(t, said, "running", "lithops cancel")
	s.must(t, "clean", "--older-than", "0s")
	s.file(t, "go", "go")
	if code := h.wait(t, s); code != 0 {
		t.Fatalf("exit code %d\n%s", code, h.said())
	}
	if got := s.must(t, "results", h.id()); got != "0\n1\n2\n" {
		t.Errorf("results %q", got)
	}
	s.must(t, "clean", h.id())
	lacks(t, s.list("store/jobs"), h.id())
}

// secondLook: results and statistics are there as often as they are asked for, also
// under another store's name.
func secondLook(t *testing.T, s *site) {
	id, _ := s.runs(t, 0, "-q", "--range", "3", "--", "echo {#}")
	first, stats := s.must(t, "results", id), s.must(t, "stats", id)
	if err := os.Rename(s.store, s.store+"-of-last-year"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if again := s.must(t, "results", id, "--store", s.store+"-of-last-year"); again != first || first != "0\n1\n2\n" {
			t.Errorf("results %q, then %q", first, again)
		}
		if again := s.must(t, "stats", id, "--store", s.store+"-of-last-year"); again != stats {
			t.Errorf("statistics differ:\n%s\n%s", stats, again)
		}
	}
}

// timeoutMessage: the limit that was passed is told.
func timeoutMessage(t *testing.T, s *site) {
	id, said := s.runs(t, 1, "--timeout", "300ms", "--", "sleep {}", ":::", "1000")
	all := s.attempts(t, id)
	expect(t, all[0], keys{"state": "timeout", "error_type": "timeout", "signal": "SIGTERM"})
	for _, text := range []string{said, all[0]["error"].(string)} {
		holds(t, text, "300ms")
		lacks(t, text, "{", "memory")
	}
}
