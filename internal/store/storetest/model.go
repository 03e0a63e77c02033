package storetest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// model is what a job's files say, merged the simple way: line by line, into maps.
type model struct {
	manifest *store.Manifest
	host     map[job.Attempt]stats.Record
	worker   map[job.Attempt]stats.Record
	over     bool // the host is dead: what was running is lost, and what waited was not made
	first    int  // number of the first worker of the last run
	last     int64
}

// dead says whether whoever had an attempt, as the host knows it, is dead.
func (m *model) dead(r *stats.Record) bool {
	return m.over || r.Worker.OK && r.Worker.V < int64(m.first)
}

func newModel(m *store.Manifest) *model {
	return &model{manifest: m, host: map[job.Attempt]stats.Record{}, worker: map[job.Attempt]stats.Record{}}
}

// addHost takes in a line of the host. A waiting task (attempt 0) is where its
// first attempt comes from.
func (m *model) addHost(r stats.Record) {
	m.note(r.HostSubmit, r.HostDispatch, r.StatusDone, r.ResultDone)
	id := job.Attempt{Task: r.Task, Try: max(r.Attempt, 1)}
	old := m.host[id]
	if r.State == job.New { // given back by its worker
		old.HostDispatch, r.HostDispatch = stats.Sec{}, stats.Sec{}
		old.Worker, r.Worker = stats.Int{}, stats.Int{}
		r.Attempt = 0
	}
	r.ErrorType, r.Error = cmp.Or(r.ErrorType, old.ErrorType), cmp.Or(r.Error, old.Error)
	r.Worker = orInt(r.Worker, old.Worker)
	copyHostKeys(&r, &old, &r)
	m.host[id] = r
}

func (m *model) addWorker(r stats.Record) {
	m.note(r.WorkerStart, r.WorkerEnd)
	m.worker[job.Attempt{Task: r.Task, Try: r.Attempt}] = r
}

func (m *model) note(stamps ...stats.Sec) {
	for _, at := range stamps {
		m.last = max(m.last, at.NS)
	}
}

// copyHostKeys sets the keys the host owns: from one record, else from another.
func copyHostKeys(to, other, first *stats.Record) {
	f, o := *first, *other
	to.FuncDataSize = orInt(f.FuncDataSize, o.FuncDataSize)
	to.HostSubmit, to.HostDispatch = orSec(f.HostSubmit, o.HostSubmit), orSec(f.HostDispatch, o.HostDispatch)
	to.StatusDone, to.StatusCount = orSec(f.StatusDone, o.StatusDone), orInt(f.StatusCount, o.StatusCount)
	to.ResultDone, to.ResultCount = orSec(f.ResultDone, o.ResultDone), orInt(f.ResultCount, o.ResultCount)
}

func orInt(a, b stats.Int) stats.Int {
	if a.OK {
		return a
	}
	return b
}

func orSec(a, b stats.Sec) stats.Sec {
	if a.OK {
		return a
	}
	return b
}

// records is every record a reader must show, by task and attempt, as JSON.
func (m *model) records() (out []string) {
	for _, r := range m.merged() {
		out = append(out, string(stats.AppendJSON(nil, &r)))
	}
	return out
}

// merged is every record a reader must show, by task and attempt.
func (m *model) merged() []stats.Record {
	all := map[job.Attempt]stats.Record{}
	for id, r := range m.host {
		if r.Attempt > 0 && !(r.State == job.Queued && m.dead(&r)) {
			all[id] = r
		}
	}
	for id, r := range m.worker {
		h := m.host[id]
		if h.Worker.OK && h.Worker != r.Worker { // another had it in hand and did not begin
			h = stats.Record{FuncDataSize: h.FuncDataSize}
		}
		copyHostKeys(&r, &stats.Record{}, &h)
		all[id] = r
	}
	made := map[int]bool{}
	for id := range all {
		made[id.Task] = true
	}
	for task := range m.manifest.Tasks {
		if !made[task] {
			id := job.Attempt{Task: task, Try: 1}
			r := m.host[id]
			if r.State == job.Queued && m.dead(&r) {
				r.State, r.HostDispatch, r.Worker = job.New, stats.Sec{}, stats.Int{}
			}
			r.Task, r.Attempt = task, 0
			all[id] = r
		}
	}
	var list []stats.Record
	for _, r := range all {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b stats.Record) int {
		return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.Attempt, b.Attempt))
	})
	for i := range list {
		if m.dead(&list[i]) && list[i].State == job.Running {
			list[i].State, list[i].ErrorType, list[i].Error = job.Lost, "lost", "the job broke off while this attempt was running"
		}
		m.manifest.Fill(&list[i])
		list[i].Derive()
	}
	return list
}

// standings is where the tasks stand when nobody is at them. All results are sound.
func (m *model) standings() *store.Standings {
	still := *m
	still.over = true
	s := &store.Standings{Tasks: make([]store.Standing, m.manifest.Tasks), LastNS: max(m.last, m.manifest.Clock.Wall)}
	for _, run := range m.manifest.Runs {
		s.LastNS = max(s.LastNS, run.StartNS, run.EndNS)
	}
	for _, r := range still.merged() {
		t := &s.Tasks[r.Task]
		t.Tries = max(t.Tries, int32(r.Attempt))
		if r.State == job.Success || t.State != job.Success { // in order: the last one
			t.State, t.Run = r.State, int32(r.Run.V)
		}
	}
	return s
}

