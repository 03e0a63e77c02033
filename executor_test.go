package lithops_test

import (
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/proc"
)

func TestWaitVariants(t *testing.T) {
	exec, ctx := setup(t)
	all := gates(t, 3)
	fs := must[*lithops.FutureList[string]](t)(lithops.Map(ctx, exec, hold, all))
	wait := func(until lithops.Until, wantDone int) []*lithops.Future[string] {
		t.Helper()
		done, notDone, err := fs.Wait(ctx, until)
		if err != nil || len(done) != wantDone || len(done)+len(notDone) != fs.Len() {
			t.Fatalf("until %d: %d done, %d not, %v; want %d done", until, len(done), len(notDone), err, wantDone)
		}
		return done
	}
	wait(lithops.Always, 0)
	select {
	case <-fs.Done():
		t.Error("all are done before the first")
	case <-fs.At(0).Done():
		t.Error("one is done before its gate is open")
	default:
	}
	all[1].open(t)
	if done := wait(lithops.AnyCompleted, 1); done[0].Task() != 1 {
		t.Errorf("task %d is done, want 1", done[0].Task())
	}
	<-fs.At(1).Done()
	all[2].open(t)
	wait(2, 2)
	all[0].open(t)
	wait(lithops.AllCompleted, 3)
	wait(100, 3)
	<-fs.Done()
	<-fs.At(0).Done()
}

func TestResultsAreStreamed(t *testing.T) {
	exec, ctx := setup(t)
	all := gates(t, 2)
	all[0].open(t)
	fs := must[*lithops.FutureList[string]](t)(lithops.Map(ctx, exec, hold, all))
	n := 0
	for got, err := range fs.All(ctx) {
		if err != nil || got != "done" {
			t.Fatalf("%q, %v", got, err)
		}
		if n++; n == 1 {
			all[1].open(t) // the second one ends only now
		}
	}
	if n != 2 {
		t.Errorf("%d results", n)
	}
	for range fs.All(ctx) {
		break
	}
}

// TestJobsSideBySide needs both jobs to run at a time.
func TestJobsSideBySide(t *testing.T) {
	exec, ctx := setup(t, lithops.WithWorkers(2))
	all := gates(t, 2)
	a := must[*lithops.Future[string]](t)(lithops.CallAsync(ctx, exec, hold, all[0]))
	b := must[*lithops.Future[string]](t)(lithops.CallAsync(ctx, exec, hold, all[1]))
	all[0].began(t, ctx)
	all[1].began(t, ctx)
	if n := len(proc.Children()); n != 2 {
		t.Errorf("%d processes for two workers", n)
	}
	if a.JobID() == b.JobID() {
		t.Errorf("both are %s", a.JobID())
	}
	all[0].open(t)
	all[1].open(t)
	must[string](t)(a.Result(ctx))
	must[string](t)(b.Result(ctx))
}

func TestJobsShareWorkers(t *testing.T) {
	exec, ctx := setup(t, lithops.WithWorkers(2))
	all := gates(t, 6)
	var futures []*lithops.Future[string]
	for i := range 3 { // each wants both workers
		fs := must[*lithops.FutureList[string]](t)(lithops.Map(ctx, exec, hold, all[2*i:2*i+2]))
		futures = append(futures, fs.At(0), fs.At(1))
	}
	for i := range all {
		all[i].began(t, ctx)
		for _, later := range all[2*(i/2)+2:] {
			if _, err := os.Stat(later.Began); err == nil {
				t.Fatalf("task %d has begun while the workers of the job before are busy", i)
			}
		}
		if i%2 == 1 {
			if n := len(proc.Children()); n > 2 {
				t.Errorf("%d processes for two workers", n)
			}
			all[i-1].open(t)
			all[i].open(t)
		}
	}
	for _, f := range futures {
		must[string](t)(f.Result(ctx))
	}
}

