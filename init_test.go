package lithops_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// forgetful is a program that does not call Init as it should. It notes each time
// that its main begins.
const forgetful = `package main

import (
	"context"
	"fmt"
	"os"

	"github.com/lithops-go/lithops"
)

var double = lithops.Func("double", func(_ context.Context, x int) (int, error) { return 2 * x, nil })

func main() {
	if os.Getenv("FORGETS") == "in the worker" && os.Getenv("LITHOPS_WORKER_NUMBER") == "" {
		lithops.Init()
	}
	f, err := os.OpenFile("begun", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err == nil {
		_, err = f.WriteString("main\n")
	}
	var exec *lithops.Executor
	if err == nil {
		exec, err = lithops.New(lithops.WithStore("store"), lithops.WithWorkers(2))
	}
	var fs *lithops.FutureList[int]
	if err == nil {
		fs, err = lithops.Map(context.Background(), exec, double, []int{1, 2, 3, 4})
	}
	if err == nil {
		_, err = fs.Results(context.Background())
	}
	fmt.Println(err)
	os.Exit(9)
}
`

func TestForgottenInit(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	dir := t.TempDir()
	program := buildOutside(t, dir, forgetful)
	run := func(env ...string) (stdout, stderr string, code, begun int) {
		t.Helper()
		where := t.TempDir()
		cmd := exec.Command(program)
		var out, errs strings.Builder
		cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = where, &out, &errs, append(os.Environ(), env...)
		if exit, ok := errors.AsType[*exec.ExitError](cmd.Run()); ok {
			code = exit.ExitCode()
		}
		lines, err := os.ReadFile(filepath.Join(where, "begun"))
		if err != nil {
			t.Fatal(err)
		}
		return out.String(), errs.String(), code, strings.Count(string(lines), "\n")
	}
	const advice = "call lithops.Init first thing in main (in tests: in TestMain)"

	stdout, stderr, code, begun := run("FORGETS=always")
	if want := "lithops.Init was not called: " + advice + "\n"; stdout != want || stderr != "" || code != 9 || begun != 1 {
		t.Errorf("without Init: %q, %q, code %d, main begun %d times; want %q", stdout, stderr, code, begun, want)
	}
	stdout, stderr, code, begun = run("FORGETS=always", "LITHOPS_WORKER_NUMBER=0")
	if want := "lithops: this process was started as a worker and makes an executor: " + advice + "\n"; stdout != "" || stderr != want || code != 1 || begun != 1 {
		t.Errorf("as a worker: %q, %q, code %d, main begun %d times; want %q", stdout, stderr, code, begun, want)
	}
	// The host does call Init; its workers, which do not, must not run the job again.
	stdout, stderr, code, begun = run("FORGETS=in the worker")
	if !strings.Contains(stdout, "not run: start worker ") || !strings.Contains(stdout, advice) || stderr != "" || code != 9 || begun > 3 {
		t.Errorf("without Init in the worker: %q, %q, code %d, main begun %d times", stdout, stderr, code, begun)
	}
}

// buildOutside builds a program of a module of its own that uses this one.
func buildOutside(t *testing.T, dir, source string) (path string) {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(mod), "module "+ours+"\n", "module example.com/outside\n", 1) +
		"\nrequire " + ours + " v0.0.0\n\nreplace " + ours + " => " + here + "\n"
	for name, content := range map[string]string{"go.mod": text, "go.sum": string(sum), "main.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(dir, "program")
	build := exec.Command("go", "build", "-mod=mod", "-o", path, ".")
	build.Dir, build.Env = dir, append(os.Environ(), "GOPROXY=off", "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}
