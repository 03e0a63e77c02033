package storetest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lithops-go/lithops/internal/store"
)

// actEnv makes the test binary another process that uses a store: what it does, the
// store, and the job's id, with list separators between them.
const actEnv = "STORETEST_ACT"

// Main runs the tests of a package that calls Run.
func Main(m *testing.M) {
	if what := os.Getenv(actEnv); what != "" {
		if err := act(filepath.SplitList(what)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// act is the life of such a process. It says what it has come to in a line, and ends
// with its standard input.
func act(what []string) error {
	s, err := store.Open(what[1])
	if err != nil {
		return err
	}
	var w *store.Writer
	switch what[0] {
	case "create":
		if w, err = s.Create(what[2], nil); err == nil {
			fmt.Println("holding")
		}
	case "reopen":
		fmt.Println("ready")
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			return err
		}
		w, _, err = s.Reopen(what[2], nil)
		if _, runs := errors.AsType[*store.RunningError](err); runs {
			fmt.Println("running")
			return nil
		}
		if err == nil {
			fmt.Println("holding")
		}
	case "sit": // has inherited the lock
		fmt.Println("sitting")
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin) // until the end of whoever started us
	if w != nil {
		err = errors.Join(err, w.Close())
	}
	return err
}

// actor is such a process, as its parent sees it.
type actor struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// start starts a process that has inherited files.
func start(t *testing.T, s *store.Store, what string, files ...*os.File) *actor {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	a := &actor{t: t, cmd: exec.Command(exe)}
	a.cmd.Env = append(os.Environ(), actEnv+"="+strings.Join([]string{what, s.Root(), testID}, string(filepath.ListSeparator)))
	a.cmd.Stderr, a.cmd.ExtraFiles = os.Stderr, files
	in, err1 := a.cmd.StdinPipe()
	out, err2 := a.cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	a.in, a.out = in, bufio.NewReader(out)
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.cmd.Process.Kill(); a.cmd.Wait() })
	return a
}

// says is the next line of the process.
func (a *actor) says() string {
	a.t.Helper()
	l, err := a.out.ReadString('\n')
	if err != nil {
		a.t.Fatalf("the process says %q, %v", l, err)
	}
	return strings.TrimSuffix(l, "\n")
}

// kill ends the process as kill -9 does, and waits for its end.
func (a *actor) kill() {
	a.t.Helper()
	if err := a.cmd.Process.Kill(); err != nil {
		a.t.Fatal(err)
	}
	if err := a.cmd.Wait(); err == nil {
		a.t.Error("the process was not killed")
	}
}

func testCreate(t *testing.T, s *store.Store) {
	w, err := s.Create(testID, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := s.Create(testID, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("creating a job that exists: %v, want %v", err, fs.ErrExist)
	}
	for _, id := range []string{"", "..", "a/b", "../x", "a.b"} {
		if _, err := s.Create(id, nil); err == nil {
			t.Errorf("a job with id %q was created", id)
		}
	}
	names, err := os.ReadDir(filepath.Join(s.Root(), "jobs"))
	if err != nil || len(names) != 1 {
		t.Errorf("%d names in the store, want the job's only: %v, %v", len(names), names, err)
	}
}

func testLock(t *testing.T, s *store.Store) {
	holder := start(t, s, "create")
	if got := holder.says(); got != "holding" {
		t.Fatalf("the holder says %q", got)
	}
	wantState(t, s, store.JobRunning)
	holder.kill()
	wantState(t, s, store.JobBrokenOff)
}

// Of several processes that resume a job at the same time exactly one does.
func testReopenRace(t *testing.T, s *store.Store) {
	j := done(t, s, 2, true)
	j.inputs()
	j.close()
	for range 3 {
		var all []*actor
		for range 5 {
			a := start(t, s, "reopen")
			if got := a.says(); got != "ready" {
				t.Fatalf("the process says %q", got)
			}
			all = append(all, a)
		}
		for _, a := range all {
			if _, err := io.WriteString(a.in, "go\n"); err != nil {
				t.Fatal(err)
			}
		}
		var holders []*actor
		for _, a := range all {
			switch got := a.says(); got {
			case "holding":
				holders = append(holders, a)
			case "running":
			default:
				t.Fatalf("a process says %q", got)
			}
		}
		if len(holders) != 1 {
			t.Fatalf("%d processes have reopened the job, want 1", len(holders))
		}
		wantState(t, s, store.JobRunning)
		holders[0].kill()
		wantState(t, s, store.JobBrokenOff)
	}
}

// A job runs while a process lives that has inherited its lock.
func testInheritedLock(t *testing.T, s *store.Store) {
	j := done(t, s, 2, true)
	j.inputs()
	j.close()
	w, _, err := s.Reopen(testID, nil)
	if err != nil {
		t.Fatal(err)
	}
	worker := start(t, s, "sit", w.Lock())
	if got := worker.says(); got != "sitting" {
		t.Fatalf("the worker says %q", got)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	wantState(t, s, store.JobRunning)
	var running *store.RunningError
	if _, _, err := s.Reopen(testID, nil); !errors.As(err, &running) || running.ID != testID {
		t.Errorf("a job whose worker lives is reopened: %v", err)
	}
	if err := s.Remove(testID); !errors.As(err, &running) || running.Hint() == "" {
		t.Errorf("a job whose worker lives is removed: %v", err)
	}
	if err := worker.in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := worker.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	wantState(t, s, store.JobBrokenOff)
	if w, _, err = s.Reopen(testID, nil); err != nil {
		t.Fatal(err)
	}
	w.Close()
}

// wantState looks at the one job of the store, both ways.
func wantState(t *testing.T, s *store.Store, want string) {
	t.Helper()
	j, err := s.Job(testID)
	if err != nil {
		t.Fatal(err)
	}
	if j.State() != want {
		t.Errorf("job is %s, want %s", j.State(), want)
	}
	all, err := s.List()
	if err != nil || len(all) != 1 || all[0].State != want {
		t.Errorf("list says %+v, %v, want %s", all, err, want)
	}
}

// Readers that look at the lock all the time never keep a host from starting, and
// never see a job that starts as broken off.
func testLockProbe(t *testing.T, s *store.Store) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				all, err := s.List()
				if err != nil {
					t.Error(err)
				}
				for _, e := range all {
					if e.State != store.JobRunning || e.Err != nil {
						t.Errorf("a job that runs is listed as %+v", e)
					}
				}
			}
		})
	}
	var writers []*store.Writer
	for i := range 200 {
		w, err := s.Create(fmt.Sprintf("%03d-0-M000", i), nil)
		if err != nil {
			t.Error(err)
			break
		}
		writers = append(writers, w)
	}
	close(stop)
	wg.Wait()
	for _, w := range writers {
		w.Close()
	}
}
