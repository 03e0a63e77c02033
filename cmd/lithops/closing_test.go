package main

import (
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

func TestWriteFailure(t *testing.T) {
	poison := stats.Failure{State: job.Lost, ErrorType: "poison", Count: 1, Task: 17, Stage: stats.StageMap, Lost: 6, Error: "given up: its worker died"}
	several, once, reduce := poison, poison, poison
	several.Count, once.Lost, reduce.Stage = 3, 1, stats.StageReduce
	for want, f := range map[string]stats.Failure{
		"  task 17 killed its worker 6 times and was given up\n    given up: its worker died\n":                       poison,
		"  3 tasks killed their workers and were given up, such as task 17, 6 times\n    given up: its worker died\n": several,
		"  task 17 killed its worker 1 time and was given up\n    given up: its worker died\n":                        once,
		"  reduce task 17 killed its worker 6 times and was given up\n    given up: its worker died\n":                reduce,
		"  2 × memory, such as task 4: memory limit of 2.00 GiB reached\n":                                            {State: job.Error, ErrorType: "memory", Signal: "SIGKILL", Count: 2, Task: 4, Error: "memory limit of 2.00 GiB reached"},
		"  1 × lost, such as task 5: worker 1: worker process died: signal: killed\n":                                 {State: job.Lost, ErrorType: "lost", Count: 1, Task: 5, Error: "worker 1: worker process died: signal: killed"},
		"  1 × exit code 3, such as task 6: no good\n":                                                                {State: job.Error, ErrorType: "exit", ExitCode: stats.IntOf(3), Count: 1, Task: 6, Error: "exit code 3", LogLine: "no good"},
	} {
		var b strings.Builder
		if writeFailure(&b, f); b.String() != want {
			t.Errorf("%q, want %q", b.String(), want)
		}
	}
}

func TestHeadlineOfRuns(t *testing.T) {
	s := &stats.Summary{Tasks: 3, Wall: stats.SecOf(2_000_000_000), States: map[job.State]int{job.Success: 2, job.Error: 1}, Workers: stats.IntOf(4),
		SpeedUp: stats.FloatOf(1.5), Runs: []stats.Run{{Workers: stats.IntOf(4)}}}
	if got := headline(s); got != "3 tasks in 2.00 s: 2 succeeded, 1 failed; speed-up 1.50 on 4 workers" {
		t.Error(got)
	}
	s.Runs = append(s.Runs, stats.Run{Workers: stats.IntOf(4)})
	if got := headline(s); got != "3 tasks in 2.00 s (2 runs): 2 succeeded, 1 failed; speed-up 1.50 on 4 workers" {
		t.Error(got)
	}
	s.Runs[0].Workers = stats.IntOf(1)
	if got := headline(s); got != "3 tasks in 2.00 s (2 runs): 2 succeeded, 1 failed; speed-up 1.50 on 1 to 4 workers" {
		t.Error(got)
	}
	s.Runs, s.Workers = s.Runs[:1], stats.IntOf(1)
	if got := headline(s); got != "3 tasks in 2.00 s: 2 succeeded, 1 failed; speed-up 1.50 on 1 worker" {
		t.Error(got)
	}
}

func TestClosingCountsKindsOfFailure(t *testing.T) {
	s := &stats.Summary{Tasks: 9, States: map[job.State]int{job.Error: 9}}
	for n := range 5 {
		s.Failures = append(s.Failures, stats.Failure{State: job.Error, ErrorType: "exit", ExitCode: stats.IntOf(n + 1), Count: 1})
		want := map[int]string{3: "  and 1 more kind of failure\n", 4: "  and 2 more kinds of failure\n"}[n]
		var b strings.Builder
		if writeClosing(&b, s, ""); strings.Count(b.String(), "such as") != min(n+1, failuresShown) || !strings.HasSuffix(b.String(), want) ||
			want == "" && strings.Contains(b.String(), "more") {
			t.Errorf("%d kinds: %s", n+1, b.String())
		}
	}
}
