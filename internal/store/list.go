package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
)

// Entry is one job in the list of a store.
type Entry struct {
	ID      string
	Name    string
	State   string // as of Job.State
	Created time.Time
	Ended   time.Time // of a job that broke off, when its host was last seen; zero: not, or not known
	Tasks   int
	Counts  map[job.State]int // tasks by state; nil: not known
	Err     error             // why the job cannot be read; only ID is known then
}

// List tells of all jobs, newest first. One that cannot be read does not keep the
// others from being listed.
func (s *Store) List() ([]Entry, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	all := make([]Entry, 0, len(ids))
	err = inOrder(len(ids), func(i int, e *Entry) {
		*e = entryOf(s.JobDir(ids[i]))
	}, func(e *Entry) error {
		if e.ID != "" { // was not removed meanwhile
			all = append(all, *e)
		}
		return nil
	})
	return all, err
}

// brief is the part of a manifest that a list needs.
type brief struct {
	Version int        `json:"version"`
	Name    string     `json:"name"`
	Tasks   int        `json:"tasks"`
	Clock   clock.Base `json:"clock"`
	Ended   *Ending    `json:"ended"`
}

func (b *brief) layout() int     { return b.Version }
func (b *brief) ending() *Ending { return b.Ended }

func readBrief(dir string) (*brief, error) {
	b := &brief{}
	return b, decodeManifest(dir, b)
}

func entryOf(dir string) Entry {
	e := Entry{ID: filepath.Base(dir)}
	b, state, err := load(dir, readBrief)
	e.State = state
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(dir); err != nil {
			return Entry{}
		}
		e.Created, e.Tasks = time.Unix(0, born(dir)), inputsIn(dir, state)
		return e
	case err != nil:
		e.Err = err
		return e
	}
	e.Name, e.Tasks, e.Created = b.Name, b.Tasks, time.Unix(0, b.Clock.Wall)
	if b.Ended != nil {
		e.Ended, e.Counts = time.Unix(0, b.Ended.TimeNS), b.Ended.Counts
		return e
	}
	path, found := filepath.Join(dir, hostName), false
	var p Event
	var seen int64
	fileTail(path, func(buf []byte) bool {
		if p, found = progressIn(buf); state == JobBrokenOff {
			seen = seenIn(buf)
		}
		return found
	})
	if seen > 0 {
		e.Ended = time.Unix(0, seen)
	}
	if found {
		e.Counts = map[job.State]int{job.Success: p.Done, job.Error: p.Failed,
			job.Queued: max(0, b.Tasks-p.Done-p.Failed-p.Running)}
		running := job.Running
		if state == JobBrokenOff {
			running = job.Lost
		}
		e.Counts[running] = p.Running
	}
	return e
}
