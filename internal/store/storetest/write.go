package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/lithops-go/lithops/internal/store"
)

// Processes that open a new store at the same time do not disturb each other.
func testOpenTogether(t *testing.T, s *store.Store) {
	for i := range 50 {
		root := filepath.Join(s.Root(), fmt.Sprint("new", i))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := store.Open(root); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if names, err := os.ReadDir(root); err != nil || len(names) != 2 {
			t.Errorf("a new store holds %v, %v, want jobs and version", names, err)
		}
	}
}

func testPermissions(t *testing.T, s *store.Store) {
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	j := done(t, s, 2, true)
	in, err := j.w.Inputs()
	if err != nil {
		t.Fatal(err)
	}
	_, errStage := j.w.Stage(script)
	path, errRuntime := j.w.WriteRuntime("runtime.py", []byte("pass\n"))
	_, errList := j.w.WriteList(0, func(io.Writer) error { return nil })
	if err := errors.Join(in.Close(), j.w.WriteSpec([]byte("name: x\n")), errStage, errRuntime, errList); err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(s.JobDir(testID), "runtime", "runtime.py"); path != want || string(readFile(t, path)) != "pass\n" {
		t.Errorf("runtime file is %s, want %s", path, want)
	}
	if _, err := j.w.WriteRuntime("../x", nil); err == nil {
		t.Error("a runtime file was written outside of its directory")
	}
	err = filepath.WalkDir(filepath.Join(s.Root(), "jobs"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() || d.Name() == "script" {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func testNewerStore(t *testing.T, s *store.Store) {
	writeFile(t, filepath.Join(s.Root(), "version"), fmt.Appendln(nil, store.Version+1))
	if _, err := store.Open(s.Root()); !errors.Is(err, store.ErrNewer) {
		t.Errorf("opening a newer store: %v, want %v", err, store.ErrNewer)
	}
	writeFile(t, filepath.Join(s.Root(), "version"), []byte("x"))
	if _, err := store.Open(s.Root()); err == nil || errors.Is(err, store.ErrNewer) {
		t.Errorf("opening a store without a version: %v", err)
	}
	for _, text := range []string{"", "\x00\x00"} { // after a power cut
		writeFile(t, filepath.Join(s.Root(), "version"), []byte(text))
		if _, err := store.Open(s.Root()); err != nil {
			t.Errorf("opening a store with version %q: %v", text, err)
		}
		if got := string(readFile(t, filepath.Join(s.Root(), "version"))); got != fmt.Sprintln(store.Version) {
			t.Errorf("version %q has become %q", text, got)
		}
	}
}

func testNewerJob(t *testing.T, s *store.Store) {
	j := done(t, s, 1, true)
	path := filepath.Join(s.JobDir(testID), "job.json")
	for _, text := range []string{`{"version":%d,"tasks":1}`, `{"version":%d,"tasks":"many","spec":17}`} {
		writeFile(t, path, fmt.Appendf(nil, text, store.Version+1))
		if _, err := s.Job(testID); !errors.Is(err, store.ErrNewer) {
			t.Errorf("opening a newer job: %v, want %v", err, store.ErrNewer)
		}
		if all, err := s.List(); err != nil || len(all) != 1 || !errors.Is(all[0].Err, store.ErrNewer) || all[0].ID != j.id {
			t.Errorf("list with a newer job: %+v, %v", all, err)
		}
	}
	for _, text := range []string{"", "{", `{"version":1,"tasks":-1}`, `{"version":1,"tasks":1000000000000}`} {
		writeFile(t, path, []byte(text))
		if _, err := s.Job(testID); err == nil || errors.Is(err, store.ErrNewer) {
			t.Errorf("opening a job with manifest %q: %v", text, err)
		}
	}
}

func testOneWriter(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 1)
	j.segment(0)
	if _, err := store.CreateSegment(j.path(0, store.StatsSegment), nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second writer of a segment: %v, want %v", err, fs.ErrExist)
	}
}

func testOffsets(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 1)
	seg, err := store.CreateSegment(j.path(0, store.OutSegment), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer seg.Close()
	rnd, want := rand.New(rand.NewPCG(3, 4)), []byte(nil)
	for range 200 {
		piece := bytes.Repeat([]byte{byte(rnd.IntN(256))}, rnd.IntN(5000))
		at, err := seg.Append(piece)
		if err != nil || at != int64(len(want)) {
			t.Fatalf("piece stands at %d, %v, want %d", at, err, len(want))
		}
		want = append(want, piece...)
		if seg.Size() != int64(len(want)) {
			t.Fatalf("size is %d, want %d", seg.Size(), len(want))
		}
	}
	if !bytes.Equal(readFile(t, j.path(0, store.OutSegment)), want) {
		t.Error("the segment does not hold what was appended")
	}
}

func testInputs(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 5)
	items := []string{"1", `"` + strings.Repeat("long ", 400_000) + `"`, `{"a":[1,2]}`, `"` + strings.Repeat("x", 1<<18-3) + `"`, `"ü"`}
	in, err := j.w.Inputs()
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		if err := in.Add([]byte(item)); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := j.open().Inputs()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i, want := range items {
		got, err := r.Next()
		if err != nil || string(got) != want {
			t.Fatalf("item %d: %d bytes, %v, want %d bytes", i, len(got), err, len(want))
		}
	}
	if got, err := r.Next(); err != io.EOF {
		t.Errorf("after the last item: %q, %v, want %v", got, err, io.EOF)
	}
}

// Inputs that are added after the end are read after the end.
func testMoreInputs(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 5)
	if _, err := j.w.InputsFrom(0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("more inputs than none: %v", err)
	}
	add := func(in *store.InputWriter, err error, items ...string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			if err := in.Add([]byte(item)); err != nil {
				t.Fatal(err)
			}
		}
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
	}
	in, err := j.w.Inputs()
	add(in, err, "1", "2")
	r, err := j.open().Inputs()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	next := func(want ...string) {
		t.Helper()
		for _, w := range want {
			if got, err := r.Next(); err != nil || string(got) != w {
				t.Fatalf("item is %.20q, %v, want %.20q", got, err, w)
			}
		}
		for range 2 {
			if got, err := r.Next(); err != io.EOF {
				t.Fatalf("after the last item: %.20q, %v, want %v", got, err, io.EOF)
			}
		}
	}
	next("1", "2")
	long := `"` + strings.Repeat("long ", 100_000) + `"`
	for i := range 2 {
		in, err = j.w.InputsFrom(2 + 3*i)
		add(in, err, "3", long, "4")
		next("3", long, "4")
	}
	path := filepath.Join(s.JobDir(testID), "input.jsonl")
	if got := string(readFile(t, path)); got != "1\n2\n"+strings.Repeat("3\n"+long+"\n4\n", 2) {
		t.Errorf("inputs hold %d bytes", len(got))
	}
	writeFile(t, path, []byte("1\n2"))
	in, err = j.w.InputsFrom(1) // what a host that died had begun to add is cut off
	add(in, err, "5")
	if got := string(readFile(t, path)); got != "1\n5\n" {
		t.Errorf("inputs behind half a line: %q", got)
	}
}

