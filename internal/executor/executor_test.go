package executor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// act is what a fake worker does with an attempt.
type act struct {
	state   job.State     // recorded; 0: no record
	die     bool          // the worker dies afterwards, without ringing
	fatal   string        // it says that it cannot go on, and dies
	hold    chan struct{} // it does not finish before this is closed
	length  time.Duration // what the record says it took
	garbage bool          // it writes nonsense instead of a record
	exit    error         // how it dies; nil: killed
}

// backend runs tasks in goroutines that write true segments.
type backend struct {
	t      testing.TB
	events chan executor.Event
	do     func(worker int, a job.Attempt) act

	mu      sync.Mutex
	workers map[int]chan wire.Message
	ran     []job.Attempt
	most    map[int]int // tasks with a worker at a time
	behind  map[int]int // tasks that came to a worker while it held another
	has     map[int]int // tasks that a worker was sent and has not done
	back    map[job.Attempt]bool
	all     sync.WaitGroup
}

func (b *backend) Launch(j *wire.Job) error {
	in := make(chan wire.Message, 10_000)
	b.mu.Lock()
	b.workers[j.Worker] = in
	b.mu.Unlock()
	seg, err := store.CreateSegment(store.SegmentPath(j.Dir, j.Worker, store.StatsSegment), nil)
	if err != nil {
		return err
	}
	b.all.Add(1)
	go func() {
		defer b.all.Done()
		err := b.work(j.Worker, seg, in)
		b.mu.Lock()
		delete(b.workers, j.Worker)
		b.mu.Unlock()
		b.events <- executor.Event{Kind: executor.Gone, Worker: j.Worker, Err: err}
	}()
	return nil
}

// work is a worker's life; the result is what the host hears of its death.
func (b *backend) work(n int, seg *store.Segment, in chan wire.Message) error {
	b.events <- executor.Event{Kind: executor.Ready, Worker: n, PID: 1, Hostname: "h"}
	var queue []job.Attempt
	var line []byte
	for {
		var m wire.Message
		select {
		case m = <-in:
		default:
			if len(queue) == 0 {
				m = <-in
			}
		}
		switch m.Kind {
		case wire.Task:
			queue = append(queue, m.Attempt())
			b.mu.Lock()
			b.most[n] = max(b.most[n], len(queue))
			b.mu.Unlock()
			continue
		case wire.End:
			return nil
		case wire.Recall, wire.Cancel:
			queue = b.giveBack(n, queue)
			continue
		}
		a := queue[0]
		queue = queue[1:]
		b.mu.Lock()
		b.ran = append(b.ran, a)
		b.mu.Unlock()
		do := b.do(n, a)
		for do.hold != nil {
			select {
			case <-do.hold:
				do.hold = nil
			case m := <-in:
				switch m.Kind {
				case wire.Task:
					queue = append(queue, m.Attempt())
					b.mu.Lock()
					b.behind[n]++
					b.mu.Unlock()
				case wire.Recall, wire.Cancel:
					queue = b.giveBack(n, queue)
					if m.Kind == wire.Cancel {
						do.state, do.hold = job.Cancelled, nil
					}
				case wire.Drop:
					if m.Attempt() == a {
						do.state, do.hold = job.Cancelled, nil
					}
				}
			}
		}
		if do.fatal != "" {
			b.events <- executor.Event{Kind: executor.Fatal, Worker: n, Err: errors.New(do.fatal)}
			return errors.New("exit status 1")
		}
		if do.state != 0 {
			r := &stats.Record{Task: a.Task, Attempt: a.Try, State: do.state, WorkerStart: stats.SecOf(0), WorkerEnd: stats.SecOf(do.length)}
			line = stats.AppendWorkerLine(line[:0], r)
			if do.garbage {
				line = []byte("garbage\n")
			}
			seg.Append(line)
		}
		if do.die && do.exit != nil {
			return do.exit
		}
		if do.die {
			return errors.New("signal: killed")
		}
		b.mu.Lock()
		b.has[n]--
		b.mu.Unlock()
		b.events <- executor.Event{Kind: executor.Done, Worker: n, Offset: seg.Size()}
	}
}

