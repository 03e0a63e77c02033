package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// TestAStaleHostLine: run 1 noted attempt 1 as queued with worker 0 and broke off; run 2 made attempt 1,
// and broke off before it noted it: only the worker's record is there.
func TestAStaleHostLine(t *testing.T) {
	s, err := store.Open(filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Create("test-0-M000", nil)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(w.Dir(), "input.jsonl"), []byte("0\n"), 0o600)
	m := &store.Manifest{JobID: "test-0-M000", Spec: &job.Spec{}, Tasks: 1, Workers: 1}
	m.Runs = []store.RunInfo{{Number: 1, StartNS: 1e9, EndNS: 2e9, State: "broken"}, {Number: 2, StartNS: 1000e9, FirstWorker: 1}}
	if err := w.WriteManifest(m); err != nil {
		t.Fatal(err)
	}
	w.Task(&stats.Record{Task: 0, Attempt: 1, State: job.Queued, Worker: stats.IntOf(0), HostSubmit: stats.SecOf(1_100_000_000), HostDispatch: stats.SecOf(1_200_000_000)})
	seg, _ := store.CreateSegment(store.SegmentPath(w.Dir(), 1, store.StatsSegment), nil)
	seg.Append(stats.AppendWorkerLine(nil, &stats.Record{Task: 0, Attempt: 1, State: job.Error, ErrorType: "x", Worker: stats.IntOf(1),
		WorkerStart: stats.SecOf(int64(1001e9)), WorkerEnd: stats.SecOf(int64(1002e9))}))
	seg.Close()
	w.Close()
	j, err := s.Job("test-0-M000")
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range j.Records() {
		if err != nil {
			t.Fatal(err)
		}
		if r.HostDispatch.OK && r.HostDispatch.NS < m.Runs[1].StartNS {
			t.Errorf("an attempt of run 2 was dispatched in run 1")
		}
	}
}
