package doctor

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

func TestCPUs(t *testing.T) {
	for _, c := range []struct {
		all, allowed, usable int
		asked, model         string
		status               Status
		found, hint          string
	}{
		{4, 4, 4, "", "Fast 9000", OK, "4, all usable (Fast 9000)", ""},
		{4, 4, 4, "4", "", OK, "4, all usable", ""},
		{8, 2, 2, "", "", Limited, "8, 2 usable by affinity", "gets 2 workers"},
		{8, 8, 1, "", "Fast 9000", Limited, "8, 1 usable by CPU quota (Fast 9000)", "gets 1 worker ("},
		{8, 8, 3, "3", "", Limited, "8, 3 usable by GOMAXPROCS=3", "unset GOMAXPROCS"},
		{8, 8, 3, "many", "", Limited, "8, 3 usable by CPU quota", "cpu.max"},
	} {
		expect(t, cpusOf(c.all, c.allowed, c.usable, c.asked, c.model), c.status, c.found, c.hint)
	}
}

const meminfo = "MemTotal:        8388608 kB\nMemFree:          100 kB\nMemAvailable:    4194304 kB\n"

func TestMemory(t *testing.T) {
	expect(t, fake(t, map[string]string{"proc/meminfo": meminfo}).memory(), OK, "8.00 GiB, 4.00 GiB available", "")
	expect(t, fake(t, map[string]string{"proc/meminfo": strings.ReplaceAll(meminfo, "4194304", "4096")}).memory(),
		Limited, "8.00 GiB, 4.00 MiB available", "little memory is left")
	expect(t, fake(t, nil).memory(), Limited, "cannot be told", "")
	files := map[string]string{
		"proc/meminfo":                      meminfo,
		"proc/self/cgroup":                  "0::/user/me\n",
		"proc/self/mountinfo":               "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		"sys/fs/cgroup/user/memory.max":     "1073741824\n",
		"sys/fs/cgroup/user/memory.current": "536870912\n",
		"sys/fs/cgroup/user/me/memory.max":  "max\n",
	}
	expect(t, fake(t, files).memory(), Limited, "8.00 GiB, 4.00 GiB available; this cgroup may have 1.00 GiB, has 512 MiB", "exceed it: /sys/fs/cgroup/user")
	files["sys/fs/cgroup/user/me/memory.max"] = "268435456\n"
	expect(t, fake(t, files).memory(), Limited, "8.00 GiB, 4.00 GiB available; this cgroup may have 256 MiB", "exceed it: /sys/fs/cgroup/user/me")
}

func TestOwnLimit(t *testing.T) {
	const v1 = "40 20 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n" +
		"41 20 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" +
		"42 20 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	for name, c := range map[string]struct {
		groups, mounts, file, text string
		dir                        string // "" when there is no limit
	}{
		"unified":             {"0::/a/b\n", "30 20 0:26 / /cg rw - cgroup2 cgroup2 rw\n", "cg/a/memory.max", "77", "/cg/a"},
		"own namespace":       {"0::/\n", "30 20 0:26 / /cg rw - cgroup2 cgroup2 rw\n", "cg/memory.max", "77", "/cg"},
		"part of it is seen":  {"0::/a/b\n", "30 20 0:26 /a /cg rw - cgroup2 cgroup2 rw\n", "cg/b/memory.max", "77", "/cg/b"},
		"another part":        {"0::/a/b\n", "30 20 0:26 /c /cg rw - cgroup2 cgroup2 rw\n", "cg/memory.max", "77", "/cg"},
		"blank in the path":   {"0::/\n", "30 20 0:26 / /my\\040cg rw - cgroup2 cgroup2 rw\n", "my cg/memory.max", "77", "/my cg"},
		"old kind":            {"4:memory:/x\n1:pids:/\n0::/\n", v1, "sys/fs/cgroup/memory/x/memory.limit_in_bytes", "77", "/sys/fs/cgroup/memory/x"},
		"old kind, unlimited": {"4:memory:/x\n0::/\n", v1, "sys/fs/cgroup/memory/x/memory.limit_in_bytes", "9223372036854771712", ""},
		"old kind wins":       {"4:memory:/x\n0::/\n", v1, "sys/fs/cgroup/unified/memory.max", "77", ""},
		"no limit":            {"0::/a\n", "30 20 0:26 / /cg rw - cgroup2 cgroup2 rw\n", "cg/a/memory.max", "max", ""},
		"no such controller":  {"1:pids:/\n", v1, "sys/fs/cgroup/memory/memory.limit_in_bytes", "77", ""},
		"nothing mounted":     {"0::/a\n", "", "cg/a/memory.max", "77", ""},
		"nonsense":            {"0\n\n::\n", "30 20\n - \n", "cg/memory.max", "77", ""},
	} {
		m := fake(t, map[string]string{"proc/self/cgroup": c.groups, "proc/self/mountinfo": c.mounts, c.file: c.text + "\n"})
		l, ok := m.ownLimit("memory", "memory.max", "memory.limit_in_bytes")
		if ok != (c.dir != "") || l.dir != c.dir || ok && l.most != 77 {
			t.Errorf("%s: %+v, %v", name, l, ok)
		}
	}
}