func (b *backend) giveBack(n int, queue []job.Attempt) []job.Attempt {
	for _, a := range queue {
		b.mu.Lock()
		b.has[n]--
		b.back[a] = true
		b.mu.Unlock()
		b.events <- executor.Event{Kind: executor.Back, Worker: n, Attempt: a}
	}
	return nil
}

func (b *backend) Send(worker int, lines []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	busy := b.has[worker] > 0
	for line := range bytes.Lines(lines) {
		var m wire.Message
		if err := m.Parse(bytes.Clone(line[:len(line)-1])); err != nil {
			b.t.Error(err)
		}
		if m.Kind == wire.Task {
			if busy && b.back[m.Attempt()] {
				b.t.Errorf("%+v came back and waits behind another again", m.Attempt())
			}
			b.has[worker]++
		}
		if in := b.workers[worker]; in != nil {
			in <- m
		}
	}
}

func (b *backend) Close() error {
	b.mu.Lock()
	for _, in := range b.workers {
		in <- wire.Message{Kind: wire.Cancel}
		in <- wire.Message{Kind: wire.End}
	}
	b.mu.Unlock()
	b.all.Wait()
	return nil
}

// inputs are n items.
type inputs struct{ n, at int }

func (i *inputs) Next() ([]byte, error) {
	if i.at == i.n {
		return nil, io.EOF
	}
	i.at++
	return fmt.Appendf(nil, "%d", i.at-1), nil
}

type setup struct {
	*backend
	once   sync.Once
	stop   chan struct{}
	config executor.Config
	store  *store.Store
	id     string
}

