//go:build linux

package faults

import (
	"strings"
	"testing"
)

// TestAttemptsAreNumberedOnce kills a host as soon as a task has begun: the attempt has
// a record, as lost, and the next one another number.
func TestAttemptsAreNumberedOnce(t *testing.T) {
	for _, what := range []string{"command", "function"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			job := []string{"--", `echo $LITHOPS_ATTEMPT >> ran; test -e go || sleep 1000; echo {#}`}
			if what == "function" {
				job = s.python(t, "import os, time\n\ndef f(x):\n    print('begun', file=open('ran', 'a'))\n    os.path.exists('go') or time.sleep(1000)\n    return x\n", "f")
			}
			h := s.start(t, append([]string{"run", "-q", "--range", "1"}, job...)...)
			s.awaitFile(t, "ran")
			h.kill([]int{h.pid()})
			h.await(t, s)
			h.nobodyLeft(t, s)
			id := s.lastJob(t)
			s.file(t, "go", "go")
			s.must(t, "resume", "-q", id)
			if got := s.states(t, id); got != "lost success" {
				t.Errorf("states: %s", got)
			}
			if ran := s.read("ran"); what == "command" && ran != "1\n2\n" || strings.Count(ran, "\n") != 2 {
				t.Errorf("attempts: %q", ran)
			}
		})
	}
}

// lastJob is the id of the newest job.
func (s *site) lastJob(t *testing.T) string {
	t.Helper()
	lines := strings.Split(s.must(t, "list", "-n", "1"), "\n")
	id, _, _ := strings.Cut(lines[1], " ")
	return id
}
