package storetest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/store"
)

func testCancel(t *testing.T, s *store.Store) {
	j := done(t, s, 1, true)
	if r, err := j.w.CancelRequest(); r != nil || err != nil {
		t.Errorf("request to a job that nobody cancels: %+v, %v", r, err)
	}
	for _, want := range []store.CancelRequest{{TimeNS: 5, PID: 7, User: "somebody", Hostname: "there"}, {TimeNS: 6, Now: true}} {
		if err := s.RequestCancel(testID, want); err != nil {
			t.Fatal(err)
		}
		if r, err := j.w.CancelRequest(); err != nil || r == nil || *r != want {
			t.Errorf("request is %+v, %v, want %+v", r, err, want)
		}
	}
	path := filepath.Join(s.JobDir(testID), "cancel.json")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the request's file: %v, %v", info, err)
	}
	for _, text := range []string{"", "{", "5", "\x00\x00"} {
		writeFile(t, path, []byte(text))
		if r, err := j.w.CancelRequest(); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("request %q is %+v, %v", text, r, err)
		}
	}
	j.manifest.Ended = &store.Ending{State: store.JobDone}
	if err := j.w.WriteManifest(j.manifest); err != nil {
		t.Fatal(err)
	}
	var not *store.NotRunningError
	if err := s.RequestCancel(testID, store.CancelRequest{}); !errors.As(err, &not) || *not != (store.NotRunningError{ID: testID, State: store.JobDone}) {
		t.Errorf("cancelling a job that is done: %v", err)
	}
	j.close()
	if err := s.Remove(testID); err != nil {
		t.Fatal(err)
	}
	newJob(t, s, testID, 1).close()
	if err := s.RequestCancel(testID, store.CancelRequest{}); !errors.As(err, &not) || not.State != store.JobBrokenOff {
		t.Errorf("cancelling a job that broke off: %v", err)
	}
}

// A job is removed whatever is wrong with it, unless it runs or is a newer one's.
func testRemove(t *testing.T, s *store.Store) {
	dir := s.JobDir(testID)
	manifest := filepath.Join(dir, "job.json")
	for name, harm := range map[string]func(){
		"none":        func() {},
		"manifest":    func() { writeFile(t, manifest, []byte("{")) },
		"no manifest": func() { os.Remove(manifest) },
		"no lock":     func() { os.Remove(filepath.Join(dir, "lock")) },
		"empty":       func() { os.RemoveAll(dir); os.Mkdir(dir, 0o700) },
	} {
		j := done(t, s, 1, true)
		var running *store.RunningError
		if err := s.Remove(testID); !errors.As(err, &running) || running.ID != testID {
			t.Errorf("%s: removing a job that runs: %v", name, err)
		}
		j.check(0, 0)
		j.close()
		harm()
		if err := s.Remove(testID); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := os.ReadDir(filepath.Join(s.Root(), "jobs")); err != nil || len(left) > 0 {
			t.Errorf("%s: left are %v, %v", name, left, err)
		}
	}
	done(t, s, 1, true).close()
	writeFile(t, manifest, fmt.Appendf(nil, `{"version":%d,"tasks":"many"}`, store.Version+1))
	if err := s.Remove(testID); !errors.Is(err, store.ErrNewer) {
		t.Errorf("removing a newer job: %v", err)
	}
	if _, err := os.Stat(manifest); err != nil {
		t.Error(err)
	}
}

// Whoever removes a job and whoever resumes it do not both succeed.
func testRemoveRace(t *testing.T, s *store.Store) {
	for i := range 60 {
		id := fmt.Sprintf("%d-0-M000", i)
		j := newJob(t, s, id, 1)
		j.inputs()
		j.close()
		var (
			wg             sync.WaitGroup
			w              *store.Writer
			removed, again error
			opened         error
		)
		wg.Go(func() { removed = s.Remove(id) })
		wg.Go(func() { w, _, opened = s.Reopen(id, nil) })
		wg.Go(func() { _, again = s.List() })
		wg.Wait()
		_, running := errors.AsType[*store.RunningError](removed)
		_, busy := errors.AsType[*store.RunningError](opened)
		_, gone := errors.AsType[*store.NotFoundError](opened)
		_, err := os.Stat(s.JobDir(id))
		switch {
		case again != nil:
			t.Errorf("list: %v", again)
		case removed == nil && (busy || gone) && err != nil:
		case running && opened == nil && err == nil:
		default:
			t.Errorf("removing gives %v, resuming %v, the directory %v", removed, opened, err)
		}
		if w != nil {
			w.Close()
		}
	}
	if left, err := filepath.Glob(filepath.Join(s.Root(), "jobs", ".*")); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// Leftovers of jobs are removed unless somebody is at them, and nothing else is.
func testLeftovers(t *testing.T, s *store.Store) {
	j := done(t, s, 1, true)
	jobs := filepath.Join(s.Root(), "jobs")
	make := func(name string, files ...string) string {
		dir := filepath.Join(jobs, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			writeFile(t, filepath.Join(dir, f), []byte("text"))
		}
		return dir
	}
	long := time.Now().Add(-2 * time.Hour)
	dead := []string{make(".new-1", "lock"), make(".old-1", "lock", "job.json"), make(".old-2", "host.jsonl"), make(".new-2")}
	if err := os.Chtimes(dead[3], long, long); err != nil {
		t.Fatal(err)
	}
	alive := []string{make(".new-3"), j.s.JobDir(testID), make(".other", "lock"), make("1-0-M000", "lock")}
	writeFile(t, filepath.Join(jobs, ".old-file"), nil)
	held := make(".old-3", "lock")
	if err := os.Rename(filepath.Join(j.s.JobDir(testID), "lock"), filepath.Join(held, "lock")); err != nil {
		t.Fatal(err)
	}
	if n, err := s.RemoveLeftovers(); n != len(dead) || err != nil {
		t.Errorf("%d leftovers removed, %v, want %d", n, err, len(dead))
	}
	for _, dir := range dead {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	for _, path := range append(alive, held, filepath.Join(jobs, ".old-file")) {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	if n, err := s.RemoveLeftovers(); n != 0 || err != nil {
		t.Errorf("%d leftovers removed, %v, of none", n, err)
	}
}

// Jobs are made while leftovers are looked for.
func testLeftoversRace(t *testing.T, s *store.Store) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := s.RemoveLeftovers(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var writers []io.Closer
	for i := range 200 {
		w, err := s.Create(fmt.Sprintf("%03d-0-M000", i), nil)
		if err != nil {
			t.Error(err)
			break
		}
		writers = append(writers, w)
	}
	close(stop)
	wg.Wait()
	for _, w := range writers {
		w.Close()
	}
	if all, err := s.List(); err != nil || len(all) != len(writers) {
		t.Errorf("%d jobs, %v, want %d", len(all), err, len(writers))
	}
}
