package store

import (
	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/stats"
)

// RunInfo is one run of a job: a job that is resumed has several. Times are Unix
// nanoseconds.
type RunInfo struct {
	Number      int        `json:"run"` // from 1
	Program     string     `json:"program"`
	PID         int        `json:"pid"`
	Hostname    string     `json:"hostname"`
	StartNS     int64      `json:"start_ns"`
	EndNS       int64      `json:"end_ns,omitempty"` // 0: it runs, or broke off and nobody has resumed the job yet; then the last stamp known of it
	State       string     `json:"state,omitempty"`  // how it ended, as in Ending; "broken" when it broke off
	Reason      string     `json:"reason,omitempty"`
	FirstWorker int        `json:"first_worker"` // workers from this number on belong to it
	Workers     int        `json:"workers"`
	Tasks       int        `json:"tasks"` // submitted to it
	Clock       clock.Base `json:"clock"`
}

// RunOf is the number of the run that a worker is of: 1 where no runs are listed.
func (m *Manifest) RunOf(worker int) int {
	for i := len(m.Runs) - 1; i >= 0; i-- {
		if worker >= m.Runs[i].FirstWorker || i == 0 {
			return m.Runs[i].Number
		}
	}
	return 1
}

// LastRun is the last run that is listed, nil where none is.
func (m *Manifest) LastRun() *RunInfo {
	if n := len(m.Runs); n > 0 {
		return &m.Runs[n-1]
	}
	return nil
}

// FirstRun is what the manifest of a job that was never resumed tells of its run.
func (m *Manifest) FirstRun() RunInfo {
	return RunInfo{Number: 1, Program: m.Program, PID: m.PID, Hostname: m.Hostname, StartNS: m.Clock.Wall,
		Workers: m.Workers, Tasks: m.Tasks, Clock: m.Clock}
}

// Shift is how many nanoseconds the pauses before a run took altogether: what has to
// be taken off its stamps for runs to follow each other directly. A pause whose begin
// is not known, or that a step of the wall clock made negative, counts as none.
func (m *Manifest) Shift(run int) (ns int64) {
	for i := 1; i < len(m.Runs) && m.Runs[i].Number <= run; i++ {
		if start, end := m.Runs[i].StartNS, m.Runs[i-1].EndNS; start > end && end > 0 {
			ns += start - end
		}
	}
	return ns
}

// JobRuns is the job's runs as statistics want them, at least one.
func (m *Manifest) JobRuns() []stats.JobRun {
	listed := m.Runs
	if len(listed) == 0 {
		listed = []RunInfo{{Number: 1, StartNS: m.Clock.Wall, Workers: m.Workers}}
	}
	all := make([]stats.JobRun, 0, len(listed))
	for i := range listed {
		run := &listed[i]
		r := stats.JobRun{Number: run.Number, Start: run.StartNS, End: run.EndNS, Shift: m.Shift(run.Number), Reason: run.Reason,
			Workers: run.Workers, Tasks: run.Tasks}
		switch {
		case run.State != "":
			r.State = (&Ending{State: run.State}).jobState()
		case i == len(listed)-1 && m.Ended != nil:
			r.End, r.State, r.Reason = m.Ended.TimeNS, m.Ended.jobState(), m.Ended.Reason
		}
		all = append(all, r)
	}
	return all
}

// Runs is JobRuns with what else is known. Nobody wrote when a job ended that broke off: its
// last run took at least until its host's last sign of life.
func (j *Job) Runs() []stats.JobRun {
	runs := j.Manifest.JobRuns()
	if last := &runs[len(runs)-1]; last.End == 0 && j.state == JobBrokenOff {
		last.End = j.LastSeen()
	}
	return runs
}
