//go:build linux

package calibrate

import (
	"testing"

	"github.com/lithops-go/lithops/internal/stats"
)

// The stamps around a task hold the time it says it has run. How closely is
// shown, not asserted: the machine may be busy.
func TestStamps(t *testing.T) {
	m := measure(t, nil, "sleep 300ms").succeeded()
	r := m.one()
	own := m.truth(r)
	begin, end := m.stamp(own.Begin), m.stamp(own.End)
	if fork := r.FuncStart.NS - r.FuncStartup.NS; fork > begin {
		t.Errorf("the task ran %d ns before its fork", fork-begin)
	}
	if r.FuncEnd.NS < end {
		t.Errorf("the task ran %d ns after its end", end-r.FuncEnd.NS)
	}
	wait := float64(r.FuncStartup.NS)
	near(t, "worker_func_start_tstamp", sinceFork, float64(begin-r.FuncStart.NS)+wait, stats.FloatOf(wait), shown)
	near(t, "worker_func_end_tstamp", sinceFork, float64(end-r.FuncStart.NS)+wait, stats.FloatOf(float64(r.FuncExec.NS)+wait), shown)
	near(t, "worker_func_exec_time", seconds, float64(end-begin), ofSec(r.FuncExec), shown)
	atLeast(t, "startup + exec time", seconds, float64(end-begin), sum(r.FuncStartup, r.FuncExec))
	atLeast(t, "worker_exec_time", seconds, float64(end-begin), ofSec(r.WorkerExec))
}

// sinceFork writes a stamp as what lies between the start of the fork and it.
func sinceFork(v float64) string { return "fork + " + seconds(v) }
