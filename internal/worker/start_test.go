package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// bench is a worker without a host, whose attempts the test makes.
type bench struct {
	*runner
	w    *worker
	said bytes.Buffer // to the host
	t    testing.TB
}

func newBench(t testing.TB, spec *job.Spec) *bench {
	t.Helper()
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, w: &worker{}}
	b.w.send.w = &b.said
	b.w.changed.L = &b.w.mu
	spec.Dir = t.TempDir()
	spec.Workdir = spec.Dir
	setup, err := json.Marshal(wire.Job{JobID: "j", Dir: spec.Dir, Clock: clock.NewBase(), Spec: spec, Isolation: job.IsolationGroup, GraceNS: int64(time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	if b.runner, err = newRunner(&wire.Message{Kind: wire.Setup, Numbers: [2]int64{wire.Version}, JSON: setup}, &b.w.send); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.close(true); err != nil {
			t.Error(err)
		}
		os.Chdir(cwd)
	})
	return b
}

// failing has the starts fail with err, and calls at before each; it returns nil when
// one is to be made after all.
func (b *bench) failing(err error, at func(call int) error) (calls *int) {
	calls = new(int)
	b.start = func(path string, argv []string, attr *syscall.ProcAttr) (int, error) {
		*calls++
		if err := at(*calls); err != nil {
			return 0, err
		}
		return start(path, argv, attr)
	}
	return calls
}

// try makes the first attempt at task 0.
func (b *bench) try() error { return b.do(assignment{job.Attempt{Task: 0, Try: 1}, []byte("1")}, b.w) }

// records is the text of the n records that there are.
func (b *bench) records(n int) string {
	b.t.Helper()
	if err := b.recorder.flush(); err != nil {
		b.t.Fatal(err)
	}
	text, err := os.ReadFile(store.SegmentPath(b.job.Dir, 0, store.StatsSegment))
	if err != nil || strings.Count(string(text), "\n") != 1+n { // the first tells what all have in common
		b.t.Fatalf("%v: want %d records: %s", err, n, text)
	}
	return string(text)
}

var shortages = []syscall.Errno{syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE}

func TestAShortShortageBurnsNoTask(t *testing.T) {
	for _, c := range []struct {
		name string
		spec func(*testing.T) *job.Spec
	}{
		{"command", func(*testing.T) *job.Spec { return shell("echo done") }},
		{"function", func(t *testing.T) *job.Spec { return squarer(t, "") }},
	} {
		for _, errno := range shortages {
			t.Run(fmt.Sprintf("%s/%v", c.name, errno), func(t *testing.T) {
				b := newBench(t, c.spec(t))
				calls := b.failing(errno, func(call int) error {
					if call > 3 {
						return nil
					}
					return errno
				})
				if err := b.try(); err != nil {
					t.Fatal(err)
				}
				if all := b.records(1); !strings.Contains(all, `"state":"success"`) || *calls != 4 {
					t.Errorf("%d calls: %s", *calls, all)
				}
			})
		}
	}
}

func TestAShortageThatDoesNotEndIsNoTasksFault(t *testing.T) {
	wants := map[syscall.Errno]string{
		syscall.EAGAIN: "cannot start processes: resource temporarily unavailable (limit of processes, ulimit -u or pids.max of a cgroup)",
		syscall.ENOMEM: "cannot start processes: cannot allocate memory (the machine is out of memory)",
		syscall.EMFILE: "cannot start processes: too many open files (limit of open files, ulimit -n)",
		syscall.ENFILE: "cannot start processes: too many open files in system (limit of open files of the whole system, sysctl fs.file-max)",
	}
	for name, spec := range map[string]func(*testing.T) *job.Spec{
		"command":  func(*testing.T) *job.Spec { return shell("true") },
		"function": func(t *testing.T) *job.Spec { return squarer(t, "") },
	} {
		for _, errno := range shortages {
			t.Run(fmt.Sprintf("%s/%v", name, errno), func(t *testing.T) {
				b := newBench(t, spec(t))
				b.patience = 1
				b.failing(errno, func(int) error { return errno })
				err := b.try()
				if _, halt := errors.AsType[*haltError](err); !halt || err.Error() != wants[errno] {
					t.Errorf("%v; want %s", err, wants[errno])
				}
				b.records(0)
			})
		}
	}
}

