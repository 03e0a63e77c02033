package proc

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
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
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	of := make(map[int]int, len(names))
	buf := make([]byte, 1024)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		b := File(pid, "stat", buf)
		// pid (name) state ppid …; the name may hold anything
		_, rest, _ := bytes.Cut(b[bytes.LastIndexByte(b, ')')+1:], []byte(" "))
		if len(rest) < 3 {
			continue // it has ended since
		}
		parent, _, _ := bytes.Cut(rest[2:], []byte(" "))
		of[pid], _ = strconv.Atoi(string(parent))
	}
	return of
}

// HasEnv says whether a process was started with the variable, as NAME=VALUE.
func HasEnv(pid int, variable string) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	return err == nil && slices.Contains(strings.Split(string(b), "\x00"), variable)
}

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
