package stats

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lithops-go/lithops/internal/job"
)

const slowestShown = 5

// Summary computes the summary of the records added so far. More may be added
// afterwards.
func (s *Summarizer) Summary() *Summary {
	n := len(s.state)
	out := &Summary{JobID: s.info.ID, Name: Nullable(s.info.Name), State: Nullable(s.info.State), zone: s.info.Zone, running: s.info.Now > 0,
		Created: positive(s.info.Created), Ended: positive(s.info.Ended), Machine: append([]string{}, s.info.Machine...),
		Tasks: n, Maps: s.maps, States: map[job.State]int{}, Untimed: s.untimed}
	if s.maps < n {
		g := &s.stages[reducing]
		out.Reduce = &Reduce{Tasks: n - s.maps, States: map[job.State]int{}, Start: g.trueStart, After: g.firstStart.Since(out.Created)}
	}
	out.Workers = s.mostWorkers()
	out.ColdStarts = s.cold.int()
	s.countTasks(out)
	out.Wall = s.wall(out.Created, out.Ended)
	if ended := out.States[job.Success] + out.States[job.Error] + out.States[job.Timeout]; out.Wall.OK && out.Wall.NS > 0 {
		out.Throughput = FloatOf(float64(ended) / (float64(out.Wall.NS) / 1e9))
	}
	s.runsOf(out)
	s.workerTime(out)
	s.spreads(&out.Spreads, mapping, 0, s.maps, &out.WorkerTime)
	if out.Reduce != nil {
		s.spreads(&out.Reduce.Spreads, reducing, s.maps, n, &out.WorkerTime)
	}
	s.totals(&out.Totals)
	out.Slowest = s.slowest()
	out.Failures = s.failures.groups(s.attempt, s.lost, s.LogLine)
	out.Warnings = s.warnings(out)
	return out
}

func positive(ns int64) Sec { return Sec{ns, ns > 0} }

func (s *Summarizer) countTasks(out *Summary) {
	r := out.Reduce
	out.Discarded = map[job.State]int{}
	for _, state := range job.States() {
		out.States[state], out.Discarded[state] = 0, s.discarded[state]
		if r != nil {
			r.States[state] = 0
		}
	}
	for i, state := range s.state {
		out.States[state]++
		out.Attempts += int(s.tries[i])
		if s.tries[i] > 1 {
			out.Retried++
		}
		if i >= s.maps {
			r.States[state]++
			r.Attempts += int(s.tries[i])
		}
	}
}

// phase is the sum of a phase over all attempts.
func (s *Summarizer) phase(c int) sum {
	return s.stages[mapping].phases[c].plus(s.stages[reducing].phases[c])
}

// wall is the time until now, or else until the job's end, or until the last that is
// known of it if nobody wrote its end or a stamp lies behind it.
func (s *Summarizer) wall(created, ended Sec) Sec {
	if s.info.Now > 0 {
		return SecOf(s.info.Now - s.pauses()).Since(created)
	}
	list := s.runList()
	ended = later(ended, positive(list[len(list)-1].End))
	ended.NS -= s.pauses()
	return later(s.lastStamp, ended).Since(created)
}

// workerTime fills in what is about the workers together. While the job runs it is not
// known what they had.
func (s *Summarizer) workerTime(out *Summary) {
	w := &out.WorkerTime
	*w = WorkerTime{Busy: s.busyTime(), Starting: s.phase(starting).sec(), Running: s.phase(running).sec(),
		Uploading: s.phase(uploading).sec(), Overhead: s.phase(overhead).sec(), Discarded: s.discardedTime()}
	if s.overlap(w) {
		w.Overhead.NS = max(0, w.Busy.NS-w.Starting.NS-w.Running.NS-w.Uploading.NS)
	}
	if out.running {
		return
	}
	out.SpeedUp = ratio(w.Running, out.Wall)
	if user, system := s.phase(cpuUser), s.phase(cpuSystem); user.known() && system.known() {
		out.Cores = ratio(user.plus(system).sec(), out.Wall)
	}
	whole, working := s.available(out.Created, out.Runs)
	out.Utilisation = percentOf(w.Busy, working)
	w.Available = whole
	if w.Available.OK && w.Busy.OK && w.Busy.NS <= w.Available.NS {
		w.Idle = SecOf(w.Available.NS - w.Busy.NS)
	}
}

// busyTime is the time the workers had a task; where they had several at a time, it
// counts once.
func (s *Summarizer) busyTime() Sec {
	var all sum
	for _, w := range s.workers {
		all.add(w.busy.Total())
	}
	return all.sec()
}

// overlap says that workers had several tasks at a time: calls that were sent ahead.
func (s *Summarizer) overlap(w *WorkerTime) bool {
	return w.Overhead.OK && w.Busy.OK && s.exec.known() && s.exec.v > w.Busy.NS
}

// discardedTime is the worker time of all attempts without those that count.
func (s *Summarizer) discardedTime() Sec {
	if !s.exec.known() || s.untimed > 0 && s.untimed == s.discards() {
		return Sec{}
	}
	left := s.exec.v
	if s.cols[overhead] == nil {
		return SecOf(left)
	}
	for i, v := range s.cols[overhead] {
		if v == Null {
			continue
		}
		left -= v
		for _, c := range [...]int{starting, running, uploading} {
			if col := s.cols[c]; col != nil && col[i] != Null {
				left -= col[i]
			}
		}
	}
	return SecOf(left)
}

