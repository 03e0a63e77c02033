//go:build linux

package calibrate

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/lithops-go/lithops/internal/stats"
)

// The machine's cores did at least what the task did, up to what their counters
// resolve: they count in ticks.
func TestCores(t *testing.T) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	cores := strings.Count(string(b), "\ncpu")
	m := measure(t, nil, "burn 500ms user").succeeded()
	r := m.one()
	if len(r.CPUUsage) != cores {
		t.Fatalf("worker_func_cpu_usage has %d values, the machine %d cores", len(r.CPUUsage), cores)
	}
	all := 0.0
	for _, v := range r.CPUUsage {
		all += v
	}
	near(t, "worker_func_cpu_usage, sum", percent, r.TaskCPUPercent.V, stats.FloatOf(all),
		goal{below: 10, share: 0.1, above: 100 * float64(cores), text: "no less, by 10 %"})
}

// The truth itself has two roads: what a task reads of itself, and what the
// kernel tells the parent of the same task when it is started without us.
func TestTwoRoads(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", strings.Fields("burn 200ms user; burn 100ms system; touch 50; drop")...)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	own := truthOf(t, out)
	ru := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	near(t, "user + system", seconds, float64(own.User+own.System), stats.FloatOf(float64(ru.Utime.Nano()+ru.Stime.Nano())), cpuGoal)
	near(t, "peak memory", mib, float64(own.Peak), stats.FloatOf(float64(ru.Maxrss<<10)), peakGoal)
}

type netBytes struct{ sent, recv, loSent, loRecv int64 }

// interfaces reads the machine's own count of bytes.
func interfaces(t *testing.T) (n netBytes) {
	t.Helper()
	dirs, err := os.ReadDir("/sys/class/net")
	if err != nil {
		t.Skip("no counters of interfaces here")
	}
	for _, d := range dirs {
		sent, recv := sysNumber(d.Name(), "tx_bytes"), sysNumber(d.Name(), "rx_bytes")
		if d.Name() == "lo" {
			n.loSent, n.loRecv = sent, recv
			continue
		}
		n.sent, n.recv = n.sent+sent, n.recv+recv
	}
	return n
}

func sysNumber(name, counter string) int64 {
	b, _ := os.ReadFile("/sys/class/net/" + name + "/statistics/" + counter) // a file in that directory is no interface
	v, _ := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return v
}
