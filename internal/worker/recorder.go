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
	calls   []recorded
	size    int    // of their results
	results []byte // to be appended to out
	lines   []byte // to be appended to stats, after it
	last    time.Time
	timer   *time.Timer
	armed   bool
	fail    func(error) // is told what a write of the timer's meets: nobody else may hear of it
	err     error
}

// recorded is a call that is to be written.
type recorded struct {
	rec    stats.Record
	result []byte
}

// A group is written, however young it is, when it has so many calls or bytes.
const (
	groupCalls = 64
	groupBytes = 128 << 10
)

func newRecorder(out, stats *store.Segment, send *sender) *recorder {
	r := &recorder{out: out, stats: stats, send: send}
	r.timer = time.AfterFunc(time.Hour, r.late)
	r.timer.Stop()
	return r
}

// add adds a call with its result, both of which are copied; now has everything
// written and told. wrote says that it did write, which takes a while.
func (r *recorder) add(rec *stats.Record, result []byte, now bool) (wrote bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(result) > groupBytes {
		return true, r.alone(rec, result)
	}
	n := len(r.calls)
	if n == cap(r.calls) {
		r.calls = append(r.calls, recorded{})
	}
	r.calls = r.calls[:n+1]
	c := &r.calls[n]
	c.rec, c.result = *rec, append(c.result[:0], result...)
	r.size += len(result)
	if now || n+1 == groupCalls || r.size > groupBytes || time.Since(r.last) > ringDelay {
		return true, r.write()
	}
	if !r.armed {
		r.armed = true
		r.timer.Reset(ringDelay)
	}
	return false, r.err
}

// alone writes a call with a large result, of which there should be no copies.
func (r *recorder) alone(rec *stats.Record, result []byte) error {
	if r.write(); r.err != nil {
		return r.err
	}
	var offset int64
	if offset, r.err = r.out.Append(result); r.err == nil {
		rec.ResultOffset, rec.ResultSize = stats.IntOf(offset), stats.IntOf(len(result))
		rec.ResultCRC = stats.IntOf(crc32.Checksum(result, castagnoli))
		r.lines = stats.AppendWorkerLine(keep(r.lines), rec)
		_, r.err = r.stats.Append(r.lines)
	}
	if r.err == nil {
		r.send.ring(r.stats.Size(), true)
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
	if r.err == nil && r.write() != nil && r.fail != nil {
		go r.fail(r.err)
	}
}

func (r *recorder) write() error {
	if r.err != nil {
		return r.err
	}
	r.last = time.Now()
	if len(r.calls) == 0 {
		return nil
	}
	r.results, r.lines = keep(r.results), keep(r.lines)
	for i := range r.calls {
		c := &r.calls[i]
		c.rec.ResultOffset = stats.IntOf(r.out.Size() + int64(len(r.results)))
		c.rec.ResultSize = stats.IntOf(len(c.result))
		c.rec.ResultCRC = stats.IntOf(crc32.Checksum(c.result, castagnoli))
		r.results = append(r.results, c.result...)
		r.lines = stats.AppendWorkerLine(r.lines, &c.rec)
		c.result = keep(c.result)
	}
	r.calls, r.size = r.calls[:0], 0
	if _, r.err = r.out.Append(r.results); r.err == nil {
		_, r.err = r.stats.Append(r.lines)
	}
	if r.err != nil {
		return r.err
	}
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
