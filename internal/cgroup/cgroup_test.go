package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// found is a place of this machine's.
func found(t *testing.T) *Place {
	t.Helper()
	p, err := Find()
	if err != nil {
		t.Skip("no memory cgroup: ", err)
	}
	return p
}

// run starts a command in w and returns its pid; it is over, and collected, at the end
// of the test.
func run(t *testing.T, w *Worker, argv ...string) (pid int, wait func() syscall.WaitStatus) {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	attr := &syscall.ProcAttr{Files: []uintptr{null.Fd(), null.Fd(), null.Fd()}, Env: os.Environ()}
	path, argv := w.Enter(argv[0], argv, attr)
	if pid, err = syscall.ForkExec(path, argv, attr); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	waited := false
	wait = func() syscall.WaitStatus {
		for !waited {
			_, err := syscall.Wait4(pid, &status, 0, nil)
			waited = err != syscall.EINTR
		}
		return status
	}
	t.Cleanup(func() {
		if !waited {
			syscall.Kill(pid, syscall.SIGKILL)
			wait()
		}
	})
	return pid, wait
}

func gone(dir string) bool {
	_, err := os.Stat(dir)
	return errors.Is(err, fs.ErrNotExist)
}

func TestTheKernelEnforcesTheLimit(t *testing.T) {
	place := found(t)
	const limit = 32 << 20
	j, err := place.NewJob(fmt.Sprint("enforced-", os.Getpid()), limit)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	w, err := OpenWorker(place.Version, j.Dir(), 7, limit)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if n, err := w.OOMKills(); n != 0 || err != nil || w.AtLimit() {
		t.Errorf("before: %d, %v", n, err)
	}
	_, wait := run(t, w, "/bin/sh", "-c", "exit 3")
	if status := wait(); status.ExitStatus() != 3 {
		t.Errorf("within the limit: %v", status)
	}
	_, wait = run(t, w, "/bin/sh", "-c", "exec sed -n p /dev/zero")
	if status := wait(); status.Signal() != syscall.SIGKILL {
		t.Errorf("above it: %v", status)
	}
	if n, err := w.OOMKills(); n != 1 || err != nil {
		t.Errorf("after: %d, %v", n, err)
	}
	if !w.AtLimit() || w.AtLimit() {
		t.Error("that it was at the limit is to be told once")
	}
}

func TestCloseKillsAndRemovesAll(t *testing.T) {
	place := found(t)
	j, err := place.NewJob(fmt.Sprint("closed-", os.Getpid()), 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	var waits []func() syscall.WaitStatus
	for i := range 2 {
		w, err := OpenWorker(place.Version, j.Dir(), i, 64<<20)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		_, wait := run(t, w, "/bin/sleep", "1000")
		waits = append(waits, wait)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	for _, wait := range waits {
		if status := wait(); status.Signal() != syscall.SIGKILL && status.ExitStatus() != NotEntered {
			t.Errorf("a process of the job: %v", status)
		}
	}
	if !gone(j.Dir()) {
		t.Error("the cgroup is still there")
	}
}

func TestLeftoversAreRemovedAndLivingJobsAreNot(t *testing.T) {
	place := found(t)
	id := func(name string) string { return fmt.Sprintf("%s-%d", name, os.Getpid()) }
	living, err := place.NewJob(id("living"), 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer living.Close()
	var dead []*Job
	for _, name := range []string{"dead", "haunted", "again"} {
		j, err := place.NewJob(id(name), 64<<20)
		if err != nil {
			t.Fatal(err)
		}
		w, err := OpenWorker(place.Version, j.Dir(), 0, 64<<20)
		if err != nil {
			t.Fatal(err)
		}
		if name != "dead" {
			run(t, w, "/bin/sleep", "1000")
			for {
				if b, err := os.ReadFile(filepath.Join(w.dir, procs)); err != nil || len(b) > 0 {
					break
				}
				time.Sleep(time.Millisecond)
			}
		}
		defer w.Close()
		j.held.Close() // as the death of its host does
		dead = append(dead, j)
	}
	again, err := place.NewJob(id("again"), 64<<20) // it is resumed
	if err != nil {
		t.Fatal(err)
	}
	if gone(living.Dir()) {
		t.Error("the cgroup of a living job was removed")
	}
	if !gone(dead[0].Dir()) {
		t.Error("an empty cgroup of a dead job is still there")
	}
	if gone(dead[1].Dir()) {
		t.Error("a cgroup with a process in it was removed")
	}
	if entries, _ := filepath.Glob(filepath.Join(again.Dir(), "w-*")); len(entries) > 0 {
		t.Errorf("the resumed job has %v", entries)
	}
	if _, err := lock(living.Dir()); err != errLocked {
		t.Errorf("a living job's cgroup can be locked: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	dead[1].place.sys.kill(dead[1].Dir())
	for !gone(dead[1].Dir()) {
		place.removeLeftovers("")
		time.Sleep(time.Millisecond)
	}
}

// Version 2 is tried for real as far as this machine has it, even if without memory.
func TestProcessesAreBornInVersion2(t *testing.T) {
	mounts, err := real.mounts()
	if err != nil || len(mounts) == 0 || mounts[0].version != 2 {
		t.Skip("no cgroup2 is mounted: ", err)
	}
	dir := filepath.Join(mounts[0].own, fmt.Sprint("lithops-born-", os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Skip(err)
	}
	defer syscall.Rmdir(dir)
	self, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	w := &Worker{sys: real, version: 2, dir: dir, self: self}
	pid, wait := run(t, w, "/bin/sleep", "1000")
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil || !strings.Contains(string(b), "/"+filepath.Base(dir)+"\n") {
		t.Errorf("it is in %s, %v", b, err)
	}
	if err := real.write(dir, controls, "+hugetlb"); has(filepath.Join(dir, "cgroup.controllers"), "hugetlb") && !errors.Is(err, syscall.EBUSY) {
		t.Errorf("limits below a cgroup with processes: %v", err)
	}
	real.kill(dir)
	if status := wait(); status.Signal() != syscall.SIGKILL {
		t.Error(status)
	}
}
