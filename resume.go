package lithops

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/facts"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/proc"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// Selection is which of a job's tasks are run when it is resumed. Those that have
// succeeded never are.
type Selection struct {
	FailedOnly bool                  // only tasks that were tried and failed: error, timeout or lost
	Tasks      []Range               // only these; nil: all
	Change     func(*job.Spec) error // changes how tasks are run, not what they do; may be nil
}

// Range are the tasks from First to Last, both included.
type Range struct{ First, Last int }

// Resumption is what a resumed job has before it.
type Resumption struct {
	Run         int           // its number, from 2
	Todo        int           // tasks that will be run
	Done        int           // that have succeeded
	Left        int           // neither
	AlreadyDone int           // that were selected by number and have succeeded
	Unsound     int           // successes that do not count, because the result is not there as it was written
	Pause       time.Duration // since the last run
	Notes       []string      // what the user should know
}

// ErrGoProgram is a job whose functions are in another program.
var ErrGoProgram = errors.New("its functions are part of a Go program")

// leftTime is what processes that were killed get to be gone.
const leftTime = 5 * time.Second

// KillLeft kills what is left of a job that does not run any more, and returns how
// many processes that were.
func KillLeft(jobID string) int {
	killed, _ := proc.KillMarked(proc.Mark(jobID), nil, leftTime)
	return killed
}

// resumed is what a run of a job has from those before it.
type resumed struct {
	Resumption
	tasks []store.Standing
	todo  []bool
	again bool // the reduce is to be made again
	extra int  // of Todo: tasks of the reduce that are not numbered yet
	unrun int  // tasks of the map that are left as they are and never came to an end
}

// former is a task as the executor wants it. Of a reduce that is made again the number of
// tasks may change.
func (r *resumed) former(task int) executor.Former {
	if task >= len(r.tasks) {
		return executor.Former{Todo: true}
	}
	s := r.tasks[task]
	return executor.Former{State: s.State, Tries: int(s.Tries), Todo: r.todo[task]}
}

// PrepareResume makes a job ready to go on that has ended or broken off: its tasks
// without success, or some of them, are run, in a further run of the same job. Of r
// it takes Store, Version, and what is told. The job is locked until Execute or
// Abandon; nothing of it is changed before Execute.
//
// The errors are those of the store (*store.NotFoundError, *store.RunningError,
// store.ErrNotStaged), *store.NoTaskError, ErrGoProgram, and what is wrong with the
// changed job or with what it needs.
func (r Run) PrepareResume(ctx context.Context, jobID string, sel Selection) (*Prepared, error) {
	w, m, err := r.Store.Reopen(jobID, nil)
	if err != nil {
		return nil, err
	}
	p := &Prepared{run: r, w: w, manifest: m, read: *m, maps: m.Maps()}
	if err := p.resume(ctx, sel); err != nil {
		w.Close()
		return nil, err
	}
	return p, nil
}

// Resumption tells of a job that is resumed, nil for a new one.
func (p *Prepared) Resumption() *Resumption {
	if p.before == nil {
		return nil
	}
	return &p.before.Resumption
}

