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
	"sync"
	"testing"

	"github.com/lithops-go/lithops/internal/store"
)

// holdEnv makes the test binary a process that creates a job and holds its lock
// until it is killed: "<store>", a list separator, "<id>".
const holdEnv = "STORETEST_HOLD"

// Main runs the tests of a package that calls Run.
func Main(m *testing.M) {
	if what := os.Getenv(holdEnv); what != "" {
		if err := hold(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func hold(what string) error {
	parts := filepath.SplitList(what)
	s, err := store.Open(parts[0])
	if err != nil {
		return err
	}
	w, err := s.Create(parts[1], nil)
	if err != nil {
		return err
	}
	fmt.Println("holding")
	_, err = io.Copy(io.Discard, os.Stdin) // until the end of whoever started us
	return errors.Join(err, w.Close())
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
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), holdEnv+"="+s.Root()+string(filepath.ListSeparator)+testID)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if l, err := bufio.NewReader(out).ReadString('\n'); err != nil || l != "holding\n" {
		t.Fatalf("the holder says %q, %v", l, err)
	}
	wantState(t, s, store.JobRunning)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the holder was not killed")
	}
	wantState(t, s, store.JobBrokenOff)
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
