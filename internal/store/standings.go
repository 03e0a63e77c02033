package store

import (
	"errors"
	"io"
	"math"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// Standing is where a task stands when no process is at it.
type Standing struct {
	State job.State // of the attempt that counts
	Tries int32     // the highest number of an attempt that is known to have been made, 0: none
	Run   int32     // of the attempt that counts; 0 where no worker had it
}

// Standings is where all tasks of a job stand.
type Standings struct {
	Tasks   []Standing
	LastNS  int64 // the latest stamp known, Unix time; 0: none
	Unsound int   // tasks whose State is Lost because the result of their success is missing or does not fit its checksum
}

// standingKeys are the keys that Standings looks at.
var standingKeys = stats.NewKeySet("state", "worker", "worker_start_tstamp", "worker_end_tstamp",
	"func_result_size", "result_offset", "result_crc32c")

// Standings reads where the tasks stand, and the result of every success to its end. It
// is for a host that holds the lock: no attempt is under way. It takes 70 bytes for each
// task, and reads each file from its start to its end.
func (j *Job) Standings() (*Standings, *Report, error) {
	still := *j
	still.state = JobBrokenOff // the lock is ours
	return still.standings()
}

func (j *Job) standings() (*Standings, *Report, error) {
	m := j.Manifest
	s := &Standings{Tasks: make([]Standing, m.Tasks), LastNS: m.Clock.Wall}
	if m.Ended != nil {
		s.LastNS = max(s.LastNS, m.Ended.TimeNS)
	}
	for i := range m.Runs {
		s.LastNS = max(s.LastNS, m.Runs[i].StartNS, m.Runs[i].EndNS)
	}
	rd, err := j.read(0, m.Tasks)
	if err != nil {
		return nil, nil, err
	}
	defer rd.close()
	sound := &soundness{outputs: j.Outputs(), buf: make([]byte, 256<<10), unsound: map[job.Attempt]bool{}}
	defer sound.outputs.Close()
	counting := make([]int32, m.Tasks) // the attempts that count so far
	add := func(r *stats.Record, state job.State) {
		for _, at := range [...]stats.Sec{r.HostSubmit, r.HostDispatch, r.WorkerStart, r.WorkerEnd, r.StatusDone, r.ResultDone} {
			if at.OK {
				s.LastNS = max(s.LastNS, at.NS)
			}
		}
		t, try := &s.Tasks[r.Task], int32(min(r.Attempt, math.MaxInt32))
		t.Tries = max(t.Tries, try)
		counts := try >= counting[r.Task]
		if success := state == job.Success; success != (t.State == job.Success) {
			counts = success
		}
		if counts {
			counting[r.Task], t.State, t.Run = try, state, int32(r.Run.V)
		}
	}
	err = rd.scan(nil, standingKeys, func(r *stats.Record) error {
		state := r.State
		if state == job.Success {
			ok, err := sound.check(r)
			if err != nil {
				return err
			}
			if !ok {
				state = job.Lost
				sound.unsound[attemptOf(r)] = true
			}
		}
		add(r, state)
		return nil
	})
	if err == nil {
		err = rd.unrecorded(func(r *stats.Record) error {
			state := r.State
			if state == job.Success { // the worker's record of it is gone
				state = job.Lost
			}
			add(r, state)
			return nil
		})
	}
	if err != nil {
		return nil, nil, err
	}
	for _, d := range sound.damage {
		if task := d.id.Task; s.Tasks[task].State != job.Success || int(counting[task]) <= d.id.Try {
			rd.add(d.Damage) // else it was made again
		}
	}
	for id := range sound.unsound {
		if s.Tasks[id.Task].State == job.Lost && int(counting[id.Task]) == id.Try {
			s.Unsound++
		}
	}
	s.LastNS = max(s.LastNS, rd.last)
	return s, rd.finish(), nil
}

// soundness reads results one after the other, in the order of the segments.
type soundness struct {
	outputs *Outputs
	worker  int64 // whose segment is open
	buf     []byte
	unsound map[job.Attempt]bool
	damage  []damagedResult
}

type damagedResult struct {
	id job.Attempt
	Damage
}

// check says whether the result of a success is there as it was written. The error is
// that of a segment that is there and cannot be opened.
func (s *soundness) check(r *stats.Record) (ok bool, err error) {
	if r.Worker.V != s.worker { // those before are read to their ends
		s.outputs.Close()
		s.worker = r.Worker.V
	}
	return s.read(r)
}

func (s *soundness) read(r *stats.Record) (ok bool, err error) {
	size := r.ResultSize.V
	if recorded(r, r.ResultOffset, r.ResultSize) != nil || size < 0 || size > 0 && r.ResultOffset.V < 0 {
		return false, nil
	}
	result, err := s.outputs.Result(r)
	if _, missing := errors.AsType[Damage](err); missing {
		return false, nil // reported with the record
	}
	for err == nil {
		_, err = result.Read(s.buf)
	}
	if err == io.EOF {
		return true, nil
	}
	rr := &s.outputs.result
	if rr.err == nil || rr.large.f == nil {
		return false, err
	}
	damage, damaged := rr.damage()
	switch {
	case !damaged: // the disk cannot read it
		s.damage = append(s.damage, damagedResult{attemptOf(r), Damage{Path: rr.large.f.Name(), Msg: err.Error()}})
	case rr.large.left == 0: // else reported with the record
		s.damage = append(s.damage, damagedResult{attemptOf(r), damage})
	}
	return false, nil
}
