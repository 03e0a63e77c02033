//go:build linux

package calibrate

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// ended checks how a call ended that took its process with it. What only the process
// could have told is null.
func ended(t *testing.T, r *stats.Record, state job.State, exit stats.Int, signal string) {
	t.Helper()
	outcome(t, r, state, exit, signal)
	for _, field := range stats.Fields() {
		null := string(field.AppendValue(nil, r)) == "null"
		if null && !slices.Contains(mayBeNull, field.Key) && !slices.Contains(ofRuntime, field.Key) {
			t.Errorf("%s is null", field.Key)
		}
	}
}

// ofRuntime are keys of a call that a process that has ended did not tell, and the
// time it took to start, which the first of its calls alone has.
var ofRuntime = []string{"worker_func_startup_time", "minor_page_faults", "major_page_faults", "voluntary_context_switches",
	"involuntary_context_switches", "block_read_bytes", "block_write_bytes"}

// Each call has what it used itself, not what those before it did in the same
// process.
func TestCallsCPU(t *testing.T) {
	eachCallable(t, everyKind, func(t *testing.T, f callable) {
		m := f.calls(t, "burn 500ms user", "sleep 300ms", "burn 200ms system", "burn 100ms user").succeeded()
		process := m.truth(m.records[0]).PID
		for i, r := range m.records {
			own := m.truth(r)
			f.counters(t, r, own)
			equal(t, "pid", int64(process), r.PID.V)
			equal(t, "worker_cold_start", i == 0, r.WorkerColdStart.V)
		}
		atLeast(t, "user time asked for", seconds, 0.5e9, sum(m.records[0].CPUUser, m.records[0].CPUSystem))
		atLeast(t, "system time asked for", seconds, 0.2e9, sum(m.records[2].CPUUser, m.records[2].CPUSystem))
	})
}

// The stamps around a call hold the function's own.
func TestCallStamps(t *testing.T) {
	eachCallable(t, everyKind, func(t *testing.T, f callable) {
		m := f.calls(t, "sleep 300ms", "sleep 30ms", "quiet").succeeded()
		for _, r := range m.records[:2] {
			own := m.truth(r)
			begin, end := m.stamp(own.Begin), m.stamp(own.End)
			if r.FuncStart.NS > begin {
				t.Errorf("the call began %d ns after the function", r.FuncStart.NS-begin)
			}
			if r.FuncEnd.NS < end {
				t.Errorf("the call ended %d ns before the function", end-r.FuncEnd.NS)
			}
			near(t, "worker_func_exec_time", seconds, float64(end-begin), ofSec(r.FuncExec), shown)
			atLeast(t, "worker_func_exec_time", seconds, float64(end-begin), ofSec(r.FuncExec))
			atLeast(t, "worker_exec_time", seconds, float64(r.FuncExec.NS), ofSec(r.WorkerExec))
		}
	})
}

func TestCallWithChildren(t *testing.T) {
	eachCallable(t, forkingKinds, func(t *testing.T, f callable) {
		m := f.calls(t, "children 2 200ms", "sleep 1ms").succeeded()
		for _, r := range m.records {
			f.cpuTime(t, r, m.truth(r))
		}
		atLeast(t, "time of the children", seconds, 0.4e9, sum(m.records[0].CPUUser, m.records[0].CPUSystem))
	})
}

// A grandchild that nobody waits for is the call's all the same. (Not that of a Go
// function: in its process an orphan looks like a child that the function will wait
// for.)
func TestCallWithDaemon(t *testing.T) {
	eachCallable(t, bothKinds, func(t *testing.T, f callable) {
		m := f.calls(t, "daemon 300ms "+filepath.Join(t.TempDir(), "word")+"; gone", "sleep 1ms").succeeded()
		for _, r := range m.records {
			f.cpuTime(t, r, m.truth(r))
		}
		atLeast(t, "time of the grandchild", seconds, 0.3e9, sum(m.records[0].CPUUser, m.records[0].CPUSystem))
	})
}

