package executor_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
)

const brief = 100 * time.Microsecond

func TestOneLongTaskDoesNotMakeShortOnesGoOneByOne(t *testing.T) {
	s := newSetup(t, 50, 1, func(_ int, a job.Attempt) act {
		if a.Task == 0 {
			return act{state: job.Success, length: time.Hour}
		}
		return act{state: job.Success, length: brief}
	})
	if _, _, err := s.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.most[0] < 2 {
		t.Error("no two tasks were with the worker at a time")
	}
}

func TestAWorkerAtALongTaskGetsNoOthers(t *testing.T) {
	const tasks = 200
	long, release := make(chan int, 1), make(chan struct{})
	at := -1
	s := newSetup(t, tasks, 2, nil)
	s.do = func(worker int, a job.Attempt) act {
		switch a.Task {
		case 0:
			long <- worker
			return act{state: job.Success, hold: release}
		case 1: // on the other worker: how long a task is is known after it
			at = <-long
			time.Sleep(100 * time.Millisecond) // by then the first is long
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.ran) == tasks {
			close(release)
		}
		return act{state: job.Success, length: brief}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if result, _, err := s.run(ctx); err != nil || result.Counts[job.Success] != tasks {
		t.Errorf("%+v, %v", result, err)
	}
	if s.behind[at] > 0 || s.most[1-at] < 2 {
		t.Errorf("%d tasks came to the worker that was at a long one; the other had %d at a time", s.behind[at], s.most[1-at])
	}
}

// recalls is a backend that tells when a worker is asked for its tasks.
type recalls struct {
	*backend
	once sync.Once
	sent chan struct{}
}

func (r *recalls) Send(worker int, lines []byte) {
	if string(lines) == "recall\n" {
		r.once.Do(func() { close(r.sent) })
	}
	r.backend.Send(worker, lines)
}

func TestTasksBehindALongOneComeBackThoughNobodyIsIdle(t *testing.T) {
	const tasks, long = 12_000, 500
	r := &recalls{sent: make(chan struct{})}
	begun := make(chan struct{})
	s := newSetup(t, tasks, 2, func(_ int, a job.Attempt) act {
		if a.Task == long {
			close(begun)
			return act{state: job.Success, length: time.Second, hold: r.sent}
		}
		select {
		case <-begun: // the other worker has something to do as well, and no end of tasks
			return act{state: job.Success, length: brief, hold: r.sent}
		default:
			return act{state: job.Success, length: brief}
		}
	})
	r.backend, s.config.Backend = s.backend, r
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	result, _, err := s.run(ctx)
	if err != nil || result.Counts[job.Success] != tasks || len(s.back) == 0 {
		t.Errorf("%+v, %v; %d came back", result, err, len(s.back))
	}
}
