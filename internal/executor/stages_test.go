package executor_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// more makes the job one of two stages: when its tasks have ended, n more come.
func (s *setup) more(n int, reason string, err error) (asked *map[job.State]int) {
	in := s.config.Inputs.(*inputs)
	asked = new(map[job.State]int)
	s.config.Planned = n
	s.config.Next = func(counts map[job.State]int) (int, string, error) {
		*asked = counts
		if reason != "" || err != nil {
			return 0, reason, err
		}
		m, merr := s.manifest()
		if merr != nil {
			return 0, "", merr
		}
		m.Tasks, m.Reduces = m.Tasks+n, n
		in.n += n
		return n, "", s.config.Writer.WriteManifest(m)
	}
	return asked
}

func (s *setup) manifest() (*store.Manifest, error) {
	j, err := s.store.Job(s.id)
	if err != nil {
		return nil, err
	}
	return j.Manifest, nil
}

func TestTheNextStageBeginsWhenAllTasksHaveEnded(t *testing.T) {
	for _, tasks := range []int{0, 5, 11_000} {
		var ended atomic.Int64
		s := newSetup(t, tasks, 3, func(_ int, a job.Attempt) act {
			if a.Task < tasks {
				ended.Add(1)
			} else if n := ended.Load(); n != int64(tasks) {
				t.Errorf("task %d of the next stage began after %d of %d", a.Task, n, tasks)
			}
			return act{state: job.Success}
		})
		asked := s.more(2, "", nil)
		result, states, err := s.run(t.Context())
		if err != nil || result.Reason != "" {
			t.Fatal(err, result.Reason)
		}
		if (*asked)[job.Success] != tasks {
			t.Errorf("asked with %v", *asked)
		}
		if result.Counts[job.Success] != tasks+2 || len(s.ran) != tasks+2 || len(states) != tasks+2 {
			t.Errorf("%v after %d runs, %d recorded", result.Counts, len(s.ran), len(states))
		}
	}
}

func TestANextStageThatIsNotMade(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		reason string
		err    error
	}{"reason": {"no use", nil}, "error": {"", broken}} {
		t.Run(name, func(t *testing.T) {
			s := newSetup(t, 4, 2, succeed)
			s.more(1, c.reason, c.err)
			result, _, err := s.run(t.Context())
			if !errors.Is(err, c.err) {
				t.Errorf("error %v", err)
			}
			if c.reason != "" && result.Reason != c.reason {
				t.Errorf("reason %q", result.Reason)
			}
			if result.Counts[job.Success] != 4 || result.Counts[job.New] != 1 {
				t.Errorf("counts %v", result.Counts)
			}
		})
	}
}

func TestAStoppedJobHasNoNextStage(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newSetup(t, 2, 1, func(int, job.Attempt) act {
		cancel()
		return act{hold: make(chan struct{})}
	})
	asked := s.more(1, "", nil)
	result, _, err := s.run(ctx)
	if err != nil || !result.Cancelled || *asked != nil {
		t.Errorf("%v, %+v, asked %v", err, result, *asked)
	}
	if result.Counts[job.Cancelled] != 1 || result.Counts[job.New] != 2 {
		t.Errorf("counts %v", result.Counts)
	}
}

func TestDroppedTasksAreCancelled(t *testing.T) {
	const tasks, far = 12_000, 11_999 // beyond what the queue holds
	drop := make(chan int, 3)
	s := newSetup(t, tasks, 1, func(_ int, a job.Attempt) act {
		if a.Task == 0 {
			drop <- 5 // in the queue
			drop <- far
			drop <- 0 // running
			return act{hold: make(chan struct{})}
		}
		return act{state: job.Success}
	})
	s.config.Drop = drop
	settled := map[int]job.State{}
	s.config.Settled = func(e executor.Settlement) {
		if _, twice := settled[e.Task]; twice {
			t.Errorf("task %d is settled twice", e.Task)
		}
		settled[e.Task] = e.State
	}
	result, states, err := s.run(t.Context())
	if err != nil || result.Cancelled || result.Reason != "" {
		t.Fatal(err, result)
	}
	if result.Counts[job.Success] != tasks-3 || result.Counts[job.Cancelled] != 3 || len(settled) != tasks {
		t.Errorf("counts %v, %d settled", result.Counts, len(settled))
	}
	for _, task := range []int{0, 5, far} {
		if settled[task] != job.Cancelled || !slices.Equal(states[task], []job.State{job.Cancelled}) {
			t.Errorf("task %d: settled %s, recorded %v", task, settled[task], states[task])
		}
	}
}

