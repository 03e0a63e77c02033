package lithops_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// bench is a store and a directory for the job's own files.
type bench struct {
	*testing.T
	store *store.Store
	dir   string
}

func newBench(t *testing.T) *bench {
	st, err := store.Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t, st, t.TempDir()}
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

func (b *bench) write(name, text string) {
	b.Helper()
	if err := os.WriteFile(b.path(name), []byte(text), 0o755); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) prepare(source string) *lithops.Prepared {
	b.Helper()
	b.write("job.yaml", source)
	spec, err := job.Read(b.path("job.yaml"), []byte(source))
	if err != nil {
		b.Fatal(err)
	}
	if err := spec.Validate(); err != nil {
		b.Fatal(err)
	}
	p, err := lithops.Run{Store: b.store, Spec: spec, Source: []byte(source)}.Prepare(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func (b *bench) execute(ctx context.Context, p *lithops.Prepared) *lithops.Outcome {
	b.Helper()
	out, err := p.Execute(ctx)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

func (b *bench) run(source string) *lithops.Outcome {
	b.Helper()
	return b.execute(b.Context(), b.prepare(source))
}

// resume resumes a job and returns how it ended, and what it had before it.
func (b *bench) resume(id string, sel lithops.Selection) (*lithops.Outcome, lithops.Resumption) {
	b.Helper()
	p, err := lithops.Run{Store: b.store}.PrepareResume(b.Context(), id, sel)
	if err != nil {
		b.Fatal(err)
	}
	had := *p.Resumption()
	return b.execute(b.Context(), p), had
}

// records are all attempts at a job's tasks, by task. Nothing may be damaged.
func (b *bench) records(id string) map[int][]stats.Record {
	b.Helper()
	j, err := b.store.Job(id)
	if err != nil {
		b.Fatal(err)
	}
	all := map[int][]stats.Record{}
	rep, err := j.Ordered(stats.AllKeys(), func(r *stats.Record) error {
		all[r.Task] = append(all[r.Task], *r)
		return nil
	})
	if err != nil || rep.Total > 0 {
		b.Fatalf("%v %v", err, rep.Damage)
	}
	return all
}

func (b *bench) result(id string, task int) string {
	b.Helper()
	j, err := b.store.Job(id)
	if err != nil {
		b.Fatal(err)
	}
	var text []byte
	rep, err := j.Results(task, 1, func(_ *stats.Record, result io.Reader) (err error) {
		if result != nil {
			text, err = io.ReadAll(result)
		}
		return err
	})
	if err != nil || rep.Total > 0 {
		b.Fatalf("%v %v", err, rep.Damage)
	}
	return string(text)
}

// states is the history of a task: run and state of each attempt.
func states(all []stats.Record) (s string) {
	for _, r := range all {
		run := "-"
		if r.Run.OK {
			run = string(rune('0' + r.Run.V))
		}
		s += run + ":" + r.State.String() + " "
	}
	return strings.TrimSpace(s)
}

func TestResumeRunsWhatHasNotSucceeded(t *testing.T) {
	b := newBench(t)
	// Odd tasks fail as long as there is no file called good.
	out := b.run(`
command: 'test $(( {#} % 2 )) = 0 || test -e good && echo {}'
data: {range: 6}
workers: 2
`)
	if out.Counts[job.Error] != 3 {
		t.Fatalf("counts %v", out.Counts)
	}
	if _, had := b.resume(out.JobID, lithops.Selection{Tasks: []lithops.Range{{First: 1, Last: 2}}}); had.Todo != 1 || had.AlreadyDone != 1 || had.Done != 3 || had.Left != 2 || had.Run != 2 {
		t.Errorf("before run 2: %+v", had)
	}
	b.write("good", "")
	again, had := b.resume(out.JobID, lithops.Selection{FailedOnly: true})
	if had.Todo != 3 || had.Run != 3 || again.Counts[job.Success] != 6 || again.JobID != out.JobID {
		t.Errorf("before run 3: %+v; it ended with %v", had, again.Counts)
	}
	all := b.records(out.JobID)
	for task, want := range []string{"1:success", "1:error 2:error 3:success", "1:success", "1:error 3:success", "1:success", "1:error 3:success"} {
		if got := states(all[task]); got != want {
			t.Errorf("task %d: %s, want %s", task, got, want)
		}
		for i, r := range all[task] {
			if r.Attempt != i+1 {
				t.Errorf("task %d: attempt %d is the %d.", task, r.Attempt, i+1)
			}
		}
	}
	for task := range 6 {
		if got := b.result(out.JobID, task); got != string(rune('0'+task))+"\n" {
			t.Errorf("result of task %d: %q", task, got)
		}
	}
	p, err := lithops.Run{Store: b.store}.PrepareResume(t.Context(), out.JobID, lithops.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	if r := p.Resumption(); r.Todo != 0 || r.Done != 6 {
		t.Errorf("in the end: %+v", r)
	}
	p.Abandon()
	j, err := b.store.Job(out.JobID)
	if err != nil {
		t.Fatal(err)
	}
	if j.State() != store.JobDone || len(j.Manifest.Runs) != 3 {
		t.Errorf("state %s after %d runs", j.State(), len(j.Manifest.Runs))
	}
	for i, r := range j.Manifest.Runs {
		if r.Number != i+1 || r.EndNS <= r.StartNS || r.State == "" || i > 0 && r.StartNS <= j.Manifest.Runs[i-1].EndNS {
			t.Errorf("run %+v", r)
		}
	}
}

func TestAJobThatRunsIsNotResumed(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := b.prepare("command: sleep 1000\ndata: {range: 1}\n")
	_, err := lithops.Run{Store: b.store}.PrepareResume(t.Context(), p.JobID(), lithops.Selection{})
	if _, runs := errors.AsType[*store.RunningError](err); !runs {
		t.Errorf("error %v", err)
	}
	cancel()
	if out, err := p.Execute(ctx); err != nil || !out.Interrupted {
		t.Fatalf("%+v %v", out, err)
	}
}

func TestATaskNumberThatThereIsNot(t *testing.T) {
	b := newBench(t)
	out := b.run("command: 'exit 1'\ndata: {range: 2}\n")
	_, err := lithops.Run{Store: b.store}.PrepareResume(t.Context(), out.JobID, lithops.Selection{Tasks: []lithops.Range{{First: 1, Last: 2}}})
	if no, ok := errors.AsType[*store.NoTaskError](err); !ok || no.Task != 2 {
		t.Errorf("error %v", err)
	}
	if got := states(b.records(out.JobID)[1]); got != "1:error" {
		t.Errorf("task 1: %s", got)
	}
}

func TestResumeWithChanges(t *testing.T) {
	b := newBench(t)
	out := b.run("command: 'test -e good || sleep 1000'\ndata: {range: 1}\ntimeout: 50ms\n")
	if out.Counts[job.Timeout] != 1 {
		t.Fatalf("counts %v", out.Counts)
	}
	b.write("good", "")
	again, _ := b.resume(out.JobID, lithops.Selection{Change: func(s *job.Spec) error {
		s.Timeout = time.Minute
		return nil
	}})
	j, err := b.store.Job(out.JobID)
	if err != nil {
		t.Fatal(err)
	}
	if again.Counts[job.Success] != 1 || j.Manifest.Spec.Timeout != time.Minute {
		t.Errorf("counts %v, time limit %v", again.Counts, j.Manifest.Spec.Timeout)
	}
}

const adder = `
import os
def value(x):
    if x == 2 and not os.path.exists("good"):
        raise ValueError("not yet")
    return {"x": x, "kind": "even" if x % 2 == 0 else "odd"}
def total(results):
    if os.path.exists("bad"):
        raise ValueError("bad")
    return sum(r["x"] for r in results)
`

func TestTheReduceOfAResumedJob(t *testing.T) {
	needPython(t)
	for name, tt := range map[string]struct {
		options string
		before  string // the first reduce task's history after the first run, "" if there is none
		after   string // and after the second
		results []string
	}{
		"not made before": {"", "-:new", "2:success", []string{"6"}},
		"made anew":       {"on_failure: {tolerate: 50%}\n", "1:success", "1:cancelled 2:success", []string{"6"}},
		"by field":        {"on_failure: {tolerate: 50%}\nreduce_by: kind\n", "1:success", "1:cancelled 2:success", []string{"2", "4"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.write("f.py", adder)
			out := b.run("function: f.py:value\nreduce: f.py:total\ndata: {range: 4}\nworkers: 2\n" + tt.options)
			if got := states(b.records(out.JobID)[4]); got != tt.before {
				t.Fatalf("after run 1 the reduce: %s, want %s", got, tt.before)
			}
			b.write("good", "")
			again, had := b.resume(out.JobID, lithops.Selection{})
			want := len(tt.results) + 1
			if had.Todo != want || again.Counts[job.Success] != 4+len(tt.results) {
				t.Errorf("%+v, then %v", had, again.Counts)
			}
			for i, want := range tt.results {
				if got := b.result(out.JobID, 4+i); got != want {
					t.Errorf("reduce task %d: %s, want %s", i, got, want)
				}
			}
			if got := states(b.records(out.JobID)[4]); got != tt.after {
				t.Errorf("after run 2 the reduce: %s, want %s", got, tt.after)
			}
		})
	}
}

func TestOnlyTheReduceIsLeft(t *testing.T) {
	needPython(t)
	b := newBench(t)
	b.write("f.py", adder)
	b.write("good", "")
	b.write("bad", "")
	out := b.run("function: f.py:value\nreduce: f.py:total\ndata: {range: 4}\nworkers: 2\n")
	if out.Counts[job.Success] != 4 || out.Counts[job.Error] != 1 {
		t.Fatalf("counts %v", out.Counts)
	}
	os.Remove(b.path("bad"))
	again, had := b.resume(out.JobID, lithops.Selection{})
	if had.Todo != 1 || again.Counts[job.Success] != 5 || b.result(out.JobID, 4) != "6" {
		t.Errorf("%+v, then %v: %s", had, again.Counts, b.result(out.JobID, 4))
	}
	if got := states(b.records(out.JobID)[4]); got != "1:error 2:success" {
		t.Errorf("reduce: %s", got)
	}
	for task := range 4 {
		if got := states(b.records(out.JobID)[task]); got != "1:success" {
			t.Errorf("task %d: %s", task, got)
		}
	}
}

func TestAnUnsoundResultIsMadeAgain(t *testing.T) {
	b := newBench(t)
	out := b.run("command: echo {}\ndata: {range: 4}\nworkers: 1\n")
	path := store.SegmentPath(b.store.JobDir(out.JobID), 0, store.OutSegment)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[2] ^= 1 // the result of task 1
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	again, had := b.resume(out.JobID, lithops.Selection{})
	if had.Unsound != 1 || had.Todo != 1 || again.Counts[job.Success] != 4 || b.result(out.JobID, 1) != "1\n" {
		t.Errorf("%+v, then %v: %q", had, again.Counts, b.result(out.JobID, 1))
	}
}

// TestTimeNeverGoesBack resumes a job whose last run was, to go by the clock, tomorrow.
func TestTimeNeverGoesBack(t *testing.T) {
	b := newBench(t)
	out := b.run("command: test -e good\ndata: {range: 2}\n")
	path := filepath.Join(b.store.JobDir(out.JobID), "job.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m := &store.Manifest{}
	if err := json.Unmarshal(text, m); err != nil {
		t.Fatal(err)
	}
	tomorrow := m.Runs[0].EndNS + int64(24*time.Hour)
	m.Runs[0].EndNS = tomorrow
	if text, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	b.write("good", "")
	_, had := b.resume(out.JobID, lithops.Selection{})
	if !slices.ContainsFunc(had.Notes, func(n string) bool { return strings.Contains(n, "clock") }) || had.Pause < 0 {
		t.Errorf("%+v", had)
	}
	for task, all := range b.records(out.JobID) {
		for _, r := range all {
			if r.Run.V == 2 && r.WorkerStart.NS <= tomorrow || r.WorkerExec.NS < 0 || r.HostDispatch.NS > r.WorkerStart.NS || r.HostSubmit.NS > r.HostDispatch.NS {
				t.Errorf("task %d: %+v", task, r)
			}
		}
	}
}

func TestCancelThroughTheStore(t *testing.T) {
	b := newBench(t)
	p := b.prepare("command: touch begun && sleep 1000\ndata: {range: 3}\nworkers: 1\n")
	go func() {
		if awaitFile(b.path("begun")) {
			b.store.RequestCancel(p.JobID(), store.CancelRequest{PID: 17, User: "somebody", Hostname: "elsewhere"})
		}
	}()
	out := b.execute(t.Context(), p)
	if out.Interrupted || !strings.Contains(out.Cancelled, "somebody (pid 17 on elsewhere)") || !strings.Contains(out.Reason, out.Cancelled) {
		t.Errorf("%+v", out)
	}
	if out.Counts[job.Cancelled] != 1 || out.Counts[job.New] != 2 {
		t.Errorf("counts %v", out.Counts)
	}
	j, err := b.store.Job(out.JobID)
	if err != nil {
		t.Fatal(err)
	}
	if j.State() != store.JobCancelled || j.Manifest.Runs[0].Reason != out.Reason {
		t.Errorf("state %s, %+v", j.State(), j.Manifest.Runs)
	}
}

func TestCancelNow(t *testing.T) {
	b := newBench(t)
	p := b.prepare("command: 'trap \"\" TERM; touch begun; while :; do sleep 0.1; done'\ndata: {range: 1}\n")
	go func() {
		if awaitFile(b.path("begun")) {
			b.store.RequestCancel(p.JobID(), store.CancelRequest{Now: true})
		}
	}()
	out := b.execute(t.Context(), p)
	if out.Counts[job.Cancelled] != 1 || out.Cancelled == "" {
		t.Errorf("%+v", out)
	}
	if got := states(b.records(out.JobID)[0]); got != "1:cancelled" {
		t.Errorf("task 0: %s", got)
	}
}

func TestMaxTime(t *testing.T) {
	b := newBench(t)
	out := b.run("command: sleep {}\ndata: {list: [0, 1000, 1]}\nworkers: 1\nmax_time: 300ms\n")
	if out.Interrupted || out.Cancelled != "" || out.Reason != "max_time of 300 ms was reached" {
		t.Errorf("%+v", out)
	}
	if out.Counts[job.Success] != 1 || out.Counts[job.Cancelled] != 1 || out.Counts[job.New] != 1 {
		t.Errorf("counts %v", out.Counts)
	}
}

func TestAGoProgramsJobIsNotResumed(t *testing.T) {
	b := newBench(t)
	e, err := lithops.New(lithops.WithStore(filepath.Dir(filepath.Dir(b.store.JobDir("x")))), lithops.WithWorkers(1))
	if err != nil {
		t.Fatal(err)
	}
	futures, err := lithops.Map(t.Context(), e, double, []int{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := futures.Results(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := futures.JobID()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := (lithops.Run{Store: b.store}).PrepareResume(t.Context(), id, lithops.Selection{}); !errors.Is(err, lithops.ErrGoProgram) {
		t.Errorf("error %v", err)
	}
}

// awaitFile waits for a file; false when it does not come.
func awaitFile(path string) bool {
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return false
}

func needPython(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("needs python3")
	}
}

// TestThePartOfAMapIsNotReduced resumes one of several tasks that were never begun: what
// is tolerated are failures, and not tasks that nobody has tried.
func TestThePartOfAMapIsNotReduced(t *testing.T) {
	needPython(t)
	b := newBench(t)
	b.write("f.py", `
import os
def value(x):
    if x in (1, 2, 3) and not os.path.exists("good"):
        raise ValueError("not yet")
    return x
def total(results):
    return sum(results)
`)
	out := b.run("function: f.py:value\nreduce: f.py:total\ndata: {range: 10}\nworkers: 1\non_failure: {tolerate: 1}\n")
	if out.Counts[job.Error] != 2 || out.Counts[job.New] != 8 {
		t.Fatalf("counts %v", out.Counts)
	}
	b.write("good", "")
	some, had := b.resume(out.JobID, lithops.Selection{Tasks: []lithops.Range{{First: 7, Last: 7}}})
	if had.Todo != 1 || had.Left != 9 || !strings.Contains(some.Reason, "the reduce was not run") && !strings.Contains(some.Reason, "tolerates") || some.Counts[job.Success] != 2 {
		t.Errorf("%+v, then %+v", had, some)
	}
	all, had := b.resume(out.JobID, lithops.Selection{})
	if had.Todo != 9 || all.Counts[job.Success] != 11 || b.result(out.JobID, 10) != "45" {
		t.Errorf("%+v, then %+v", had, all)
	}
}

func TestAGroupedReduceThatIsStillToCome(t *testing.T) {
	needPython(t)
	b := newBench(t)
	b.write("f.py", adder)
	out := b.run("function: f.py:value\nreduce: f.py:total\nreduce_by: kind\ndata: {range: 4}\nworkers: 2\n")
	if out.Counts[job.Success] != 3 {
		t.Fatalf("counts %v", out.Counts)
	}
	b.write("good", "")
	all, had := b.resume(out.JobID, lithops.Selection{})
	if had.Todo != 2 || had.Done != 3 || had.Left != 0 || all.Counts[job.Success] != 6 {
		t.Errorf("%+v, then %v", had, all.Counts)
	}
}

func TestAProgramThatHasChangedIsToldOf(t *testing.T) {
	b := newBench(t)
	b.write("tool", "#!/bin/sh\nexit 1\n")
	out := b.run("command: [./tool]\ndata: {range: 1}\n")
	b.write("tool", "#!/bin/sh\necho mended\n")
	_, had := b.resume(out.JobID, lithops.Selection{})
	if !slices.ContainsFunc(had.Notes, func(n string) bool { return strings.Contains(n, "./tool has changed") }) || b.result(out.JobID, 0) != "mended\n" {
		t.Errorf("%+v: %q", had, b.result(out.JobID, 0))
	}
}

func TestAResumedJobWhoseFunctionCannotBeLoaded(t *testing.T) {
	needPython(t)
	b := newBench(t)
	b.write("f.py", adder)
	out := b.run("function: f.py:value\ndata: {range: 4}\nworkers: 2\n")
	b.write("f.py", "import nothing_of_this_name\n")
	p, err := lithops.Run{Store: b.store, Created: func(string) { t.Error("the job was said to run") }}.PrepareResume(t.Context(), out.JobID, lithops.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Execute(t.Context())
	if _, ok := errors.AsType[*executor.FunctionError](err); !ok {
		t.Errorf("error %v", err)
	}
	j, err := b.store.Job(out.JobID)
	if err != nil {
		t.Fatal(err)
	}
	if j.State() != store.JobFailed || len(j.Manifest.Runs) != 1 || j.Manifest.Ended == nil {
		t.Errorf("state %s, %+v", j.State(), j.Manifest.Runs)
	}
	b.write("f.py", adder)
	b.write("good", "")
	if again, had := b.resume(out.JobID, lithops.Selection{}); had.Run != 2 || again.Counts[job.Success] != 4 {
		t.Errorf("%+v, then %v", had, again.Counts)
	}
}
