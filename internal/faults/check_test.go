//go:build linux

package faults

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/stats"
)

// record is one of lithops stats --jsonl.
type record map[string]any

// number is a key's, and whether it is known.
func (r record) number(key string) (float64, bool) {
	n, ok := r[key].(float64)
	return n, ok
}

func (r record) int(key string) int {
	n, _ := r.number(key)
	return int(n)
}

// records are those of all attempts of a job, in order.
func records(text string) (all []record, err error) {
	for line := range strings.Lines(text) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// checkJob looks at a job that is complete: its results are known, each task has
// succeeded once, its attempts are numbered, time goes forward, nothing is damaged and
// nobody left. It counts the attempts by state.
func (s *site) checkJob(t *testing.T, k kind, tasks int, id string) (got reference, states map[string]int) {
	t.Helper()
	got.results = s.must(t, "results", "--stage", "map", id)
	if k.reduce != nil {
		got.reduced = s.must(t, "results", id)
	}
	k.compare(t, got, tasks)
	byTask := map[int][]record{}
	states = map[string]int{}
	for _, r := range s.attempts(t, id) {
		byTask[r.int("task")] = append(byTask[r.int("task")], r)
		states[r["state"].(string)]++
	}
	for task := range max(tasks, len(byTask)) {
		checkTask(t, task, byTask[task])
	}
	if left := marked("LITHOPS_JOB_ID=" + id); len(left) > 0 {
		t.Errorf("processes of the job are left: %v", left)
	}
	if t.Failed() {
		t.Logf("job %s", id)
	}
	return got, states
}

// checkTask looks at the attempts at one task.
func checkTask(t *testing.T, task int, attempts []record) {
	t.Helper()
	succeeded := 0
	for i, r := range attempts {
		if r.int("attempt") != i+1 {
			t.Errorf("task %d: record %d is of attempt %d", task, i, r.int("attempt"))
		}
		if r["state"] == "success" {
			succeeded++
		}
		if i == 0 {
			continue
		}
		for _, key := range []string{"run", "host_submit_tstamp"} {
			now, ok := r.number(key)
			if before, had := attempts[i-1].number(key); ok && had && now < before {
				t.Errorf("task %d: %s of attempt %d is %v, of the one before %v", task, key, i+1, now, before)
			}
		}
	}
	switch {
	case len(attempts) == 0:
		t.Errorf("task %d has no record", task)
	case attempts[len(attempts)-1]["state"] != "success", succeeded > 1 && attempts[0]["stage"] != stats.StageReduce:
		t.Errorf("task %d: %d of %d attempts succeeded, the last is %v", task, succeeded, len(attempts), attempts[len(attempts)-1]["state"])
	}
}

// inOrder are the stamps of a record in the order they are taken in.
var inOrder = []string{"host_job_create_tstamp", "host_submit_tstamp", "host_dispatch_tstamp", "worker_start_tstamp",
	"worker_func_start_tstamp", "worker_func_end_tstamp", "worker_end_tstamp", "host_status_done_tstamp", "host_result_done_tstamp"}

// secondsKeys are the keys that are durations.
var secondsKeys = func() (names []string) {
	for _, f := range stats.Fields() {
		if f.Unit == stats.Seconds {
			names = append(names, f.Key)
		}
	}
	return names
}()

// rounding is what a stamp in seconds loses when it is read as a float.
const rounding = 1e-6

// timesWrong names durations below zero, and stamps before those they must follow.
func timesWrong(r record) (wrong []string) {
	for _, key := range secondsKeys {
		if d, ok := r.number(key); ok && d < 0 {
			wrong = append(wrong, key+" is negative")
		}
	}
	last, latest := "", 0.0
	for _, key := range inOrder {
		at, ok := r.number(key)
		if !ok {
			continue
		}
		if last != "" && at < latest-rounding {
			wrong = append(wrong, key+" is before "+last)
		}
		last, latest = key, at
	}
	return slices.Clip(wrong)
}
