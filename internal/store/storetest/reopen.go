package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
)

// What is no job, runs, or never began cannot be reopened.
func testReopenErrors(t *testing.T, s *store.Store) {
	var none *store.NotFoundError
	for _, id := range []string{"", "..", "a/b", testID} {
		if _, _, err := s.Reopen(id, nil); !errors.As(err, &none) || none.Ref != id {
			t.Errorf("reopening %q: %v", id, err)
		}
		if err := s.Remove(id); !errors.As(err, &none) || none.Ref != id {
			t.Errorf("removing %q: %v", id, err)
		}
		if err := s.RequestCancel(id, store.CancelRequest{}); !errors.As(err, &none) {
			t.Errorf("cancelling %q: %v", id, err)
		}
	}
	if left, err := os.ReadDir(filepath.Join(s.Root(), "jobs")); err != nil || len(left) > 0 {
		t.Errorf("looking for jobs has left %v, %v", left, err)
	}
	w, err := s.Create(testID, nil)
	if err != nil {
		t.Fatal(err)
	}
	var running *store.RunningError
	if _, _, err := s.Reopen(testID, nil); !errors.As(err, &running) || running.ID != testID {
		t.Errorf("reopening a job that is being made: %v", err)
	}
	w.Close()
	if _, _, err := s.Reopen(testID, nil); !errors.Is(err, store.ErrNotStaged) {
		t.Errorf("reopening a job that never began: %v", err)
	}
	if err := s.Remove(testID); err != nil {
		t.Error(err)
	}
	j := done(t, s, 2, true)
	if _, _, err := s.Reopen(testID, nil); !errors.As(err, &running) {
		t.Errorf("reopening a job that runs: %v", err)
	}
	j.close()
	for text, says := range map[string]string{fmt.Sprintf(`{"version":%d,"tasks":2}`, store.Version+1): store.ErrNewer.Error(),
		`{"version":1,"tasks":2}`: "holds no specification", "{": "job.json"} {
		writeFile(t, filepath.Join(s.JobDir(testID), "job.json"), []byte(text))
		if _, _, err := s.Reopen(testID, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("reopening a job with manifest %s: %v, want %s", text, err, says)
		}
	}
}

// What a host that died was writing is cut off when the job is reopened; what it had
// written stays.
func testReopenCuts(t *testing.T, s *store.Store) {
	j := done(t, s, 3, true)
	j.inputs()
	j.close()
	j.resume()
	j.close()
	intact := j.records()
	host, input := readFile(t, j.hostPath()), filepath.Join(s.JobDir(testID), "input.jsonl")
	last := bytes.LastIndexByte(host[:len(host)-1], '\n') + 1
	torn := [][]byte{host[last : len(host)-1], host[last : last+1], make([]byte, 5000), append(host[last:last+9:last+9], make([]byte, 70_000)...), []byte("x")}
	for i, tail := range torn {
		writeFile(t, j.hostPath(), append(slices.Clone(host), tail...))
		j.check(0, 1)
		w, _, err := s.Reopen(testID, nil)
		if err != nil {
			t.Fatalf("tail %d: %v", i, err)
		}
		if got := readFile(t, j.hostPath()); !bytes.Equal(got, host) {
			t.Errorf("tail %d: host.jsonl has %d bytes, want %d", i, len(got), len(host))
		}
		w.Event(store.Event{Event: "run"})
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := readFile(t, j.hostPath()); !bytes.HasPrefix(got, append(slices.Clone(host), `{"event":"run"`...)) || got[len(got)-1] != '\n' {
			t.Errorf("tail %d: behind it stands %q", i, got[len(host):])
		}
		j.check(0, 0)
	}
	writeFile(t, j.hostPath(), []byte("a damaged line\n"+string(host)))
	j.resume()
	j.close()
	if got, rep := read(t, j.open()); rep.Total != 1 || len(got) != len(intact) {
		t.Errorf("a damaged line has become %+v", rep)
	}
	whole := readFile(t, input)
	for _, tail := range []string{"3", "3\n", "3\n4\n5", string(make([]byte, 9))} {
		writeFile(t, input, append(slices.Clone(whole), tail...))
		j.resume()
		j.close()
		if got := readFile(t, input); !bytes.Equal(got, whole) {
			t.Errorf("inputs are %q, want %q", got, whole)
		}
	}
	for _, text := range []string{"", "0\n1\n", "0\n1\n2", "0\n1\n" + string(make([]byte, 2))} {
		writeFile(t, input, []byte(text))
		if _, _, err := s.Reopen(testID, nil); err == nil || !strings.Contains(err.Error(), "cut short") || !strings.Contains(err.Error(), input) {
			t.Errorf("reopening a job with inputs %q: %v", text, err)
		}
	}
	os.Remove(input)
	if _, _, err := s.Reopen(testID, nil); !errors.Is(err, fs.ErrNotExist) || errors.As(err, new(*store.NotFoundError)) {
		t.Errorf("reopening a job without inputs: %v", err)
	}
	writeFile(t, input, whole)
	os.Remove(j.hostPath())
	j.resume()
	j.close()
	if _, err := os.Stat(j.hostPath()); err != nil {
		t.Error(err)
	}
}

