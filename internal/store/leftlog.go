package store

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// logOf is where the log of an attempt stands. That of one which died with its worker is
// what the worker has left of it.
func (j *Job) logOf(r *stats.Record) (kind string, offset, size stats.Int) {
	if from, n := j.leftLog(r); n > 0 {
		return LogPart, stats.IntOf(from), stats.IntOf(n)
	}
	return LogSegment, r.LogOffset, r.LogSize
}

// leftLog is what stands of an attempt's log in its worker's LogPart; of an attempt that
// its worker has recorded, nothing.
func (j *Job) leftLog(r *stats.Record) (from, size int64) {
	if !r.Worker.OK || r.LogSize.OK || !diedWithWorker(r) {
		return 0, 0
	}
	worker := int(r.Worker.V)
	f, err := os.Open(SegmentPath(j.dir, worker, LogPart))
	if err != nil {
		return 0, 0
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 || j.left.of(j, worker) != attemptOf(r) {
		return 0, 0
	}
	if spec := j.Manifest.Spec; spec.Function != (job.Function{}) || spec.Reduce != nil {
		from = j.ofEarlierCalls(f, info.Size(), worker)
	}
	return from, info.Size() - from
}

// diedWithWorker says whether the host tells of an attempt that it died with its worker:
// it was killed, or, of a function of the program itself, has ended its process.
func diedWithWorker(r *stats.Record) bool {
	return r.State == job.Lost || r.State == job.Error && r.ErrorType == "exit" && !r.StatusDone.OK
}

// leftLogs knows which attempt each dead worker was at.
type leftLogs struct {
	mu       sync.Mutex
	blocks   int // of the host's log that were read
	attempts map[int]job.Attempt
}

type diedLines struct {
	block
	workers []int
	ids     []job.Attempt
}

// of is the last attempt of a worker that may have died with it.
func (l *leftLogs) of(j *Job, worker int) job.Attempt {
	if j.state == JobBrokenOff {
		if r, ok := died(j.dir, worker, j.Manifest.Tasks); ok {
			return attemptOf(&r)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.attempts == nil {
		l.attempts = map[int]job.Attempt{}
	}
	l.read(filepath.Join(j.dir, hostName))
	return l.attempts[worker]
}

// read reads what is new in the host's log.
func (l *leftLogs) read(path string) {
	src, err := openSource(path, -1)
	if err != nil {
		return
	}
	defer src.f.Close()
	first := max(0, l.blocks-1) // the last one may have grown
	do := func(i int, b *diedLines) {
		b.workers, b.ids = b.workers[:0], b.ids[:0]
		b.read(src, first+i, func(obj []byte, _ int64) error {
			if !bytes.HasPrefix(obj, []byte(`{"task":`)) ||
				!bytes.Contains(obj, []byte(`"lost"`)) && !bytes.Contains(obj, []byte(`"exit"`)) && !bytes.Contains(obj, []byte(`"running"`)) {
				return nil
			}
			var r stats.Record
			err := stats.Parse(obj, &r)
			if err == nil && r.Worker.OK && (diedWithWorker(&r) || r.State == job.Running) {
				b.workers, b.ids = append(b.workers, int(r.Worker.V)), append(b.ids, attemptOf(&r))
			}
			return err
		})
	}
	inOrder(src.blocks()-first, do, func(b *diedLines) error {
		for i, worker := range b.workers {
			l.attempts[worker] = b.ids[i]
		}
		return nil
	})
	l.blocks = src.blocks()
}

// ofEarlierCalls is how much of a LogPart, from its start on, earlier calls have written:
// when calls follow each other closely, what was moved to the segment is cut off later.
// Where it cannot be told from what the last call wrote it counts as that.
func (j *Job) ofEarlierCalls(part *os.File, size int64, worker int) int64 {
	const most = 16 << 20
	segment, err := os.Open(SegmentPath(j.dir, worker, LogSegment))
	if err != nil || size > most {
		return 0
	}
	defer segment.Close()
	info, err := segment.Stat()
	if err != nil {
		return 0
	}
	text, moved := make([]byte, size), make([]byte, min(size, info.Size()))
	n, err := part.ReadAt(text, 0)
	m, err2 := segment.ReadAt(moved, info.Size()-int64(len(moved)))
	if err != nil && err != io.EOF || err2 != nil && err2 != io.EOF || m == 0 {
		return 0
	}
	text, moved = text[:n], moved[:m]
	last := int(min(lastLogSize(SegmentPath(j.dir, worker, StatsSegment)), most))
	if last <= 0 {
		return 0
	}
	// The last call may have written the same as the one before: that is no proof.
	whole := len(text) > last && bytes.HasSuffix(moved, text)
	if k := movedStart(text, moved, last); k > last || whole && k > 0 {
		return int64(k)
	}
	if whole {
		return int64(len(text))
	}
	return 0
}

// movedStart is the length of the longest start of text, but the whole and no shorter
// than least, that moved ends with; 0 when there is none.
func movedStart(text, moved []byte, least int) int {
	mark := moved[max(0, len(moved)-min(least, 32)):]
	for end := len(text) - 1; end > 0; {
		at := bytes.LastIndex(text[:end], mark)
		if at < 0 {
			break
		}
		if k := at + len(mark); bytes.HasSuffix(moved, text[:k]) {
			return k
		}
		end = at + len(mark) - 1
	}
	return 0
}

// lastLogSize is the size of the last log that a worker has recorded, 0 when there is
// none near the end of its segment.
func lastLogSize(path string) (size int64) {
	fileTail(path, func(buf []byte) bool {
		for end := len(buf); end > 0 && size == 0; {
			at := bytes.LastIndexByte(buf[:end-1], '\n') + 1
			var r stats.Record
			if obj, err := stats.Unseal(buf[at:end]); err == nil && stats.Parse(obj, &r) == nil {
				size = r.LogSize.V
			}
			end = at
		}
		return size > 0
	})
	return size
}