func TestCallFaultsAndSwitches(t *testing.T) {
	eachCallable(t, everyKind, func(t *testing.T, f callable) {
		m := f.calls(t, "touch 8; switch 500", "quiet", "switch 5").succeeded()
		for _, r := range []*stats.Record{m.records[0], m.records[2]} {
			f.counters(t, r, m.truth(r))
		}
		atLeast(t, "faults asked for", count, 8<<20/float64(os.Getpagesize()), ofInt(m.records[0].MinorFaults))
		if !f.outside {
			// On a busy machine a pause can be over before it has begun.
			atLeast(t, "nearly all switches asked for", count, 400, ofInt(m.records[0].VoluntarySwitch))
		}
	})
}

// A call does not inherit the peak of one before it. Where its own cannot be told it
// is null: it may be hidden by one before, and for a Go function the worker looks when
// the call before was a long one.
func TestCallsPeakMemory(t *testing.T) {
	eachCallable(t, everyKind, func(t *testing.T, f callable) {
		m := f.calls(t, "touch 200", "sleep 1ms", "touch 100", "touch 300").succeeded()
		for i, r := range m.records {
			own := m.truth(r)
			if (i > 0 || f.ofProgram) && !r.TaskPeakMemory.OK {
				figures = append(figures, figure{t.Name(), "task_peak_memory", mib(float64(own.Most)), "null", "", "null: not known"})
				continue
			}
			near(t, "task_peak_memory", mib, float64(own.Most), ofInt(r.TaskPeakMemory), heldGoal)
		}
		atLeast(t, "memory asked for, more than before", mib, 300<<20, ofInt(m.records[3].TaskPeakMemory))
	})
}

// Sampled figures need a sample, as in TestHeldMemory.
func TestCallsHeldMemory(t *testing.T) {
	eachCallable(t, everyKind, func(t *testing.T, f callable) {
		var r *stats.Record
		var own truth
		for _, hold := range []string{"300ms", "1s", "4s", "15s"} {
			m := f.calls(t, "quiet", "touch 100; hold "+hold).succeeded()
			r = m.records[1]
			own = m.truth(r)
			if within(r.RSS, own.RSS) && r.USS.OK && r.USS.V > 100<<20 {
				break
			}
		}
		near(t, "worker_func_rss", mib, float64(own.RSS), ofInt(r.RSS), heldGoal)
		near(t, "worker_func_uss", mib, float64(own.USS), ofInt(r.USS), f.uss)
		near(t, "worker_func_vms", mib, float64(own.VM), ofInt(r.VMS), f.vms)
	})
}

func TestCallOutput(t *testing.T) {
	const size = 1 << 20
	eachCallable(t, everyKind, func(t *testing.T, f callable) {
		scripts := []string{"give 1048576 1; say out 7 2", "quiet; say err 1048576 3", "quiet", "quiet; say out 5 4"}
		m := f.calls(t, scripts...).succeeded()
		for i, want := range []struct{ result, log string }{
			{`"` + letters(size, 1) + `"`, letters(7, 2)}, {"null", letters(size, 3)}, {"null", ""}, {"null", letters(5, 4)},
		} {
			r := m.records[i]
			near(t, "func_result_size", count, float64(len(want.result)), ofInt(r.ResultSize), exactly)
			near(t, "log_size", count, float64(len(want.log)), ofInt(r.LogSize), exactly)
			equal(t, "result byte for byte", true, string(m.result(r)) == want.result)
			equal(t, "log byte for byte", true, string(m.log(r)) == want.log)
			item, err := json.Marshal(scripts[i])
			if err != nil {
				t.Fatal(err)
			}
			near(t, "func_data_size_bytes", count, float64(len(item)), ofInt(r.FuncDataSize), exactly)
		}
	})
}

// Written blocks are a call's as they are a command's: TestWrittenBlocks.
func TestCallWrittenBlocks(t *testing.T) {
	eachCallable(t, everyKind, func(t *testing.T, f callable) {
		m := f.calls(t, "write "+filepath.Join(t.TempDir(), "file")+" 64", "sleep 1ms").succeeded()
		for _, r := range m.records {
			f.known(t, "block_write_bytes", mib, float64(m.truth(r).WriteBlocks*512), ofInt(r.BlockWrite), goal{above: 64 << 10, text: "and its own result"})
		}
		if m.truth(m.records[0]).WriteBlocks > 0 && !f.outside {
			atLeast(t, "bytes written", mib, 64<<20, ofInt(m.records[0].BlockWrite))
		}
	})
}

