//go:build linux

package faults

import (
	"strings"
	"testing"
)

// TestMaxTime: what runs is ended in good order, the reason is told, and the rest can
// be run later.
func TestMaxTime(t *testing.T) {
	s := newSite(t)
	id, said := s.runs(t, 1, "--workers", "1", "--max-time", "500ms", "--range", "3", "--",
		`if test {#}.$LITHOPS_ATTEMPT = 1.1; then trap 'echo in good order > tidied; exit 1' TERM; sleep 1000 & wait; fi; echo {#}`)
	holds(t, said, "max_time", "lithops resume "+id)
	if got := s.read("tidied"); got != "in good order\n" {
		t.Errorf("the task was not ended in good order: %q", got)
	}
	s.must(t, "resume", "-q", "--max-time", "10m", id)
	if got := s.states(t, id); got != "success cancelled success success" {
		t.Errorf("states: %s", got)
	}
}

// TestPoison: a task that kills each worker it meets is given up, the others are not.
func TestPoison(t *testing.T) {
	s := newSite(t)
	id, said := s.runs(t, 1, "--workers", "2", "--retries-lost", "2", "--range", "10", "--", `test {#} = 3 && kill -9 $PPID; echo {#}`)
	holds(t, said, "9 succeeded, 1 failed")
	all := s.attempts(t, id)
	if got, want := s.states(t, id), "success success success lost lost lost"+strings.Repeat(" success", 6); got != want {
		t.Errorf("states: %s", got)
	}
	expect(t, all[3], keys{"error_type": "lost"})
	expect(t, all[5], keys{"error_type": "poison"})
}
