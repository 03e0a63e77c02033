//go:build linux

package faults

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// lanes is how many hosts run at a time in the one store.
const lanes = 3

// TestKills kills and stops processes of jobs at random moments, resumes jobs whose
// host was hit, and looks whether all is there in the end and nobody is left.
func TestKills(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-faults.seed %d -faults.kills %d", seed, *killsFlag)
	s := newSite(t)
	all := kinds(t, s.dir)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	perJob := min(max(*killsFlag/(3*len(all)), 3), 20)
	refs := &references{site: s, byKind: map[string]*reference{}}
	y := newTally()
	var lane sync.WaitGroup
	for range lanes {
		lane.Go(func() {
			for !t.Failed() {
				number, ok := y.next(*killsFlag)
				if !ok {
					return
				}
				k := all[number%len(all)]
				t.Run(fmt.Sprintf("%d-%s", number, k.name), func(t *testing.T) {
					v := &victim{t: t, site: s, kind: k, rand: rand.New(rand.NewPCG(seed, uint64(1+number))), tally: y,
						budget: perJob, tasks: k.unit * (1 + perJob/5), name: fmt.Sprintf("job-%d", number)}
					v.live(refs.of(t, k, v.tasks))
				})
			}
		})
	}
	lane.Wait()
	t.Log(y)
	if !t.Failed() && y.total < *killsFlag {
		t.Errorf("%d kills only", y.total)
	}
}

// victim is a job whose processes are killed.
type victim struct {
	t      *testing.T
	site   *site
	kind   kind
	rand   *rand.Rand
	tally  *tally
	budget int // kills left
	tasks  int
	name   string

	job  string // its file
	id   string
	runs int // that reached their end or were killed
}

// live runs and resumes the job until it is complete, and looks at it.
func (v *victim) live(ref *reference) {
	t := v.t
	v.job = v.kind.write(t, v.site.dir, v.name, v.tasks, 2+v.rand.IntN(2))
	args := []string{"run", "-q", v.job}
	for {
		h := v.site.start(t, args...)
		v.runs++
		v.trouble(h)
		code := v.end(h)
		v.find(h)
		switch {
		case code == 0:
			got, states := v.site.checkJob(t, v.kind, v.tasks, v.id)
			if got != *ref {
				t.Error("results differ from those of a run in peace")
			}
			v.tally.done(v.kind, states)
			return
		case code == 2 && args[0] == "resume" && strings.Contains(h.said(), "is running"):
			v.tally.count("resumes refused because workers of a killed host still held the job", 1)
		case code == 1 && strings.Contains(h.said(), "start worker") && strings.Contains(h.said(), "signal: killed") && v.id != "":
			// Workers that are killed again and again before they are up look like ones that
			// cannot run here.
			args = []string{"resume", "-q", v.id}
			v.tally.count("resumes", 1)
			v.tally.count("hosts that gave up because workers died while they started", 1)
		case code > 0 && strings.Contains(h.said(), "ended before it was ready: SIGKILL"):
			// So does a function whose process is killed again and again while it loads.
			v.tally.count("hosts that gave up because runtimes were killed while they started", 1)
			if v.id != "" {
				args = []string{"resume", "-q", v.id}
				v.tally.count("resumes", 1)
			}
		case code > 0:
			t.Fatalf("lithops %s: exit code %d\n%s", strings.Join(args, " "), code, h.said())
		case v.id == "":
			v.tally.count("jobs begun anew, killed before they were in the store", 1)
		default:
			args = []string{"resume", "-q", v.id}
			v.tally.count("resumes", 1)
		}
	}
}

// end waits for the host's end. When it was killed a stray of a task can outlive it, if
// worker and host died in the same moment: the next run of the job ends it.
func (v *victim) end(h *host) (code int) {
	v.t.Helper()
	h.await(v.t, v.site)
	if h.cmd.ProcessState.Exited() {
		return h.wait(v.t, v.site)
	}
	if v.rand.IntN(3) == 0 { // the next host comes while the workers of this one die
		return -1
	}
	await(v.t, func() bool {
		for _, pid := range marked(h.mark) {
			if hasEnv(pid, "LITHOPS_WORKER_NUMBER=") {
				return false
			}
		}
		return true
	}, func() string { return "workers outlive their host\n" + h.dump(v.site) })
	if n := len(marked(h.mark)); n > 0 {
		v.tally.count("strays that the next run had to end", n)
	}
	return -1
}

