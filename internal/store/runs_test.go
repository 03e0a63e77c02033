package store_test

import (
	"encoding/json"
	"testing"

	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

func TestRunOf(t *testing.T) {
	m := &store.Manifest{}
	if got := m.RunOf(7); got != 1 {
		t.Errorf("without runs, worker 7 is of run %d", got)
	}
	// No worker came up in run 2.
	m.Runs = []store.RunInfo{{Number: 1}, {Number: 2, FirstWorker: 3}, {Number: 3, FirstWorker: 3}, {Number: 4, FirstWorker: 10}}
	for worker, want := range map[int]int{0: 1, 2: 1, 3: 3, 9: 3, 10: 4, 1000: 4} {
		if got := m.RunOf(worker); got != want {
			t.Errorf("worker %d is of run %d, want %d", worker, got, want)
		}
	}
	r := stats.Record{Worker: stats.IntOf(9)}
	if m.Fill(&r); r.Run != stats.IntOf(3) {
		t.Errorf("a record of worker 9 is of run %v", r.Run)
	}
	r = stats.Record{}
	if m.Fill(&r); r.Run.OK {
		t.Errorf("a record without worker is of run %v", r.Run)
	}
}

// Pauses that are not known, or negative by a step of the clock, are none.
func TestShift(t *testing.T) {
	m := &store.Manifest{Runs: []store.RunInfo{{Number: 1, StartNS: 100, EndNS: 200}, {Number: 2, StartNS: 250, EndNS: 300},
		{Number: 3, StartNS: 290}, {Number: 4, StartNS: 1000, EndNS: 1100}, {Number: 5, StartNS: 1107}}}
	for run, want := range []int64{0, 0, 50, 50, 50, 57, 57} {
		if got := m.Shift(run); got != want {
			t.Errorf("before run %d are %d ns, want %d", run, got, want)
		}
	}
	if got := (&store.Manifest{}).Shift(1); got != 0 {
		t.Errorf("without runs there are %d ns before the first", got)
	}
}

func TestJobRuns(t *testing.T) {
	var m store.Manifest
	if err := json.Unmarshal([]byte(`{"workers":4,"clock":{"wall_ns":100},"ended":{"state":"failed","reason":"why","time_ns":170}}`), &m); err != nil {
		t.Fatal(err)
	}
	got := m.JobRuns()
	if want := (stats.JobRun{Number: 1, Start: 100, End: 170, State: store.JobFailed, Reason: "why", Workers: 4}); len(got) != 1 || got[0] != want {
		t.Errorf("runs are %+v, want %+v", got, want)
	}
	m.Runs = []store.RunInfo{{Number: 1, StartNS: 100, EndNS: 150, State: "broken", Workers: 4, Tasks: 9}, {Number: 2, StartNS: 160, FirstWorker: 4, Workers: 2, Tasks: 5}}
	for _, want := range [][]stats.JobRun{
		{{Number: 1, Start: 100, End: 150, State: store.JobBrokenOff, Workers: 4, Tasks: 9},
			{Number: 2, Start: 160, End: 170, Shift: 10, State: store.JobFailed, Reason: "why", Workers: 2, Tasks: 5}},
		{{Number: 1, Start: 100, End: 150, State: store.JobBrokenOff, Workers: 4, Tasks: 9},
			{Number: 2, Start: 160, Shift: 10, Workers: 2, Tasks: 5}},
	} {
		if got := m.JobRuns(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("runs are %+v, want %+v", got, want)
		}
		m.Ended = nil
	}
	b, err := json.Marshal(m.Runs[1])
	if want := `{"run":2,"program":"","pid":0,"hostname":"","start_ns":160,"first_worker":4,"workers":2,"tasks":5,"clock":{"wall_ns":0,"mono_ns":0}}`; err != nil || string(b) != want {
		t.Errorf("a run is %s, %v, want %s", b, err, want)
	}
}
