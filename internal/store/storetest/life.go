package storetest

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// life is all that is written of a small job with a reduce that is run and, as one task
// failed, resumed. What the store has acknowledged has to be there afterwards, whatever
// happened to the disk meanwhile.
type life struct {
	t       *testing.T
	s       *store.Store
	id      string
	open    store.OpenFunc
	durable job.Durability
	goesOn  bool // after what failed, once tasks run

	w        *store.Writer
	manifest *store.Manifest
	segs     map[string]*store.Segment // of the worker, by kind
	now      int64

	// acknowledged
	made, spec, file, runtime, list bool
	inputs                          []string
	tasks                           int            // of the manifest; 0: there is none
	results                         map[int]string // of tasks that succeeded
	begun                           map[int]string // of tasks whose record was perhaps written
}

const (
	lifeSpec    = "name: life\n"
	lifeFile    = "#!/bin/sh\necho hello\n"
	lifeRuntime = "pass\n"
	lifeList    = "1\n2\n3\n"
)

// live writes the job, until something fails or to its end.
func (l *life) live() error {
	l.results, l.begun, l.now = map[int]string{}, map[int]string{}, 1_750_000_000_000_000_000
	err := l.prepare()
	if err == nil {
		err = l.first()
	}
	l.end()
	if err == nil {
		if err = l.resume(); l.w != nil {
			l.end()
		}
	}
	return err
}

// end closes what is open, as the end of its process would.
func (l *life) end() {
	for _, seg := range l.segs {
		seg.Close()
	}
	l.segs = nil
	if l.w != nil {
		l.w.Close()
		l.w = nil
	}
}

func (l *life) tick() stats.Sec { l.now += 1e6; return stats.SecOf(l.now) }

func (l *life) prepare() (err error) {
	if l.w, err = l.s.Create(l.id, l.open); err != nil {
		return err
	}
	l.made = true
	l.w.SetDurability(l.durable)
	script := filepath.Join(l.t.TempDir(), "script")
	if err := os.WriteFile(script, []byte(lifeFile), 0o755); err != nil {
		l.t.Fatal(err)
	}
	if err = l.w.WriteSpec([]byte(lifeSpec)); err != nil {
		return err
	}
	l.spec = true
	if _, err = l.w.Stage(script); err != nil {
		return err
	}
	l.file = true
	if _, err = l.w.WriteRuntime("runtime.py", []byte(lifeRuntime)); err != nil {
		return err
	}
	l.runtime = true
	in, err := l.w.Inputs()
	if err = l.add(in, err, `"one"`, `"two"`, `"three"`, `"four"`); err != nil {
		return err
	}
	l.manifest = &store.Manifest{JobID: l.id, Program: "test", Spec: &job.Spec{Name: "life"}, Tasks: 4, Workers: 1, Clock: clock.Base{Wall: l.now},
		Runs: []store.RunInfo{{Number: 1, StartNS: l.now, Workers: 1, Tasks: 4}}}
	return l.write()
}

func (l *life) write() error {
	err := l.w.WriteManifest(l.manifest)
	if err == nil {
		l.tasks = l.manifest.Tasks
	}
	return err
}

func (l *life) add(in *store.InputWriter, err error, items ...string) error {
	if err != nil {
		return err
	}
	for _, item := range items {
		err = errors.Join(err, in.Add([]byte(item)))
	}
	if err = errors.Join(err, in.Close()); err == nil {
		l.inputs = append(l.inputs, items...)
	}
	return err
}

// may is err, unless life goes on with it.
func (l *life) may(err error) error {
	if l.goesOn {
		return nil
	}
	return err
}

func (l *life) first() error {
	if err := l.worker(0); err != nil {
		return err
	}
	for task := range 4 {
		if err := l.may(l.task(task, 1, task == 2)); err != nil {
			return err
		}
	}
	_, err := l.w.WriteList(0, func(w io.Writer) error {
		_, err := io.WriteString(w, lifeList)
		return err
	})
	if l.list = err == nil; l.list {
		in, errMore := l.w.InputsFrom(4)
		err = l.add(in, errMore, `{"list":"reduce-0.jsonl"}`)
	}
	if err == nil {
		l.manifest.Tasks, l.manifest.Reduces = 5, 1
		if err = l.write(); err == nil {
			err = l.task(4, 1, false)
		} else {
			l.manifest.Tasks, l.manifest.Reduces = 4, 0
		}
	}
	if err = l.may(err); err == nil {
		err = l.ended()
	}
	return err
}

func (l *life) ended() error {
	l.w.Event(store.Event{Event: "end", TimeNS: l.tick().NS, Text: "failed"})
	l.manifest.Ended = &store.Ending{State: "failed", TimeNS: l.now}
	return l.may(errors.Join(l.w.Flush(), l.write()))
}

// resume runs the task that failed once more.
func (l *life) resume() (err error) {
	if l.w, l.manifest, err = l.s.Reopen(l.id, l.open); err != nil {
		return l.may(err)
	}
	l.w.SetDurability(l.durable)
	before := &l.manifest.Runs[0]
	before.EndNS, before.State = l.now, "failed"
	l.manifest.Ended = nil
	l.manifest.Runs = append(l.manifest.Runs, store.RunInfo{Number: 2, StartNS: l.tick().NS, FirstWorker: l.w.NextWorker(), Workers: 1, Tasks: 1})
	if err := l.may(l.write()); err != nil {
		return err
	}
	if err := l.worker(l.w.NextWorker()); err != nil {
		return l.may(err)
	}
	if err := l.may(l.task(2, 2, false)); err != nil {
		return err
	}
	return l.ended()
}

