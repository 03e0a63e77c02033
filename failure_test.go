package lithops_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/store"
)

func TestFailures(t *testing.T) {
	exec, ctx := setup(t)
	hows := []string{"plain", "path", "panic", "exit", "kill", "fine"}
	fs := must[*lithops.FutureList[int]](t)(lithops.Map(ctx, exec, fails, hows))
	results, err := fs.Results(ctx)
	if first := taskError(t, err, lithops.StateError); first.Task != 0 || len(strings.Split(err.Error(), "\n")) != 5 {
		t.Errorf("the error of all is that of task %d: %v", first.Task, err)
	}
	if len(results) != 6 || results[5] != 4 || results[0] != 0 {
		t.Errorf("results %v", results)
	}
	failure := func(i int, want lithops.State) *lithops.TaskError {
		t.Helper()
		_, err := fs.At(i).Result(ctx)
		e := taskError(t, err, want)
		if e.Task != i || e.JobID != fs.JobID() || e.Attempt < 1 || fs.At(i).State() != want {
			t.Errorf("%s: %+v", hows[i], e)
		}
		return e
	}
	if e := failure(0, lithops.StateError); e.Type != "error" || e.Message != "this went wrong" || e.Traceback != "" {
		t.Errorf("%+v", e)
	}
	if e := failure(1, lithops.StateError); !strings.HasSuffix(e.Type, "fs.PathError") || e.Message != "open /no/such/file: no such file or directory" {
		t.Errorf("%+v", e)
	}
	e := failure(2, lithops.StateError)
	if e.Type != "panic" || !strings.Contains(e.Message, "index out of range [1] with length 1") {
		t.Errorf("%+v", e)
	}
	if !strings.Contains(e.Traceback, "lithops_test.panicky(") || !strings.Contains(e.Traceback, "main_test.go:") {
		t.Errorf("traceback %q", e.Traceback)
	}
	if e := failure(3, lithops.StateError); e.Attempt != 1 || e.Type != "exit" || e.Message != "ended its process with exit code 3" {
		t.Errorf("%+v", e)
	}
	if e := failure(4, lithops.StateLost); e.Attempt != 6 || !strings.Contains(e.Message, "signal: killed") {
		t.Errorf("%+v", e)
	}
}

// TestAFunctionThatEndsItsProcess: what it did, it did itself, so the task has failed;
// the others go on in a new process, and nothing hangs.
func TestAFunctionThatEndsItsProcess(t *testing.T) {
	exec, ctx := setup(t, lithops.WithWorkers(1), lithops.WithTimeout(time.Minute))
	hows := []string{"fatal", "fine", "elsewhere", "goexit", "goexit", "fine"}
	fs := must[*lithops.FutureList[int]](t)(lithops.Map(ctx, exec, fails, hows))
	if results, err := fs.Results(ctx); err == nil || results[1] != 4 || results[5] != 4 {
		t.Errorf("results %v, %v", results, err)
	}
	for i, want := range map[int]struct{ kind, message string }{
		0: {"exit", "ended its process with exit code 1: "},
		2: {"exit", "ended its process with exit code 2: panic: in another goroutine"},
		3: {"goexit", "called runtime.Goexit instead of returning"},
		4: {"goexit", "called runtime.Goexit instead of returning"},
	} {
		for range 2 { // the error stays as it is
			_, err := fs.At(i).Result(ctx)
			e := taskError(t, err, lithops.StateError)
			if e.Attempt != 1 || e.Type != want.kind || !strings.HasPrefix(e.Message, want.message) || strings.Contains(e.Message, "\n") {
				t.Errorf("%s: %+v", hows[i], e)
			}
		}
	}
	if _, err := fs.At(0).Result(ctx); !strings.Contains(err.Error(), "this is the end") {
		t.Errorf("what it said last is not told: %v", err)
	}
}

// TestTheEndIsRecordedBeforeItIsTold: a program that ends with its last result leaves a
// job that is done.
func TestTheEndIsRecordedBeforeItIsTold(t *testing.T) {
	exec, ctx := setup(t)
	for range 20 {
		fs := must[*lithops.FutureList[int]](t)(lithops.Map(ctx, exec, double, []int{1, 2, 3}))
		must[[]int](t)(fs.Results(ctx))
		st, err := store.Open(exec.Store())
		if err != nil {
			t.Fatal(err)
		}
		j, err := st.Job(fs.JobID())
		if err != nil {
			t.Fatal(err)
		}
		if j.State() != store.JobDone {
			t.Fatalf("job is %s", j.State())
		}
	}
}

