package cgroup

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// kernel is a made-up tree of cgroups of version 2 that follows the kernel's rules.
type kernel struct {
	*system
	t      *testing.T
	closed map[string]bool // cgroups of others, which this user may not write to
	far    bool            // processes may not be moved
}

// newKernel has this process in the cgroup own, below /sys/fs/cgroup.
func newKernel(t *testing.T, own string) *kernel {
	t.Helper()
	k := &kernel{t: t, closed: map[string]bool{}}
	k.system = &system{root: t.TempDir(), mkdir: k.make, rmdir: os.RemoveAll, write: k.put, enter: func(w *Worker) error {
		if k.far {
			return failure("start a process in a cgroup", syscall.EACCES)
		}
		return nil
	}}
	k.file("/proc/self/mountinfo", "30 23 0:28 / / rw - ext4 /dev/root rw\n31 30 0:29 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n")
	k.file("/proc/self/cgroup", "0::"+own+"\n")
	k.populate("/sys/fs/cgroup", "memory cpu")
	at := "/sys/fs/cgroup"
	for _, name := range strings.Split(strings.Trim(own, "/"), "/") {
		k.file(at+"/"+controls, "memory cpu")
		at += "/" + name
		k.populate(at, "memory cpu")
	}
	k.file(at+"/"+procs, "4711\n")
	k.file(at+"/"+controls, "")
	return k
}

func (k *kernel) file(path, text string) {
	k.t.Helper()
	path = filepath.Join(k.root, path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		k.t.Fatal(err)
	}
}

