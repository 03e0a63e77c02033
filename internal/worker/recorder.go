package worker

import (
	"cmp"
	"errors"
	"hash/crc32"
	"sync"
	"time"

	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// recorder writes results and records of short calls in groups, each group with
// two writes and one doorbell: alone, the writes would cost more than the call.
// Nothing waits longer than ringDelay, whatever runs meanwhile.
//
// When what is recorded has to survive a power cut, see durable, records of all
// tasks go to the disk in groups, each with a sync of what they point to, one write,
// a sync of the records and one doorbell. While one group is on its way the next
// comes together, so that short tasks do not wait for the disk. Nothing waits longer
// than syncDelay before it is on its way.
type recorder struct {
	mu      sync.Mutex
	out     *store.Segment
	stats   *store.Segment
	send    *sender
	common  *stats.Record // what lines of stats leave out
	calls   int           // that are to be written:
	results []byte        // to be appended to out
	lines   []byte        // to be appended to stats, after it
	last    time.Time
	timer   *time.Timer
	armed   bool
	fail    func(error) // is told what a write of the timer's meets: nobody else may hear of it
	err     error

	synced  bool          // see durable; what follows is used only then
	delay   time.Duration // how long a record waits for others to go to the disk with
	files   [2]*output    // of results and of logs
	ends    [2]int64      // of those that group points to
	group   []byte        // lines whose results and logs are in their segments
	urgent  bool          // the timer is set to now
	syncing sync.Mutex    // held while a group goes to the disk; taken before mu
	spare   []byte        // this and the next belong to who holds syncing
	broken  bool          // a sync has failed: what it left on the disk nobody knows, and a second would not tell
}

// A group is written, however young it is, when it has so many calls or bytes.
const (
	groupCalls = 256
	groupBytes = 128 << 10
)

// syncDelay bounds how long a finished task waits for others to go to the disk with.
const syncDelay = 100 * time.Millisecond

func newRecorder(out, lines *store.Segment, send *sender) *recorder {
	r := &recorder{out: out, stats: lines, send: send, common: &stats.Record{}}
	r.timer = time.AfterFunc(time.Hour, r.late)
	r.timer.Stop()
	return r
}

// durable has the records on the disk, with what they point to, before the host is
// told of them.
func (r *recorder) durable(out, log *output) error {
	if err := errors.Join(out.durable(), log.durable()); err != nil {
		return err
	}
	r.synced, r.delay, r.files = true, syncDelay, [2]*output{out, log}
	r.timer = time.AfterFunc(time.Hour, r.lateCommit)
	r.timer.Stop()
	return nil
}

// place writes what is left of calls to where a command can write after it: the
// segments have one writer at a time.
func (r *recorder) place() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.write()
}

// record records an attempt whose result and log are in their segments; place was
// called before they were written. now says that the host should hear soon, because
// work is about to run out.
func (r *recorder) record(line []byte, now bool) error {
	if !r.synced {
		_, err := r.stats.Append(line)
		if err == nil {
			r.send.ring(r.stats.Size(), now)
		}
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.group = append(r.group, line...)
		r.ends = [2]int64{r.out.Size(), r.files[1].seg.Size()}
		r.ask(now)
	}
	return r.err
}

// add adds a call with its result, both of which are copied; now has everything
// written and told. wrote says that it did write, which takes a while.
func (r *recorder) add(rec *stats.Record, result []byte, now bool) (wrote bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return true, r.err
	}
	if r.synced {
		r.ends[1] = r.files[1].seg.Size()
	}
	if len(result) > groupBytes {
		return true, r.alone(rec, result, now)
	}
	r.results, r.calls = append(r.results, result...), r.calls+1
	r.line(rec, result, r.out.Size()+int64(len(r.results)-len(result)))
	full := r.calls == groupCalls || len(r.results) > groupBytes
	if r.synced {
		if full {
			r.write()
		}
		r.ask(now)
		return full, r.err
	}
	if full || now || time.Since(r.last) > ringDelay {
		return true, r.write()
	}
	if !r.armed {
		r.armed = true
		r.timer.Reset(ringDelay)
	}
	return false, r.err
}

// line makes the record of a call whose result is to stand at offset.
func (r *recorder) line(rec *stats.Record, result []byte, offset int64) {
	rec.ResultOffset, rec.ResultSize = stats.IntOf(offset), stats.IntOf(len(result))
	rec.ResultCRC = stats.IntOf(crc32.Checksum(result, castagnoli))
	r.lines = stats.AppendSegmentLine(r.lines, rec, r.common)
}

// alone writes a call with a large result, of which there should be no copies.
func (r *recorder) alone(rec *stats.Record, result []byte, now bool) error {
	if r.write(); r.err != nil {
		return r.err
	}
	var offset int64
	if offset, r.err = r.out.Append(result); r.err == nil {
		r.line(rec, result, offset)
		r.tell()
		r.ask(now)
	}
	return r.err
}

// tell writes r.lines and rings, or has them join the group.
func (r *recorder) tell() {
	if r.synced {
		r.group, r.ends[0] = append(r.group, r.lines...), r.out.Size()
	} else if _, r.err = r.stats.Append(r.lines); r.err == nil {
		r.send.ring(r.stats.Size(), true)
	}
	r.lines = keep(r.lines)
}

// ask has the group go to the disk: now, or within syncDelay together with what
// comes until then.
func (r *recorder) ask(now bool) {
	switch {
	case !r.synced || r.err != nil:
		return
	case (now || len(r.group) > 4*groupBytes) && !r.urgent:
		r.urgent = true
		r.timer.Reset(0)
	case !r.armed:
		r.timer.Reset(r.delay)
	}
	r.armed = true
}

// commit brings to the disk what is recorded and not there yet, and rings. Results
// and logs are there before the record that points to them is written: a record
// that is found after a power cut is complete.
func (r *recorder) commit() error {
	r.syncing.Lock()
	defer r.syncing.Unlock()
	r.mu.Lock()
	r.armed, r.urgent = false, false
	err := r.write()
	group, ends := r.group, r.ends
	r.group = r.spare[:0]
	r.mu.Unlock()
	r.spare = keep(group)
	if len(group) == 0 || r.broken {
		return err
	}
	if failed := r.force(group, ends); failed != nil {
		r.broken = true
		r.mu.Lock()
		defer r.mu.Unlock()
		r.err = cmp.Or(r.err, failed)
		return r.err
	}
	r.send.ring(r.stats.Size(), true)
	return err
}

func (r *recorder) force(group []byte, ends [2]int64) error {
	for i, o := range r.files {
		if err := o.force(ends[i]); err != nil {
			return err
		}
	}
	if _, err := r.stats.Append(group); err != nil {
		return err
	}
	return r.stats.Sync()
}

// lateCommit is the timer's.
func (r *recorder) lateCommit() {
	r.mu.Lock()
	failed := r.err != nil
	r.mu.Unlock()
	if failed {
		return
	}
	if err := r.commit(); err != nil && r.fail != nil {
		go r.fail(err)
	}
}

// flush writes what is left, and has it on the disk where that is asked for.
func (r *recorder) flush() error {
	if r.synced {
		return r.commit()
	}
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
	if r.calls == 0 {
		return nil
	}
	if _, r.err = r.out.Append(r.results); r.err == nil {
		r.tell()
	}
	r.results, r.calls = keep(r.results), 0
	return r.err
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
