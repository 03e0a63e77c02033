package doctor

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// sources are the files that figures come from.
func sources() map[string]string {
	of := fmt.Sprintf("proc/%d/", os.Getpid())
	return map[string]string{
		"proc/stat":         "cpu  1 2 3 4\ncpu0 1 2 3 4\n",
		"proc/net/dev":      "Inter-|\n lo: 1 2\n",
		of + "statm":        "100 20 3 4 0 5 0\n",
		of + "smaps_rollup": "Rss: 1 kB\nPrivate_Clean: 1 kB\n",
		of + "status":       "Name:\tx\nVmHWM:\t 100 kB\n",
		of + "clear_refs":   "",
		of + "stat":         "1 (x) S 1\n",
		of + "io":           "rchar: 1\nwrite_bytes: 0\n",
		"proc/unrelated/io": "",
	}
}

func TestFigures(t *testing.T) {
	expect(t, fake(t, sources()).figuresOf(os.Getpid()), OK, "all figures of a record can be measured", "")
	for file, figure := range map[string]string{
		"stat": "worker_func_cpu_usage: null", "net/dev": "worker_func_recv_loopback_io: null", "self/statm": "worker_func_rss, worker_func_vms: null",
		"self/smaps_rollup": "worker_func_uss: null", "self/status": "task_peak_memory of functions: null", "self/clear_refs": "task_peak_memory of functions: null",
		"self/stat": "functions that are programs: null", "self/io": "block_read_bytes, block_write_bytes: 0, whatever",
	} {
		files := sources()
		name := "proc/" + strings.Replace(file, "self", fmt.Sprint(os.Getpid()), 1)
		if _, ok := files[name]; !ok {
			t.Fatalf("no %s", name)
		}
		delete(files, name)
		f := fake(t, files).figuresOf(os.Getpid())
		if f.Status != Limited || !strings.Contains(f.Found, figure) || strings.Contains(f.Found, "\n") || !strings.Contains(f.Found, "no such file") {
			t.Errorf("without %s: %+v", name, f)
		}
		files[name] = "nonsense"
		if f := fake(t, files).figuresOf(os.Getpid()); file != "self/clear_refs" && (f.Status != Limited || !strings.Contains(f.Found, figure)) {
			t.Errorf("with nonsense in %s: %+v", name, f)
		}
	}
}

func TestOutOfMemory(t *testing.T) {
	files := map[string]string{
		"dev/kmsg":               "6,1,1,-;hello\n",
		"proc/self/cgroup":       "0::/a\n",
		"proc/self/mountinfo":    "30 20 0:26 / /cg rw - cgroup2 cgroup2 rw\n",
		"cg/a/memory.events":     "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n",
		"cg/memory.events.local": "",
	}
	expect(t, fake(t, files).outOfMemory(), OK, "kills for want of memory are told by the kernel's log (/dev/kmsg) and the count in /cg/a/memory.events", "")
	delete(files, "dev/kmsg")
	expect(t, fake(t, files).outOfMemory(), OK, "kills for want of memory are told by the count in /cg/a/memory.events\n"+
		"the kernel's log cannot be read: open /dev/kmsg: no such file or directory", "")
	files["cg/a/memory.events"] = "low 0\noom 0\n" // before Linux 4.13
	expect(t, fake(t, files).outOfMemory(), Limited, "the kernel's log cannot be read: open /dev/kmsg: no such file or directory\n"+
		"no count of the own cgroup: /cg/a has no memory.events", "dmesg_restrict")
	files["dev/kmsg"] = ""
	files["proc/self/cgroup"] = ""
	expect(t, fake(t, files).outOfMemory(), OK, "kills for want of memory are told by the kernel's log (/dev/kmsg)\n"+
		"no count of the own cgroup: there is no memory controller", "")
	files["proc/self/cgroup"] = "4:memory:/x\n"
	files["proc/self/mountinfo"] = "41 20 0:31 / /mem rw - cgroup cgroup rw,memory\n"
	files["mem/x/memory.oom_control"] = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"
	expect(t, fake(t, files).outOfMemory(), OK, "kills for want of memory are told by the kernel's log (/dev/kmsg) and the count in /mem/x/memory.oom_control", "")
}

func TestFileSystem(t *testing.T) {
	m := fake(t, map[string]string{"proc/self/mountinfo": "1 0 8:1 / / rw - ext4 /dev/a rw\n" +
		"2 1 0:1 / /no/such rw - nfs4 host:/x rw\n" +
		"3 2 0:2 / /no/such/place rw - xfs /dev/b rw\n" +
		"4 3 0:3 / /no/such/place rw - tmpfs tmpfs rw\n"})
	for dir, want := range map[string]string{"/no": "ext4", "/no/such": "nfs4", "/no/such/dir": "nfs4", "/no/suchlike": "ext4", "/no/such/place/x": "tmpfs"} {
		if got := m.fileSystem(dir, nil); got != want {
			t.Errorf("%s is in %s, not %s", dir, got, want)
		}
	}
	if got := fake(t, nil).fileSystem("/", nil); got != "" {
		t.Errorf("without mountinfo: %s", got)
	}
}
