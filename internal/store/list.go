package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// Entry is one job in the list of a store.
type Entry struct {
	ID      string
	Name    string
	State   string // as of Job.State
	Created time.Time
	Ended   time.Time // zero: it has not, or nobody was left to tell
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
	if p, ok := lastProgress(filepath.Join(dir, hostName)); ok {
		e.Counts = map[job.State]int{job.Success: p.Done, job.Error: p.Failed, job.Running: p.Running,
			job.Queued: max(0, b.Tasks-p.Done-p.Failed-p.Running)}
	}
	return e
}

// lastProgress finds the last progress event near the end of the host's log.
func lastProgress(path string) (e Event, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return e, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return e, false
	}
	for _, size := range []int64{16 << 10, 1 << 20} {
		size = min(size, info.Size())
		buf := make([]byte, size)
		n, _ := f.ReadAt(buf, info.Size()-size)
		if e, ok = progressIn(buf[:n]); ok {
			break
		}
	}
	return e, ok
}

func progressIn(buf []byte) (e Event, ok bool) {
	mark := []byte(`{"event":"progress"`)
	for {
		i := bytes.LastIndex(buf, mark)
		if i < 0 {
			return e, false
		}
		end := bytes.IndexByte(buf[i:], '\n') + 1
		if obj, err := stats.Unseal(buf[i : i+end]); err == nil && json.Unmarshal(obj, &e) == nil {
			if bytes.Contains(buf[i+end:], []byte(`{"event":"run"`)) {
				e.Running = 0 // of a run before, which is over
			}
			return e, true
		}
		buf = buf[:i]
	}
}
