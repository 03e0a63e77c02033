//go:build linux

package faults

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The kinds of victims.
const (
	aHost    = "host"
	aWorker  = "worker"
	aCommand = "command"
	aRuntime = "runtime"
	aChild   = "child of a task" // in the task's session
	aStray   = "stray"           // in a session of its own, or without a parent
	both     = "host and workers"
	starting = "starting host"
	ending   = "ending host"
)

// targets are the processes below a host that runs, by kind.
func (h *host) targets(calls bool) map[string][]int {
	found := map[string][]int{}
	self, ok := look(h.pid())
	if ok && !self.dead() {
		found[aHost] = []int{h.pid()}
	}
	all := below(h.pid())
	workers := map[int]bool{}
	for _, p := range all {
		if p.parent == h.pid() && hasEnv(p.pid, "LITHOPS_WORKER_NUMBER=") {
			workers[p.pid] = true
			found[aWorker] = append(found[aWorker], p.pid)
		}
	}
	for _, p := range all {
		what := aChild
		switch {
		case workers[p.pid]:
			continue
		case p.session != self.session:
			what = aStray
		case workers[p.parent] && calls:
			what = aRuntime
		case workers[p.parent]:
			what = aCommand
		}
		found[what] = append(found[what], p.pid)
	}
	return found
}

// shares says how often what is killed, where it is there.
var shares = []struct {
	what  string
	share int
}{{aWorker, 20}, {aCommand, 30}, {aRuntime, 20}, {aChild, 30}, {aStray, 30}, {aHost, 9}, {both, 4}}

// choose takes one of the targets at random, or none: a host that has no workers yet
// would be hit all the time.
func choose(r *rand.Rand, found map[string][]int) (what string, pids []int) {
	if len(found[aWorker]) == 0 && r.IntN(8) > 0 {
		return "", nil
	}
	if len(found[aHost]) > 0 && len(found[aWorker]) > 0 {
		found[both] = slices.Concat(found[aHost], found[aWorker])
		if r.IntN(2) == 0 {
			slices.Reverse(found[both])
		}
	}
	sum := 0
	for _, s := range shares {
		if len(found[s.what]) > 0 {
			sum += s.share
		}
	}
	if sum == 0 {
		return "", nil
	}
	at := r.IntN(sum)
	for _, s := range shares {
		if pids = found[s.what]; len(pids) == 0 {
			continue
		}
		if at -= s.share; at < 0 {
			if s.what == both {
				return s.what, pids
			}
			i := r.IntN(len(pids))
			return s.what, pids[i : i+1]
		}
	}
	panic("shares do not add up")
}

// kill kills processes of the host; it says whether the first was there.
func (h *host) kill(pids []int) bool {
	done := false
	for i, pid := range pids {
		if hit(pid, h.mark, syscall.SIGKILL) && i == 0 {
			done = true
		}
	}
	return done
}

// pause stops a process for a while, and in any case wakes it.
func (h *host) pause(pid int, d time.Duration) bool {
	p, ok := grasp(pid, h.mark)
	if !ok {
		return false
	}
	defer p.release()
	ok = p.signal(syscall.SIGSTOP)
	time.Sleep(d)
	p.signal(syscall.SIGCONT)
	return ok
}

// tally counts what happened, for all jobs.
type tally struct {
	mu     sync.Mutex
	kills  map[string]int // by kind of victim
	total  int
	jobs   map[string]int // by kind of job
	counts map[string]int
}

func newTally() *tally {
	return &tally{kills: map[string]int{}, jobs: map[string]int{}, counts: map[string]int{}}
}

func (y *tally) killed(what string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.kills[what]++
	y.total++
}

func (y *tally) count(what string, n int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.counts[what] += n
}

// done counts a job that is complete, and its attempts by state.
func (y *tally) done(k kind, states map[string]int) {
	y.count("attempts lost", states["lost"])
	y.count("attempts with an error", states["error"])
	y.count("successes", states["success"])
	y.mu.Lock()
	defer y.mu.Unlock()
	y.jobs["jobs of kind "+k.name]++
}

// next is the number of the next job, as long as there are kills left.
func (y *tally) next(kills int) (job int, ok bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.total >= kills {
		return 0, false
	}
	job = y.counts["jobs"]
	y.counts["jobs"]++
	return job, true
}

func (y *tally) String() string {
	y.mu.Lock()
	defer y.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "%d kills in %d jobs\n", y.total, y.counts["jobs"])
	for _, m := range []map[string]int{y.kills, y.counts, y.jobs} {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			fmt.Fprintf(&b, "  %6d %s\n", m[name], name)
		}
		b.WriteString("\n")
	}
	return strings.TrimRight(b.String(), "\n")
}
