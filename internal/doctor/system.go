package doctor

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/lithops-go/lithops/internal/facts"
	"github.com/lithops-go/lithops/internal/stats"
)

func (m *machine) system() Finding {
	f := facts.Machine()
	kernel := f.OS
	if f.Kernel != "" {
		kernel += " " + f.Kernel
	}
	host := f.Hostname
	if host == "" {
		host = "without a name"
	}
	found := fmt.Sprintf("%s, %s, host %s, lithops %s", kernel, f.Arch, host, m.Version)
	if f.OS != "linux" {
		return limited("Linux is where nothing is left behind and all figures are measured", "%s", found)
	}
	return ok("%s", found)
}

func (m *machine) cpus() Finding {
	f := facts.Machine()
	return cpusOf(f.CPUs, runtime.NumCPU(), f.UsableCPUs, os.Getenv("GOMAXPROCS"), f.CPUModel)
}

// cpusOf tells of a machine's CPUs, how many of them the process may run on, and how
// many workers a job gets that does not say.
func cpusOf(all, allowed, usable int, asked, model string) Finding {
	found := fmt.Sprintf("%d, all usable", all)
	if model != "" {
		found += " (" + model + ")"
	}
	if usable == all {
		return ok("%s", found)
	}
	why, hint := "by affinity", "taskset, cpuset of the container or batch system"
	if usable < allowed {
		why, hint = "by CPU quota", "cpu.max of the cgroup, such as docker run --cpus or CPUQuota= of a unit"
	}
	if n, err := strconv.Atoi(asked); err == nil && n > 0 {
		why, hint = "by GOMAXPROCS="+asked, "unset GOMAXPROCS"
	}
	found = strings.Replace(found, "all usable", fmt.Sprintf("%d usable %s", usable, why), 1)
	return limited(fmt.Sprintf("a job that does not say gets %s (workers: says how many); where the limit comes from: %s", count(usable, "worker", "workers"), hint), "%s", found)
}

// lowMemory is what is little for workers and their tasks; a worker has about 10 MiB.
const lowMemory = 256 << 20

func (m *machine) memory() Finding {
	info := map[string]int64{}
	for line := range strings.Lines(m.read("proc/meminfo")) {
		name, rest, _ := strings.Cut(line, ":")
		if f := strings.Fields(rest); len(f) > 0 {
			if kb, err := strconv.ParseInt(f[0], 10, 64); err == nil {
				info[name] = kb << 10
			}
		}
	}
	total, known := info["MemTotal"]
	if !known && m.root == "" {
		total = int64(facts.Machine().MemoryBytes)
	}
	if total == 0 {
		return limited("", "cannot be told")
	}
	found := stats.HumanBytes(total)
	room, known := info["MemAvailable"]
	if known {
		found += ", " + stats.HumanBytes(room) + " available"
	}
	hint := ""
	if limit, ok := m.ownLimit("memory", "memory.max", "memory.limit_in_bytes"); ok && limit.most < total {
		found += fmt.Sprintf("; this cgroup may have %s", stats.HumanBytes(limit.most))
		hint = "the kernel kills what makes the cgroup exceed it: " + limit.dir
		if used, err := strconv.ParseInt(m.read(limit.file("memory.current", "memory.usage_in_bytes")), 10, 64); err == nil {
			found += ", has " + stats.HumanBytes(used)
		}
	}
	if known && room < lowMemory {
		hint = strings.TrimPrefix(hint+"; little memory is left: use fewer workers, or end what takes it", "; ")
	}
	if hint != "" {
		return limited(hint, "%s", found)
	}
	return ok("%s", found)
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return stats.HumanCount(int64(n)) + " " + many
}
