package store

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// States of a job.
const (
	JobRunning   = "running"
	JobDone      = "done"
	JobFailed    = "failed"
	JobCancelled = "cancelled"
	JobBrokenOff = "broken off" // its host died, or gave up the job
)

// Job reads one job. Its files may grow meanwhile: every call sees what is there
// at its time. Safe for concurrent use.
type Job struct {
	Manifest *Manifest // as it was when the job was opened; shared, not to be changed
	dir      string
	state    string
	staged   bool // there is a manifest: tasks may have been submitted
	left     *leftLogs
}

// Job opens a job for reading. The errors are *NotFoundError, ErrNewer, and
// what is wrong with the manifest. A job that never got a manifest, because its
// host died before or has not come so far, has one with what is known without it:
// the id, the time, and how many inputs there are.
func (s *Store) Job(id string) (*Job, error) {
	if !job.ValidID(id) {
		return nil, &NotFoundError{Ref: id}
	}
	dir := s.JobDir(id)
	m, state, err := load(dir, readManifest)
	if errors.Is(err, fs.ErrNotExist) {
		if _, statErr := os.Stat(dir); errors.Is(statErr, fs.ErrNotExist) {
			return nil, &NotFoundError{Ref: id}
		}
		m = &Manifest{JobID: id, Clock: clock.Base{Wall: born(dir)}, Tasks: inputsIn(dir, state)}
	} else if err != nil {
		return nil, fmt.Errorf("open job %s: %w", id, err)
	}
	if m.Spec == nil {
		m.Spec = &job.Spec{}
	}
	return &Job{Manifest: m, dir: dir, state: state, staged: err == nil, left: &leftLogs{}}, nil
}

// summary is a manifest in one of its forms.
type summary interface {
	layout() int
	ending() *Ending
}

func (m *Manifest) layout() int     { return m.Version }
func (m *Manifest) ending() *Ending { return m.Ended }

// load reads the manifest and says what state the job is in.
func load[M summary](dir string, read func(dir string) (M, error)) (m M, state string, err error) {
	m, err = read(dir)
	if err == nil && m.ending() != nil {
		return m, m.ending().jobState(), nil
	}
	if Locked(dir) {
		return m, JobRunning, err
	}
	// The host may have ended the job between the two looks.
	m, err = read(dir)
	if err == nil && m.ending() != nil {
		return m, m.ending().jobState(), nil
	}
	return m, JobBrokenOff, err
}

func (e *Ending) jobState() string {
	switch e.State {
	case JobDone, JobFailed, JobCancelled:
		return e.State
	}
	return JobBrokenOff
}

// born is when the job in dir was created, to go by its lock, which is never
// written to.
func born(dir string) int64 {
	info, err := os.Stat(filepath.Join(dir, lockName))
	if err != nil {
		if info, err = os.Stat(dir); err != nil {
			return 0
		}
	}
	return info.ModTime().UnixNano()
}

// inputsIn counts the inputs of a job without manifest, unless its host may still
// be writing them.
func inputsIn(dir, state string) int {
	if state == JobRunning {
		return 0
	}
	return countLines(filepath.Join(dir, inputName), math.MaxInt64)
}

// ID is the job's id.
func (j *Job) ID() string { return filepath.Base(j.dir) }

// Dir is the job's directory.
func (j *Job) Dir() string { return j.dir }

// State is the job's state when it was opened.
func (j *Job) State() string { return j.state }

// Spec is job.yaml as it was submitted.
func (j *Job) Spec() ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(j.dir, specName))
	if err != nil {
		return nil, fmt.Errorf("read spec: %w", err)
	}
	return b, nil
}

// Inputs reads the job's inputs from the first.
func (j *Job) Inputs() (*InputReader, error) { return OpenInputs(j.dir) }

// workers lists the numbers of the workers that have a file of this kind.
func (j *Job) workers(kind string) ([]int, error) {
	dir, err := os.Open(j.dir)
	if err != nil {
		return nil, fmt.Errorf("read job: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("read job: %w", err)
	}
	var all []int
	for _, name := range names {
		if n, ok := segmentWorker(name, kind); ok {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, nil
}

// over says whether nobody is left of the run that a worker is of.
func (j *Job) over(worker int) bool {
	last := j.Manifest.LastRun()
	return j.state != JobRunning || last != nil && j.Manifest.RunOf(worker) < last.Number
}

// complete adds what all records of the job share and what follows from others.
// What was running when its host died is lost: nobody will ever end it.
func (j *Job) complete(r *stats.Record) {
	if r.State == job.Running && (j.state != JobRunning || r.Worker.OK && j.over(int(r.Worker.V))) {
		r.State, r.ErrorType, r.Error = job.Lost, "lost", "the job broke off while this attempt was running"
	}
	j.Manifest.Fill(r)
	if r.State == job.Success && j.Manifest.superseded(r) {
		r.State, r.ErrorType, r.Error = job.Cancelled, "superseded", "map tasks were run after it: the reduce is made again"
	}
	r.Derive()
}