// Inputs of reduce tasks that are not there mean that the reduce is made again.
func testReopenReduce(t *testing.T, s *store.Store) {
	j := done(t, s, 3, true)
	j.inputs()
	j.manifest.Tasks, j.manifest.Reduces, j.manifest.ReduceRun = 5, 2, 1
	if err := j.w.WriteManifest(j.manifest); err != nil {
		t.Fatal(err)
	}
	j.close()
	w, m, err := s.Reopen(testID, nil)
	if err != nil || !m.ReduceStale {
		t.Fatalf("a reduce without inputs: %v, %+v", err, m)
	}
	if _, err := w.InputsFrom(4); err == nil || !strings.Contains(err.Error(), "1 lines too few") {
		t.Errorf("inputs behind what there is: %v", err)
	}
	in, err := w.InputsFrom(3)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(in.Add([]byte("3")), in.Add([]byte("4")), in.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	if w, m, err = s.Reopen(testID, nil); err != nil || m.ReduceStale {
		t.Fatalf("a reduce with its inputs: %v, %+v", err, m)
	}
	if in, err = w.InputsFrom(2); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(in.Add([]byte("two")), in.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	if got := string(readFile(t, filepath.Join(s.JobDir(testID), "input.jsonl"))); got != "0\n1\ntwo\n" {
		t.Errorf("inputs are %q", got)
	}
}

// What the dead have left is removed, but for what is recorded and what they said.
func testReopenSweeps(t *testing.T, s *store.Store) {
	j := done(t, s, 2, true)
	j.inputs()
	j.finish(outcome{0, 2, 3, job.Success, "result", "log\n"})
	if _, err := j.w.WriteRuntime("runtime.py", nil); err != nil {
		t.Fatal(err)
	}
	if next := j.w.NextWorker(); next != 0 {
		t.Errorf("the first worker of a new job is %d", next)
	}
	j.close()
	dir := s.JobDir(testID)
	kept, gone := []string{"w-3.log.part", "w-4.err", "w-12.strange", "w-x.now", "func/stdin-1", "reduce-0.jsonl"},
		[]string{"w-3.out.part", "w-0.log.part", "w-3.now", "w-7.err", "w-9.now", "stdin-123", "job.json.abc.tmp", "cancel.json", "cancel.json.1.tmp", "runtime/runtime.py.1.tmp"}
	if err := os.Mkdir(filepath.Join(dir, "func"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(kept, gone) {
		text := []byte("text")
		if name == "w-0.log.part" || name == "w-7.err" {
			text = nil
		}
		writeFile(t, filepath.Join(dir, name), text)
	}
	before, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	w, _, err := s.Reopen(testID, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if next := w.NextWorker(); next != 13 {
		t.Errorf("the next worker is %d, want 13", next)
	}
	for _, path := range before {
		name := filepath.Base(path)
		if _, err := os.Stat(path); (err == nil) == slices.Contains(gone, name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if r, err := w.CancelRequest(); r != nil || err != nil {
		t.Errorf("a stale request to cancel: %+v, %v", r, err)
	}
	for _, name := range []string{"func/stdin-1", "runtime/runtime.py"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, gone[len(gone)-1])); err == nil {
		t.Error("half a runtime file was kept")
	}
	if got, rep := results(t, j.open(), 0, 1); len(got) != 1 || got[0] != `0/2 success "result" of 6, <nil>` || rep.Total != 0 {
		t.Errorf("results are %v, %+v", got, rep)
	}
}
