//go:build linux

package calibrate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lithops-go/lithops/internal/stats"
)

func TestUserCPU(t *testing.T) {
	m := measure(t, nil, "burn 500ms user").succeeded()
	r := m.one()
	accounting(t, r, m.truth(r))
	atLeast(t, "user time asked for", seconds, 0.5e9, ofSec(r.CPUUser))
	near(t, "task_cpu_percent", percent, 100*sum(r.CPUUser, r.CPUSystem).V/float64(r.FuncStartup.NS+r.FuncExec.NS), r.TaskCPUPercent, goal{above: 0.1, below: 0.1, text: "from others"})
}

func TestSystemCPU(t *testing.T) {
	m := measure(t, nil, "burn 200ms system").succeeded()
	r := m.one()
	accounting(t, r, m.truth(r))
	atLeast(t, "system time asked for", seconds, 0.2e9, ofSec(r.CPUSystem))
}

func TestSleepTakesNoCPU(t *testing.T) {
	m := measure(t, nil, "sleep 300ms").succeeded()
	r := m.one()
	accounting(t, r, m.truth(r))
}

func TestWaitedChildren(t *testing.T) {
	m := measure(t, nil, "children 2 200ms").succeeded()
	r := m.one()
	accounting(t, r, m.truth(r))
	atLeast(t, "user time of the children", seconds, 0.4e9, ofSec(r.CPUUser))
}

// A grandchild that nobody waits for is the task's all the same.
func TestDaemonisedGrandchild(t *testing.T) {
	m := measure(t, nil, "daemon 300ms "+filepath.Join(t.TempDir(), "word")).succeeded()
	r := m.one()
	own := m.truth(r)
	near(t, "user + system", seconds, float64(own.User+own.System), sum(r.CPUUser, r.CPUSystem), cpuGoal)
	atLeast(t, "user time of the grandchild", seconds, 0.3e9, ofSec(r.CPUUser))
}

// A grandchild that outlives its task, and SIGTERM, is ended, and counted up to
// its end.
func TestGrandchildLeftBehind(t *testing.T) {
	word := filepath.Join(t.TempDir(), "word")
	m := measure(t, nil, "leave "+word+"; sleep 100ms").succeeded()
	r := m.one()
	b, err := os.ReadFile(word)
	if err != nil {
		t.Fatal(err)
	}
	last, own := truthOf(t, b), m.truth(r)
	atLeast(t, "user + system", seconds, float64(own.User+own.System+last.User+last.System), sum(r.CPUUser, r.CPUSystem))
}

// Faults and switches that a task makes on purpose are all counted.
func TestFaultsAndSwitches(t *testing.T) {
	const n = 500
	m := measure(t, nil, "switch 500; touch 8").succeeded()
	r := m.one()
	accounting(t, r, m.truth(r))
	atLeast(t, "switches asked for", count, n, ofInt(r.VoluntarySwitch))
}

// Two tasks at the same time do not see each other.
func TestSideBySide(t *testing.T) {
	there := t.TempDir()
	m := measure(t, keys{"workers": 2}, "meet "+there+" 2; burn 400ms user; touch 200; sleep 100ms; drop", "meet "+there+" 2; sleep 800ms").succeeded()
	if len(m.records) != 2 {
		t.Fatalf("%d records, want 2", len(m.records))
	}
	busy, idle := m.records[0], m.records[1]
	if busy.Worker == idle.Worker {
		t.Fatal("both ran on the same worker")
	}
	for _, r := range []*stats.Record{busy, idle} {
		accounting(t, r, m.truth(r))
	}
	if idle.RSS.OK && idle.RSS.V > 100<<20 {
		t.Errorf("the idle task's rss is %s", mib(float64(idle.RSS.V)))
	}
}

// In a PID namespace of the worker's the figures are the same.
func TestPIDNamespace(t *testing.T) {
	word := filepath.Join(t.TempDir(), "word")
	m, err := execute(t, t.Context(), keys{"isolation": "pid"}, "burn 100ms user; touch 50; drop", "daemon 100ms "+word)
	if err != nil {
		t.Skip("no PID namespaces for us here: ", err)
	}
	m.succeeded()
	accounting(t, m.records[0], m.truth(m.records[0]))
	own := m.truth(m.records[1])
	near(t, "user + system, daemonised", seconds, float64(own.User+own.System), sum(m.records[1].CPUUser, m.records[1].CPUSystem), cpuGoal)
}