func TestWaitingForAProcessCanBeEnded(t *testing.T) {
	attempt := job.Attempt{Task: 0, Try: 1}
	for name, c := range map[string]struct {
		what    func(*worker)
		want    error
		records int
		said    string
	}{
		"the job is cancelled": {func(w *worker) {
			messages := (&wire.Message{Kind: wire.Cancel}).Append((&wire.Message{Kind: wire.End}).Append(nil))
			w.receive(wire.NewReader(bytes.NewReader(messages)))
		}, nil, 0, "back 0 1\n"},
		"the attempt is dropped": {func(w *worker) { w.drop(attempt) }, nil, 1, ""},
		"the host is gone":       {func(w *worker) { w.leave() }, errHostGone, 0, ""},
	} {
		for kind, spec := range map[string]func(*testing.T) *job.Spec{
			"command":  func(*testing.T) *job.Spec { return shell("true") },
			"function": func(t *testing.T) *job.Spec { return squarer(t, "") },
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				b := newBench(t, spec(t))
				b.patience = time.Hour
				b.failing(syscall.EAGAIN, func(call int) error {
					if call == 2 { // from now on it is seen to wait
						c.what(b.w)
					}
					return syscall.EAGAIN
				})
				if err := b.try(); !errors.Is(err, c.want) {
					t.Errorf("%v, want %v", err, c.want)
				}
				if all := b.records(c.records); c.records > 0 && !strings.Contains(all, `"state":"cancelled"`) {
					t.Error(all)
				}
				if c.said != "" && b.said.String() != c.said {
					t.Errorf("it said %q", b.said.String())
				}
			})
		}
	}
}

func TestWhatACommandCannotBeStartedForIsItsOwn(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.E2BIG, syscall.ENOENT, syscall.EACCES, syscall.ETXTBSY, syscall.ENOTDIR} {
		b := newBench(t, shell("true"))
		calls := b.failing(errno, func(int) error { return errno })
		if err := b.try(); err != nil {
			t.Error(err)
		}
		if all := b.records(1); !strings.Contains(all, `"error_type":"start"`) || *calls != 1 {
			t.Errorf("%v: %d calls: %s", errno, *calls, all)
		}
	}
}

// The limit on descriptors is this process's own, so it is one that a test can set.
func TestARealShortageOfDescriptors(t *testing.T) {
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	limit := func(soft uint64) {
		now := was
		now.Cur = soft
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &now); err != nil {
			t.Error(err)
		}
	}
	defer limit(was.Cur)
	spec := shell("cat")
	spec.Stdin = new("text")
	b := newBench(t, spec)
	seen := 0
	b.start = func(path string, argv []string, attr *syscall.ProcAttr) (int, error) {
		if seen == 0 {
			limit(0)
		}
		pid, err := start(path, argv, attr)
		if seen++; err != syscall.EMFILE && seen < 3 {
			t.Errorf("start %d: %v", seen, err)
		}
		if seen == 2 {
			limit(was.Cur)
		}
		return pid, err
	}
	if err := b.try(); err != nil {
		t.Fatal(err)
	}
	if all := b.records(1); !strings.Contains(all, `"state":"success"`) || seen != 3 {
		t.Errorf("%d starts: %s", seen, all)
	}

	// The input cannot even be made.
	b = newBench(t, spec)
	b.patience = 1
	limit(0)
	err := b.try()
	limit(was.Cur)
	if _, halt := errors.AsType[*haltError](err); !halt || !strings.Contains(err.Error(), "ulimit -n") {
		t.Error(err)
	}
	b.records(0)
}

// What keeps the store from being written, such as a full disk, is no task's fault.
func TestAnInputThatCannotBeWritten(t *testing.T) {
	spec := shell("cat")
	spec.Stdin = new("text")
	b := newBench(t, spec)
	dir := b.job.Dir
	b.job.Dir += "/gone"
	err := b.try()
	if _, halt := errors.AsType[*haltError](err); !halt || !strings.Contains(err.Error(), "feed standard input") {
		t.Error(err)
	}
	b.job.Dir = dir
	b.records(0)
}
