package executor_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/wire"
)

// resume makes the job of s one that earlier runs have left like this.
func (s *setup) resume(former ...executor.Former) {
	s.config.Former = func(task int) executor.Former { return former[task] }
	s.config.Job.Maps = s.config.Tasks
}

// attempts are those that were run, in order.
func (s *setup) attempts() []job.Attempt {
	return slices.SortedFunc(slices.Values(s.ran), func(a, b job.Attempt) int {
		if a.Task != b.Task {
			return a.Task - b.Task
		}
		return a.Try - b.Try
	})
}

func TestOnlyWhatIsLeftIsRun(t *testing.T) {
	workers := make(chan int, 100)
	s := newSetup(t, 6, 2, func(worker int, a job.Attempt) act {
		workers <- worker
		return act{state: job.Success}
	})
	s.resume(
		executor.Former{State: job.Success, Tries: 1},
		executor.Former{State: job.Error, Tries: 2, Todo: true},
		executor.Former{State: job.New, Todo: true},
		executor.Former{State: job.Lost, Tries: 1, Todo: true},
		executor.Former{State: job.New},
		executor.Former{State: job.Timeout, Tries: 3},
	)
	s.config.First = 7
	result, _, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := []job.Attempt{{Task: 1, Try: 3}, {Task: 2, Try: 1}, {Task: 3, Try: 2}}; !slices.Equal(s.attempts(), want) {
		t.Errorf("ran %v, want %v", s.attempts(), want)
	}
	counts := maps.Clone(result.Counts)
	maps.DeleteFunc(counts, func(_ job.State, n int) bool { return n == 0 })
	if want := map[job.State]int{job.Success: 4, job.New: 1, job.Timeout: 1}; !maps.Equal(counts, want) {
		t.Errorf("counts %v, want %v", counts, want)
	}
	close(workers)
	for n := range workers {
		if n < 7 {
			t.Errorf("worker %d, which an earlier run may have had", n)
		}
	}
}

func TestAResumedTaskHasItsRetriesAnew(t *testing.T) {
	s := newSetup(t, 1, 1, func(_ int, a job.Attempt) act { return act{state: job.Error} })
	s.resume(executor.Former{State: job.Error, Tries: 3, Todo: true})
	s.config.Retries = job.Retries{Limit: 1, On: []job.State{job.Error}}
	result, _, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := []job.Attempt{{Task: 0, Try: 4}, {Task: 0, Try: 5}}; !slices.Equal(s.attempts(), want) {
		t.Errorf("ran %v, want %v", s.attempts(), want)
	}
	if result.Counts[job.Error] != 1 {
		t.Errorf("counts %v", result.Counts)
	}
}

func TestWhatAResumedJobDoesNotComeToStaysAsItWas(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	s := newSetup(t, 3, 1, nil)
	s.do = func(int, job.Attempt) act {
		cancel(&executor.Stop{Reason: "enough"})
		return act{hold: make(chan struct{})}
	}
	s.resume(
		executor.Former{State: job.Lost, Tries: 1, Todo: true},
		executor.Former{State: job.Error, Tries: 1, Todo: true},
		executor.Former{State: job.New, Todo: true},
	)
	result, _, err := s.run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if c := result.Counts; c[job.Cancelled] != 1 || c[job.Error] != 1 || c[job.New] != 1 || c[job.Lost] != 0 {
		t.Errorf("counts %v", c)
	}
	if !result.Cancelled || result.Reason != "enough" {
		t.Errorf("reason %q, cancelled %v", result.Reason, result.Cancelled)
	}
}

func TestPoisonIsNamed(t *testing.T) {
	most := 2
	s := newSetup(t, 2, 2, func(_ int, a job.Attempt) act {
		if a.Task == 1 {
			return act{die: true}
		}
		return act{state: job.Success}
	})
	s.config.Retries = job.Retries{Lost: &most, Limit: 9, On: []job.State{job.Lost}}
	result, states, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(states[1], []job.State{job.Lost, job.Lost, job.Lost}) || result.Counts[job.Lost] != 1 || result.Counts[job.Success] != 1 {
		t.Errorf("task 1: %v; counts %v", states[1], result.Counts)
	}
	j, err := s.store.Job(s.id)
	if err != nil {
		t.Fatal(err)
	}
	all, _, err := j.Task(1)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range all {
		want := "lost"
		if i == most {
			want = "poison"
		}
		if string(r.ErrorType) != want {
			t.Errorf("attempt %d: error type %q, want %q", r.Attempt, r.ErrorType, want)
		}
	}
	if last := string(all[most].Error); !strings.Contains(last, "3 attempts") || !strings.Contains(last, "signal: killed") {
		t.Errorf("error %q", last)
	}
}

