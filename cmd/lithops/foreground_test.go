package main

import (
	"strings"
	"testing"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/job"
)

func TestVerdict(t *testing.T) {
	type counts = map[job.State]int
	for name, tt := range map[string]struct {
		out  lithops.Outcome
		told bool
		want string
		code int
	}{
		"all well": {lithops.Outcome{Counts: counts{job.Success: 5}}, true, "", exitOK},
		"no tasks": {lithops.Outcome{}, true, "", exitOK},
		"failed": {lithops.Outcome{Counts: counts{job.Success: 1, job.Error: 1, job.Timeout: 1, job.Lost: 1, job.Cancelled: 1}}, true,
			"lithops: 3 of 5 tasks failed\nhint: lithops stats ID tells more, lithops resume ID runs again what has not succeeded\n", exitFailed},
		"failed and stopped": {lithops.Outcome{Counts: counts{job.Error: 1, job.New: 4}, Reason: "a task failed"}, true,
			"lithops: 1 of 5 tasks failed\nhint: lithops stats ID tells more, lithops resume ID runs again what has not succeeded\n", exitFailed},
		"failed and stopped, quiet": {lithops.Outcome{Counts: counts{job.Error: 1, job.New: 4}, Reason: "a task failed"}, false,
			"lithops: 1 of 5 tasks failed; job ended early: a task failed\nhint: lithops stats ID tells more, lithops resume ID runs again what has not succeeded\n", exitFailed},
		"time is over": {lithops.Outcome{Counts: counts{job.Success: 1, job.Cancelled: 1, job.New: 3}, Reason: "max_time of 10m was reached"}, true,
			"lithops: job ended early: max_time of 10m was reached\nhint: lithops resume ID goes on\n", exitFailed},
		"interrupted": {lithops.Outcome{Counts: counts{job.Error: 1, job.New: 4}, Interrupted: true, Reason: "interrupted"}, true,
			"lithops: interrupted\nhint: lithops resume ID goes on\n", exitInterrupted},
		"cancelled": {lithops.Outcome{Counts: counts{job.Cancelled: 1, job.New: 4}, Cancelled: "lithops cancel by root (pid 7)", Reason: "cancelled"}, true,
			"lithops: cancelled: lithops cancel by root (pid 7)\nhint: lithops resume ID goes on\n", exitInterrupted},
		"part of a job": {lithops.Outcome{Counts: counts{job.Success: 2, job.New: 2, job.Cancelled: 1}}, true,
			"lithops: 3 of 5 tasks have not been run\nhint: lithops resume ID runs them\n", exitFailed},
	} {
		tt.out.JobID = "ID"
		err := verdict(&tt.out, tt.told)
		var said strings.Builder
		report(&said, err)
		if said.String() != tt.want || exitCode(err) != tt.code {
			t.Errorf("%s: exit code %d, want %d; got\n%swant\n%s", name, exitCode(err), tt.code, said.String(), tt.want)
		}
	}
}

func TestResumeTells(t *testing.T) {
	for name, tt := range map[string]struct {
		r    lithops.Resumption
		want string
	}{
		"the rest": {lithops.Resumption{Todo: 37, Done: 1463}, "resuming ID: 37 of 1,500 tasks to run, 1,463 succeeded before\n"},
		"a part": {lithops.Resumption{Todo: 1, Done: 1, Left: 3, AlreadyDone: 1, Unsound: 2, Notes: []string{"a note"}},
			"resuming ID: 1 of 5 tasks to run, 1 succeeded before, 3 left as they are\n" +
				"1 task of --tasks has succeeded and is not run again\n" +
				"2 results are missing or do not fit their checksums: those tasks count as lost\na note\n"},
		"nothing left":              {lithops.Resumption{Done: 500}, "all 500 tasks have succeeded: nothing to resume\n"},
		"the only one":              {lithops.Resumption{Done: 1}, "the job's task has succeeded: nothing to resume\n"},
		"an empty job":              {lithops.Resumption{}, "the job has no tasks: nothing to resume\n"},
		"nothing of what was asked": {lithops.Resumption{Done: 2, Left: 3}, "none of the tasks asked for is to be run\n"},
	} {
		lines := nothingToResume(&tt.r)
		if tt.r.Todo > 0 {
			lines = resuming("ID", &tt.r)
		}
		if got := strings.Join(lines, "\n") + "\n"; got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, tt.want)
		}
	}
}
