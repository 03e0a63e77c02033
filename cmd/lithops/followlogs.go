package main

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// pollTime is how often the store of a job that is followed is looked at.
const pollTime = 200 * time.Millisecond

// logFollower prints the logs of a running job as its tasks end.
type logFollower struct {
	*logPrinter
	store       *store.Store
	shownBefore map[job.Attempt]bool
	live        *liveLog // nil: there is none
}

// run prints what there is, then what comes, until the job ends or ctx does.
func (f *logFollower) run(ctx context.Context, j *store.Job) (*store.Report, error) {
	f.outputs = j.Outputs()
	defer f.outputs.Close()
	more, err := j.Follow(logKeys)
	if err != nil {
		return nil, err
	}
	defer more.Close()
	if f.tasks.one() && !f.failed && j.Manifest.Spec.Function == (job.Function{}) && f.tasks.ranges[0].from < j.Manifest.Maps() {
		f.live = &liveLog{task: f.tasks.ranges[0].from, before: map[job.Attempt]int64{}}
	}
	if _, err := f.all(j); err != nil {
		return nil, err
	}
	tick := time.NewTicker(pollTime)
	defer tick.Stop()
	for j.State() == store.JobRunning {
		if err := f.flush(); err != nil {
			return nil, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, errInterrupted
		}
		if j, err = f.store.Job(j.ID()); err != nil {
			return nil, err
		}
		if err := f.next(j, more); err != nil {
			return nil, err
		}
	}
	return f.all(j) // what only the host knows, such as lost attempts; and damage
}

// all prints the logs of all attempts that have ended.
func (f *logFollower) all(j *store.Job) (*store.Report, error) {
	return f.each(j, func(attempts []stats.Record) error {
		for i := range attempts {
			r := &attempts[i]
			skip := int64(0)
			if f.live != nil && r.State == job.Lost { // its worker has died: what it said was left where it stood
				skip = f.live.printedOf(job.Attempt{Task: r.Task, Try: r.Attempt})
			}
			if err := f.once(r, skip); err != nil {
				return err
			}
		}
		return nil
	})
}

// next prints the logs of the attempts that have ended since the last call, and
// what the running one has written.
func (f *logFollower) next(j *store.Job, more *store.Follower) error {
	var text []byte
	if f.live != nil {
		text = f.live.read(j, f.lines)
	}
	err := more.Next(func(r *stats.Record) error {
		skip := int64(0)
		if l := f.live; l != nil && l.attempt == (job.Attempt{Task: r.Task, Try: r.Attempt}) {
			skip, text, l.attempt = l.printed, nil, job.Attempt{}
		}
		return f.once(r, skip)
	})
	if err != nil || len(text) == 0 {
		return err
	}
	// No record has come, so that what was read is of this attempt and not of the next.
	l := f.live
	if !l.begun && f.wantsHeading(l.attempt.Try > 1) {
		if err := f.heading(l.attempt.Task, l.attempt.Try, false, job.Running.String()); err != nil {
			return err
		}
	}
	l.begun = true
	l.printed += int64(len(text))
	f.shown++
	_, err = f.Write(text)
	return err
}

// once is show for an attempt that was not shown yet.
func (f *logFollower) once(r *stats.Record, skip int64) error {
	id := job.Attempt{Task: r.Task, Try: r.Attempt}
	if !r.State.Final() || !f.tasks.wants(r.Task) || f.failed && !hasFailed(r.State) || f.shownBefore[id] {
		return nil
	}
	f.met = true
	if hasFailed(r.State) || r.LogSize.V > 0 {
		f.shownBefore[id] = true
	}
	return f.show(r, r.Attempt > 1, skip)
}

// liveLog is the log of the attempt at one task that runs now: its worker has not
// moved it into the store yet.
type liveLog struct {
	task    int
	attempt job.Attempt // zero: none is known to run
	worker  int
	printed int64
	begun   bool                  // something was printed of it
	look    time.Time             // when to look again which attempt runs
	before  map[job.Attempt]int64 // printed of attempts that ended without a record
}

// printedOf is how much was printed of an attempt.
func (l *liveLog) printedOf(id job.Attempt) int64 {
	if id == l.attempt {
		return l.printed
	}
	return l.before[id]
}

// read is what the running attempt has written since the last call: if it still
// runs, for then its worker has written it for no other.
func (l *liveLog) read(j *store.Job, lines int) []byte {
	l.find(j)
	if l.attempt.Try == 0 {
		return nil
	}
	f, err := os.Open(store.SegmentPath(j.Dir(), l.worker, store.LogPart))
	if err != nil {
		return nil // the worker has died
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	part := io.NewSectionReader(f, 0, info.Size())
	if lines > 0 && l.printed == 0 {
		if l.printed, err = lastLines(part, lines); err != nil {
			return nil
		}
	}
	const most = 1 << 20
	text := make([]byte, max(0, min(most, part.Size()-l.printed)))
	n, _ := part.ReadAt(text, l.printed)
	return text[:n]
}

// find looks which attempt runs. In a large job that takes long, and is done the
// more rarely.
func (l *liveLog) find(j *store.Job) {
	begun := time.Now()
	if begun.Before(l.look) {
		return
	}
	all, _, err := j.Task(l.task)
	l.look = time.Now().Add(20 * time.Since(begun))
	if err != nil {
		return
	}
	r := all[len(all)-1]
	id := job.Attempt{Task: r.Task, Try: r.Attempt}
	if r.State == job.Running && r.Worker.OK && id != l.attempt {
		if l.printed > 0 {
			l.before[l.attempt] = l.printed
		}
		l.attempt, l.worker, l.printed, l.begun = id, int(r.Worker.V), 0, false
	}
}