func (p *Prepared) resume(ctx context.Context, sel Selection) error {
	m, spec := p.manifest, *p.manifest.Spec
	for _, l := range languages(&spec) {
		if l == job.Go {
			return fmt.Errorf("resume %s: %w", m.JobID, ErrGoProgram)
		}
	}
	if sel.Change != nil {
		if err := sel.Change(&spec); err != nil {
			return err
		}
		if err := spec.Validate(); err != nil {
			return err
		}
	}
	p.run.Spec, m.Spec, m.Name = &spec, &spec, spec.Name
	if err := p.run.check(); err != nil {
		return err
	}
	p.w.SetDurability(spec.Durability)
	j, err := p.run.Store.Job(m.JobID)
	if err != nil {
		return err
	}
	st, rep, err := j.Standings()
	if err != nil {
		return fmt.Errorf("read job %s: %w", m.JobID, err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	p.before = &resumed{tasks: st.Tasks, todo: make([]bool, len(st.Tasks))}
	p.before.Unsound = st.Unsound
	if rep.Total > 0 {
		p.before.note("damaged places in the store: %d; tasks whose success cannot be read are run again", rep.Total)
	}
	if err := p.choose(sel); err != nil {
		return err
	}
	p.compare()
	p.follow(st.LastNS)
	most := p.before.Todo
	if p.before.extra > 0 {
		most = max(most, p.maps) // as in the first run
	}
	m.Workers = max(1, min(cmp.Or(spec.Workers, runtime.GOMAXPROCS(0)), most))
	return nil
}

func (r *resumed) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// compare notes which of the files that tasks are run from have changed since they were
// staged. They are used as they are now: to mend them and go on is what many resume for.
func (p *Prepared) compare() {
	spec := p.run.Spec
	names := spec.FunctionFiles()
	if name, fixed := p.run.program(); fixed && strings.Contains(name, "/") && !filepath.IsAbs(name) {
		names = append(names, name)
	}
	for _, name := range names {
		now, err := os.ReadFile(spec.Path(name))
		if err != nil {
			continue // check has found it a moment ago
		}
		then, err := os.ReadFile(filepath.Join(p.w.FuncDir(), filepath.Base(name)))
		if err == nil && !bytes.Equal(then, now) {
			p.before.note("%s has changed since the job was submitted: tasks are run with it as it is now", name)
		}
	}
}

// choose finds out which tasks are to be run.
func (p *Prepared) choose(sel Selection) error {
	b, m := p.before, p.manifest
	named, err := sel.named(m.Tasks)
	if err != nil {
		return err
	}
	maps := 0
	for task := range b.tasks {
		s := &b.tasks[task]
		if !s.State.Final() { // its worker and its host died with it
			s.State = job.New
			if s.Tries > 0 {
				s.State = job.Lost
			}
		}
		wanted := named == nil || named[task]
		switch failed := s.State.Failed() && s.State != job.Cancelled; {
		case s.State == job.Success:
			b.Done++
			if named != nil && wanted {
				b.AlreadyDone++
			}
			continue
		case !wanted || sel.FailedOnly && !failed:
			if task < p.maps && !failed {
				b.unrun++
			}
			continue
		}
		b.todo[task] = true
		b.Todo++
		if task < p.maps {
			maps++
		}
	}
	if p.run.Spec.Reduce != nil {
		p.chooseReduce(maps)
	}
	b.Left = len(b.tasks) - b.Done - (b.Todo - b.extra)
	return nil
}

// chooseReduce decides whether the reduce is to be made again: when it was not made, or
// when tasks of the map, of which there are maps, are run now.
func (p *Prepared) chooseReduce(maps int) {
	b, m := p.before, p.manifest
	if m.ReduceRun > 0 && !m.ReduceStale && maps == 0 {
		return
	}
	b.again = true
	for task := p.maps; task < len(b.tasks); task++ {
		s := &b.tasks[task]
		if s.State == job.Success {
			s.State = job.Cancelled // as it reads from now on
			b.Done--
		}
		if !b.todo[task] {
			b.todo[task] = true
			b.Todo++
		}
	}
	// It is run only when all of the map has succeeded, or may have failed.
	complete := p.run.Spec.OnFailure.Mode == job.Tolerate && b.unrun == 0
	for task := 0; !complete; task++ {
		if complete = task == p.maps; !complete && !b.todo[task] && b.tasks[task].State != job.Success {
			break
		}
	}
	switch planned := len(b.tasks) - p.maps; {
	case complete && planned == 0:
		b.extra = 1 // how many there are shows when the map is done
		b.Todo += b.extra
	case !complete:
		b.Todo -= planned
	}
}

// named are the tasks that the selection names, nil when it names none.
func (s *Selection) named(tasks int) ([]bool, error) {
	if s.Tasks == nil {
		return nil, nil
	}
	named := make([]bool, tasks)
	for _, r := range s.Tasks {
		if r.First < 0 || r.Last >= tasks {
			missing := r.Last
			if r.First < 0 || r.First >= tasks {
				missing = r.First
			}
			return nil, &store.NoTaskError{Task: missing, Tasks: tasks}
		}
		for task := r.First; task <= r.Last; task++ {
			named[task] = true
		}
	}
	return named, nil
}

// follow lists the coming run after those before it, the last of which ended at last, as
// far as is known. A job's time never goes back, whatever the machine's clock did
// meanwhile.
func (p *Prepared) follow(last int64) {
	m, b := p.manifest, p.before
	if len(m.Runs) == 0 {
		m.Runs = []store.RunInfo{m.FirstRun()}
	}
	before := m.LastRun()
	if before.EndNS == 0 {
		before.EndNS, before.State = max(last, before.StartNS), "broken"
		if m.Ended != nil {
			before.EndNS, before.State, before.Reason = m.Ended.TimeNS, m.Ended.State, m.Ended.Reason
		}
	}
	base := clock.NewBase()
	if last = max(last, before.EndNS); base.Wall <= last {
		b.note("the clock of this machine stands %v before the job's last record: this run's stamps go on from there",
			stats.HumanDuration(last-base.Wall))
		base.Wall = last + int64(time.Millisecond)
	}
	p.clock = base.Clock()
	b.Pause = time.Duration(base.Wall - before.EndNS)
	b.Run = before.Number + 1
	p.next = store.RunInfo{Number: b.Run, Program: p.run.Version, StartNS: base.Wall, FirstWorker: p.w.NextWorker(), Tasks: b.Todo, Clock: base}
}

// begin writes the coming run into the manifest.
func (p *Prepared) begin() error {
	m, run := p.manifest, p.next
	// Nothing of an earlier run may get in the way of this one.
	if _, left := proc.KillMarked(proc.Mark(m.JobID), nil, leftTime); len(left) > 0 {
		p.w.Event(store.Event{Event: "left", TimeNS: p.clock.Now(), Text: fmt.Sprintf("processes of an earlier run that cannot be killed: %v", left)})
	}
	machine := facts.Machine()
	run.PID, run.Hostname, run.Workers = os.Getpid(), machine.Hostname, m.Workers
	m.Runs = append(m.Runs, run)
	m.Ended, m.Program, m.Machine = nil, p.run.Version, machine
	m.ReduceStale = m.ReduceStale || p.before.again && m.ReduceRun > 0
	if err := p.runtimes(); err != nil { // another version of the program may have begun the job
		return err
	}
	return p.w.WriteManifest(m)
}
