//go:build linux

package calibrate

import (
	"encoding/json"
	"testing"

	"github.com/lithops-go/lithops/internal/stats"
)

// always checks what must hold for every record, however the task ended.
func always(t *testing.T, r *stats.Record) {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(stats.AppendJSON(nil, r), &object); err != nil {
		t.Fatal(err)
	}
	for _, f := range stats.Fields() {
		v, ok := object[f.Key]
		if !ok {
			t.Errorf("task %d (%v): no key %s", r.Task, r.State, f.Key)
		}
		if n, ok := v.(float64); ok && n < 0 {
			t.Errorf("task %d (%v): %s is %v", r.Task, r.State, f.Key, n)
		}
	}
	inOrder(t, r)
	for name, v := range map[string]stats.Int{"rss": r.RSS, "uss": r.USS, "vms": r.VMS, "peak": r.TaskPeakMemory, "peak end": r.PeakMemoryEnd} {
		if v.OK && v.V <= 0 {
			t.Errorf("task %d (%v): %s is %d, must be null or more", r.Task, r.State, name, v.V)
		}
	}
	atMost(t, r, "uss ≤ rss", r.USS, r.RSS)
	atMost(t, r, "rss ≤ vms", r.RSS, r.VMS)
	atMost(t, r, "peak start ≤ end", r.PeakMemoryStart, r.PeakMemoryEnd)
	atMost(t, r, "task peak ≤ peak", r.TaskPeakMemory, r.PeakMemoryEnd)
	for core, percent := range r.CPUUsage {
		if percent < 0 || percent > 100 {
			t.Errorf("task %d: core %d is used %v %%", r.Task, core, percent)
		}
	}
}

func atMost(t *testing.T, r *stats.Record, what string, a, b stats.Int) {
	t.Helper()
	if a.OK && b.OK && a.V > b.V {
		t.Errorf("task %d (%v): not %s: %d, %d", r.Task, r.State, what, a.V, b.V)
	}
}

// inOrder checks that the stamps there are follow the data's way.
func inOrder(t *testing.T, r *stats.Record) {
	t.Helper()
	way := []struct {
		name string
		at   stats.Sec
	}{
		{"job create", r.HostJobCreate}, {"submit", r.HostSubmit}, {"dispatch", r.HostDispatch}, {"worker start", r.WorkerStart},
		{"fork", stats.Sec{NS: r.FuncStart.NS - r.FuncStartup.NS, OK: r.FuncStart.OK && r.FuncStartup.OK}},
		{"func start", r.FuncStart}, {"func end", r.FuncEnd}, {"worker end", r.WorkerEnd}, {"status done", r.StatusDone},
		{"result done", r.ResultDone},
	}
	last := way[0]
	for _, stamp := range way[1:] {
		if !stamp.at.OK {
			continue
		}
		if stamp.at.NS < last.at.NS {
			t.Errorf("task %d (%v): %s is %d ns before %s", r.Task, r.State, stamp.name, last.at.NS-stamp.at.NS, last.name)
		}
		last = stamp
	}
}