// discards is the number of attempts that do not count.
func (s *Summarizer) discards() (n int) {
	for _, some := range s.discarded {
		n += some
	}
	return n
}

func times(d Sec, n int64) Sec {
	if !d.OK || d.NS < 0 || n <= 0 || d.NS > (1<<62)/n {
		return Sec{}
	}
	return SecOf(d.NS * n)
}

// spreads fills in what the tasks of a stage took, those from number from to to.
func (s *Summarizer) spreads(out *Spreads, stage, from, to int, w *WorkerTime) {
	scratch := make([]int64, 0, to-from)
	measured := func(c int) []int64 {
		scratch = scratch[:0]
		if s.cols[c] == nil {
			return scratch
		}
		for _, v := range s.cols[c][from:to] {
			if v != Null {
				scratch = append(scratch, v)
			}
		}
		return scratch
	}
	g := &s.stages[stage]
	p := &out.Phases
	for c, phase := range [...]*Phase{waiting: &p.Waiting, starting: &p.Starting, running: &p.Running, uploading: &p.Uploading,
		overhead: &p.Overhead, fetching: &p.Fetching, cpuUser: &out.CPUUser, cpuSystem: &out.CPUSystem} {
		phase.Dist = distOf[Sec](measured(c))
		phase.Total = g.phases[c].sec()
		if c == starting || c == running || c == uploading || c == overhead && !s.overlap(w) {
			phase.Share = percentOf(phase.Total, w.base())
		}
	}
	out.PeakMemory = distOf[Int](measured(peakMemory))
	out.PeakHidden = g.hiddenPeak
	out.RSS = distOf[Int](measured(rss))
}

func (s *Summarizer) totals(out *Totals) {
	for c, total := range [counterCount]*Total{&out.InputBytes, &out.ResultBytes, &out.LogBytes, &out.BlockRead, &out.BlockWrite,
		&out.MinorFaults, &out.MajorFaults, &out.VoluntarySwitch, &out.InvoluntSwitch} {
		*total = Total{Sum: s.counters[c].int(), Measured: s.counters[c].n}
	}
	sent, recv := map[string]int64{}, map[string]int64{}
	for id, w := range s.workers {
		if w.sent.known() {
			sent[id.host] = max(sent[id.host], w.sent.v)
		}
		if w.recv.known() {
			recv[id.host] = max(recv[id.host], w.recv.v)
		}
	}
	out.NetSent, out.NetRecv = addUp(sent), addUp(recv)
}

func addUp(m map[string]int64) Int {
	var all sum
	for _, v := range m {
		all.add(v)
	}
	return all.int()
}

// slowest lists the tasks that ran longest; of equal ones the first.
func (s *Summarizer) slowest() []SlowTask {
	list := []SlowTask{}
	for i, v := range s.cols[running] {
		if v == Null || len(list) == slowestShown && v <= list[slowestShown-1].Exec.NS {
			continue
		}
		if len(list) == slowestShown {
			list = list[:slowestShown-1]
		}
		list = append(list, SlowTask{Task: i, Exec: SecOf(v)})
		slices.SortStableFunc(list, func(a, b SlowTask) int { return cmp.Compare(b.Exec.NS, a.Exec.NS) })
	}
	for k := range list {
		t := &list[k]
		t.Attempt, t.State, t.Stage = int(s.attempt[t.Task]), s.state[t.Task], stageName(t.Task >= s.maps)
		if w := s.worker[t.Task]; w >= 0 {
			t.Worker = IntOf(w)
		}
		user, system := s.at(cpuUser, t.Task), s.at(cpuSystem, t.Task)
		if user.OK && system.OK {
			t.CPU = SecOf(user.V + system.V)
		}
		t.PeakMemory = s.at(peakMemory, t.Task)
	}
	return list
}

func stageName(reduce bool) string {
	if reduce {
		return StageReduce
	}
	return StageMap
}

func (s *Summarizer) at(column, task int) Int {
	if col := s.cols[column]; col != nil && col[task] != Null {
		return IntOf(col[task])
	}
	return Int{}
}

func (s *Summarizer) warnings(out *Summary) []string {
	list := []string{}
	if s.strays > 0 {
		list = append(list, counted(s.strays, "record left out: its task number is", "records left out: their task numbers are")+
			" beyond the job's "+counted(out.Tasks, "task", "tasks"))
	}
	if open := out.Tasks - out.Done(); !out.settled() && s.info.Now == 0 {
		list = append(list, fmt.Sprintf("%s of %s did not end", HumanCount(int64(open)), counted(out.Tasks, "task", "tasks")))
	}
	for _, state := range job.States() {
		host, known := s.info.Counts[state]
		if known && s.info.Now == 0 && state.Final() && host != out.States[state] {
			list = append(list, fmt.Sprintf("the host counted %s in state %s, the records show %s",
				counted(host, "task", "tasks"), state, HumanCount(int64(out.States[state]))))
		}
	}
	return list
}