func TestManyFailuresAreSummedUp(t *testing.T) {
	exec, ctx := setup(t)
	hows := make([]string, 300)
	for i := range hows {
		hows[i] = "plain"
	}
	hows[0], hows[299] = "fine", "fine"
	fs := must[*lithops.FutureList[int]](t)(lithops.Map(ctx, exec, fails, hows))
	results, err := fs.Results(ctx)
	if results[0] != 4 || results[299] != 4 || results[1] != 0 {
		t.Error("results of those that did not fail are missing")
	}
	lines := strings.Split(err.Error(), "\n")
	if want := "task 1 of job " + fs.JobID() + " failed: this went wrong"; lines[0] != want {
		t.Errorf("first line %q, want %q", lines[0], want)
	}
	if want := "and 288 more of 300 tasks"; len(lines) != 11 || lines[10] != want {
		t.Errorf("%d lines, the last is %q, want %q", len(lines), lines[len(lines)-1], want)
	}
	failed := 0
	for _, err := range fs.All(ctx) {
		if err != nil {
			failed++
			taskError(t, err, lithops.StateError)
		}
	}
	if failed != 298 {
		t.Errorf("%d failed, want 298", failed)
	}
}

func TestRetries(t *testing.T) {
	exec, ctx := setup(t, lithops.WithRetries(1), lithops.WithBackoff(time.Millisecond, time.Millisecond))
	fut := must[*lithops.Future[string]](t)(lithops.CallAsync(ctx, exec, flaky, filepath.Join(t.TempDir(), "x")))
	if got := must[string](t)(fut.Result(ctx)); got != "fine" {
		t.Errorf("got %q", got)
	}
	if n, _ := must[*lithops.Stats](t)(fut.Stats()).Int("attempt"); n != 2 {
		t.Errorf("attempt %d, want 2", n)
	}
	failing := must[*lithops.Future[int]](t)(lithops.CallAsync(ctx, exec, fails, "plain"))
	_, err := failing.Result(ctx)
	if e := taskError(t, err, lithops.StateError); e.Attempt != 2 {
		t.Errorf("attempt %d, want 2", e.Attempt)
	}
}

func TestTimeout(t *testing.T) {
	exec, ctx := setup(t, lithops.WithTimeout(200*time.Millisecond))
	all := gates(t, 2)
	all[1].Deaf = true // is killed after five seconds
	fs := must[*lithops.FutureList[string]](t)(lithops.Map(ctx, exec, hold, all))
	for i := range all {
		_, err := fs.At(i).Result(ctx)
		taskError(t, err, lithops.StateTimeout)
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			t.Errorf("%v is not by its kind a timeout", err)
		}
	}
	fut := must[*lithops.Future[int]](t)(lithops.CallAsync(ctx, exec, double, 1))
	if got := must[int](t)(fut.Result(ctx)); got != 2 {
		t.Errorf("got %d", got)
	}
}

func TestStopOnFailure(t *testing.T) {
	for what, opt := range map[string]lithops.Option{"stop": lithops.WithStopOnFailure(), "tolerate": lithops.WithTolerate(0), "percent": lithops.WithToleratePercent(1)} {
		exec, ctx := setup(t, opt, lithops.WithWorkers(1))
		fs := must[*lithops.FutureList[int]](t)(lithops.Map(ctx, exec, fails, []string{"", "plain", "", ""}))
		done, _, err := fs.Wait(ctx, lithops.AllCompleted)
		if err != nil || len(done) != 4 {
			t.Fatalf("%s: %d done, %v", what, len(done), err)
		}
		if got := must[int](t)(fs.At(0).Result(ctx)); got != 0 {
			t.Errorf("%s: got %d", what, got)
		}
		_, err = fs.At(3).Result(ctx)
		if e := taskError(t, err, lithops.StateCancelled); e.Attempt != 0 || !strings.Contains(e.Message, "fail") {
			t.Errorf("%s: %+v", what, e)
		}
	}
}

func TestCancelOfARunningTask(t *testing.T) {
	exec, ctx := setup(t)
	all := gates(t, 2)
	fs := must[*lithops.FutureList[string]](t)(lithops.Map(ctx, exec, hold, all))
	all[0].began(t, ctx)
	all[1].began(t, ctx)
	if got := fs.At(0).State(); got.Final() {
		t.Errorf("state %v before the end", got)
	}
	fs.At(0).Cancel()
	_, err := fs.At(0).Result(ctx)
	taskError(t, err, lithops.StateCancelled)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not by its kind a cancellation", err)
	}
	all[1].open(t)
	if got := must[string](t)(fs.At(1).Result(ctx)); got != "done" {
		t.Errorf("got %q", got)
	}
	fs.At(1).Cancel() // too late to matter
	if got := must[string](t)(fs.At(1).Result(ctx)); got != "done" {
		t.Errorf("got %q after Cancel", got)
	}
}