func TestCallLoopback(t *testing.T) {
	const size = 10 << 20
	eachCallable(t, forkingKinds, func(t *testing.T, f callable) {
		before := interfaces(t)
		m := f.calls(t, "sleep 30ms", "send 10; sleep 50ms").succeeded()
		after := interfaces(t)
		r := m.records[1]
		for _, c := range []struct {
			key         string
			got         stats.Int
			least, most int64
		}{
			{"worker_func_sent_loopback_io", r.LoSent, size, after.loSent - before.loSent},
			{"worker_func_recv_loopback_io", r.LoRecv, size, after.loRecv - before.loRecv},
			{"worker_func_sent_net_io", r.NetSent, 0, after.sent - before.sent},
			{"worker_func_recv_net_io", r.NetRecv, 0, after.recv - before.recv},
		} {
			near(t, c.key, mib, float64(c.least), ofInt(c.got), goal{above: float64(c.most - c.least), text: "at most the machine's " + mib(float64(c.most))})
		}
	})
}

// Two calls at the same time do not see each other.
func TestCallsSideBySide(t *testing.T) {
	eachCallable(t, forkingKinds, func(t *testing.T, f callable) {
		there := t.TempDir()
		m := f.callsWith(t, keys{"workers": 2, "chunksize": 1}, "meet "+there+" 2; burn 400ms user; touch 200; sleep 100ms; drop", "meet "+there+" 2; sleep 800ms").succeeded()
		if len(m.records) != 2 {
			t.Fatalf("%d records, want 2", len(m.records))
		}
		busy, idle := m.records[0], m.records[1]
		if busy.Worker == idle.Worker {
			t.Fatal("both ran on the same worker")
		}
		for _, r := range m.records {
			f.counters(t, r, m.truth(r))
		}
		if idle.RSS.OK && idle.RSS.V > 100<<20 {
			t.Errorf("the idle call's rss is %s", mib(float64(idle.RSS.V)))
		}
	})
}

// What a process did before it ended itself is in its call's record, and the
// next call gets a new process.
func TestCallsThatEndTheProcess(t *testing.T) {
	eachCallable(t, apartKinds, func(t *testing.T, f callable) {
		m := f.calls(t, "burn 200ms user; exit 3", "burn 50ms user", "burn 200ms user; die SEGV", "burn 50ms user")
		ended(t, m.records[0], job.Error, stats.IntOf(3), "")
		ended(t, m.records[2], job.Error, stats.Int{}, "SIGSEGV")
		for _, i := range []int{0, 2} {
			atLeast(t, "user + system until the end", seconds, 0.2e9, sum(m.records[i].CPUUser, m.records[i].CPUSystem))
			near(t, "user time until the end", seconds, 0.2e9, ofSec(m.records[i].CPUUser), shown)
		}
		for _, i := range []int{1, 3} {
			r := m.records[i]
			equal(t, "state", job.Success, r.State)
			equal(t, "worker_cold_start", true, r.WorkerColdStart.V)
			f.counters(t, r, m.truth(r))
		}
	})
}

// A call that is ended after its time limit has used what it has used.
func TestCallTimeout(t *testing.T) {
	eachCallable(t, apartKinds, func(t *testing.T, f callable) {
		m := f.callsWith(t, keys{"timeout": "1s"}, "burn 60s user", "sleep 1ms")
		r := m.records[0]
		ended(t, r, job.Timeout, stats.Int{}, "SIGTERM")
		atLeast(t, "worker_func_exec_time", seconds, 1e9, ofSec(r.FuncExec))
		atLeast(t, "worker_func_cpu_user_time", seconds, 1, ofSec(r.CPUUser))
		equal(t, "state of the next", job.Success, m.records[1].State)
		f.counters(t, m.records[1], m.truth(m.records[1]))
	})
}

// The attempt of a worker that was killed knows only what the host knows; the
// next one is complete.
func TestCallKillsWorker(t *testing.T) {
	eachCallable(t, bothKinds, func(t *testing.T, f callable) {
		m := f.calls(t, "murder "+filepath.Join(t.TempDir(), "done"))
		if len(m.records) != 2 {
			t.Fatalf("%d attempts, want 2", len(m.records))
		}
		equal(t, "state", job.Lost, m.records[0].State)
		equal(t, "state of the next", job.Success, m.records[1].State)
		f.counters(t, m.records[1], m.truth(m.records[1]))
	})
}