// A list is there complete or not at all.
func testLists(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 1)
	full := errors.New("disk full")
	for n, fail := range []error{nil, full} {
		path, err := j.w.WriteList(n, func(w io.Writer) error {
			for i := range 50_000 {
				if _, err := fmt.Fprintln(w, i); err != nil {
					return err
				}
			}
			if _, err := os.Stat(filepath.Join(s.JobDir(testID), fmt.Sprintf("reduce-%d.jsonl", n))); err == nil {
				t.Error("a list is there before it is complete")
			}
			return fail
		})
		if !errors.Is(err, fail) || (fail == nil) != (err == nil) {
			t.Errorf("list %d: %v, want %v", n, err, fail)
		}
		if err != nil {
			continue
		}
		if got := readFile(t, path); path != filepath.Join(s.JobDir(testID), "reduce-0.jsonl") || !bytes.HasSuffix(got, []byte("\n49998\n49999\n")) {
			t.Errorf("list %s of %d bytes", path, len(got))
		}
	}
	if left, err := filepath.Glob(filepath.Join(s.JobDir(testID), "reduce-*")); err != nil || len(left) != 1 {
		t.Errorf("lists %v, %v, want one", left, err)
	}
}

// A failed Append leaves neither bytes nor a gap, wherever it is cut short.
func testFailedAppend(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 1)
	first, second := []byte("one line\n"), []byte("another line\n")
	for n := range len(second) {
		path := j.path(n, store.StatsSegment)
		seg, err := store.CreateSegment(path, FailOnce(int64(len(first)+n), syscall.ENOSPC))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := seg.Append(first); err != nil {
			t.Fatal(err)
		}
		if _, err := seg.Append(second); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("append to a full disk: %v", err)
		}
		if got := readFile(t, path); !bytes.Equal(got, first) {
			t.Fatalf("a failed append has left %q", got)
		}
		if at, err := seg.Append(second); err != nil || at != int64(len(first)) {
			t.Fatalf("append after a failed one: at %d, %v", at, err)
		}
		if got := readFile(t, path); string(got) != string(first)+string(second) {
			t.Fatalf("the segment holds %q", got)
		}
		seg.Close()
	}
}

// When a half line cannot be cut off again, no line follows it.
func testFailedCut(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 1)
	faults := &Faults{FailAfter: 12, FailOnce: true, Err: syscall.ENOSPC, TruncateErr: syscall.EIO}
	path := j.path(0, store.StatsSegment)
	seg, err := store.CreateSegment(path, faults.Open)
	if err != nil {
		t.Fatal(err)
	}
	defer seg.Close()
	if _, err := seg.Append([]byte("complete\n")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := seg.Append([]byte("cut short\n")); !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, syscall.EIO) {
			t.Errorf("append after a failed cut: %v, want both errors", err)
		}
	}
	if got := string(readFile(t, path)); got != "complete\ncut" {
		t.Errorf("the segment holds %q", got)
	}
}

// Nothing follows what could not be brought to the disk: nobody knows what is there.
func testFailedSync(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 1)
	faults := &Faults{}
	path := j.path(0, store.StatsSegment)
	seg, err := store.CreateSegment(path, faults.Open)
	if err != nil {
		t.Fatal(err)
	}
	defer seg.Close()
	if _, err := seg.Append([]byte("complete\n")); err != nil {
		t.Fatal(err)
	}
	if err := seg.Sync(); err != nil {
		t.Fatal(err)
	}
	faults.SyncErr = syscall.EIO
	for range 2 {
		if err := seg.Sync(); !errors.Is(err, syscall.EIO) {
			t.Errorf("a sync that fails: %v", err)
		}
		faults.SyncErr = nil
		if _, err := seg.Append([]byte("more\n")); !errors.Is(err, syscall.EIO) {
			t.Errorf("append after a failed sync: %v", err)
		}
	}
	if got := string(readFile(t, path)); got != "complete\n" {
		t.Errorf("the segment holds %q", got)
	}
}