// short is a backend that cannot launch one of its workers.
type short struct {
	*backend
	launches atomic.Int32
	at       int32 // the launch that fails
}

func (s *short) Launch(j *wire.Job) error {
	if s.launches.Add(1) == s.at {
		return syscall.EAGAIN
	}
	return s.backend.Launch(j)
}

func TestAReplacementThatCannotBeLaunchedIsWaitedFor(t *testing.T) {
	begun, first := make(chan struct{}), make(chan struct{}) // task 1; task 0 for the second time
	s := newSetup(t, 3, 2, func(_ int, a job.Attempt) act {
		switch {
		case a == job.Attempt{Task: 0, Try: 1}:
			return act{hold: begun, die: true}
		case a.Task == 1:
			close(begun)
			return act{hold: first, state: job.Success}
		case a.Task == 0:
			close(first)
		}
		return act{state: job.Success}
	})
	b := &short{backend: s.backend, at: 3}
	s.config.Backend = b
	result, _, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if result.Counts[job.Success] != 3 || b.launches.Load() < 4 {
		t.Errorf("counts %v after %d launches", result.Counts, b.launches.Load())
	}
}

func TestTooFewWorkersFromTheStartEndTheJob(t *testing.T) {
	hold := make(chan struct{})
	s := newSetup(t, 3, 3, func(int, job.Attempt) act { return act{hold: hold, state: job.Success} })
	s.config.Backend = &short{backend: s.backend, at: 3}
	result, _, err := s.run(t.Context())
	if !errors.Is(err, syscall.EAGAIN) {
		t.Fatalf("error %v", err)
	}
	if result.Counts[job.Success] != 0 || result.Counts[job.New]+result.Counts[job.Cancelled] != 3 {
		t.Errorf("counts %v", result.Counts)
	}
}

// The making of the next stage notices the end of the context, and the loop hears both at
// once.
func TestANextStageThatTheContextEnds(t *testing.T) {
	for i := range 40 {
		ctx, cancel := context.WithCancelCause(t.Context())
		s := newSetup(t, 1, 1, succeed)
		var making atomic.Bool
		s.config.Next = func(map[job.State]int) (int, string, error) {
			making.Store(true)
			<-ctx.Done()
			return 0, "", ctx.Err()
		}
		s.config.Planned = 1
		s.config.Progress = func(executor.Progress) { // the loop is busy while the context ends
			if making.Load() && ctx.Err() == nil {
				cancel(&executor.Stop{Reason: "cancelled: X"})
			}
		}
		r, _, err := s.run(ctx)
		if err != nil || !r.Cancelled {
			t.Fatalf("round %d: err %v, result %+v", i, err, r)
		}
	}
}

// The stage is made, and in the manifest, when the stopping loop hears of it.
func TestAStageThatIsMadeWhileTheJobStops(t *testing.T) {
	for i := range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		s := newSetup(t, 2, 1, succeed)
		s.more(3, "", nil)
		s.config.Planned = 0 // by group
		next := s.config.Next
		made := make(chan struct{})
		s.config.Next = func(c map[job.State]int) (int, string, error) {
			defer close(made)
			n, r, err := next(c)
			cancel()
			return n, r, err
		}
		r, _, err := s.run(ctx)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, n := range r.Counts {
			sum += n
		}
		m, _ := s.manifest()
		if sum != m.Tasks {
			t.Fatalf("round %d: counts %v of a job of %d tasks, %+v", i, r.Counts, m.Tasks, r)
		}
	}
}

// The last task has ended, with success, when the request comes.
func TestARequestAfterTheLastSuccess(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newSetup(t, 1, 1, func(int, job.Attempt) act {
		cancel()
		return act{state: job.Success}
	})
	r, _, err := s.run(ctx)
	if err != nil || r.Cancelled || r.Reason != "" {
		t.Fatalf("%v %+v", err, r)
	}
}
