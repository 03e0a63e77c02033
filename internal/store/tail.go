package store

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/lithops-go/lithops/internal/stats"
)

// LastSeen is when the job's host last showed that it lived, Unix time in nanoseconds:
// its last event, or stamp of a task, near the end of its log. 0 is not known.
func (j *Job) LastSeen() int64 {
	seen := int64(0)
	fileTail(filepath.Join(j.dir, hostName), func(buf []byte) bool {
		seen = seenIn(buf)
		return seen != 0
	})
	return seen
}

// fileTail gives try the end of a file of lines, and a longer one if it does not find
// there what it looks for.
func fileTail(path string, try func(buf []byte) (found bool)) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return
	}
	for _, size := range []int64{16 << 10, 1 << 20} {
		size = min(size, info.Size())
		buf := make([]byte, size)
		n, _ := f.ReadAt(buf, info.Size()-size)
		if try(buf[:n]) || size == info.Size() {
			return
		}
	}
}

// seenIn is the latest stamp among the last event and the lines that follow it.
func seenIn(buf []byte) (seen int64) {
	for end := len(buf); end > 0; {
		at := bytes.LastIndexByte(buf[:end-1], '\n') + 1
		line := buf[at:end]
		end = at
		obj, err := stats.Unseal(line)
		if err != nil {
			continue // torn, damaged, or begins before buf
		}
		if bytes.HasPrefix(obj, []byte(`{"event":`)) {
			if now := eventTime(obj); now > 0 {
				return max(seen, now)
			}
			continue
		}
		var r stats.Record
		if stats.Parse(obj, &r) == nil {
			seen = max(seen, hostStamp(&r))
		}
	}
	return seen
}

// hostStamp is the latest of the host's stamps of an attempt, 0 when it has none.
func hostStamp(r *stats.Record) (last int64) {
	for _, at := range [...]stats.Sec{r.HostSubmit, r.HostDispatch, r.StatusDone, r.ResultDone} {
		if at.OK {
			last = max(last, at.NS)
		}
	}
	return last
}

// progressIn finds the last progress event in the end of a host's log.
func progressIn(buf []byte) (e Event, ok bool) {
	mark := []byte(`{"event":"progress"`)
	for {
		i := bytes.LastIndex(buf, mark)
		if i < 0 {
			return e, false
		}
		end := bytes.IndexByte(buf[i:], '\n') + 1
		if obj, err := stats.Unseal(bytes.Clone(buf[i : i+end])); err == nil && json.Unmarshal(obj, &e) == nil {
			if bytes.Contains(buf[i+end:], []byte(`{"event":"run"`)) {
				e.Running = 0 // of a run before, which is over
			}
			return e, true
		}
		buf = buf[:i]
	}
}