func newSetup(t testing.TB, tasks, workers int, do func(worker int, a job.Attempt) act) *setup {
	t.Helper()
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const id = "test-0-M000"
	w, err := s.Create(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, err := w.Inputs()
	if err != nil {
		t.Fatal(err)
	}
	for i := range tasks {
		in.Add(fmt.Appendf(nil, "%d", i))
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	base := clock.NewBase()
	if err := w.WriteManifest(&store.Manifest{JobID: id, Spec: &job.Spec{}, Tasks: tasks, Workers: workers, Clock: base}); err != nil {
		t.Fatal(err)
	}
	events := make(chan executor.Event, 16)
	b := &backend{t: t, events: events, do: do, workers: map[int]chan wire.Message{},
		most: map[int]int{}, behind: map[int]int{}, has: map[int]int{}, back: map[job.Attempt]bool{}}
	return &setup{backend: b, stop: make(chan struct{}), store: s, id: id, config: executor.Config{
		Job: wire.Job{JobID: id, Dir: w.Dir(), Clock: base, Spec: &job.Spec{}}, Tasks: tasks, Workers: workers,
		Inputs: &inputs{n: tasks}, Writer: w, Clock: base.Clock(), Backend: b, Events: events}}
}

// run executes the job and returns how it ended and every attempt's state, by
// task, as the store tells them.
func (s *setup) run(ctx context.Context) (*executor.Result, map[int][]job.State, error) {
	s.t.Helper()
	result, err := executor.Run(ctx, s.config)
	if cerr := s.config.Writer.Close(); cerr != nil {
		s.t.Fatal(cerr)
	}
	j, jerr := s.store.Job(s.id)
	if jerr != nil {
		s.t.Fatal(jerr)
	}
	states := map[int][]job.State{}
	for r, rerr := range j.Records() {
		if rerr != nil {
			s.t.Fatal(rerr)
		}
		states[r.Task] = append(states[r.Task], r.State)
	}
	return result, states, err
}

func succeed(int, job.Attempt) act { return act{state: job.Success} }

func TestEveryTaskRunsOnce(t *testing.T) {
	for _, tasks := range []int{0, 1, 2, 7, 12_000} {
		t.Run(fmt.Sprint(tasks), func(t *testing.T) {
			s := newSetup(t, tasks, 3, succeed)
			result, states, err := s.run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if result.Counts[job.Success] != tasks || len(s.ran) != tasks || result.Reason != "" || result.Cancelled {
				t.Errorf("%+v after %d runs", result, len(s.ran))
			}
			for i := range tasks {
				if !slices.Equal(states[i], []job.State{job.Success}) {
					t.Fatalf("task %d: %v", i, states[i])
				}
			}
		})
	}
}

func TestRetries(t *testing.T) {
	s := newSetup(t, 4, 2, func(_ int, a job.Attempt) act {
		switch {
		case a.Task == 0 && a.Try < 3:
			return act{state: job.Error}
		case a.Task == 1:
			return act{state: job.Error}
		case a.Task == 2:
			return act{state: job.Timeout} // not among the causes
		}
		return act{state: job.Success}
	})
	s.config.Retries = job.Retries{Limit: 2, Backoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond, On: []job.State{job.Error}}
	result, states, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[int][]job.State{0: {job.Error, job.Error, job.Success}, 1: {job.Error, job.Error, job.Error}, 2: {job.Timeout}, 3: {job.Success}}
	for task, w := range want {
		if !slices.Equal(states[task], w) {
			t.Errorf("task %d: %v, want %v", task, states[task], w)
		}
	}
	if c := result.Counts; c[job.Success] != 2 || c[job.Error] != 1 || c[job.Timeout] != 1 {
		t.Errorf("counts %v", c)
	}
}

func TestLostAttemptsAreResubmitted(t *testing.T) {
	var mu sync.Mutex
	died := map[int]int{}
	s := newSetup(t, 200, 3, func(_ int, a job.Attempt) act {
		mu.Lock()
		defer mu.Unlock()
		if a.Task%20 == 3 && died[a.Task] < 2 {
			died[a.Task]++
			return act{die: true}
		}
		return act{state: job.Success}
	})
	result, states, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if result.Counts[job.Success] != 200 {
		t.Errorf("counts %v", result.Counts)
	}
	for i := range 200 {
		want := []job.State{job.Success}
		if i%20 == 3 {
			want = []job.State{job.Lost, job.Lost, job.Success}
		}
		if !slices.Equal(states[i], want) {
			t.Errorf("task %d: %v, want %v", i, states[i], want)
		}
	}
}

func TestATaskThatKillsItsWorkersIsGivenUp(t *testing.T) {
	s := newSetup(t, 10, 2, func(_ int, a job.Attempt) act {
		if a.Task == 4 {
			return act{die: true}
		}
		return act{state: job.Success}
	})
	result, states, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if result.Counts[job.Lost] != 1 || result.Counts[job.Success] != 9 || len(states[4]) != 6 {
		t.Errorf("counts %v, attempts at the killer %v", result.Counts, states[4])
	}
}

func TestARecordThatWasNotRungForCounts(t *testing.T) {
	s := newSetup(t, 50, 2, func(_ int, a job.Attempt) act { return act{state: job.Success, die: a.Task%10 == 0} })
	result, states, err := s.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if result.Counts[job.Success] != 50 || len(s.ran) != 50 {
		t.Errorf("counts %v after %d runs, states %v", result.Counts, len(s.ran), states)
	}
}

func TestOnFailure(t *testing.T) {
	for name, c := range map[string]struct {
		on     job.OnFailure
		failed int // tasks that fail before the job stops
		stops  bool
	}{
		"continue":       {job.OnFailure{}, 100, false},
		"stop":           {job.OnFailure{Mode: job.Stop}, 1, true},
		"tolerate none":  {job.OnFailure{Mode: job.Tolerate}, 1, true},
		"tolerate 5":     {job.OnFailure{Mode: job.Tolerate, Count: 5}, 6, true},
		"tolerate 10 %":  {job.OnFailure{Mode: job.Tolerate, Percent: 10}, 11, true},
		"tolerate 29 %":  {job.OnFailure{Mode: job.Tolerate, Percent: 29}, 30, true},
		"tolerate 100 %": {job.OnFailure{Mode: job.Tolerate, Percent: 100}, 100, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSetup(t, 100, 1, func(int, job.Attempt) act { return act{state: job.Error, length: time.Hour} })
			s.config.OnFail = c.on
			result, _, err := s.run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if result.Counts[job.Error] != c.failed || result.Counts[job.New] != 100-c.failed || (result.Reason != "") != c.stops {
				t.Errorf("%+v", result)
			}
		})
	}
}

func TestCancelEndsRunningTasksAndKeepsTheRest(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	running := make(chan struct{}, 2)
	never := make(chan struct{})
	s := newSetup(t, 100, 2, func(_ int, a job.Attempt) act {
		if a.Task < 10 {
			return act{state: job.Success, length: time.Hour}
		}
		running <- struct{}{}
		return act{state: job.Success, hold: never}
	})
	go func() {
		<-running
		<-running
		cancel()
	}()
	result, states, err := s.run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c := result.Counts
	if !result.Cancelled || c[job.Cancelled] != 2 || c[job.Success] != 10 || c[job.New] != 88 {
		t.Errorf("%+v", result)
	}
	for task, st := range states {
		if slices.Contains(st, job.Running) {
			t.Errorf("task %d is still said to run: %v", task, st)
		}
	}
}

func TestALongTaskDoesNotHoldUpThoseBehindIt(t *testing.T) {
	release := make(chan struct{})
	var once sync.Once
	s := newSetup(t, 200, 2, nil)
	s.do = func(_ int, a job.Attempt) act {
		s.mu.Lock()
		all := len(s.ran) == 200
		s.mu.Unlock()
		if all { // the long one, which may be the last, and all others have begun
			once.Do(func() { close(release) })
		}
		if a.Task == 150 {
			return act{state: job.Success, hold: release}
		}
		return act{state: job.Success, length: 100 * time.Microsecond}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	result, _, err := s.run(ctx)
	if err != nil || result.Counts[job.Success] != 200 {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestTasksAheadFollowTheirLength(t *testing.T) {
	for length, want := range map[time.Duration]bool{time.Second: false, 10 * time.Microsecond: true} {
		s := newSetup(t, 2000, 1, func(int, job.Attempt) act { return act{state: job.Success, length: length} })
		s.config.Progress = func(p executor.Progress) {
			if p.Running > 1 {
				t.Errorf("%d tasks are said to run on one worker", p.Running)
			}
		}
		if _, _, err := s.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if ahead := s.most[0] > 1; ahead != want {
			t.Errorf("tasks of %v: %d with the worker at a time", length, s.most[0])
		}
	}
}

func TestAWorkerThatCannotGoOnEndsTheJob(t *testing.T) {
	s := newSetup(t, 100, 2, func(_ int, a job.Attempt) act {
		if a.Task == 30 {
			return act{fatal: "append to w-0.out: no space left on device"}
		}
		return act{state: job.Success, length: time.Hour}
	})
	result, states, err := s.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no space left on device") {
		t.Errorf("error %v", err)
	}
	if result.Counts[job.Success] < 29 || result.Counts[job.Success] == 100 || !slices.Equal(states[30], []job.State{job.New}) {
		t.Errorf("%+v, task 30: %v", result, states[30])
	}
}

func TestGarbageInASegmentEndsTheJob(t *testing.T) {
	s := newSetup(t, 10, 1, func(_ int, a job.Attempt) act { return act{state: job.Success, garbage: a.Task == 5} })
	_, _, err := s.run(t.Context())
	if !errors.Is(err, stats.ErrDamaged) {
		t.Errorf("error %v", err)
	}
}

func TestAWorkerThatDiesAtOnceEndsTheJob(t *testing.T) {
	s := newSetup(t, 10, 1, succeed)
	s.config.Backend = stillborn{s.backend}
	_, _, err := s.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "start worker 0: worker process died: exit code 127: no such library") {
		t.Errorf("error %v", err)
	}
}

// stillborn is a backend whose workers die before they are ready.
type stillborn struct{ *backend }

func (b stillborn) Launch(j *wire.Job) error {
	b.events <- executor.Event{Kind: executor.Gone, Worker: j.Worker, Err: &executor.ExitError{Code: 127, Said: "no such library"}}
	return nil
}

// lame is a backend of which worker 1 never gets ready.
type lame struct{ *backend }

func (l lame) Launch(j *wire.Job) error {
	if j.Worker == 1 {
		return nil
	}
	return l.backend.Launch(j)
}

func TestAWorkerThatNeverGetsReadyIsNotWaitedFor(t *testing.T) {
	for _, interrupted := range []bool{false, true} {
		release := make(chan struct{})
		s := newSetup(t, 4, 2, func(_ int, a job.Attempt) act { return act{state: job.Success, hold: release} })
		s.config.Backend, s.config.Patience = lame{s.backend}, time.Millisecond
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, func() {
			if interrupted {
				cancel()
			} else {
				close(release)
			}
		})
		result, _, err := s.run(ctx)
		cancel()
		if err != nil || result.Cancelled != interrupted || (result.Counts[job.Success] == 4) == interrupted {
			t.Errorf("interrupted %v: %+v, %v", interrupted, result, err)
		}
	}
}

// lateEnd is a backend whose workers take their time to end.
type lateEnd struct {
	*backend
	asked chan struct{} // closed when a worker was told to end
	may   chan struct{} // they end when this is closed
}

func (l lateEnd) Send(w int, lines []byte) {
	if string(lines) != "end\n" {
		l.backend.Send(w, lines)
		return
	}
	close(l.asked)
	go func() {
		<-l.may
		l.backend.Send(w, lines)
	}()
}

func TestAnInterruptAfterTheLastTaskCancelsNothing(t *testing.T) {
	s := newSetup(t, 2, 1, succeed)
	l := lateEnd{s.backend, make(chan struct{}), make(chan struct{})}
	s.config.Backend = l
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-l.asked
		cancel()
		time.Sleep(20 * time.Millisecond) // the loop may see the interrupt before the end
		close(l.may)
	}()
	result, _, err := s.run(ctx)
	if err != nil || result.Cancelled || result.Reason != "" || result.Counts[job.Success] != 2 {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestATaskWhoseRetryIsGivenUpCountsAsFailed(t *testing.T) {
	failed := make(chan struct{}, 3)
	s := newSetup(t, 3, 1, func(int, job.Attempt) act {
		failed <- struct{}{}
		return act{state: job.Error}
	})
	s.config.Retries = job.Retries{Limit: 1, Backoff: time.Hour, MaxBackoff: time.Hour, On: []job.State{job.Error}}
	s.config.Progress = func(p executor.Progress) {
		if p.Retried == 3 && len(failed) == 3 {
			s.once.Do(func() { close(s.stop) })
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-s.stop
		cancel()
	}()
	result, states, err := s.run(ctx)
	if err != nil || result.Counts[job.Error] != 3 || result.Counts[job.New] != 0 {
		t.Errorf("%+v, %v; the store says %v", result, err, states)
	}
}

func TestAReplacementThatDiesEarlyIsReplaced(t *testing.T) {
	s := newSetup(t, 20, 1, func(_ int, a job.Attempt) act { return act{state: job.Success, die: a.Task == 5} })
	s.config.Backend = unlucky{s.backend}
	result, _, err := s.run(t.Context())
	if err != nil || result.Counts[job.Success] != 20 {
		t.Errorf("%+v, %v", result, err)
	}
}

// unlucky is a backend whose second worker dies before it is ready.
type unlucky struct{ *backend }

func (b unlucky) Launch(j *wire.Job) error {
	if j.Worker == 1 {
		return stillborn(b).Launch(j)
	}
	return b.backend.Launch(j)
}
