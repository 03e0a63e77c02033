package lithops_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/store"
)

// below is a sequence of numbers below n.
func below(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n && yield(i); i++ {
		}
	}
}

// TestManyResults has more tasks than the table of futures keeps in memory.
func TestManyResults(t *testing.T) {
	const n = 40_000
	exec, ctx := setup(t)
	fs := must[*lithops.FutureList[int]](t)(lithops.Map(ctx, exec, double, below(n)))
	next := 0
	for x, err := range fs.All(ctx) {
		if err != nil || x != 2*next {
			t.Fatalf("result %d is %d, %v", next, x, err)
		}
		next++
	}
	if next != n {
		t.Fatalf("%d results", next)
	}
	all := must[[]int](t)(fs.Results(ctx))
	for i, x := range all {
		if x != 2*i {
			t.Fatalf("result %d is %d", i, x)
		}
	}
	rnd := rand.New(rand.NewPCG(3, n))
	asked := map[int]int64{}
	for range 2000 {
		i := rnd.IntN(n)
		if x, err := fs.At(i).Result(ctx); x != 2*i || err != nil {
			t.Fatalf("result %d is %d, %v", i, x, err)
		}
		asked[i]++
	}
	for _, i := range []int{0, 1, n / 2, n - 1, rnd.IntN(n)} {
		if s := fs.At(i).State(); s != lithops.StateSuccess {
			t.Errorf("task %d is %v", i, s)
		}
		s := must[*lithops.Stats](t)(fs.At(i).Stats())
		if count, _ := s.Int("host_result_query_count"); count != 2+asked[i] {
			t.Errorf("result %d was read %d times, and counted %d", i, 2+asked[i], count)
		}
	}
	left, err := os.ReadDir(filepath.Join(exec.Store(), "jobs", fs.JobID()))
	if err != nil || slices.ContainsFunc(left, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") }) {
		t.Errorf("in the job's directory: %v, %v", left, err)
	}
}

// TestReadIsWhatWasGiven counts as read only those results that somebody got, although
// more are read at a time.
func TestReadIsWhatWasGiven(t *testing.T) {
	exec, ctx := setup(t)
	fs := must[*lithops.FutureList[int]](t)(lithops.Map(ctx, exec, double, below(10)))
	<-fs.Done()
	seen := 0
	for range fs.All(ctx) {
		s := must[*lithops.Stats](t)(fs.At(seen).Stats())
		if n, _ := s.Int("host_result_query_count"); n != 1 {
			t.Errorf("result %d was read %d times", seen, n)
		}
		if seen++; seen == 3 {
			break
		}
	}
	for i, s := range must[[]*lithops.Stats](t)(fs.Stats()) {
		if was := s.Get("host_result_query_count") != nil; was != (i < 3) {
			t.Errorf("result %d was read: %v", i, was)
		}
	}
}

// TestResultsOfAllSizes are read in order, whatever fits with whatever else.
func TestResultsOfAllSizes(t *testing.T) {
	exec, ctx := setup(t)
	var items []string
	for i := range 300 {
		size := i % 7
		switch {
		case i%50 == 49:
			size = 2<<20 - i
		case i%10 == 9:
			size = 60<<10 + i
		}
		items = append(items, strings.Repeat(string(rune('a'+i%26)), size))
	}
	fs := must[*lithops.FutureList[string]](t)(lithops.Map(ctx, exec, echo, items))
	i := 0
	for got, err := range fs.All(ctx) {
		if err != nil || got != items[i] {
			t.Fatalf("result %d has %d bytes, want %d; %v", i, len(got), len(items[i]), err)
		}
		i++
	}
	if got := must[[]string](t)(fs.Results(ctx)); !slices.Equal(got, items) {
		t.Error("Results are others")
	}
}

// TestUnreadableResults are errors of their own, and do not harm those behind them.
func TestUnreadableResults(t *testing.T) {
	exec, ctx := setup(t)
	fs := must[*lithops.FutureList[picky]](t)(lithops.Map(ctx, exec, makesPicky, below(20)))
	i := 0
	for got, err := range fs.All(ctx) {
		if int(got) != i || (err != nil) != (i%2 == 1) || err != nil && !errors.Is(err, errOdd) {
			t.Errorf("result %d is %d, %v", i, got, err)
		}
		i++
	}
	if i != 20 {
		t.Errorf("%d results", i)
	}
}

// TestNothingStays gives each result a value of its own.
func TestNothingStays(t *testing.T) {
	exec, ctx := setup(t)
	items := []any{map[string]any{"a": 1.0}, map[string]any{"b": 2.0}, []any{1.0, 2.0}, []any{3.0}, nil}
	fs := must[*lithops.FutureList[any]](t)(lithops.Map(ctx, exec, anything, items))
	var got []any
	for x, err := range fs.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, x)
	}
	if a, b := len(got[0].(map[string]any)), len(got[1].(map[string]any)); a != 1 || b != 1 {
		t.Errorf("maps of %d and %d", a, b)
	}
	if a, b := got[2].([]any), got[3].([]any); a[0] != 1.0 || len(b) != 1 || b[0] != 3.0 || got[4] != nil {
		t.Errorf("%v, %v, %v", a, b, got[4])
	}
}

// TestDamagedResult is an error where it is, and nowhere else.
func TestDamagedResult(t *testing.T) {
	exec, ctx := setup(t, lithops.WithWorkers(1))
	fs := must[*lithops.FutureList[string]](t)(lithops.Map(ctx, exec, echo, []string{"aaaa", "bbbb", "cccc"}))
	<-fs.Done()
	f, err := os.OpenFile(store.SegmentPath(filepath.Join(exec.Store(), "jobs", fs.JobID()), 0, store.OutSegment), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("x"), 8); err != nil { // "aaaa""bbbb""cccc"
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for x, err := range fs.All(ctx) {
		if err != nil {
			if _, damaged := errors.AsType[store.Damage](err); !damaged || !strings.Contains(err.Error(), "read result of task 1 of job ") {
				t.Errorf("got %v", err)
			}
			x = "?"
		}
		got = append(got, x)
	}
	if want := []string{"aaaa", "?", "cccc"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := fs.At(1).Result(ctx); err == nil {
		t.Error("the damaged one alone is taken")
	}
}
