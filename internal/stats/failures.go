package stats

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lithops-go/lithops/internal/job"
)

// Bounds of what is kept of failed tasks, so that a million of them, or a
// million kinds, take no more memory than they need to be told.
const (
	maxFailureKinds  = 1000
	maxFailureDetail = 2048 // records kept; a kind without one gets one beyond that
	maxFailureText   = 1000 // bytes of an error text
)

// failures groups the tasks whose attempt that counts has failed.
type failures struct {
	kindOf []uint16 // by task: 1 + index of its kind, 0 when it has not failed
	index  map[failureKind]uint16
	kinds  []failureKind
	detail []map[int]*Record // by kind: records of some of its tasks
	kept   int
}

type failureKind struct {
	reduce    bool
	state     job.State
	exit      Int
	signal    string
	errorType string
}

func (f *failures) init(tasks int) {
	f.kindOf = make([]uint16, tasks)
	f.index = map[failureKind]uint16{}
}

// put takes in the record that counts for its task from now on.
func (f *failures) put(r *Record) {
	if old := f.kindOf[r.Task]; old > 0 {
		if details := f.detail[old-1]; details[r.Task] != nil {
			delete(details, r.Task)
			f.kept--
		}
		f.kindOf[r.Task] = 0
	}
	if !r.State.Failed() || r.State == job.Cancelled {
		return
	}
	k := f.kind(r)
	f.kindOf[r.Task] = k + 1
	if f.kept >= maxFailureDetail && len(f.detail[k]) > 0 {
		return
	}
	f.detail[k][r.Task] = failureRecord(r)
	f.kept++
}

func (f *failures) kind(r *Record) uint16 {
	k := failureKind{reduce: r.Stage == StageReduce, state: r.State, errorType: clip(r.ErrorType)}
	if r.State == job.Error {
		k.exit, k.signal = r.ExitCode, r.Signal
	}
	i, known := f.index[k]
	if !known && len(f.kinds) >= maxFailureKinds {
		k = failureKind{reduce: k.reduce, state: r.State, errorType: "other"}
		i, known = f.index[k]
	}
	if !known {
		i = uint16(len(f.kinds))
		f.index[k] = i
		f.kinds = append(f.kinds, k)
		f.detail = append(f.detail, map[int]*Record{})
	}
	return i
}

// failureRecord is a copy of r that holds on to nothing large.
func failureRecord(r *Record) *Record {
	c := *r
	c.CPUUsage = nil
	c.Error, c.ErrorType = clip(r.Error), clip(r.ErrorType)
	return &c
}

func clip(s string) string {
	if len(s) <= maxFailureText {
		return s
	}
	return strings.Clone(strings.ToValidUTF8(s[:maxFailureText], "")) + "…"
}

// groups makes the list, the most frequent kind first. attempt holds, by task,
// the attempt that counts, lost how many were lost, if any were.
func (f *failures) groups(attempt, lost []uint16, logLine func(*Record) string) []Failure {
	list := make([]Failure, len(f.kinds))
	for i, k := range f.kinds {
		list[i] = Failure{State: k.state, ExitCode: k.exit, Signal: Nullable(k.signal), ErrorType: Nullable(k.errorType), Stage: stageName(k.reduce)}
	}
	for task, k := range f.kindOf {
		if k == 0 {
			continue
		}
		g := &list[k-1]
		if g.Count == 0 {
			g.Task, g.Attempt = task, int(attempt[task])
		}
		g.Count++
	}
	for i, details := range f.detail {
		var r *Record
		for _, one := range details {
			if r == nil || one.Task < r.Task {
				r = one
			}
		}
		if r == nil {
			continue
		}
		g := &list[i]
		g.Task, g.Attempt, g.Error = r.Task, r.Attempt, Nullable(r.Error)
		if logLine != nil {
			g.LogLine = Nullable(logLine(r))
		}
	}
	for i := range list {
		if lost != nil {
			list[i].Lost = int(lost[list[i].Task])
		}
	}
	list = slices.DeleteFunc(list, func(g Failure) bool { return g.Count == 0 })
	slices.SortFunc(list, func(a, b Failure) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Task, b.Task)) })
	return list
}
