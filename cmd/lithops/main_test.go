package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	lithops.Init() // the workers of the scripts' jobs are this binary too
	testscript.Main(m, map[string]func(){"lithops": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			env.Setenv("HOME", home)
			env.Setenv("LITHOPS_STORE", filepath.Join(env.WorkDir, "store"))
			env.Setenv("GORACE", "atexit_sleep_ms=10")
			env.Defer(func() { cancelAll(filepath.Join(env.WorkDir, "store")) })
			return os.Mkdir(home, 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":   code,
			"await":  await,
			"gone":   gone,
			"signal": signalPID,
			"flip":   flip,
		},
	})
}

// cancelAll ends the jobs that a script which has failed leaves running: it waits for
// what it has started.
func cancelAll(root string) {
	if _, err := os.Stat(root); err != nil {
		return
	}
	st, err := store.Open(root)
	if err != nil {
		return
	}
	ids, err := jobsIn(st, store.JobRunning)
	for _, id := range ids {
		err = errors.Join(err, st.RequestCancel(id, store.CancelRequest{Now: true}))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cancel the jobs of a script:", err)
	}
}

// patience bounds every wait; it is reached only when a test fails.
const patience = 60 * time.Second

// code N COMMAND... runs a command that must end with exit code N.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND [ARG...]")
	}
	got := 0
	err := ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// await GLOB... waits until a file that is not empty matches each pattern.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: await GLOB...")
	}
	for _, pattern := range args {
		poll(ts, pattern, func() bool {
			paths, err := filepath.Glob(ts.MkAbs(pattern))
			ts.Check(err)
			for _, path := range paths {
				if info, err := os.Stat(path); err == nil && info.Size() > 0 {
					return true
				}
			}
			return false
		})
	}
}

// gone PIDFILE... waits until the processes named in the files are no more.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: gone PIDFILE...")
	}
	for _, file := range args {
		pid := readPID(ts, file)
		poll(ts, "the end of process "+strconv.Itoa(pid), func() bool {
			stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
			_, state, _ := bytes.Cut(stat, []byte(") "))
			return err != nil || bytes.HasPrefix(state, []byte("Z"))
		})
	}
}

// signal NAME PIDFILE sends a signal to the process named in the file.
func signalPID(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL, "HUP": syscall.SIGHUP}
	if neg || len(args) != 2 || signals[args[0]] == 0 {
		ts.Fatalf("usage: signal INT|TERM|KILL|HUP PIDFILE")
	}
	ts.Check(syscall.Kill(readPID(ts, args[1]), signals[args[0]]))
}

func readPID(ts *testscript.TestScript, file string) int {
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(file)))
	ts.Check(err)
	return pid
}

// flip GLOB LINE changes one byte in the middle of a line, counted from 1.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip GLOB LINE")
	}
	paths, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(paths) != 1 {
		ts.Fatalf("%s matches %d files", args[0], len(paths))
	}
	b, err := os.ReadFile(paths[0])
	ts.Check(err)
	lines := bytes.SplitAfter(b, []byte("\n"))
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	if n < 1 || n > len(lines) || len(lines[n-1]) == 0 {
		ts.Fatalf("%s has no line %d", paths[0], n)
	}
	line := lines[n-1]
	line[len(line)/2] ^= 1
	ts.Check(os.WriteFile(paths[0], b, 0o600))
}

func poll(ts *testscript.TestScript, what string, ok func() bool) {
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("waited in vain for %s", what)
		}
	}
}
