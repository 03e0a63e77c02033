package doctor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/localworker"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

func (m *machine) workers() Finding {
	ready, task, err := m.tryWorker(job.IsolationGroup)
	if errors.Is(err, errNoPlace) {
		return limited("name a directory that can be written to in TMPDIR", "%v", err)
	} else if err != nil {
		return problem("lithops starts itself as a worker, and that a command by /bin/sh: both must be allowed", "no worker can be started: %v", err)
	}
	return ok("a worker is ready after %s; a command by it took %s", stats.HumanDuration(int64(ready)), stats.HumanDuration(int64(task)))
}

func (m *machine) isolation() Finding {
	if runtime.GOOS != "linux" {
		return missing("what a task leaves behind in its process group is ended; daemons that leave it are not", "isolation: pid needs Linux; there are no PID namespaces on %s", runtime.GOOS)
	}
	if _, _, err := m.tryWorker(job.IsolationPID); err != nil {
		return limited("isolation: group, the default, works without; for pid allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "+
			"kernel.apparmor_restrict_unprivileged_userns), or the container more rights",
			"isolation: pid does not work: %v", err)
	}
	return ok("isolation: pid works: a worker and a command in a PID namespace of their own")
}

var errNoPlace = errors.New("no worker can be tried, because there is no place for its files")

// tryWorker has a worker of this program run one command, as a job does: it returns
// how long it took until the worker was ready, and then until the task was recorded.
func (m *machine) tryWorker(isolation job.Isolation) (ready, task time.Duration, err error) {
	dir, err := os.MkdirTemp("", "lithops-doctor-")
	if root, there, storeErr := m.storeDir(); err != nil && storeErr == nil {
		dir, err = os.MkdirTemp(trialDir(root, there), ".new-doctor-*")
	}
	if err != nil {
		return 0, 0, fmt.Errorf("%w: %w", errNoPlace, err)
	}
	defer os.RemoveAll(dir)
	spec, err := job.Parse(filepath.Join(dir, "job.yaml"), []byte("command: 'true'\ndata: {list: [0]}\n"))
	if err != nil {
		return 0, 0, err
	}
	id := trialID()
	events := make(chan executor.Event, 16) // more than one worker tells
	pool, err := localworker.New(events, localworker.Options{JobID: id, Guest: true})
	if err != nil {
		return 0, 0, err
	}
	defer pool.Close()
	begun := time.Now()
	err = pool.Launch(&wire.Job{JobID: id, Dir: dir, Workers: 1, Clock: clock.NewBase(), Spec: spec, Maps: 1,
		Isolation: isolation, GraceNS: int64(time.Second)})
	if err != nil {
		return 0, 0, err
	}
	late := time.NewTimer(m.Timeout * 9 / 10)
	defer late.Stop()
	var failed error
	for {
		var e executor.Event
		select {
		case e = <-events:
		case <-late.C:
			return 0, 0, fmt.Errorf("it did not come to an end within %v", m.Timeout*9/10)
		}
		switch e.Kind {
		case executor.Ready:
			ready = time.Since(begun)
			line := (&wire.Message{Kind: wire.Task, Numbers: [2]int64{0, 1}, JSON: []byte("0")}).Append(nil)
			pool.Send(e.Worker, line)
		case executor.Done:
			task = time.Since(begun) - ready
			pool.Send(e.Worker, (&wire.Message{Kind: wire.End}).Append(nil))
		case executor.Fatal:
			failed = e.Err
		case executor.Gone:
			if err := errors.Join(failed, e.Err); err != nil {
				return 0, 0, err
			}
			return ready, task, trialEnded(dir)
		}
	}
}

// trialMark begins the job ids that trials run under. No job's id does: they have no
// vowels.
const trialMark = "doctor"

func trialID() string { return job.JobID(trialMark+job.NewExecutorID(time.Now()), 0, 'M') }

// trialEnded reads the record of the trial's task.
func trialEnded(dir string) error {
	b, err := os.ReadFile(store.SegmentPath(dir, 0, store.StatsSegment))
	if err != nil {
		return err
	}
	var r stats.Record
	for line := range bytes.Lines(b) {
		obj, err := stats.Unseal(line)
		if err != nil {
			return err
		}
		if err := stats.Parse(obj, &r); err != nil {
			return err
		}
	}
	if r.Attempt == 0 {
		return errors.New("it recorded no task")
	}
	if r.State != job.Success {
		return fmt.Errorf("a command did not run: %s", r.Error)
	}
	return nil
}
