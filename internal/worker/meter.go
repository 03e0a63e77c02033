package worker

import (
	"runtime"
	"sync"
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/stats"
)

// How the meter spends its time. A sample of one process is cheap, one of all a
// task's processes dear, so each kind is followed by a pause of a hundred times
// its cost: that is what it may take of the time.
//
// Workers share the machine's processors, so that pause grows with the number of
// workers per processor.
const (
	firstSample   = time.Millisecond      // between a task's first samples, then ever longer
	taskSample    = 10 * time.Millisecond // between samples of different tasks: of shorter ones some have none
	treeAge       = 10 * time.Millisecond // from this age on a task's children are looked for
	slowestSample = time.Second           // the longest pause between samples that cost nothing
	longestPause  = time.Minute           // the longest for what samples cost
	costFactor    = 100
	// machineTick is what the kernel's counters for cores resolve; a task shorter
	// than two of them gets no such figure.
	machineTick = 10 * time.Millisecond
)

// memory is a sample of a task's processes, in bytes.
type memory struct {
	rss, uss, vms stats.Int
	at            time.Time
}

// seen is what the meter knows of a finished task.
type seen struct {
	memory
	machine machineUse
}

func (s *seen) fill(r *stats.Record) {
	r.RSS, r.USS, r.VMS = s.rss, s.uss, s.vms
	r.CPUUsage = s.machine.cores
	r.NetSent, r.NetRecv = s.machine.sent, s.machine.recv
	r.LoSent, r.LoRecv = s.machine.loSent, s.machine.loRecv
}

// fillWithin is fill for a call whose begin and end, in Unix ns, the worker heard of
// later: a sample from outside them is another's.
func (s *seen) fillWithin(r *stats.Record, start, end int64, c *clock.Clock) {
	if at := c.Unix(s.at); s.rss.OK && (at < start || at > end) {
		s.memory = memory{}
	}
	s.fill(r)
}

// meter samples the running task from a goroutine of its own. The task's thread
// calls ready, begin and end; the sampler may miss a short task, never
// attribute a sample to another.
type meter struct {
	probe *probe // of the sampler's goroutine

	mu      sync.Mutex
	pid     int // 0 between tasks
	task    int // counts tasks, tells a sample's task from the next
	started time.Time
	due     time.Time // the task's next sample
	looked  time.Time // the last sample
	free    time.Time // no sample before, whatever is due
	trees   time.Time // no sample of all its processes before
	whole   bool      // the task has such a sample
	asleep  time.Time // the sampler sleeps until then
	mem     memory
	wake    chan struct{}
	stop    chan struct{}

	costOne, costTree cost          // of samples of one process and of all; they start as a guess
	factor            time.Duration // pause after a sample, in its cost

	// of the task's thread
	machine  *machine
	last     reading // newest reading of the machine's counters
	from     reading // of the running task; zero without one
	longTask bool    // the last task was long enough for a reading
}

// cost is what something usually takes. A single time is no measure: the sampler
// may have had to wait for a processor.
type cost time.Duration

// add takes in one more time and returns what is usual now.
func (c *cost) add(d time.Duration) time.Duration {
	const waking = 20 * time.Microsecond // of the sampler's thread
	*c += (min(cost(d+waking), 4**c) - *c) / 4
	return time.Duration(*c)
}

// newMeter samples for one of so many workers.
func newMeter(workers int) *meter {
	factor := time.Duration(costFactor * max(1, workers/runtime.NumCPU()))
	m := &meter{probe: newProbe(factor), machine: newMachine(), wake: make(chan struct{}, 1), stop: make(chan struct{}),
		costOne: cost(50 * time.Microsecond), costTree: cost(time.Millisecond), factor: factor,
		trees:  time.Now().Add(factor * time.Millisecond),
		asleep: time.Now().Add(slowestSample)} // as sample begins, so that the first task wakes it
	go m.sample()
	return m
}

func (m *meter) close() { close(m.stop) }

// ready reads the machine's counters before a task starts, now in Unix
// nanoseconds. Among short tasks, which get no such figures, it does so
// once per tick only: one of them may turn out to be long.
func (m *meter) ready(now int64) {
	if m.longTask || now-m.last.at > int64(machineTick) {
		m.last = m.machine.read(now)
	}
	m.from = m.last
}

// begin starts to sample the process pid: at once, if the last sample of another
// was long enough ago.
func (m *meter) begin(pid int) {
	t := time.Now()
	m.mu.Lock()
	m.pid, m.started, m.due, m.mem, m.whole = pid, t, m.looked.Add(taskSample), memory{}, false
	m.task++
	late := m.asleep.After(t) && m.asleep.After(m.due) && m.asleep.After(m.free)
	m.mu.Unlock()
	if late {
		select {
		case m.wake <- struct{}{}:
		default:
		}
	}
}

// end stops sampling and returns what is known of the task.
func (m *meter) end(now int64) seen {
	m.mu.Lock()
	s := seen{memory: m.mem}
	m.pid = 0
	length := time.Since(m.started)
	m.mu.Unlock()
	m.longTask = length >= 2*machineTick
	// A reading that began long before the task would tell of other times.
	if m.longTask && m.from.ok && now-m.from.at <= int64(length+length/10) {
		m.last = m.machine.read(now)
		s.machine = m.last.since(&m.from)
	}
	return s
}

// sample looks at the running task again and again, more rarely the longer it
// runs and the dearer a look is.
func (m *meter) sample() {
	timer := time.NewTimer(slowestSample)
	defer timer.Stop()
	for {
		select {
		case <-m.stop:
			return
		case <-m.wake:
		case <-timer.C:
		}
		timer.Reset(m.look())
	}
}

// look takes a sample when one is due, and returns for how long to sleep.
func (m *meter) look() time.Duration {
	m.mu.Lock()
	pid, task, now := m.pid, m.task, time.Now()
	age, wait := now.Sub(m.started), max(m.due.Sub(now), m.free.Sub(now))
	tree := age >= treeAge && (m.whole || !now.Before(m.trees))
	if m.whole { // what one process alone has says less than the last of all
		wait = max(wait, m.trees.Sub(now))
	}
	if pid == 0 {
		wait = slowestSample // begin wakes the sampler
	}
	m.asleep = now.Add(wait)
	m.mu.Unlock()
	if wait > 0 {
		return wait
	}
	mem := m.probe.memory(pid, tree)
	done := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if tree {
		m.trees = done.Add(min(m.factor*m.costTree.add(done.Sub(now)), longestPause))
	} else {
		m.free = done.Add(min(m.factor*m.costOne.add(done.Sub(now)), longestPause))
	}
	m.looked, m.asleep = done, done.Add(taskSample)
	if m.task == task {
		m.due = done.Add(min(max(firstSample, age), slowestSample))
		if m.pid != 0 && mem.rss.OK { // else it has ended meanwhile
			if !mem.uss.OK && m.mem.uss.OK { // from before: by now it is no more than all there is
				mem.uss = stats.IntOf(min(m.mem.uss.V, mem.rss.V))
			}
			mem.at = now
			m.mem, m.whole = mem, m.whole || tree
			m.asleep = m.due
		}
	}
	return m.asleep.Sub(done) // what is not free by then is put off again
}
