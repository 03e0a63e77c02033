//go:build linux

package faults

import (
	"testing"
	"time"
)

// TestStopped stops a worker, then the host, for longer than any deadline of a machine
// that is merely busy. Nothing is lost, and nothing is made twice.
func TestStopped(t *testing.T) {
	for _, what := range []string{aWorker, aHost} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			h := s.start(t, "run", "-q", "--workers", "2", "--range", "300", "--", `test {#} = 5 && echo > begun; sleep 0.002; echo {#}`)
			s.awaitFile(t, "begun")
			pids := h.targets(false)[what]
			if len(pids) == 0 || !h.pause(pids[0], 3*time.Second) {
				t.Fatalf("no %s to stop", what)
			}
			if code := h.wait(t, s); code != 0 {
				t.Fatalf("exit code %d\n%s", code, h.said())
			}
			_, states := s.checkJob(t, kind{result: line(func(n int) int { return n })}, 300, h.id())
			if len(states) != 1 || states["success"] != 300 {
				t.Errorf("attempts by state: %v", states)
			}
		})
	}
}