// line is one line on its way into a job: of a worker, or of the host (worker -1).
type line struct {
	worker int
	r      stats.Record
}

// randomJob makes the lines of a job as hosts and workers write them, in a random
// interleaving: retries, lost attempts, attempts under way, given back, cancelled.
func randomJob(rnd *rand.Rand, tasks, workers int) []line {
	var queues [][]line // what is written in order, one for each task
	for task := range tasks {
		queues = append(queues, randomTask(rnd, task, 1, 0, workers))
	}
	return interleave(rnd, queues)
}

// interleave mixes what is written in order in each queue.
func interleave(rnd *rand.Rand, queues [][]line) []line {
	var all []line
	for len(queues) > 0 {
		i := rnd.IntN(len(queues))
		if len(queues[i]) == 0 {
			queues = slices.Delete(queues, i, i+1)
			continue
		}
		all, queues[i] = append(all, queues[i][0]), queues[i][1:]
	}
	return all
}

// randomTask makes the lines of the attempts at a task from a number on, by so many
// workers from a number on.
func randomTask(rnd *rand.Rand, task, try, first, workers int) (lines []line) {
	now := int64(1_750_000_000_000_000_000) + rnd.Int64N(1e12)
	tick := func() stats.Sec { now += rnd.Int64N(1e9); return stats.SecOf(now) }
	host := func(r stats.Record) { lines = append(lines, line{-1, r}) }
	base := stats.Record{Task: task, FuncDataSize: stats.IntOf(rnd.IntN(1000)), HostSubmit: tick()}
	if try == 1 && rnd.IntN(4) == 0 {
		queued := base
		queued.State = job.Queued
		host(queued)
	}
	if rnd.IntN(8) == 0 {
		return lines // never dispatched
	}
	for ; ; try++ {
		n := first + rnd.IntN(workers)
		r := base
		r.Attempt, r.Worker, r.HostDispatch, r.State = try, stats.IntOf(n), tick(), job.Running
		noted := rnd.IntN(2) == 0
		if noted {
			if rnd.IntN(4) == 0 { // it has another one before it
				r.State = job.Queued
				host(r)
				if rnd.IntN(4) == 0 {
					return lines
				}
				r.State = job.Running
			}
			host(r)
		}
		final := stats.Record{Task: task, Attempt: try, Worker: r.Worker, StatusCount: stats.IntOf(1)}
		if !noted || rnd.IntN(2) == 0 {
			copyHostKeys(&final, &stats.Record{}, &r)
			final.StatusCount = stats.IntOf(1)
		}
		switch rnd.IntN(8) {
		case 0: // under way
			return lines
		case 1: // given back, and not dispatched again
			r.State = job.New
			host(r)
			return lines
		case 2: // its worker died
			final.State, final.ErrorType, final.Error, final.StatusDone = job.Lost, "lost", fmt.Sprintf("worker %d: killed", n), tick()
			host(final)
			continue
		case 3: // its worker died, but had written the record
			final.State, final.StatusDone = job.Lost, tick()
			lines = append(lines, line{n, workerRecord(rnd, task, try, n, job.Error, tick)})
			host(final)
			continue
		case 4:
			final.State, final.ErrorType, final.Error = job.Cancelled, "cancelled", "the job was told to stop"
			host(final)
			return lines
		case 5:
			lines = append(lines, line{n, workerRecord(rnd, task, try, n, job.Timeout, tick)})
			final.State, final.StatusDone = job.Timeout, tick()
			host(final)
			continue
		}
		lines = append(lines, line{n, workerRecord(rnd, task, try, n, job.Success, tick)})
		if rnd.IntN(4) > 0 { // else the host has not read it yet
			final.State, final.StatusDone = job.Success, tick()
			host(final)
			if rnd.IntN(3) == 0 {
				host(stats.Record{Task: task, Attempt: try, State: job.Success, ResultDone: tick(), ResultCount: stats.IntOf(2)})
			}
		}
		return lines
	}
}

// workerRecord is what a worker writes of an attempt.
func workerRecord(rnd *rand.Rand, task, try, worker int, state job.State, tick func() stats.Sec) stats.Record {
	r := stats.Record{Task: task, Attempt: try, State: state, Worker: stats.IntOf(worker), WorkerHostname: fmt.Sprintf("node-%d", worker),
		PID: stats.IntOf(rnd.IntN(1 << 20)), WorkerStart: tick(), WorkerColdStart: stats.BoolOf(rnd.IntN(2) == 0), FuncStart: tick(), FuncEnd: tick(),
		CPUUser: stats.SecOf(rnd.IntN(1e9)), CPUSystem: stats.SecOf(rnd.IntN(1e9)), TaskPeakMemory: stats.IntOf(rnd.IntN(1 << 30)),
		ResultOffset: stats.IntOf(0), ResultSize: stats.IntOf(0), LogOffset: stats.IntOf(0), LogSize: stats.IntOf(0), WorkerEnd: tick()}
	if state == job.Success {
		r.ExitCode, r.FuncStartup = stats.IntOf(0), stats.SecOf(350_000)
	} else {
		r.ErrorType, r.Error = "exit", "said \"no\"\nand ünïcode "+fmt.Sprint(rnd.IntN(3))
	}
	if rnd.IntN(2) == 0 {
		r.CPUUsage = []float64{1.5, 99.25}
	}
	r.Derive()
	return r
}