// TestTheNoteTellsWhichAttemptWasLost: a worker that dies may have finished what it has
// not recorded.
func TestTheNoteTellsWhichAttemptWasLost(t *testing.T) {
	first := true
	var s *setup
	s = newSetup(t, 3, 1, func(n int, a job.Attempt) act {
		if !first {
			return act{state: job.Success}
		}
		first = false
		note, err := store.CreateRunning(s.config.Job.Dir, n)
		if err != nil {
			t.Error(err)
		}
		note.Set(job.Attempt{Task: 1, Try: 1})
		return act{die: true}
	})
	s.config.Chunk = 3
	result, states, err := s.run(t.Context())
	if err != nil || result.Counts[job.Success] != 3 {
		t.Fatal(err, result)
	}
	if !slices.Equal(states[0], []job.State{job.Success}) || !slices.Equal(states[1], []job.State{job.Lost, job.Success}) ||
		!slices.Equal(states[2], []job.State{job.Success}) {
		t.Errorf("states %v", states)
	}
}

// TestOneWorkerLoadsAllFunctionsFirst: while it does, no other gets a task; when it dies
// meanwhile, another takes its place.
func TestOneWorkerLoadsAllFunctionsFirst(t *testing.T) {
	var s *setup
	var warm atomic.Int32
	tries := 0
	s = newSetup(t, 20, 3, func(n int, a job.Attempt) act {
		if warm.Load() == 0 {
			if tries++; tries == 1 {
				return act{die: true}
			}
			s.events <- executor.Event{Kind: executor.Warm, Worker: n}
		}
		return act{state: job.Success}
	})
	checks := 0
	s.config.Backend = checking{s.backend, &checks}
	s.config.Check = true
	s.config.Warm = func() { warm.Add(1) }
	result, _, err := s.run(t.Context())
	if err != nil || result.Counts[job.Success] != 20 {
		t.Fatal(err, result)
	}
	if tries != 2 || warm.Load() != 1 || checks != 2 {
		t.Errorf("%d tasks before all was loaded, told %d times; %d workers were to check", tries, warm.Load(), checks)
	}
}

// checking counts the workers that are to load all functions.
type checking struct {
	*backend
	n *int
}

func (c checking) Launch(j *wire.Job) error {
	if j.Check {
		*c.n++
	}
	return c.backend.Launch(j)
}

// TestAFunctionThatOnceCannotBeLoaded: when it could be loaded before, what a worker met
// may pass; when no worker gets beyond that, the job ends.
func TestAFunctionThatOnceCannotBeLoaded(t *testing.T) {
	for name, c := range map[string]struct {
		failures, most int
		ends           bool
	}{"once": {1, 1, false}, "for ever": {1000, 10, true}} {
		t.Run(name, func(t *testing.T) {
			var s *setup
			failed := 0
			s = newSetup(t, 5, 1, func(n int, a job.Attempt) act {
				if a.Task == 0 {
					s.events <- executor.Event{Kind: executor.Warm, Worker: n}
				} else if failed < c.failures {
					failed++
					s.events <- executor.Event{Kind: executor.Fatal, Worker: n, Err: &executor.FunctionError{Msg: "no memory"}}
					return act{die: true}
				}
				return act{state: job.Success}
			})
			result, _, err := s.run(t.Context())
			_, isLoad := errors.AsType[*executor.FunctionError](err)
			if isLoad != c.ends || failed > c.most || !c.ends && result.Counts[job.Success] != 5 {
				t.Errorf("%v after %d failures: %v", err, failed, result.Counts)
			}
		})
	}
}

// TestWorkersThatDieAndSayThatTheyDidNothing: it must come to an end.
func TestWorkersThatDieAndSayThatTheyDidNothing(t *testing.T) {
	var s *setup
	died := 0
	s = newSetup(t, 2, 1, func(n int, a job.Attempt) act {
		if a.Task == 1 {
			return act{state: job.Success}
		}
		died++
		if _, err := store.CreateRunning(s.config.Job.Dir, n); err != nil {
			t.Error(err)
		}
		return act{die: true}
	})
	result, _, err := s.run(t.Context())
	if err != nil || result.Counts[job.Lost] != 1 || result.Counts[job.Success] != 1 || died > 1000 {
		t.Errorf("%v, %v after %d deaths", err, result.Counts, died)
	}
}

// TestATaskThatSharesItsProcess has failed when it ends that.
func TestATaskThatSharesItsProcess(t *testing.T) {
	for _, language := range []string{"Go", "another"} {
		var s *setup
		s = newSetup(t, 1, 1, func(n int, a job.Attempt) act {
			note, err := store.CreateRunning(s.config.Job.Dir, n)
			if err != nil {
				t.Error(err)
			}
			note.Set(a)
			return act{die: true, exit: &executor.ExitError{Code: 5, Said: "bye"}}
		})
		want := job.Lost
		if language == "Go" {
			s.config.Job.Spec.Function.Go, want = "f", job.Error
		}
		var settled executor.Settlement
		s.config.Settled = func(e executor.Settlement) { settled = e }
		result, _, err := s.run(t.Context())
		if err != nil || result.Counts[want] != 1 {
			t.Errorf("%s: %v, %v", language, err, result.Counts)
		}
		if language == "Go" && (settled.ErrorType != "exit" || settled.Error != "ended its process with exit code 5: bye") {
			t.Errorf("settled %+v", settled)
		}
	}
}
