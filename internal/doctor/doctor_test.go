package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/proc"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/worker"
)

func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=10 "+os.Getenv("GORACE"))
	worker.Main() // the workers that are tried are this binary too
	os.Exit(m.Run())
}

// fake is a machine whose files are those given, by name.
func fake(t *testing.T, files map[string]string) *machine {
	t.Helper()
	m := &machine{root: t.TempDir(), Options: Options{Timeout: time.Minute}}
	for name, text := range files {
		path := filepath.Join(m.root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// expect compares a finding; hint is a part of it, "" is none.
func expect(t *testing.T, got Finding, status Status, found, hint string) {
	t.Helper()
	if got.Status != status || got.Found != found || !strings.Contains(got.Hint, hint) || hint == "" && got.Hint != "" {
		t.Errorf("got %s: %s\nhint: %s\nwant %s: %s\nhint: …%s…", got.Status, got.Found, got.Hint, status, found, hint)
	}
}

func TestExamineTriesAllAndLeavesNothing(t *testing.T) {
	home, tmp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", tmp)
	before := proc.Children()
	found := Examine(Options{Version: "v9", Store: filepath.Join(home, "state", "lithops"), StoreFrom: "default", Timeout: time.Minute})
	var names []string
	for _, f := range found {
		names = append(names, f.Name)
		if !slices.Contains([]Status{OK, Limited, Missing}, f.Status) {
			t.Errorf("%s is %q: %s", f.Name, f.Status, f.Found)
		}
		if f.Found == "" || strings.HasSuffix(f.Found, "\n") {
			t.Errorf("%s: found %q", f.Name, f.Found)
		}
		if f.Status == OK && f.Hint != "" {
			t.Errorf("%s is ok and has a hint: %s", f.Name, f.Hint)
		}
	}
	if want := "system cpus memory workers open files processes orphans isolation memory limits out of memory figures " +
		"store store locks store space store jobs left behind python3 node clock"; strings.Join(names, " ") != want {
		t.Errorf("rows %q", names)
	}
	if !strings.Contains(found[0].Found, "lithops v9") {
		t.Errorf("system does not tell the version: %s", found[0].Found)
	}
	for _, dir := range []string{home, tmp} {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left in %s: %v, %v", dir, left, err)
		}
	}
	for _, pid := range proc.Children() {
		if !slices.Contains(before, pid) {
			t.Errorf("process %d is left", pid)
		}
	}
}

func TestChecksCannotTakeTheCommandDown(t *testing.T) {
	m := &machine{Options: Options{Timeout: time.Millisecond}}
	hang := make(chan bool)
	defer close(hang)
	found := m.examine([]check{
		{name: "hangs", run: func(*machine) Finding { <-hang; return Finding{} }, hung: Limited},
		{name: "hangs and is needed", run: func(*machine) Finding { <-hang; return Finding{} }, hung: Problem, alone: true},
	})
	m.Timeout = time.Minute
	found = append(found, m.examine([]check{
		{name: "panics", run: func(*machine) Finding { panic("oh") }},
		{name: "works", run: func(*machine) Finding { return ok("all %d", 3) }},
	})...)
	for i, want := range []Finding{
		{"hangs", Limited, "no answer within 1ms", "hangs, such as"},
		{"hangs and is needed", Problem, "no answer within 1ms", "hangs, such as"},
		{"panics", Limited, "the check itself failed: oh", "report it"},
		{"works", OK, "all 3", ""},
	} {
		expect(t, found[i], want.Status, want.Found, want.Hint)
		if found[i].Name != want.Name {
			t.Errorf("row %d is %s, not %s", i, found[i].Name, want.Name)
		}
	}
}

func TestHere(t *testing.T) {
	m := &machine{Options: Options{Timeout: time.Minute}}
	f := m.workers()
	if f.Status != OK || !strings.HasPrefix(f.Found, "a worker is ready after ") {
		t.Errorf("%+v", f)
	}
	if f := m.clock(); f.Status == Problem || !strings.HasPrefix(f.Found, "monotonic, read in ") {
		t.Errorf("%+v", f)
	}
}

func TestWorkerNeedsAPlace(t *testing.T) {
	m := &machine{Options: Options{Timeout: time.Minute, Store: t.TempDir()}}
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	if f := m.workers(); f.Status != OK {
		t.Errorf("not tried in the store: %+v", f)
	}
	m.Store = filepath.Join(os.Args[0], "below")
	if f := m.workers(); f.Status != Limited || !strings.Contains(f.Found, "no place for its files") {
		t.Errorf("%+v", f)
	}
}

func TestRecordOfATrial(t *testing.T) {
	dir := t.TempDir()
	path := store.SegmentPath(dir, 0, store.StatsSegment)
	said := func() string {
		err := trialEnded(dir)
		if err == nil {
			return ""
		}
		return err.Error()
	}
	if got := said(); !strings.Contains(got, "no such file") {
		t.Errorf("without a segment: %q", got)
	}
	write(t, path, "")
	if got := said(); got != "it recorded no task" {
		t.Errorf("without a record: %q", got)
	}
	write(t, path, "nonsense\n")
	if got := said(); got == "" {
		t.Error("nonsense was taken for a record")
	}
	write(t, path, string(stats.AppendWorkerLine(nil, &stats.Record{Attempt: 1, State: job.Error, Error: "no /bin/sh"})))
	if got := said(); got != "a command did not run: no /bin/sh" {
		t.Errorf("of a command that failed: %q", got)
	}
	write(t, path, string(stats.AppendWorkerLine(nil, &stats.Record{Attempt: 1, State: job.Success})))
	if got := said(); got != "" {
		t.Errorf("of a command that ran: %q", got)
	}
}
