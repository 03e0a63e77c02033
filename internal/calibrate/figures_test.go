//go:build linux

package calibrate

import (
	"fmt"
	"io"
	"math"
	"testing"
	"text/tabwriter"

	"github.com/lithops-go/lithops/internal/stats"
)

// figure is one comparison: a row of the table.
type figure struct{ test, name, truth, measured, difference, goal string }

type table []figure

// figures is what the tests have compared; they run one after the other.
var figures table

func (f *table) print(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "test\tfigure\ttruth\tmeasured\tdifference\tgoal")
	for _, r := range *f {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", r.test, r.name, r.truth, r.measured, r.difference, r.goal)
	}
	tw.Flush()
}

// unit writes a value of a figure.
type unit func(v float64) string

func seconds(v float64) string { return fmt.Sprintf("%.6f s", v/1e9) }
func mib(v float64) string     { return fmt.Sprintf("%.3f MiB", v/(1<<20)) }
func count(v float64) string   { return fmt.Sprintf("%.0f", v) }
func percent(v float64) string { return fmt.Sprintf("%.1f %%", v) }

// goal is how far a figure may lie from the truth.
type goal struct {
	below, above float64 // absolute
	share        float64 // of the truth, where that is more
	text         string
}

// The goals. A task can only tell of itself while it lives: what the kernel does
// at its end is in the record and not in the truth.
var (
	cpuGoal   = goal{below: 10e6, above: 10e6, share: 0.02, text: "2 % or a tick of 10 ms"}
	peakGoal  = goal{below: 256 << 10, above: 256 << 10, share: 0.01, text: "1 % or 256 KiB"}
	heldGoal  = goal{below: 1 << 20, above: 1 << 20, share: 0.03, text: "3 %"}
	exactly   = goal{text: "exact"}
	endFaults = goal{above: 1000, share: 0, text: "at most 1,000 more"}
	endSwitch = goal{above: 200, share: 0, text: "at most 200 more"}
	shown     = goal{below: math.Inf(1), above: math.Inf(1), text: "shown only"}
)

// near compares a figure with the truth.
func near(t *testing.T, name string, u unit, truth float64, got stats.Float, g goal) {
	t.Helper()
	row := figure{t.Name(), name, u(truth), "null", "", g.text}
	if got.OK {
		row.measured, row.difference = u(got.V), u(got.V-truth)
		if truth != 0 {
			row.difference += fmt.Sprintf(" (%+.2f %%)", 100*(got.V-truth)/truth)
		}
	}
	figures = append(figures, row)
	if !got.OK || got.V < truth-max(g.below, g.share*truth) || got.V > truth+max(g.above, g.share*truth) {
		t.Errorf("%s is %s, truth %s (difference %s, goal: %s)", name, row.measured, row.truth, row.difference, g.text)
	}
}

// atLeast compares a figure with a truth that is only a lower bound.
func atLeast(t *testing.T, name string, u unit, least float64, got stats.Float) {
	t.Helper()
	row := figure{t.Name(), name, u(least), "null", "", "at least that"}
	if got.OK {
		row.measured, row.difference = u(got.V), u(got.V-least)
	}
	figures = append(figures, row)
	if !got.OK || got.V < least {
		t.Errorf("%s is %s, must be at least %s", name, row.measured, row.truth)
	}
}

// equal compares what must be the same.
func equal[T comparable](t *testing.T, name string, want, got T) {
	t.Helper()
	row := figure{t.Name(), name, fmt.Sprint(want), fmt.Sprint(got), "", "equal"}
	if got != want {
		row.difference = "differs"
		t.Errorf("%s is %v, want %v", name, got, want)
	}
	figures = append(figures, row)
}

func value(v stats.Int) string {
	b, _ := v.MarshalJSON() // never fails
	return string(b)
}

func ofInt(v stats.Int) stats.Float { return stats.Float{V: float64(v.V), OK: v.OK} }
func ofSec(v stats.Sec) stats.Float { return stats.Float{V: float64(v.NS), OK: v.OK} }
func sum(a, b stats.Sec) stats.Float {
	return stats.Float{V: float64(a.NS + b.NS), OK: a.OK && b.OK}
}

// accounting compares what the kernel counts for the task with what the task
// read just before its end.
func accounting(t *testing.T, r *stats.Record, own truth) {
	t.Helper()
	near(t, "worker_func_cpu_user_time", seconds, float64(own.User), ofSec(r.CPUUser), cpuGoal)
	near(t, "worker_func_cpu_system_time", seconds, float64(own.System), ofSec(r.CPUSystem), cpuGoal)
	near(t, "user + system", seconds, float64(own.User+own.System), sum(r.CPUUser, r.CPUSystem), cpuGoal)
	peak(t, r, own)
	near(t, "minor_page_faults", count, float64(own.Minor), ofInt(r.MinorFaults), endFaults)
	near(t, "major_page_faults", count, float64(own.Major), ofInt(r.MajorFaults), endFaults)
	near(t, "voluntary_context_switches", count, float64(own.Voluntary), ofInt(r.VoluntarySwitch), endSwitch)
	near(t, "involuntary_context_switches", count, float64(own.Involuntary), ofInt(r.InvoluntSwitch), endSwitch)
}

// peak compares the peak memory; null is right for a task that stayed below the
// size of the worker.
func peak(t *testing.T, r *stats.Record, own truth) {
	t.Helper()
	if hidden := r.PeakMemoryStart.V + int64(peakGoal.above); !r.TaskPeakMemory.OK && own.Peak <= hidden {
		figures = append(figures, figure{t.Name(), "task_peak_memory", mib(float64(own.Peak)), "null", "", "null: below the worker's " + mib(float64(r.PeakMemoryStart.V))})
		return
	}
	near(t, "task_peak_memory", mib, float64(own.Peak), ofInt(r.TaskPeakMemory), peakGoal)
	near(t, "task_peak_memory, to VmHWM", mib, float64(own.HighWater), ofInt(r.TaskPeakMemory), shown)
}