func TestConcurrentUse(t *testing.T) {
	exec, ctx := setup(t)
	fs := must[*lithops.FutureList[int]](t)(lithops.Map(ctx, exec, double, make([]int, 500)))
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	for i := range 8 {
		wg.Go(func() {
			fut, err := lithops.CallAsync(ctx, exec, double, i)
			if err != nil {
				errs <- err
				return
			}
			if got, err := fut.Result(ctx); err != nil || got != 2*i {
				errs <- fmt.Errorf("got %d for %d: %w", got, i, err)
			}
			for j := range fs.Len() {
				if _, err := fs.At(j).Result(ctx); err != nil {
					errs <- err
					return
				}
			}
			if _, err := fs.At(7 * i).Stats(); err != nil {
				errs <- err
			}
			fs.At(i).Cancel()
			fs.Wait(ctx, lithops.AllCompleted)
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}

func TestPlot(t *testing.T) {
	exec, ctx := setup(t, lithops.WithName("pictures"))
	if err := exec.Plot(t.TempDir()); err == nil || !strings.Contains(err.Error(), "nothing to draw") {
		t.Errorf("plot of nothing: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "new", "plots")
	for range 2 {
		must[*lithops.FutureList[int]](t)(lithops.Map(ctx, exec, double, []int{1, 2, 3}))
	}
	if err := exec.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if err := exec.Plot(dir); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"timeline", "histogram"} {
		f, err := os.Open(filepath.Join(dir, exec.ID()+"_"+kind+".png"))
		if err != nil {
			t.Fatal(err)
		}
		config, err := png.DecodeConfig(f)
		f.Close()
		if err != nil || config.Width != 1200 || config.Height != 720 {
			t.Errorf("%s: %+v, %v", kind, config, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 2 {
		t.Errorf("pictures %v", left)
	}
}

func TestPlotInTheMiddle(t *testing.T) {
	exec, ctx := setup(t, lithops.WithWorkers(1))
	all := gates(t, 2)
	all[0].open(t)
	fs := must[*lithops.FutureList[string]](t)(lithops.Map(ctx, exec, hold, all))
	must[*lithops.Future[int]](t)(lithops.CallAsync(ctx, exec, double, 1)) // waits for the worker
	must[string](t)(fs.At(0).Result(ctx))
	if err := exec.Plot(t.TempDir()); err != nil {
		t.Error(err)
	}
	all[1].open(t)
}

func TestClean(t *testing.T) {
	exec, ctx := setup(t, lithops.WithWorkers(2))
	jobs := func() (ids []string) {
		found, err := os.ReadDir(filepath.Join(exec.Store(), "jobs"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range found {
			ids = append(ids, e.Name())
		}
		return ids
	}
	fut := must[*lithops.Future[int]](t)(lithops.CallAsync(ctx, exec, double, 1))
	must[int](t)(fut.Result(ctx))
	all := gates(t, 1)
	running := must[*lithops.Future[string]](t)(lithops.CallAsync(ctx, exec, hold, all[0]))
	all[0].began(t, ctx)
	if err := exec.Clean(); err != nil {
		t.Fatal(err)
	}
	if got := jobs(); len(got) != 1 || got[0] != running.JobID() {
		t.Errorf("jobs %v, want that which runs: %s", got, running.JobID())
	}
	if _, err := fut.Result(ctx); err == nil || !strings.Contains(err.Error(), "is not in the store") {
		t.Errorf("result of what was removed: %v", err)
	}
	if _, err := fut.Stats(); err == nil || !strings.Contains(err.Error(), "is not in the store") {
		t.Errorf("statistics of what was removed: %v", err)
	}
	all[0].open(t)
	if got := must[string](t)(running.Result(ctx)); got != "done" {
		t.Errorf("got %q", got)
	}
	for range 2 {
		if err := exec.Clean(); err != nil {
			t.Fatal(err)
		}
	}
	if got := jobs(); len(got) > 0 {
		t.Errorf("jobs %v are left", got)
	}
}

func TestClose(t *testing.T) {
	exec, ctx := setup(t, lithops.WithWorkers(1))
	all := gates(t, 2)
	ended := must[*lithops.Future[int]](t)(lithops.CallAsync(ctx, exec, double, 1))
	must[int](t)(ended.Result(ctx))
	fs := must[*lithops.FutureList[string]](t)(lithops.Map(ctx, exec, hold, all))
	waiting := must[*lithops.Future[int]](t)(lithops.CallAsync(ctx, exec, double, 1))
	all[0].began(t, ctx)
	for range 2 {
		if err := exec.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []interface{ Done() <-chan struct{} }{fs.At(0), fs.At(1), waiting} {
		select {
		case <-f.Done():
		default:
			t.Error("a task has not ended when Close returns")
		}
	}
	_, err := waiting.Result(ctx)
	if taskError(t, err, lithops.StateCancelled); !errors.Is(err, lithops.ErrClosed) {
		t.Errorf("a call that waited: %v", err)
	}
	if _, err := lithops.Map(ctx, exec, double, []int{1}); !errors.Is(err, lithops.ErrClosed) {
		t.Errorf("a call after Close: %v", err)
	}
	if got := must[int](t)(ended.Result(ctx)); got != 2 {
		t.Errorf("got %d", got)
	}
	if n := len(proc.Children()); n > 0 {
		t.Errorf("%d processes are left", n)
	}
}

func TestSurroundings(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	exec, ctx := setup(t, lithops.WithEnv(map[string]string{"A": "no"}), lithops.WithEnv(map[string]string{"A": "x y"}), lithops.WithWorkdir(dir))
	fut := must[*lithops.Future[[2]string]](t)(lithops.CallAsync(ctx, exec, surroundings, "A"))
	if got := must[[2]string](t)(fut.Result(ctx)); got != [2]string{"x y", dir} {
		t.Errorf("got %q", got)
	}
}

func TestProgress(t *testing.T) {
	var last lithops.Progress
	exec, ctx := setup(t, lithops.WithProgress(func(p lithops.Progress) { last = p }))
	fs := must[*lithops.FutureList[int]](t)(lithops.Map(ctx, exec, fails, []string{"", "plain", ""}))
	if err := exec.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if last.JobID != fs.JobID() || last.Tasks != 3 || last.Success != 2 || last.Failed != 1 || last.Running != 0 {
		t.Errorf("%+v", last)
	}
}

func TestStoreOfTheEnvironment(t *testing.T) {
	home := t.TempDir()
	open := func() string {
		t.Helper()
		exec, err := lithops.New()
		if err != nil {
			t.Fatal(err)
		}
		return exec.Store()
	}
	t.Setenv("HOME", home)
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("LITHOPS_STORE", "")
	if got, want := open(), filepath.Join(home, ".local/state/lithops"); got != want {
		t.Errorf("store %s, want %s", got, want)
	}
	t.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	if got, want := open(), filepath.Join(home, "state/lithops"); got != want {
		t.Errorf("store %s, want %s", got, want)
	}
	t.Setenv("LITHOPS_STORE", "~/mine")
	if got, want := open(), filepath.Join(home, "mine"); got != want {
		t.Errorf("store %s, want %s", got, want)
	}
}

func TestBadOptions(t *testing.T) {
	for want, opt := range map[string]lithops.Option{
		"workers must not be negative":   lithops.WithWorkers(-1),
		"timeout must not be negative":   lithops.WithTimeout(-1),
		"retries must not be negative":   lithops.WithRetries(-1),
		"chunksize must not be negative": lithops.WithChunksize(-1),
		"or 0 to 100 %":                  lithops.WithToleratePercent(101),
		`env: "A=B" cannot be the name`:  lithops.WithEnv(map[string]string{"A=B": "c"}),
		"open store: ":                   lithops.WithStore("/dev/null/store"),
	} {
		if _, err := lithops.New(lithops.WithStore(t.TempDir()), opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	t.Setenv("LITHOPS_WORKERS", "many")
	if _, err := lithops.New(lithops.WithStore(t.TempDir())); err == nil || !strings.Contains(err.Error(), `LITHOPS_WORKERS: want a number of workers, not "many"`) {
		t.Errorf("error %v", err)
	}
}