func (k *kernel) text(path string) string {
	b, err := os.ReadFile(filepath.Join(k.root, path))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (k *kernel) populate(dir, controllers string) {
	files := map[string]string{"cgroup.controllers": controllers, controls: "", procs: ""}
	if strings.Contains(controllers, "memory") {
		for file, value := range map[string]string{"memory.max": "max", "memory.swap.max": "max", "memory.oom.group": "0", "memory.events": "oom 0\noom_kill 0\n"} {
			files[file] = value
		}
	}
	for file, value := range files {
		k.file(dir+"/"+file, value)
	}
}

func (k *kernel) make(dir string) error {
	parent := strings.TrimPrefix(filepath.Dir(dir), k.root)
	if k.closed[parent] {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.EACCES}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	k.populate(strings.TrimPrefix(dir, k.root), k.text(parent+"/"+controls))
	return nil
}

func (k *kernel) put(dir, file, value string) error {
	path := strings.TrimPrefix(dir, k.root)
	_, err := os.Stat(filepath.Join(dir, file))
	switch {
	case err != nil:
	case k.closed[path]:
		err = syscall.EACCES
	case file == controls && k.text(path+"/"+procs) != "" && path != "/sys/fs/cgroup":
		err = syscall.EBUSY
	default:
		k.file(path+"/"+file, strings.TrimPrefix(value, "+"))
	}
	if err != nil {
		return failure("write "+value+" to "+file, err)
	}
	return nil
}

const (
	base  = "/sys/fs/cgroup"
	scope = "/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope"
	slice = "/user.slice/user-1000.slice/user@1000.service/app.slice"
)

func TestFindVersion2(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*kernel)
		named  string // relative to the tree's root
		want   string // place, or the error
	}{
		"beside the own cgroup":                  {func(k *kernel) {}, "", base + slice},
		"below it when it has no process":        {func(k *kernel) { k.file(base+scope+"/"+procs, "") }, "", base + scope},
		"where the controller has to be enabled": {func(k *kernel) { k.file(base+slice+"/"+controls, "cpu") }, "", base + slice},
		"not outside of a limit": {func(k *kernel) { k.file(base+scope+"/memory.max", "1073741824") }, "",
			base + scope + ": it has processes of its own, so none below it can have a limit; above it would be outside of its memory.max"},
		"not outside of a quota": {func(k *kernel) { k.file(base+scope+"/cpu.max", "50000 100000") }, "",
			base + scope + ": it has processes of its own, so none below it can have a limit; above it would be outside of its cpu.max"},
		"a quota of no limit": {func(k *kernel) { k.file(base+scope+"/cpu.max", "max 100000") }, "", base + slice},
		"others' cgroups all the way up": {func(k *kernel) {
			for dir := base + scope; dir != "/sys/fs"; dir = filepath.Dir(dir) {
				k.closed[dir] = true
			}
		}, "", base + scope + ": write +memory to cgroup.subtree_control: permission denied"},
		"processes cannot be moved": {func(k *kernel) { k.far = true }, "", base + scope + ": it has processes of its own, so none below it can have a limit"},
		"without the controller": {func(k *kernel) {
			for dir := base + scope; dir != "/sys/fs"; dir = filepath.Dir(dir) {
				k.file(dir+"/cgroup.controllers", "cpu")
				k.file(dir+"/"+controls, "cpu")
			}
		}, "", base + scope + ": the memory controller is not enabled for it"},
		"mounted elsewhere": {func(k *kernel) {
			k.file("/proc/self/mountinfo", "41 31 0:38 / /sys/fs/cgroup/the\\040unified rw - cgroup2 cgroup2 rw\n")
			k.file("/proc/self/cgroup", "9:name=systemd:/\n0::/a\n")
			k.populate(base+"/the unified", "memory")
			k.populate(base+"/the unified/a", "memory")
		}, "", base + "/the unified/a"},
		"in a container that sees a part": {func(k *kernel) {
			k.file("/proc/self/mountinfo", "41 31 0:38 "+slice+" /sys/fs/cgroup"+slice+" rw - cgroup2 cgroup2 rw\n")
		}, "", base + slice},
		"outside of what can be seen": {func(k *kernel) { k.file("/proc/self/cgroup", "0::/../other\n") }, "", "no cgroup file system is mounted that knows of memory"},
		"nothing is mounted":          {func(k *kernel) { k.file("/proc/self/mountinfo", "") }, "", "no cgroup file system is mounted that knows of memory"},
		"delegated":                   {func(k *kernel) { k.populate("/sys/fs/cgroup/mine", "memory") }, base + "/mine", base + "/mine"},
		"delegated with processes": {func(k *kernel) {
			k.populate("/sys/fs/cgroup/mine", "memory")
			k.file(base+"/mine/"+procs, "12")
		}, base + "/mine", "LITHOPS_CGROUP=" + base + "/mine: it has processes of its own, so none below it can have a limit"},
		"delegated, but not there":      {func(k *kernel) {}, base + "/mine", "LITHOPS_CGROUP=" + base + "/mine: no such file or directory"},
		"delegated, but something else": {func(k *kernel) {}, "/proc/self", "LITHOPS_CGROUP=/proc/self: not a memory cgroup"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKernel(t, scope)
			c.change(k)
			if c.named != "" {
				c.named = filepath.Join(k.root, c.named)
			}
			p, err := k.find(c.named)
			got := ""
			if err != nil {
				got = err.Error()
			} else if got = p.Dir; p.Version != 2 {
				t.Errorf("version %d", p.Version)
			}
			if got = strings.ReplaceAll(got, k.root, ""); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if left, _ := filepath.Glob(filepath.Join(k.root, base, "*/lithops-*")); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
}

func TestAJobOfVersion2(t *testing.T) {
	k := newKernel(t, scope)
	p, err := k.find("")
	if err != nil {
		t.Fatal(err)
	}
	j, err := p.NewJob("a-0-M000", 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	w, err := k.openWorker(p.Version, j.Dir(), 3, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	dir := base + slice + "/lithops-a-0-M000/w-3/"
	for file, want := range map[string]string{"memory.max": "1073741824", "memory.swap.max": "0", "memory.oom.group": "1"} {
		if got := k.text(dir + file); got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}
	k.file(dir+"memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 3\noom_group_kill 1\n")
	if n, err := w.OOMKills(); n != 3 || err != nil || !w.AtLimit() {
		t.Errorf("%d kills, %v", n, err)
	}
	k.file(dir+"memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 4\noom_group_kill 1\n") // the machine's
	if n, err := w.OOMKills(); n != 4 || err != nil || w.AtLimit() {
		t.Errorf("%d kills, %v", n, err)
	}
	k.file(dir+"memory.events", "low 0\n")
	if _, err := w.OOMKills(); err == nil {
		t.Error("a count that is not there was read")
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if w.Close(); !w.Gone() || !gone(j.Dir()) {
		t.Error("something is left")
	}
}

func TestFindVersion1(t *testing.T) {
	k := newKernel(t, scope)
	k.file("/proc/self/mountinfo", "35 31 0:32 /docker/f00 /sys/fs/cgroup/memory rw - cgroup cgroup rw,hugetlb,memory\n"+
		"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n36 31 0:33 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices\n")
	k.file("/proc/self/cgroup", "5:devices:/\n4:hugetlb,memory:/docker/f00/a\n0::/\n")
	k.populate(base+"/unified", "hugetlb")
	mounts, err := k.mounts()
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, m := range mounts {
		got += strings.ReplaceAll(m.at+" "+m.own, k.root, "") + "\n"
	}
	if want := base + "/unified " + base + "/unified\n" + base + "/memory " + base + "/memory/a\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	k.closed[base+"/memory/a"], k.closed[base+"/memory"] = true, true
	if _, err := k.find(""); err == nil || strings.ReplaceAll(err.Error(), k.root, "") !=
		base+"/unified: the memory controller is not enabled for it; "+base+"/memory/a: make a cgroup: permission denied" {
		t.Error(err)
	}
}

func TestWhatLimitsACgroup(t *testing.T) {
	for text, want := range map[string]string{"9223372036854771712\n": "", "1073741824\n": "memory.limit_in_bytes"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "memory.limit_in_bytes"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := limited(dir); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
