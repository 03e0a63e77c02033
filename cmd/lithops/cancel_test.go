package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
)

// running makes a store with a job that runs: this process holds its lock.
func running(t *testing.T, host store.RunInfo) (*store.Store, *store.Writer, *store.Manifest) {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := &store.Manifest{JobID: job.NewID(time.Now(), 0), Spec: &job.Spec{}, Tasks: 500, Workers: 2, Clock: clock.NewBase()}
	host.Number = 1
	m.Runs = []store.RunInfo{host}
	w, err := st.Create(m.JobID, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteManifest(m); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return st, w, m
}

// A host that does not react is named, with what can be done about it.
func TestCancelTellsOfAStuckHost(t *testing.T) {
	here, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ host, hint string }{
		"of this machine":    {here, ""},
		"of another machine": {"elsewhere", "on elsewhere "},
	} {
		st, _, m := running(t, store.RunInfo{PID: os.Getpid(), Hostname: tt.host})
		w := wait{ctx: t.Context(), st: st, every: time.Millisecond, kill: func(id string) int {
			t.Errorf("%s: processes of a job were killed whose host may be alive", name)
			return 0
		}}
		_, err := w.ended(m.JobID)
		var said strings.Builder
		report(&said, err)
		for _, want := range []string{m.JobID + " has not ended: its host, process ", " on " + tt.host + ", does not react\nhint: kill -9 ", "loses nothing", tt.hint} {
			if !strings.Contains(said.String(), want) {
				t.Errorf("%s: %q does not say %q", name, said.String(), want)
			}
		}
		if exitCode(err) != exitFailed {
			t.Errorf("%s: exit code %d", name, exitCode(err))
		}
	}
}

// A host that is gone has left workers that keep the job's lock: they are killed.
func TestCancelEndsWhatAHostHasLeft(t *testing.T) {
	here, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	st, writer, m := running(t, store.RunInfo{PID: gone.Process.Pid, Hostname: here})
	w := wait{ctx: t.Context(), st: st, every: time.Millisecond}
	w.kill = func(id string) int {
		if id != m.JobID {
			t.Errorf("processes of %s are killed", id)
		}
		w.patience = patience
		writer.Close()
		return 1
	}
	j, err := w.ended(m.JobID)
	if err != nil {
		t.Fatal(err)
	}
	if j.State() != store.JobBrokenOff || cancelled(j) != m.JobID+": broken off" {
		t.Errorf("state %s, said %q", j.State(), cancelled(j))
	}
}

func TestCancelledTellsHow(t *testing.T) {
	st, w, m := running(t, store.RunInfo{})
	m.Ended = &store.Ending{State: store.JobCancelled, TimeNS: time.Now().UnixNano(),
		Counts: map[job.State]int{job.Success: 1200, job.Error: 1, job.Lost: 1, job.Cancelled: 2, job.New: 488}}
	if err := w.WriteManifest(m); err != nil {
		t.Fatal(err)
	}
	j, err := st.Job(m.JobID)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := cancelled(j), m.JobID+": cancelled, 1,200 tasks done, 2 failed, 2 cancelled, 488 not run"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A job that has ended may be held for a moment still by its workers; one that runs
// is not waited for.
func TestReleased(t *testing.T) {
	st, w, m := running(t, store.RunInfo{PID: os.Getpid(), Hostname: "elsewhere"})
	calls := 0
	remove := func() error {
		calls++
		return st.Remove(m.JobID)
	}
	err := released(t.Context(), st, m.JobID, remove)
	if _, held := errors.AsType[*store.RunningError](err); !held || calls != 1 {
		t.Errorf("%d calls for a job that runs: %v", calls, err)
	}
	m.Ended = &store.Ending{State: store.JobDone, TimeNS: time.Now().UnixNano()}
	if err := w.WriteManifest(m); err != nil {
		t.Fatal(err)
	}
	calls = 0
	err = released(t.Context(), st, m.JobID, func() error {
		err := remove()
		w.Close()
		return err
	})
	if err != nil || calls != 2 {
		t.Errorf("%d calls for a job that has ended: %v", calls, err)
	}
}