func TestOpenFiles(t *testing.T) {
	expect(t, openFilesOf(1<<20, "1024", 2), OK, "up to 1,048,576 for lithops (1024 for tasks): enough for 262,136 workers", "")
	expect(t, openFilesOf(math.MaxInt64, "unlimited", 2), OK, "no limit for lithops (unlimited for tasks)", "")
	expect(t, openFilesOf(64, "64", 8), Limited, "up to 64 for lithops (64 for tasks): enough for 8 workers", "ulimit -Hn")
	expect(t, openFilesOf(8, "8", 1), Limited, "up to 8 for lithops (8 for tasks): enough for 0 workers", "ulimit -Hn")
}

func TestProcesses(t *testing.T) {
	expect(t, processesOf(math.MaxInt64, nil, 2), OK, "no limit known", "")
	expect(t, processesOf(math.MaxInt64, []string{"a"}, 2), OK, "a", "")
	expect(t, processesOf(1232, []string{"a", "b"}, 2), OK, "a, b: enough for 100 workers", "")
	expect(t, processesOf(100, []string{"a"}, 8), Limited, "a: enough for 5 workers", "TasksMax")
	m := fake(t, map[string]string{
		"proc/1/stat":                     "1 (a) b) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 7 0 100\n",
		"proc/20/stat":                    "20 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 5 0 100\n",
		"proc/21/stat":                    "",
		"proc/self/cgroup":                "3:pids:/\n",
		"proc/self/mountinfo":             "40 20 0:30 / /pids rw - cgroup cgroup rw,pids\n",
		"pids/pids.max":                   "100\n",
		"pids/pids.current":               "44\n",
		"proc/sys/kernel/threads-max":     "5000\n",
		"proc/sys/kernel/unrelated/thing": "1\n",
	})
	if n := m.threads(-1); n != 12 {
		t.Errorf("%d threads", n)
	}
	if n := m.threads(os.Getuid() + 1); n != 0 {
		t.Errorf("%d threads of another user", n)
	}
	f := m.processes()
	for _, part := range []string{"pids.max of /pids 100 (in use: 44)", "threads of the machine 5,000 (in use: 12)"} {
		if !strings.Contains(f.Found, part) {
			t.Errorf("%q is not in %s", part, f.Found)
		}
	}
	if !strings.HasSuffix(f.Found, ": enough for 2 workers") && os.Geteuid() == 0 {
		t.Errorf("found %s", f.Found)
	}
}

func TestClockOf(t *testing.T) {
	expect(t, clockOf(45, "tsc", true, nil), OK, "monotonic, read in 45 ns (tsc); the wall clock is synchronised", "")
	expect(t, clockOf(45, "", false, nil), Limited, "monotonic, read in 45 ns; the wall clock is not synchronised", "chrony")
	expect(t, clockOf(45, "", false, fmt.Errorf("no")), OK, "monotonic, read in 45 ns; whether the wall clock is synchronised cannot be told: no", "")
	expect(t, clockOf(2500, "hpet", true, nil), Limited, "monotonic, read in 2.50 µs (hpet); the wall clock is synchronised", "tsc")
}