func TestCancelOfAQueuedTask(t *testing.T) {
	exec, ctx := setup(t, lithops.WithWorkers(1))
	all := gates(t, 3)
	fs := must[*lithops.FutureList[string]](t)(lithops.Map(ctx, exec, hold, all))
	all[0].began(t, ctx)
	fs.At(1).Cancel()
	_, err := fs.At(1).Result(ctx) // while the first holds the only worker
	taskError(t, err, lithops.StateCancelled)
	all[0].open(t)
	all[2].open(t)
	for _, i := range []int{0, 2} {
		if got := must[string](t)(fs.At(i).Result(ctx)); got != "done" {
			t.Errorf("got %q", got)
		}
	}
	if _, err := os.Stat(all[1].Began); err == nil {
		t.Error("a task that was cancelled before it began has been run")
	}
	if s := must[*lithops.Stats](t)(fs.At(1).Stats()); s.Get("state") != "cancelled" || s.Get("worker") != nil {
		t.Errorf("state %v, worker %v", s.Get("state"), s.Get("worker"))
	}
}

func TestCancelOfAJob(t *testing.T) {
	exec, ctx := setup(t, lithops.WithWorkers(1))
	all := gates(t, 3)
	fs := must[*lithops.FutureList[string]](t)(lithops.Map(ctx, exec, hold, all))
	all[0].began(t, ctx)
	waiting := must[*lithops.Future[int]](t)(lithops.CallAsync(ctx, exec, double, 1)) // has no worker
	waiting.Cancel()
	_, err := waiting.Result(ctx)
	if e := taskError(t, err, lithops.StateCancelled); e.Message != "not run: cancelled" {
		t.Errorf("message %q", e.Message)
	}
	if _, err := waiting.Stats(); err == nil || !strings.Contains(err.Error(), "never began") {
		t.Errorf("statistics of what never began: %v", err)
	}
	fs.Cancel()
	for i := range all {
		_, err := fs.At(i).Result(ctx)
		taskError(t, err, lithops.StateCancelled)
	}
	if got := must[*lithops.Stats](t)(fs.At(0).Stats()).Get("state"); got != "cancelled" {
		t.Errorf("state %v", got)
	}
}

func TestContextIsTheJobs(t *testing.T) {
	exec, ctx := setup(t, lithops.WithWorkers(1))
	jobCtx, cancel := context.WithCancelCause(ctx)
	all := gates(t, 2)
	fs := must[*lithops.FutureList[string]](t)(lithops.Map(jobCtx, exec, hold, all))
	all[0].began(t, ctx)
	reason := errors.New("changed my mind")
	cancel(reason)
	_, err := fs.At(1).Result(ctx)
	if e := taskError(t, err, lithops.StateCancelled); !errors.Is(err, reason) || e.Message != "not run: changed my mind" {
		t.Errorf("%v", err)
	}
	_, err = fs.At(0).Result(ctx)
	taskError(t, err, lithops.StateCancelled)
}

func TestContextOfAWait(t *testing.T) {
	exec, ctx := setup(t)
	all := gates(t, 1)
	fs := must[*lithops.FutureList[string]](t)(lithops.Map(ctx, exec, hold, all))
	waitCtx, cancel := context.WithCancelCause(ctx)
	reason := errors.New("do not want to wait")
	cancel(reason)
	if _, err := fs.At(0).Result(waitCtx); !errors.Is(err, reason) {
		t.Errorf("Result: %v", err)
	}
	if _, err := fs.Results(waitCtx); !errors.Is(err, reason) {
		t.Errorf("Results: %v", err)
	}
	if done, notDone, err := fs.Wait(waitCtx, lithops.AllCompleted); !errors.Is(err, reason) || len(done) != 0 || len(notDone) != 1 {
		t.Errorf("Wait: %v, %v, %v", done, notDone, err)
	}
	n := 0
	for _, err := range fs.All(waitCtx) {
		if n++; !errors.Is(err, reason) {
			t.Errorf("All: %v", err)
		}
	}
	if err := exec.Wait(waitCtx); n != 1 || !errors.Is(err, reason) {
		t.Errorf("%d times, Executor.Wait: %v", n, err)
	}
	all[0].open(t) // the job goes on
	if got := must[string](t)(fs.At(0).Result(ctx)); got != "done" {
		t.Errorf("got %q", got)
	}
}