// find learns the job's id from the store, if it is in there.
func (v *victim) find(h *host) {
	if v.id != "" {
		return
	}
	paths, _ := filepath.Glob(filepath.Join(v.site.store, "jobs", "*", "job.json"))
	for _, path := range paths {
		var m struct {
			Name string `json:"name"`
			ID   string `json:"job_id"`
		}
		if b, err := os.ReadFile(path); err == nil && json.Unmarshal(b, &m) == nil && m.Name == v.name {
			v.id = m.ID
			return
		}
	}
	if id := h.id(); id != "" {
		v.t.Fatalf("job %s was told, and is not in the store", id)
	}
}

// trouble kills and stops processes of the job until its host has ended or enough
// were killed.
func (v *victim) trouble(h *host) {
	var pauses sync.WaitGroup
	defer pauses.Wait()
	switch dice := v.rand.IntN(100); {
	case v.budget <= 0:
		return
	case dice < 15:
		v.sleep(h, time.Duration(v.rand.IntN(120_000))*time.Microsecond)
		v.strike(h, starting, []int{h.pid()})
		return
	case dice < 60 && v.budget == 1:
		v.atTheEnd(h)
		return
	}
	for v.budget > 0 && !h.over() {
		v.sleep(h, time.Duration(v.rand.ExpFloat64()*float64(60*time.Millisecond)))
		found := h.targets(v.kind.job["function"] != nil)
		dice := v.rand.IntN(100)
		pids := append(found[aWorker], found[aHost]...)
		if dice < 15 && len(pids) > 0 {
			pid, d := pids[v.rand.IntN(len(pids))], time.Duration(10+v.rand.IntN(490))*time.Millisecond
			pauses.Go(func() {
				if h.pause(pid, d) {
					v.tally.count("pauses", 1)
				}
			})
			continue
		}
		if what, pids := choose(v.rand, found); what != "" {
			v.strike(h, what, pids)
		}
	}
}

// atTheEnd kills the host when its workers have gone.
func (v *victim) atTheEnd(h *host) {
	for seen, begun := false, time.Now(); !h.over() && time.Since(begun) < patience; {
		workers := len(h.targets(false)[aWorker])
		if seen = seen || workers > 0; seen && workers == 0 {
			v.sleep(h, time.Duration(v.rand.IntN(3000))*time.Microsecond)
			v.strike(h, ending, []int{h.pid()})
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (v *victim) strike(h *host, what string, pids []int) {
	if h.over() || !h.kill(pids) {
		return
	}
	v.budget--
	v.tally.killed(what)
	if pids[0] == h.pid() {
		<-h.ended
	}
}

// sleep waits for a moment at random, but not longer than the host lives.
func (v *victim) sleep(h *host, d time.Duration) {
	select {
	case <-h.ended:
	case <-time.After(d):
	}
}

// reference is what a run that nobody disturbs gives.
type reference struct{ results, reduced string }

type references struct {
	site   *site
	mu     sync.Mutex
	byKind map[string]*reference
}

// of runs the job of a kind in peace, once, and compares it with what is known.
func (r *references) of(t *testing.T, k kind, tasks int) *reference {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if ref := r.byKind[k.name]; ref != nil {
		return ref
	}
	path := k.write(t, r.site.dir, "peace-"+k.name, tasks, 2)
	id := strings.TrimSpace(r.site.must(t, "run", "-q", path))
	ref := &reference{results: r.site.must(t, "results", "--stage", "map", id)}
	if k.reduce != nil {
		ref.reduced = r.site.must(t, "results", id)
	}
	k.compare(t, *ref, tasks)
	r.byKind[k.name] = ref
	return ref
}

// compare compares results with what is known.
func (k kind) compare(t *testing.T, got reference, tasks int) {
	t.Helper()
	if want := k.want(tasks); got.results != want {
		t.Errorf("results: %s", difference(got.results, want))
	}
	if k.reduce == nil {
		return
	}
	if want := k.reduce(tasks); got.reduced != want {
		t.Errorf("results of the reduce: %s", difference(got.reduced, want))
	}
}

// difference tells where two texts differ first.
func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d is %.200q, want %.200q (%d and %d lines)", i+1, g[i], w[i], len(g), len(w))
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}
