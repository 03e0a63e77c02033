package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// FuzzRead reads a job whose files hold anything: every task is shown, no attempt
// twice, and without damage all ways of reading agree. (A line that is whole and
// makes no sense, followed by a second one for the same attempt that does, is
// where they may differ.)
func FuzzRead(f *testing.F) {
	var host, worker []byte
	for task := range 3 {
		r := stats.Record{Task: task, Attempt: 1, State: job.Success, Worker: stats.IntOf(0), HostSubmit: stats.SecOf(5), StatusDone: stats.SecOf(9), Error: "x"}
		host = stats.AppendHostLine(host, &r)
		worker = stats.AppendWorkerLine(worker, &r)
		r.Attempt = 2
		worker = stats.AppendWorkerLine(worker, &r)
	}
	f.Add(host, worker)
	f.Add(host[:len(host)-9], worker[:len(worker)-1])
	f.Add(stats.Seal([]byte(`{"event":"progress"`), 0), stats.Seal([]byte(`{"task":1,"attempt":1,"state":7`), 0))
	f.Add([]byte(`{"task":0,"attempt":1}`+"\n"), []byte("\n\n"))
	f.Fuzz(func(t *testing.T, host, worker []byte) {
		s := openIn("")(t)
		w, err := s.Create("0-0-M000", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteManifest(&store.Manifest{JobID: "0-0-M000", Tasks: 3}); err != nil {
			t.Fatal(err)
		}
		w.Close()
		for path, b := range map[string][]byte{filepath.Join(w.Dir(), "host.jsonl"): reseal(host), store.SegmentPath(w.Dir(), 0, store.StatsSegment): reseal(worker)} {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		j, err := s.Job("0-0-M000")
		if err != nil {
			t.Fatal(err)
		}
		seen := map[job.Attempt]string{}
		rep, err := j.Scan(stats.AllKeys(), func(r *stats.Record) error {
			id := job.Attempt{Task: r.Task, Try: r.Attempt}
			if _, twice := seen[id]; twice {
				t.Fatalf("task %d, attempt %d is shown twice", r.Task, r.Attempt)
			}
			seen[id] = string(stats.AppendJSON(nil, r))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		var last job.Attempt
		for r, err := range j.Records() {
			if err != nil {
				t.Fatal(err)
			}
			id := job.Attempt{Task: r.Task, Try: r.Attempt}
			if n > 0 && (id.Task < last.Task || id.Task == last.Task && id.Try <= last.Try) {
				t.Fatalf("%v follows %v", id, last)
			}
			if last, n = id, n+1; rep.Total == 0 && seen[id] != string(stats.AppendJSON(nil, r)) {
				t.Fatalf("in order\n%s, scanned\n%s", stats.AppendJSON(nil, r), seen[id])
			}
		}
		tasks := map[int]bool{}
		for id := range seen {
			tasks[id.Task] = true
		}
		if rep.Total == 0 && n != len(seen) || len(tasks) != 3 {
			t.Fatalf("%d records in order, %d scanned, of %d tasks", n, len(seen), len(tasks))
		}
	})
}

// reseal gives every other line the checksum it should have, so that what is in
// the line is looked at.
func reseal(b []byte) (out []byte) {
	for i, line := range bytes.SplitAfter(b, []byte{10}) {
		const seal = len(`,"crc":"00000000"}` + "\n")
		if i%2 == 0 && len(line) > seal {
			line = stats.Seal(slices.Clone(line[:len(line)-seal]), 0)
		}
		out = append(out, line...)
	}
	return out
}
