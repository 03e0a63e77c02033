package store

import (
	"cmp"
	"math"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// hostRow is what the host noted of one attempt, small enough to be kept for
// every task of a large job: 56 bytes, no pointers.
type hostRow struct {
	wide   [wideValues]int64
	narrow [narrowValues]int32
	have   uint16 // bits: which of wide, which of narrow, known, tried
	state  job.State
}

const (
	rowSubmit = iota
	rowDispatch
	rowStatusDone
	rowResultDone
	rowSize
	wideValues
)

const (
	rowWorker = iota
	rowStatusCount
	rowResultCount
	narrowValues
)

const (
	known = 1 << (wideValues + narrowValues + iota) // there is a line
	tried                                           // of an attempt, not of a task that waits
)

// rowOf is the row of one line.
func rowOf(r *stats.Record) (h hostRow) {
	h.have, h.state = known, r.State
	if r.Attempt > 0 && r.State != job.New {
		h.have |= tried
	}
	for i, v := range [wideValues]stats.Sec{r.HostSubmit, r.HostDispatch, r.StatusDone, r.ResultDone, {NS: r.FuncDataSize.V, OK: r.FuncDataSize.OK}} {
		if v.OK {
			h.wide[i], h.have = v.NS, h.have|1<<i
		}
	}
	for i, v := range [narrowValues]stats.Int{r.Worker, r.StatusCount, r.ResultCount} {
		if v.OK {
			h.narrow[i], h.have = int32(min(v.V, math.MaxInt32)), h.have|1<<(wideValues+i)
		}
	}
	return h
}

// add takes in a later line of the attempt: what it holds replaces what was known.
// A worker that gives a task back before it began makes it new again. What a dead worker
// was at is no news where the host has told how that ended.
func (h *hostRow) add(l *hostRow) {
	if l.state == job.Running && h.state.Final() {
		return
	}
	if l.state == job.New {
		h.have &^= tried | 1<<rowDispatch | 1<<(wideValues+rowWorker)
		l.have &^= 1<<rowDispatch | 1<<(wideValues+rowWorker)
	}
	for i, v := range l.wide {
		if l.have>>i&1 != 0 {
			h.wide[i] = v
		}
	}
	for i, v := range l.narrow {
		if l.have>>(wideValues+i)&1 != 0 {
			h.narrow[i] = v
		}
	}
	h.have, h.state = h.have|l.have, l.state
}

func (h *hostRow) sec(i int) stats.Sec { return stats.Sec{NS: h.wide[i], OK: h.have>>i&1 != 0} }

func (h *hostRow) int(i int) stats.Int {
	return stats.Int{V: int64(h.narrow[i]), OK: h.have>>(wideValues+i)&1 != 0}
}

// fill sets the keys of r that the host owns.
func (h *hostRow) fill(r *stats.Record) {
	r.HostSubmit, r.HostDispatch = h.sec(rowSubmit), h.sec(rowDispatch)
	r.StatusDone, r.ResultDone = h.sec(rowStatusDone), h.sec(rowResultDone)
	r.StatusCount, r.ResultCount = h.int(rowStatusCount), h.int(rowResultCount)
	r.FuncDataSize = h.size()
}

// size is that of the task's input.
func (h *hostRow) size() stats.Int {
	n := h.sec(rowSize)
	return stats.Int{V: n.NS, OK: n.OK}
}

// hostLog is what host.jsonl says of the tasks first..first+len(rows)-1. The
// first attempt at a task has its row in rows; the later ones, which are few, are
// found by a map. A task that waits (attempt 0) shares the row of its first
// attempt.
type hostLog struct {
	first  int
	rows   []hostRow
	later  map[job.Attempt]int32 // in laterRows
	extra  []hostRow
	texts  map[job.Attempt]hostText
	unique map[hostText]hostText // most errors are alike
}

// hostText is why an attempt failed, for attempts no worker lived to tell of.
type hostText struct{ kind, text string }

// hostLine is one line on its way into the log.
type hostLine struct {
	id   job.Attempt
	row  hostRow
	text hostText
}

func newHostLog(first, n int) *hostLog {
	return &hostLog{first: first, rows: make([]hostRow, n), later: map[job.Attempt]int32{},
		texts: map[job.Attempt]hostText{}, unique: map[hostText]hostText{}}
}

// holds says whether the task is one of the log's.
func (h *hostLog) holds(task int) bool { return task >= h.first && task-h.first < len(h.rows) }

// row is what is known of an attempt at a task that h holds, or nil.
func (h *hostLog) row(a job.Attempt) *hostRow {
	if a.Try <= 1 {
		return &h.rows[a.Task-h.first]
	}
	if i, ok := h.later[a]; ok {
		return &h.extra[i]
	}
	return nil
}

func (h *hostLog) add(l *hostLine) {
	id := job.Attempt{Task: l.id.Task, Try: max(l.id.Try, 1)}
	row := h.row(id)
	if row == nil {
		h.later[id] = int32(len(h.extra))
		h.extra = append(h.extra, hostRow{})
		row = &h.extra[len(h.extra)-1]
	}
	row.add(&l.row)
	if l.text == (hostText{}) {
		return
	}
	t, old := l.text, h.texts[id]
	t.kind, t.text = cmp.Or(t.kind, old.kind), cmp.Or(t.text, old.text)
	if same, ok := h.unique[t]; ok {
		t = same
	} else {
		h.unique[t] = t
	}
	h.texts[id] = t
}

// record makes an empty record that of an attempt with the given row.
func (h *hostLog) record(id job.Attempt, row *hostRow, r *stats.Record) {
	r.Task, r.Attempt, r.State = id.Task, id.Try, row.state
	if row.have&tried == 0 {
		r.Attempt = 0
	}
	r.Worker = row.int(rowWorker)
	t := h.texts[id]
	r.ErrorType, r.Error = t.kind, t.text
	row.fill(r)
}
