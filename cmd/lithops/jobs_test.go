package main

import (
	"slices"
	"testing"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

func TestTellingLine(t *testing.T) {
	for log, want := range map[string]string{
		"": "", "\n\n": "", "only line": "only line", "first\nlast\n": "last",
		"sleep: invalid time interval 'x'\nTry 'sleep --help' for more information.\n":                 "sleep: invalid time interval 'x'",
		"Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: no number\n":         "ValueError: no number",
		"error: first\nmore\n  error: second  \nadvice\n":                                              "error: second",
		"panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:3\n": "panic: runtime error: index out of range",
	} {
		if got := tellingLine(log); got != want {
			t.Errorf("tellingLine(%q) = %q, want %q", log, got, want)
		}
	}
}

// Of a job whose host died, the last event in its log says how long it ran.
func TestWallOfAJobThatBrokeOff(t *testing.T) {
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := &store.Manifest{Version: store.Version, JobID: "1bc-0-M000", Spec: &job.Spec{}, Tasks: 2, Workers: 2, Clock: clock.Base{Wall: 1_790_000_000e9}}
	w, err := st.Create(m.JobID, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	at := func(ms int64) stats.Sec { return stats.SecOf(m.Clock.Wall + ms*1e6) }
	w.Task(&stats.Record{Task: 0, Attempt: 1, State: job.Queued, HostSubmit: at(50), HostDispatch: at(70), Worker: stats.IntOf(0)})
	w.Event(store.Event{Event: "progress", TimeNS: at(3000).NS, Running: 1})
	if err := w.WriteManifest(m); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	open := func() *store.Job {
		t.Helper()
		j, err := st.Job(m.JobID)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	if runs := open().Runs(); runs[0].End != 0 {
		t.Errorf("while it runs: %+v", runs)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	j := open()
	s, _, err := summarize(j)
	if err != nil {
		t.Fatal(err)
	}
	if want := stats.SecOf(int64(3e9)); s.Wall != want || s.Runs[0].Wall != want || s.Runs[0].Ended != at(3000) || s.Ended.OK || string(s.State) != store.JobBrokenOff {
		t.Errorf("wall %v, ended %v, runs %+v", s.Wall, s.Ended, s.Runs)
	}
	m.Ended = &store.Ending{State: store.JobFailed, TimeNS: at(4000).NS}
	if j.Manifest.Ended = m.Ended; j.Runs()[0].End != at(4000).NS {
		t.Errorf("of a job that ended: %+v", j.Runs())
	}
}

func TestMachineFacts(t *testing.T) {
	for want, m := range map[string]store.Machine{"1 CPU": {CPUs: 1, UsableCPUs: 1}, "8 CPUs": {CPUs: 8, UsableCPUs: 8}, "8 CPUs (1 usable)": {CPUs: 8, UsableCPUs: 1}} {
		if m.Hostname = "h"; !slices.Contains(machineFacts(m), want) {
			t.Errorf("no %q in %q", want, machineFacts(m))
		}
	}
}
