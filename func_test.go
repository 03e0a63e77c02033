package lithops_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops"
)

func TestCallAsync(t *testing.T) {
	exec, ctx := setup(t)
	fut := must[*lithops.Future[int]](t)(lithops.CallAsync(ctx, exec, double, 21))
	if got := must[int](t)(fut.Result(ctx)); got != 42 {
		t.Errorf("got %d, want 42", got)
	}
	if got, want := fut.JobID(), exec.ID()+"-0-A000"; got != want || fut.Task() != 0 {
		t.Errorf("job %s, task %d; want %s, task 0", got, fut.Task(), want)
	}
	if got := fut.State(); got != lithops.StateSuccess {
		t.Errorf("state %v", got)
	}
}

func TestManyCallsAreInOrder(t *testing.T) {
	exec, ctx := setup(t)
	items := make([]int, 10_000)
	for i := range items {
		items[i] = 3 * i
	}
	fs := must[*lithops.FutureList[int]](t)(lithops.Map(ctx, exec, double, items))
	if got, want := fs.JobID(), exec.ID()+"-0-M000"; got != want || fs.Len() != len(items) {
		t.Fatalf("job %s with %d tasks, want %s with %d", got, fs.Len(), want, len(items))
	}
	i := 0
	for got, err := range fs.All(ctx) {
		if err != nil || got != 6*i {
			t.Fatalf("result %d is %d, %v; want %d", i, got, err, 6*i)
		}
		i++
	}
	if i != len(items) {
		t.Errorf("%d results, want %d", i, len(items))
	}
	results := must[[]int](t)(fs.Results(ctx))
	for i, got := range results {
		if got != 6*i {
			t.Fatalf("result %d is %d, want %d", i, got, 6*i)
		}
	}
}

type numbers []int

type producer func(yield func(int) bool)

