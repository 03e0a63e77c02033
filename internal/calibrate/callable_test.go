//go:build linux

package calibrate

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// callable is a function that does what a script says, in a process that goes
// on to live after each call.
type callable struct {
	keys keys
	cpu  goal
	uss  goal // of memory held: private, and virtual
	vms  goal
	// outside is a process that only the worker measures, which cannot know all.
	outside bool
	// ofProgram is a function of this program, called by the Go API.
	ofProgram bool
}

// behaveFunc is called in the worker's own process.
var behaveFunc = lithops.Func("behave", func(_ context.Context, text string) (any, error) { return called(text) })

// callCounts is for faults and switches, which go on between the function's last
// look at itself and the one after the call.
var callCounts = goal{above: 200, text: "at most 200 more"}

// sharedGoal is for the private memory of an interpreter: when it runs twice on the
// machine, pages of it are private no longer. arenasGoal is for the address space of
// node, whose threads begin to use memory when they like.
var (
	sharedGoal = goal{below: 32 << 20, above: 32 << 20, text: "32 MiB of the interpreter itself"}
	arenasGoal = goal{below: heldGoal.below, share: heldGoal.share, above: 4 * 64 << 20, text: "3 %, or up to four threads' arenas more"}
)

// ticksGoal is for CPU time of which the kernel tells in ticks, of a process and of
// its children.
var ticksGoal = goal{below: 20e6, above: 20e6, share: 0.02, text: "2 % or two ticks of 10 ms"}

// The kinds of callables: all; those that have another process than the worker; those
// whose scripts can start processes that measure themselves; and those with both.
var (
	everyKind    = []job.Language{job.Python, job.JavaScript, job.Program, job.Go}
	apartKinds   = []job.Language{job.Python, job.JavaScript, job.Program}
	forkingKinds = []job.Language{job.Python, job.Program, job.Go}
	bothKinds    = []job.Language{job.Python, job.Program}
)

// eachCallable runs a test with a function of each kind.
func eachCallable(t *testing.T, kinds []job.Language, test func(t *testing.T, f callable)) {
	t.Helper()
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) { test(t, callableOf(t, kind)) })
	}
}

func callableOf(t *testing.T, kind job.Language) callable {
	t.Helper()
	function := func(interpreter, file string) callable {
		if _, err := exec.LookPath(interpreter); err != nil {
			t.Skip(interpreter + " is not installed")
		}
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		return callable{keys: keys{"function": path + ":behave"}, cpu: cpuGoal, uss: sharedGoal, vms: heldGoal}
	}
	switch kind {
	case job.Python:
		return function("python3", "testdata/behave.py")
	case job.JavaScript:
		f := function("node", "testdata/behave.mjs")
		f.vms = arenasGoal
		return f
	case job.Go:
		return callable{ofProgram: true, cpu: cpuGoal, uss: sharedGoal, vms: heldGoal}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return callable{keys: keys{"function": self, "env": keys{calledEnv: "1"}}, cpu: ticksGoal, uss: heldGoal, vms: heldGoal, outside: true}
}

// calls makes the calls one after the other in one process, but for those that
// end it.
func (f callable) calls(t *testing.T, scripts ...string) *measured {
	t.Helper()
	return f.callsWith(t, nil, scripts...)
}

func (f callable) callsWith(t *testing.T, with keys, scripts ...string) *measured {
	t.Helper()
	if f.ofProgram {
		return measureGo(t, with, scripts)
	}
	all := maps.Clone(f.keys)
	maps.Copy(all, with)
	return measure(t, all, scripts...)
}

// measureGo is measure by the Go API.
func measureGo(t *testing.T, with keys, scripts []string) *measured {
	t.Helper()
	workers := 1
	if n, ok := with["workers"].(int); ok {
		workers = n
	}
	dir := filepath.Join(t.TempDir(), "store")
	exec, err := lithops.New(lithops.WithStore(dir), lithops.WithWorkers(workers), lithops.WithChunksize(1))
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Close()
	futures, err := lithops.Map(t.Context(), exec, behaveFunc, scripts)
	if err != nil {
		t.Fatal(err)
	}
	if err := exec.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return finished(t, s, futures.JobID())
}

// counters compares what is in a call's record with what the function read itself,
// within the call.
func (f callable) counters(t *testing.T, r *stats.Record, own truth) {
	t.Helper()
	near(t, "worker_func_cpu_user_time", seconds, float64(own.User), ofSec(r.CPUUser), f.cpu)
	near(t, "worker_func_cpu_system_time", seconds, float64(own.System), ofSec(r.CPUSystem), f.cpu)
	f.cpuTime(t, r, own)
	near(t, "minor_page_faults", count, float64(own.Minor), ofInt(r.MinorFaults), callCounts)
	near(t, "major_page_faults", count, float64(own.Major), ofInt(r.MajorFaults), callCounts)
	f.known(t, "voluntary_context_switches", count, float64(own.Voluntary), ofInt(r.VoluntarySwitch), callCounts)
	f.known(t, "involuntary_context_switches", count, float64(own.Involuntary), ofInt(r.InvoluntSwitch), callCounts)
}

func (f callable) cpuTime(t *testing.T, r *stats.Record, own truth) {
	t.Helper()
	near(t, "user + system", seconds, float64(own.User+own.System), sum(r.CPUUser, r.CPUSystem), f.cpu)
}

// known is near for a figure that is null when it is taken from outside.
func (f callable) known(t *testing.T, name string, u unit, truth float64, got stats.Float, g goal) {
	t.Helper()
	if !got.OK && f.outside {
		figures = append(figures, figure{t.Name(), name, u(truth), "null", "", "null: not seen from outside"})
		return
	}
	near(t, name, u, truth, got, g)
}
