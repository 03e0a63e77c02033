package stats

import (
	"cmp"
	"slices"
	"sort"

	"github.com/lithops-go/lithops/internal/job"
)

// BrokenOff is the state of a run, or job, whose host died.
const BrokenOff = "broken off"

// JobRun is one of the runs of a job: a job that is resumed has several, hours
// apart perhaps.
type JobRun struct {
	Number  int
	Start   int64  // Unix time in nanoseconds
	End     int64  // the same; of one that broke off the last that is known of it; 0 while it runs, and when that is not known
	Shift   int64  // nanoseconds that the pauses before it took altogether
	State   string // how it ended, as of a job; "" when that is not known, as while it runs
	Reason  string // why it ended early, "" when it did not
	Workers int    // 0 when unknown
	Tasks   int    // submitted to it; 0 when unknown
}

// Align makes r a record of a job that never paused: it moves all its stamps but
// the job's creation earlier by the pauses before its run. An attempt that no
// worker had gets the run in which the host had it. Whoever feeds a Summarizer or
// Columns aligns; exports keep the true stamps. runs are in order.
func Align(runs []JobRun, r *Record) {
	k := runOf(runs, r)
	if k < 0 {
		return
	}
	r.Run = IntOf(runs[k].Number)
	if runs[k].Shift != 0 {
		r.ShiftBy(runs[k].Shift)
	}
}

// runOf is the index of the run that r is of, -1 if that cannot be told.
func runOf(runs []JobRun, r *Record) int {
	if r.Run.OK {
		return slices.IndexFunc(runs, func(one JobRun) bool { return int64(one.Number) == r.Run.V })
	}
	for _, at := range [...]Sec{r.HostSubmit, r.HostDispatch, r.StatusDone} {
		if at.OK {
			return sort.Search(len(runs), func(k int) bool { return runs[k].Start > at.NS }) - 1
		}
	}
	return -1
}

// ShiftBy moves all stamps of r but the job's creation ns nanoseconds earlier.
func (r *Record) ShiftBy(ns int64) {
	for _, at := range [...]*Sec{&r.HostSubmit, &r.HostDispatch, &r.WorkerStart, &r.FuncStart, &r.FuncEnd, &r.WorkerEnd, &r.StatusDone, &r.ResultDone} {
		if at.OK {
			at.NS -= ns
		}
	}
}

// runTally is what the records of one run say together; stamps are aligned.
type runTally struct {
	firstStart, lastEnd Sec // of its workers
	attempts, succeeded int
}

// lastTask is when a worker got the task at which it died, and in which of the runs.
type lastTask struct {
	run int
	at  Sec
}

// addLost takes in when a worker got an attempt, in run k, that it did not live to tell
// of. It is no busy time, but the worker was there.
func (s *Summarizer) addLost(k int, r *Record) {
	if r.State != job.Lost || r.WorkerStart.OK || !r.Worker.OK || !r.HostDispatch.OK {
		return
	}
	if s.died == nil {
		s.died = map[int64]lastTask{}
	}
	s.died[r.Worker.V] = lastTask{k, earlier(s.died[r.Worker.V].at, r.HostDispatch)}
}

// firstStarts is when the first worker of each run began, to go by its first task. Of
// one that has recorded none it is the one at which it died.
func (s *Summarizer) firstStarts() []Sec {
	first, told := make([]Sec, len(s.runs)), map[int64]bool{}
	for k := range s.runs {
		first[k] = s.runs[k].firstStart
	}
	for id := range s.workers {
		told[id.n] = true
	}
	for n, last := range s.died {
		if !told[n] {
			first[last.run] = earlier(first[last.run], last.at)
		}
	}
	return first
}

// tallyOf is the index of the run r was made in, -1 when it is not known.
func (s *Summarizer) tallyOf(r *Record) int {
	if len(s.runs) == 1 {
		return 0
	}
	return runOf(s.info.Runs, r)
}

// runList is the job's runs; one that was never resumed has one.
func (s *Summarizer) runList() []JobRun {
	if len(s.info.Runs) > 0 {
		return s.info.Runs
	}
	return []JobRun{{Number: 1, Start: s.info.Created, Workers: s.info.Workers}}
}

// mostWorkers is the number of workers of the run that had most.
func (s *Summarizer) mostWorkers() Int {
	most := 0
	for _, r := range s.runList() {
		most = max(most, r.Workers)
	}
	return known(cmp.Or(most, s.info.Workers))
}

// pauses is how long the job did not run, up to its last run.
func (s *Summarizer) pauses() int64 {
	list := s.runList()
	return list[len(list)-1].Shift
}

// runsOf tells of each run; they follow each other directly in wall, that of all.
func (s *Summarizer) runsOf(out *Summary) {
	list := s.runList()
	begin := out.Created
	for k, one := range list {
		end := Sec{}
		if k+1 < len(list) {
			end = SecOf(list[k+1].Start - list[k+1].Shift)
		} else if out.Wall.OK && out.Created.OK {
			end = SecOf(out.Created.NS + out.Wall.NS)
		}
		r := Run{Number: one.Number, Start: positive(one.Start), Ended: positive(one.End), State: Nullable(one.State), Reason: Nullable(one.Reason),
			Wall: end.Since(begin), Workers: known(one.Workers), Tasks: known(one.Tasks), Attempts: s.runs[k].attempts, Succeeded: s.runs[k].succeeded}
		if r.Wall.NS < 0 { // nothing is known to have happened in it
			r.Wall, end = SecOf(0), begin
		}
		if k > 0 {
			r.Pause = SecOf(one.Shift - list[k-1].Shift)
		}
		if k == len(list)-1 {
			if !r.Ended.OK {
				r.Ended = out.Ended
			} else if !out.Ended.OK && end.OK { // nobody wrote its end: a worker's stamp may lie behind
				r.Ended.NS = max(r.Ended.NS, end.NS+one.Shift)
			}
			if r.State == "" {
				r.State = out.State
			}
		}
		out.Runs = append(out.Runs, r)
		begin = end
	}
}

func known(n int) Int { return Int{int64(n), n > 0} }

// available is the time that the workers had: from the beginning of each run to its
// end, and from its first worker start to its end.
func (s *Summarizer) available(created Sec, runs []Run) (whole, working Sec) {
	var had, worked sum
	first, end := s.firstStarts(), created
	for k, r := range runs {
		last := s.runs[k].lastEnd
		if end = (Sec{end.NS + r.Wall.NS, end.OK && r.Wall.OK}); end.OK {
			last = end
		}
		whole, working = times(r.Wall, r.Workers.V), times(last.Since(first[k]), r.Workers.V)
		// what is not known of one is not known of all
		had.overflow = had.overflow || !whole.OK
		worked.overflow = worked.overflow || first[k].OK && !working.OK
		had.addSec(whole)
		worked.addSec(working)
	}
	return had.sec(), worked.sec()
}
