package proc

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Subreaper makes every orphan among the descendants a child of this process.
func Subreaper() error {
	return os.NewSyscallError("become subreaper", unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
}

// Children lists the processes whose parent is this one, zombies included.
func Children() (pids []int) {
	self := os.Getpid()
	for pid, parent := range parents() {
		if parent == self {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Descendants lists the processes below pid.
func Descendants(pid int) (below []int) {
	children := map[int][]int{}
	for child, parent := range parents() {
		children[parent] = append(children[parent], child)
	}
	todo := children[pid]
	for len(todo) > 0 {
		next := todo[0]
		below = append(below, next)
		todo = append(todo[1:], children[next]...)
	}
	return below
}

// parents maps each process to its parent. The kernel's own lists of children
// are not to be had everywhere, so all of /proc is read.
func parents() map[int]int {
	of := map[int]int{}
	each(func(pid int, stat []byte) {
		of[pid] = parent(stat)
	})
	return of
}

// each reads the stat of each process, from its state on, the youngest first: it may be
// gone soon.
func each(f func(pid int, stat []byte)) {
	dir, err := os.Open("/proc")
	if err != nil {
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	buf := make([]byte, 1024)
	for _, name := range slices.Backward(names) {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if s := stat(pid, buf); s != nil {
			f(pid, s)
		}
	}
}

// stat reads the stat of a process, from its state on; nil when it is gone.
func stat(pid int, buf []byte) []byte {
	b := File(pid, "stat", buf)
	// pid (name) state ppid …; the name may hold anything
	b = b[bytes.LastIndexByte(b, ')')+1:]
	if len(b) < 4 {
		return nil
	}
	return b[1:]
}

// parent reads the parent from a stat.
func parent(stat []byte) int {
	ppid, _, _ := bytes.Cut(stat[2:], []byte(" "))
	pid, _ := strconv.Atoi(string(ppid))
	return pid
}

// Alive says whether a process is there, and not just waits to be collected.
func Alive(pid int) bool {
	s := stat(pid, make([]byte, 1024))
	return s != nil && !ended(s)
}

func ended(stat []byte) bool { return stat[0] == 'Z' || stat[0] == 'X' }

// File reads a small file of a process into buf, as much as fits. It is nil when
// the process is gone or does not let us. os.File, with its poller and
// finalizer, would cost more than the reading.
func File(pid int, name string, buf []byte) []byte {
	fd, err := syscall.Open("/proc/"+strconv.Itoa(pid)+"/"+name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer syscall.Close(fd)
	n, err := syscall.Read(fd, buf)
	if err != nil || n <= 0 {
		return nil
	}
	return buf[:n]
}