func TestItems(t *testing.T) {
	exec, ctx := setup(t)
	want := []int{2, 4, 6}
	check := func(what string, fs *lithops.FutureList[int], err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := must[[]int](t)(fs.Results(ctx)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	fs, err := lithops.Map(ctx, exec, double, numbers{1, 2, 3})
	check("named slice", fs, err)
	fs, err = lithops.Map(ctx, exec, double, slices.Values([]int{1, 2, 3}))
	check("iter.Seq", fs, err)
	fs, err = lithops.Map(ctx, exec, double, producer(slices.Values([]int{1, 2, 3})))
	check("named function", fs, err)

	lines := bufio.NewScanner(strings.NewReader("1\n2\n3\n")) // cannot be gone through twice
	once := func(yield func(int) bool) {
		for lines.Scan() {
			var x int
			if fmt.Sscan(lines.Text(), &x); !yield(x) {
				return
			}
		}
	}
	fs, err = lithops.Map(ctx, exec, double, once)
	check("a sequence that is consumed", fs, err)

	want = []int{}
	fs, err = lithops.Map(ctx, exec, double, []int(nil))
	check("nothing", fs, err)
	if done, notDone, err := fs.Wait(ctx, lithops.AnyCompleted); len(done)+len(notDone) != 0 || err != nil {
		t.Errorf("waiting for nothing: %v, %v, %v", done, notDone, err)
	}
}

func TestStructsCross(t *testing.T) {
	exec, ctx := setup(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	in := visit{Name: "A & <B>\n\u2028", At: at, Tags: []string{"x"}, private: 7}
	fut := must[*lithops.Future[*visit]](t)(lithops.CallAsync(ctx, exec, greet, in))
	want := &visit{Name: "hello <A & <B>\n\u2028>", At: at.Add(time.Hour), Inner: &visit{Name: in.Name, At: at, Tags: in.Tags}}
	if got := must[*visit](t)(fut.Result(ctx)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v: fields that are not exported do not cross", got, want)
	}
}

func TestTaskNumberAndLog(t *testing.T) {
	exec, ctx := setup(t)
	if got := lithops.TaskNumber(ctx); got != -1 {
		t.Errorf("task number %d outside of a call", got)
	}
	fs := must[*lithops.FutureList[int]](t)(lithops.Map(ctx, exec, number, []int{0, 1, 2, 3}))
	if got := must[[]int](t)(fs.Results(ctx)); !slices.Equal(got, make([]int, 4)) {
		t.Errorf("numbers are off by %v", got)
	}
	for i, fut := range fs.Futures() {
		if got, want := must[string](t)(fut.Log()), fmt.Sprintf("I'm activation number %d\n", i); got != want {
			t.Errorf("log of %d is %q, want %q", i, got, want)
		}
	}
}

func TestItemThatIsNoJSON(t *testing.T) {
	exec, ctx := setup(t)
	_, err := lithops.Map(ctx, exec, anything, []any{1, "two", math.NaN(), 4})
	if err == nil || !strings.Contains(err.Error(), "item 2 is not JSON: ") || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("error %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(exec.Store(), "jobs", "*")); len(left) > 0 {
		t.Errorf("the job that was refused left %v", left)
	}
}

func TestResultThatIsNoJSON(t *testing.T) {
	exec, ctx := setup(t)
	fs := must[*lithops.FutureList[any]](t)(lithops.Map(ctx, exec, anything, []any{"channel", map[string]any{"x": 1.5}, nil}))
	_, err := fs.At(0).Result(ctx)
	if e := taskError(t, err, lithops.StateError); e.Message != "result of anything is not JSON: json: unsupported type: chan int" {
		t.Errorf("message %q", e.Message)
	}
	if got := must[any](t)(fs.At(1).Result(ctx)); !reflect.DeepEqual(got, map[string]any{"x": 1.5}) {
		t.Errorf("got %v", got)
	}
	if got := must[any](t)(fs.At(2).Result(ctx)); got != nil {
		t.Errorf("got %v, want nil", got)
	}
}

func TestItemOfAnotherType(t *testing.T) {
	exec, ctx := setup(t)
	fut := must[*lithops.Future[int]](t)(lithops.CallAsync(ctx, exec, takesOneWay, 1))
	_, err := fut.Result(ctx)
	if e := taskError(t, err, lithops.StateError); !strings.Contains(e.Message, `takes one way takes lithops_test.oneWay and not the item "1": `) {
		t.Errorf("message %q", e.Message)
	}
	back := must[*lithops.Future[oneWay]](t)(lithops.CallAsync(ctx, exec, makesOneWay, 5))
	if _, err := back.Result(ctx); err == nil || !strings.HasPrefix(err.Error(), "result of task 0 of job "+back.JobID()+": json: ") {
		t.Errorf("error %v", err)
	}
}

func TestMapReduce(t *testing.T) {
	exec, ctx := setup(t)
	items := make([]int, 100)
	for i := range items {
		items[i] = i
	}
	fut := must[*lithops.ReduceFuture[int, int]](t)(lithops.MapReduce(ctx, exec, double, items, sum))
	if got := must[int](t)(fut.Result(ctx)); got != 9900 {
		t.Errorf("sum %d, want 9900", got)
	}
	mapped := must[[]int](t)(fut.Map().Results(ctx))
	if len(mapped) != 100 || mapped[99] != 198 || fut.Map().Len() != 100 || fut.Task() != 100 {
		t.Errorf("%d results of the map, the reduce is task %d", len(mapped), fut.Task())
	}
	for key, want := range map[string]any{"stage": "reduce", "task": int64(100), "state": "success"} {
		if got := must[*lithops.Stats](t)(fut.Stats()).Get(key); got != want {
			t.Errorf("%s of the reduce is %v, want %v", key, got, want)
		}
	}

	texts := slices.Values([]string{"a", "b", strings.Repeat("c", 200_000), ""})
	joined := must[*lithops.ReduceFuture[string, string]](t)(lithops.MapReduce(ctx, exec, echo, texts, join))
	if got, want := must[string](t)(joined.Result(ctx)), "4: ab"+strings.Repeat("c", 200_000); got != want {
		t.Errorf("got %.20q of %d bytes, want %d", got, len(got), len(want))
	}
	both := must[*lithops.ReduceFuture[int, [2]int]](t)(lithops.MapReduce(ctx, exec, double, []int{1, 2, 3, 4}, sumTwice))
	if got := must[[2]int](t)(both.Result(ctx)); got != [2]int{6, 20} {
		t.Errorf("got %v, want [6 20]: results can be gone over twice, and not to their end", got)
	}
	none := must[*lithops.ReduceFuture[int, int]](t)(lithops.MapReduce(ctx, exec, double, []int{}, sum))
	if got := must[int](t)(none.Result(ctx)); got != 0 {
		t.Errorf("sum of nothing is %d", got)
	}
}

func TestReduceOfOtherResults(t *testing.T) {
	exec, ctx := setup(t)
	fut := must[*lithops.ReduceFuture[oneWay, int]](t)(lithops.MapReduce(ctx, exec, makesOneWay, []int{5}, countOneWay))
	_, err := fut.Result(ctx)
	if e := taskError(t, err, lithops.StateError); !strings.Contains(e.Message, `count one way: read results: value 0: want lithops_test.oneWay and not "5"`) {
		t.Errorf("message %q", e.Message)
	}
}

func TestFailedMapIsNotReduced(t *testing.T) {
	exec, ctx := setup(t)
	fut := must[*lithops.ReduceFuture[int, int]](t)(lithops.MapReduce(ctx, exec, fails, []string{"", "plain"}, sum))
	_, err := fut.Result(ctx)
	if e := taskError(t, err, lithops.StateCancelled); !strings.HasPrefix(e.Message, "not run: ") || e.Attempt != 0 {
		t.Errorf("attempt %d: %q", e.Attempt, e.Message)
	}
	_, err = fut.Map().Results(ctx)
	taskError(t, err, lithops.StateError)
}

// taken is what was said before Init to functions with a name that is taken.
var taken []string

func some(_ context.Context, x int) (int, error)             { return x, nil }
func reduce(context.Context, iter.Seq[int]) (n int, _ error) { return n, nil }

// panics is what f panics with.
func panics(f func()) (what string) {
	defer func() { what = fmt.Sprint(recover()) }()
	f()
	return ""
}

func TestReduceOfWhatThereIs(t *testing.T) {
	exec, ctx := setup(t, lithops.WithTolerate(1))
	fut := must[*lithops.ReduceFuture[int, int]](t)(lithops.MapReduce(ctx, exec, fails, []string{"fine", "plain", "fine"}, sum))
	if got := must[int](t)(fut.Result(ctx)); got != 8 {
		t.Errorf("sum %d, want 8", got)
	}
}

// TestPanicOfTheItems is about the caller's own code, whose panic is the caller's.
func TestPanicOfTheItems(t *testing.T) {
	exec, ctx := setup(t)
	got := panics(func() {
		lithops.Map(ctx, exec, double, func(yield func(int) bool) {
			yield(1)
			panic("no more items")
		})
	})
	if got != "no more items" {
		t.Errorf("panic %q", got)
	}
	if left, _ := filepath.Glob(filepath.Join(exec.Store(), "jobs", "*")); len(left) > 0 {
		t.Errorf("the job left %v", left)
	}
}

func TestFunctionsAreChecked(t *testing.T) {
	late := slices.Concat(taken, []string{
		panics(func() { lithops.Func("late", some) }), panics(func() { lithops.ReduceFunc("late too", reduce) }),
		panics(func() { lithops.Func("", some) }), panics(func() { lithops.Func[int, int]("nil", nil) })})
	for i, want := range []string{
		`lithops: Func("double"): the name is taken by another function`,
		`lithops: ReduceFunc("double"): the name is taken by another function`,
		`lithops: Func("late"): called after Init, so that workers would not know the function; make it in a variable of a package`,
		`lithops: ReduceFunc("late too"): called after Init, so that workers would not know the function; make it in a variable of a package`,
		`lithops: Func(""): the name is empty`,
		`lithops: Func("nil"): the function is nil`,
	} {
		if late[i] != want {
			t.Errorf("panic %q, want %q", late[i], want)
		}
	}

	exec, ctx := setup(t)
	if _, err := lithops.CallAsync[int, int](ctx, exec, nil, 1); err == nil || !strings.Contains(err.Error(), "the function is nil") {
		t.Errorf("nil function: %v", err)
	}
	if _, err := lithops.MapReduce[int, int, int](ctx, exec, double, []int{1}, nil); err == nil || !strings.Contains(err.Error(), "the function is nil") {
		t.Errorf("nil reducer: %v", err)
	}
	if _, err := lithops.Map(ctx, nil, double, []int{1}); err == nil || !strings.Contains(err.Error(), "the executor is nil") {
		t.Errorf("nil executor: %v", err)
	}
	if _, err := lithops.Map(ctx, exec, double, iter.Seq[int](nil)); err == nil || !strings.Contains(err.Error(), "sequence of items is nil") {
		t.Errorf("nil sequence: %v", err)
	}
	cancelled, cancel := context.WithCancelCause(ctx)
	reason := errors.New("no time")
	cancel(reason)
	if _, err := lithops.Map(cancelled, exec, double, []int{1}); !errors.Is(err, reason) {
		t.Errorf("context that has ended: %v", err)
	}
}

func TestStatesAreTexts(t *testing.T) {
	b, err := json.Marshal([]lithops.State{lithops.StateNew, lithops.StateSuccess, lithops.StateTimeout})
	if want := `["new","success","timeout"]`; err != nil || string(b) != want {
		t.Errorf("got %s, %v; want %s", b, err, want)
	}
	if lithops.StateRunning.Final() || !lithops.StateLost.Final() {
		t.Error("running is final, or lost is not")
	}
}
