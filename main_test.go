package lithops_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/proc"
)

func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=10 "+os.Getenv("GORACE"))
	taken = []string{panics(func() { lithops.Func("double", some) }), panics(func() { lithops.ReduceFunc("double", reduce) })}
	lithops.Init()
	store, err := os.MkdirTemp("", "lithops-test-*") // of those who name none
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv("LITHOPS_STORE", store)
	code := m.Run()
	os.RemoveAll(store)
	if left := proc.Children(); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "processes are left behind:", left)
		code = 1
	}
	os.Exit(code)
}

// patience bounds every wait; it is reached only when a test fails.
const patience = 2 * time.Minute

type visit struct {
	Name    string    `json:"name"`
	At      time.Time `json:"at"`
	Tags    []string  `json:"tags,omitempty"`
	Inner   *visit    `json:"inner,omitempty"`
	private int
}

// gate is two files: a function makes one to say that it runs and waits for the
// other.
type gate struct {
	Began, Go string
	Deaf      bool // to the end of its context
}

// oneWay can be written as JSON and not be read again.
type oneWay int

func (x oneWay) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%q", fmt.Sprint(int(x))), nil }

// picky can be read when it is even.
type picky int

func (x *picky) UnmarshalJSON(b []byte) error {
	n, err := strconv.Atoi(string(b))
	if *x = picky(n); err == nil && n%2 == 1 {
		err = errOdd
	}
	return err
}

var errOdd = errors.New("odd")

var (
	double = lithops.Func("double", func(_ context.Context, x int) (int, error) { return 2 * x, nil })
	sum    = lithops.ReduceFunc("sum", func(_ context.Context, all iter.Seq[int]) (n int, err error) {
		for x := range all {
			n += x
		}
		return n, nil
	})

	greet = lithops.Func("greet", func(_ context.Context, v visit) (*visit, error) {
		return &visit{Name: "hello <" + v.Name + ">", At: v.At.Add(time.Hour), Inner: &v, private: v.private}, nil
	})
	echo        = lithops.Func("echo", func(_ context.Context, s string) (string, error) { return s, nil })
	takesOneWay = lithops.Func("takes one way", func(_ context.Context, x oneWay) (int, error) { return int(x), nil })
	makesOneWay = lithops.Func("makes one way", func(_ context.Context, x int) (oneWay, error) { return oneWay(x), nil })
	makesPicky  = lithops.Func("makes picky", func(_ context.Context, x int) (picky, error) { return picky(x), nil })
	countOneWay = lithops.ReduceFunc("count one way", func(_ context.Context, all iter.Seq[oneWay]) (n int, err error) {
		for range all {
			n++
		}
		return n, nil
	})
	number = lithops.Func("number", func(ctx context.Context, x int) (int, error) {
		fmt.Printf("I'm activation number %d\n", lithops.TaskNumber(ctx))
		return lithops.TaskNumber(ctx) - x, nil
	})
	surroundings = lithops.Func("surroundings", func(_ context.Context, name string) ([2]string, error) {
		dir, err := os.Getwd()
		return [2]string{os.Getenv(name), dir}, err
	})
	anything = lithops.Func("anything", func(_ context.Context, x any) (any, error) {
		if x == "channel" {
			return make(chan int), nil
		}
		return x, nil
	})
	fails = lithops.Func("fails", func(_ context.Context, how string) (int, error) {
		switch how {
		case "plain":
			return 0, errors.New("this went wrong")
		case "path":
			_, err := os.ReadFile("/no/such/file")
			return 0, err
		case "panic":
			panicky([]int{1})
		case "exit":
			os.Exit(3)
		case "fatal":
			fmt.Println("so far so good")
			log.Fatal("this is the end")
		case "elsewhere":
			go panic("in another goroutine")
			select {}
		case "goexit":
			runtime.Goexit()
		case "kill":
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return len(how), nil
	})
	flaky = lithops.Func("flaky", func(_ context.Context, file string) (string, error) {
		f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			f.Close()
			return "", errors.New("the first time fails")
		}
		return "fine", nil
	})
	hold = lithops.Func("hold", func(ctx context.Context, g gate) (string, error) {
		if err := os.WriteFile(g.Began, nil, 0o600); err != nil {
			return "", err
		}
		if g.Deaf {
			ctx = context.Background()
		}
		return "done", await(ctx, g.Go)
	})

	sumTwice = lithops.ReduceFunc("sum twice", func(_ context.Context, all iter.Seq[int]) (both [2]int, err error) {
		for x := range all {
			if both[0] += x; x > 3 {
				break
			}
		}
		for x := range all {
			both[1] += x
		}
		return both, nil
	})
	join = lithops.ReduceFunc("join", func(ctx context.Context, all iter.Seq[string]) (string, error) {
		var b strings.Builder
		for s := range all {
			b.WriteString(s)
		}
		return fmt.Sprintf("%d: %s", lithops.TaskNumber(ctx), b.String()), nil
	})
)

func panicky(xs []int) int { return xs[len(xs)] }

// await waits until a file is there.
func await(ctx context.Context, path string) error {
	for {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// setup makes an executor with a store of its own.
func setup(t testing.TB, opts ...lithops.Option) (*lithops.Executor, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	store := filepath.Join(t.TempDir(), "store")
	exec, err := lithops.New(append([]lithops.Option{lithops.WithStore(store), lithops.WithWorkers(2)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := exec.Close(); err != nil {
			t.Error(err)
		}
	})
	return exec, ctx
}

// gates makes n gates.
func gates(t *testing.T, n int) []gate {
	t.Helper()
	dir := t.TempDir()
	all := make([]gate, n)
	for i := range all {
		all[i] = gate{Began: filepath.Join(dir, fmt.Sprint("began", i)), Go: filepath.Join(dir, fmt.Sprint("go", i))}
	}
	return all
}

// open lets a gate's function end.
func (g gate) open(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(g.Go, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// began waits until a gate's function runs.
func (g gate) began(t *testing.T, ctx context.Context) {
	t.Helper()
	if err := await(ctx, g.Began); err != nil {
		t.Fatal(err)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// taskError is err as one, with the given state.
func taskError(t *testing.T, err error, want lithops.State) *lithops.TaskError {
	t.Helper()
	e, ok := errors.AsType[*lithops.TaskError](err)
	if !ok {
		t.Fatalf("error %v, want a TaskError", err)
	}
	if e.State != want {
		t.Fatalf("state %v, want %v: %v", e.State, want, err)
	}
	return e
}