// worker begins the segments of a worker.
func (l *life) worker(n int) error {
	l.segs = map[string]*store.Segment{}
	for _, kind := range []string{store.StatsSegment, store.OutSegment, store.LogSegment} {
		seg, err := store.CreateSegment(store.SegmentPath(l.w.Dir(), n, kind), l.open)
		if err != nil {
			return err
		}
		l.segs[kind] = seg
	}
	return nil
}

// task does what host and worker do about one attempt.
func (l *life) task(task, try int, fails bool) error {
	n := l.manifest.Runs[len(l.manifest.Runs)-1].FirstWorker
	host := stats.Record{Task: task, Attempt: try, State: job.Running, Worker: stats.IntOf(n), HostSubmit: l.tick(), HostDispatch: l.tick()}
	l.w.Task(&host)
	if err := l.w.Flush(); err != nil {
		return err
	}
	r := stats.Record{Task: task, Attempt: try, State: job.Success, Worker: stats.IntOf(n), WorkerStart: l.tick(), WorkerEnd: l.tick()}
	if fails {
		r.State, r.ErrorType, r.Error = job.Error, "exit", "exit code 1"
	}
	result := fmt.Sprintf("result of task %d, attempt %d", task, try)
	offset, err := l.append(store.OutSegment, []byte(result))
	if err != nil {
		return err
	}
	r.ResultOffset, r.ResultSize = stats.IntOf(offset), stats.IntOf(len(result))
	r.ResultCRC = stats.IntOf(crc32.Checksum([]byte(result), crc32.MakeTable(crc32.Castagnoli)))
	const text = "what it said\n"
	if offset, err = l.segs[store.LogSegment].Append([]byte(text)); err != nil {
		return err
	}
	r.LogOffset, r.LogSize = stats.IntOf(offset), stats.IntOf(len(text))
	if !fails {
		l.begun[task] = result
	}
	if _, err = l.append(store.StatsSegment, stats.AppendWorkerLine(nil, &r)); err != nil {
		return err
	}
	if !fails {
		l.results[task] = result
	}
	l.w.Task(&stats.Record{Task: task, Attempt: try, State: r.State, Worker: r.Worker, StatusDone: l.tick(), StatusCount: stats.IntOf(1)})
	return l.w.Flush()
}

func (l *life) append(kind string, b []byte) (int64, error) {
	offset, err := l.segs[kind].Append(b)
	if err == nil && l.durable == job.DurabilitySync {
		err = l.segs[kind].Sync()
	}
	return offset, err
}

// checkFiles looks for what the store has acknowledged, but for the results.
func (l *life) checkFiles() {
	l.t.Helper()
	for name, want := range map[string]string{"job.yaml": lifeSpec, "func/script": lifeFile, "runtime/runtime.py": lifeRuntime, "reduce-0.jsonl": lifeList} {
		acknowledged := map[string]bool{"job.yaml": l.spec, "func/script": l.file, "runtime/runtime.py": l.runtime, "reduce-0.jsonl": l.list}[name]
		if b, err := os.ReadFile(filepath.Join(l.s.JobDir(l.id), name)); acknowledged && (err != nil || string(b) != want) || err == nil && string(b) != want {
			l.t.Errorf("%s holds %q, %v, want %q", name, b, err, want)
		}
	}
	known := min(len(l.inputs), l.tasks)
	want := strings.Join(append(l.inputs[:known:known], ""), "\n")
	if b, err := os.ReadFile(filepath.Join(l.s.JobDir(l.id), "input.jsonl")); !strings.HasPrefix(string(b), want) {
		l.t.Errorf("inputs are %q, %v, want %q", b, err, want)
	}
}

// successes reads the results of the tasks that stand as success. Those are to be what
// their attempt wrote.
func (l *life) successes(j *store.Job) map[int]string {
	l.t.Helper()
	st, _, err := j.Standings()
	if err != nil {
		l.t.Fatal(err)
	}
	found := map[int]string{}
	if _, err := j.Results(0, len(st.Tasks), func(r *stats.Record, result io.Reader) error {
		if st.Tasks[r.Task].State != job.Success {
			return nil
		}
		b, err := io.ReadAll(result)
		if want := l.begun[r.Task]; err != nil || string(b) != want {
			l.t.Errorf("result of task %d is believed to be %q, %v, want %q", r.Task, b, err, want)
		}
		found[r.Task] = string(b)
		return nil
	}); err != nil {
		l.t.Fatal(err)
	}
	return found
}

// checkResume resumes the job, on a disk as it should be, and has one task succeed.
func (l *life) checkResume() {
	l.t.Helper()
	w, m, err := l.s.Reopen(l.id, nil)
	if err != nil {
		l.t.Fatalf("resume: %v", err)
	}
	before := &m.Runs[len(m.Runs)-1]
	before.EndNS = l.now
	m.Runs = append(m.Runs, store.RunInfo{Number: before.Number + 1, StartNS: l.now + 1e9, FirstWorker: w.NextWorker()})
	m.Ended = nil
	l.w, l.manifest, l.open, l.durable = w, m, nil, job.DurabilityProcess
	st, _, err := l.job().Standings()
	if err != nil {
		l.t.Fatal(err)
	}
	const task = 1
	if err := errors.Join(w.WriteManifest(m), l.worker(w.NextWorker()), l.task(task, int(st.Tasks[task].Tries)+1, false)); err != nil {
		l.t.Fatal(err)
	}
	l.end()
	if got := l.successes(l.job()); got[task] != l.begun[task] {
		l.t.Errorf("the resumed task has result %q", got[task])
	}
}

func (l *life) job() *store.Job {
	l.t.Helper()
	j, err := l.s.Job(l.id)
	if err != nil {
		l.t.Fatal(err)
	}
	return j
}
