package worker

import (
	"hash/crc32"
	"sync"
	"time"

	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// recorder writes results and records of short calls in groups, each group with
// two writes and one doorbell: alone, the writes would cost more than the call.
// Nothing waits longer than ringDelay, whatever runs meanwhile.
type recorder struct {
	mu      sync.Mutex
	out     *store.Segment
	stats   *store.Segment
	send    *sender
	results []byte // to be appended to out
	lines   []byte // to be appended to stats, after it
	last    time.Time
	timer   *time.Timer
	armed   bool
	err     error // what a write of the timer's met
}

// groupBytes is when a group is written, however young it is.
const groupBytes = 128 << 10

func newRecorder(out, stats *store.Segment, send *sender) *recorder {
	r := &recorder{out: out, stats: stats, send: send}
	r.timer = time.AfterFunc(time.Hour, r.late)
	r.timer.Stop()
	return r
}

// result adds the result of a call that is recorded next.
func (r *recorder) result(rec *stats.Record, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec.ResultOffset = stats.IntOf(r.out.Size() + int64(len(r.results)))
	rec.ResultSize = stats.IntOf(len(b))
	rec.ResultCRC = stats.IntOf(crc32.Checksum(b, castagnoli))
	r.results = append(r.results, b...)
}

// add adds a record; now has everything written and told.
func (r *recorder) add(rec *stats.Record, now bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = stats.AppendWorkerLine(r.lines, rec)
	if now || len(r.lines)+len(r.results) > groupBytes || time.Since(r.last) > ringDelay {
		return r.write()
	}
	if !r.armed {
		r.armed = true
		r.timer.Reset(ringDelay)
	}
	return r.err
}

// flush writes what is left.
func (r *recorder) flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.write()
}

func (r *recorder) late() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.armed = false
	r.write()
}

func (r *recorder) write() error {
	if r.err != nil {
		return r.err
	}
	r.last = time.Now()
	if len(r.lines) == 0 {
		return nil // a result without its record is not worth writing
	}
	if _, r.err = r.out.Append(r.results); r.err == nil {
		_, r.err = r.stats.Append(r.lines)
	}
	if r.err != nil {
		return r.err
	}
	r.results, r.lines = keep(r.results), keep(r.lines)
	r.send.ring(r.stats.Size(), true)
	return nil
}

// keep empties b for more, unless it has grown so large that it is better given back.
func keep(b []byte) []byte {
	if cap(b) > 4*groupBytes {
		return nil
	}
	return b[:0]
}

func (r *recorder) close() error {
	err := r.flush()
	r.timer.Stop()
	return err
}
