package doctor

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lithops-go/lithops/internal/stats"
)

// What a host and its workers take.
const (
	filesOfHost     = 32 // whatever the number of workers
	filesPerWorker  = 4  // two pipes, the process itself, its segment
	threadsOfHost   = 32
	threadsOfWorker = 12 // those of its task among them, if that is not many
)

func (m *machine) openFiles() Finding {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return limited("", "the limit cannot be told: %v", err)
	}
	// Go has raised the own limit; a child gets the one this process was started with.
	soft, err := m.output("/bin/sh", "-c", "ulimit -Sn")
	if err != nil {
		soft = "unknown"
	}
	return openFilesOf(bounded(uint64(l.Max)), soft, runtime.GOMAXPROCS(0))
}

// openFilesOf tells of limits of open files: that of lithops, and that of tasks.
func openFilesOf(hard int64, soft string, cpus int) Finding {
	most := max(0, (hard-filesOfHost)/filesPerWorker)
	found := fmt.Sprintf("up to %s for lithops (%s for tasks): enough for %s workers", number(hard), soft, number(most))
	if hard == math.MaxInt64 {
		return ok("no limit for lithops (%s for tasks)", soft)
	}
	if most < int64(2*cpus) {
		return limited("raise the hard limit: ulimit -Hn, limits.conf, LimitNOFILE= of a unit", "%s", found)
	}
	return ok("%s", found)
}

func (m *machine) processes() Finding {
	room, all := int64(math.MaxInt64), []string{}
	take := func(what string, most, used int64) {
		all = append(all, fmt.Sprintf("%s %s (in use: %s)", what, number(most), number(used)))
		room = min(room, max(0, most-used))
	}
	if most, err := processLimit(); err == nil && most < math.MaxInt64 {
		if os.Geteuid() == 0 {
			all = append(all, fmt.Sprintf("ulimit -u %s, which does not bind root", number(most)))
		} else {
			take("ulimit -u", most, m.threads(os.Getuid()))
		}
	}
	if l, ok := m.ownLimit("pids", "pids.max", "pids.max"); ok {
		used, _ := strconv.ParseInt(m.read(filepath.Join(l.dir, "pids.current")), 10, 64)
		take("pids.max of "+l.dir, l.most, used)
	}
	if most, err := strconv.ParseInt(m.read("proc/sys/kernel/threads-max"), 10, 64); err == nil {
		take("threads of the machine", most, m.threads(-1))
	}
	return processesOf(room, all, runtime.GOMAXPROCS(0))
}

// processesOf tells of limits of processes, which count threads, and of the room
// that is left below the lowest.
func processesOf(room int64, all []string, cpus int) Finding {
	if len(all) == 0 {
		return ok("no limit known")
	}
	found := strings.Join(all, ", ")
	if room == math.MaxInt64 {
		return ok("%s", found)
	}
	most := max(0, (room-threadsOfHost)/threadsOfWorker)
	found += fmt.Sprintf(": enough for %s workers", number(most))
	if most < int64(2*cpus) {
		return limited("raise the limit: ulimit -u, limits.conf, TasksMax= of a unit, --pids-limit of a container; or use fewer workers", "%s", found)
	}
	return ok("%s", found)
}

// threads counts the threads of a user's processes; of everybody's for -1. What has
// ended meanwhile is left out.
func (m *machine) threads(uid int) (n int64) {
	names, _ := filepath.Glob(m.path("proc/[0-9]*"))
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			continue
		}
		if s, ok := info.Sys().(*syscall.Stat_t); uid >= 0 && (!ok || int(s.Uid) != uid) {
			continue
		}
		b, _ := os.ReadFile(filepath.Join(name, "stat"))
		// pid (name) state ppid …, the number of threads being the 20th
		if f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:])); len(f) > 17 {
			threads, _ := strconv.ParseInt(f[17], 10, 64)
			n += threads
		}
	}
	return n
}

func processLimit() (int64, error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &l); err != nil {
		return 0, err
	}
	return bounded(uint64(l.Cur)), nil
}

// bounded is a limit as a number; none is the highest.
func bounded(v uint64) int64 { return int64(min(v, math.MaxInt64)) }

func number(n int64) string {
	if n == math.MaxInt64 {
		return "any number"
	}
	return stats.HumanCount(n)
}
