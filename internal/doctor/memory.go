package doctor

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/lithops-go/lithops/internal/cgroup"
)

// memoryLimits has a memory cgroup made, and a process started in it.
func (m *machine) memoryLimits() Finding {
	place, err := cgroup.Find()
	if err == nil {
		return ok("limits.memory: by memory cgroup v%d below %s, for all processes of a task together", place.Version, place.Dir)
	}
	if runtime.GOOS != "linux" {
		return missing("", "limits.memory: %v", err)
	}
	return limited("for one limit on all processes of a task run lithops in a cgroup that it may write to, such as by systemd-run --user --scope -p Delegate=yes lithops run …, or name one in "+cgroup.Env,
		"limits.memory: by address space of each process (ulimit -v), because no memory cgroup can be had: %v", err)
}

// outOfMemory looks for the two who tell that the kernel has killed a process because
// memory ran out.
func (m *machine) outOfMemory() Finding {
	var good, bad []string
	if err := m.tryKernelLog(); err != nil {
		bad = append(bad, "the kernel's log cannot be read: "+err.Error())
	} else {
		good = append(good, "the kernel's log (/dev/kmsg)")
	}
	if file, err := m.oomCounter(); err != nil {
		bad = append(bad, "no count of the own cgroup: "+err.Error())
	} else {
		good = append(good, "the count in "+file)
	}
	if len(good) == 0 {
		return limited("a task that the kernel kills for want of memory shows as ended by SIGKILL, and no more is known; allow the log by sysctl kernel.dmesg_restrict=0, or set limits.memory where it is by a cgroup",
			"%s", strings.Join(bad, "\n"))
	}
	return ok("kills for want of memory are told by %s", strings.Join(append([]string{strings.Join(good, " and ")}, bad...), "\n"))
}

// oomCounter finds the file that counts such kills in the own cgroup.
func (m *machine) oomCounter() (string, error) {
	g, ok := m.ownCgroup("memory")
	if !ok {
		return "", fmt.Errorf("there is no memory controller")
	}
	for _, dir := range g.dirs {
		for _, name := range []string{"memory.events", "memory.oom_control"} {
			if strings.Contains("\n"+m.read(dir+"/"+name), "\noom_kill ") {
				return dir + "/" + name, nil
			}
		}
	}
	return "", fmt.Errorf("%s has no memory.events", g.dirs[0])
}
