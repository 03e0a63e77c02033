//go:build linux

package calibrate

import (
	"runtime"
	"testing"

	"github.com/lithops-go/lithops/internal/stats"
)

func TestPeakMemory(t *testing.T) {
	m := measure(t, nil, "touch 200").succeeded()
	r := m.one()
	peak(t, r, m.truth(r))
	near(t, "worker_peak_memory_end", mib, float64(m.truth(r).Peak), ofInt(r.PeakMemoryEnd), peakGoal)
	atLeast(t, "memory asked for", mib, 200<<20, ofInt(r.TaskPeakMemory))
}

// A warm worker's tasks do not inherit each other's peak.
func TestPeakOfNextTask(t *testing.T) {
	m := measure(t, nil, "touch 200", "sleep 1ms", "touch 100").succeeded()
	for _, r := range m.records {
		peak(t, r, m.truth(r))
	}
}

// Sampled figures need a sample: on a busy machine the sampler may come late, so
// the task holds its memory longer until it did.
func TestHeldMemory(t *testing.T) {
	r, own := sampled(t, "touch 100; hold ")
	near(t, "worker_func_rss", mib, float64(own.RSS), ofInt(r.RSS), heldGoal)
	near(t, "worker_func_uss", mib, float64(own.USS), ofInt(r.USS), heldGoal)
	near(t, "worker_func_vms", mib, float64(own.VM), ofInt(r.VMS), heldGoal)
}

// Memory that was given back is not in later samples.
func TestMemoryGivenBack(t *testing.T) {
	r, own := sampled(t, "touch 100; sleep 50ms; drop; hold ")
	near(t, "worker_func_rss", mib, float64(own.RSS), ofInt(r.RSS), heldGoal)
	near(t, "task_peak_memory", mib, float64(own.Peak), ofInt(r.TaskPeakMemory), peakGoal)
}

// sampled runs a script that ends with the duration of a hold, longer and longer
// until the samples tell of the hold.
func sampled(t *testing.T, script string) (r *stats.Record, own truth) {
	t.Helper()
	for _, hold := range []string{"300ms", "1s", "4s"} {
		m := measure(t, nil, script+hold).succeeded()
		r = m.one()
		own = m.truth(r)
		if within(r.RSS, own.RSS) && within(r.USS, own.USS) {
			t.Logf("sampled in time with a hold of %s", hold)
			break
		}
	}
	return r, own
}

func within(got stats.Int, truth int64) bool {
	d := float64(got.V - truth)
	return got.OK && max(d, -d) <= max(heldGoal.above, heldGoal.share*float64(truth))
}

// The processes of a task count together.
func TestHeldMemoryOfTree(t *testing.T) {
	for _, hold := range []string{"300ms", "1s", "4s"} {
		m := measure(t, nil, "helpers 2 50 "+hold).succeeded()
		r := m.one()
		if r.RSS.V >= 100<<20 || hold == "4s" {
			atLeast(t, "worker_func_rss of the tree", mib, 100<<20, ofInt(r.RSS))
			near(t, "task_peak_memory of its largest", mib, 55<<20, ofInt(r.TaskPeakMemory), goal{below: 5 << 20, above: 20 << 20, text: "one process, not the sum"})
			return
		}
	}
}

// The worker is small even when its host is large, and its size does not hide
// that of its tasks.
func TestLargeHost(t *testing.T) {
	large := make([]byte, 128<<20)
	for i := 0; i < len(large); i += 4096 {
		large[i] = 1
	}
	m := measure(t, nil, "touch 50").succeeded()
	runtime.KeepAlive(large)
	r := m.one()
	own := m.truth(r)
	near(t, "worker_peak_memory_start", mib, float64(own.ParentPeak), ofInt(r.PeakMemoryStart),
		goal{below: peakGoal.below, above: 8 << 20, text: "what the worker has grown since at most"})
	peak(t, r, own)
	near(t, "worker_peak_memory_end", mib, float64(own.Peak), ofInt(r.PeakMemoryEnd), peakGoal)
}

// A task too short for a figure has null there, never 0.
func TestShortTask(t *testing.T) {
	m := measure(t, keys{"command": []string{"true"}, "data": keys{"range": 200}}).succeeded()
	without := 0
	for _, r := range m.records {
		if !r.RSS.OK {
			without++
		}
		if r.RSS.OK != r.VMS.OK || r.USS.OK && !r.RSS.OK {
			t.Errorf("task %d: rss %v, uss %v, vms %v", r.Task, r.RSS, r.USS, r.VMS)
		}
		if r.FuncExec.NS < 20e6 && (r.CPUUsage != nil || r.NetSent != (stats.Int{}) || r.LoSent != (stats.Int{})) {
			t.Errorf("task %d of %d ns has figures of the machine", r.Task, r.FuncExec.NS)
		}
	}
	figures = append(figures, figure{t.Name(), "tasks without rss", "", count(float64(without)), "", "null or more than 0"})
}
