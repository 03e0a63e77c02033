package worker

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// kernelLog is the kernel's log, which tells of each process that was killed because
// the machine, or a cgroup, was out of memory. nil is one that cannot be read.
type kernelLog struct{ fd int }

// openKernelLog opens the log, which takes a privilege. It tells of processes by the
// numbers that the first PID namespace has for them: in another it is of no use.
func openKernelLog() *kernelLog {
	const first = "pid:[4026531836]" // fixed, PROC_PID_INIT_INO
	if ns, err := os.Readlink("/proc/self/ns/pid"); err != nil || ns != first {
		return nil
	}
	fd, err := syscall.Open("/dev/kmsg", syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	l := &kernelLog{fd}
	l.mark()
	return l
}

func (l *kernelLog) close() {
	if l != nil {
		syscall.Close(l.fd)
	}
}

// mark leaves out what the log has told so far.
func (l *kernelLog) mark() {
	if l != nil {
		const end = 2
		syscall.Seek(l.fd, 0, end)
	}
}

// tells says whether the log has told since mark that pid was killed. The kernel sends
// the signal first and writes then: a dead process may be told of a moment later.
func (l *kernelLog) tells(pid int) bool {
	if l == nil {
		return false
	}
	const looks, pause = 4, 2 * time.Millisecond
	var buf [8 << 10]byte // a record is read whole or not at all
	for look := 0; ; {
		n, err := syscall.Read(l.fd, buf[:])
		switch {
		case n > 0:
			if killedIn(buf[:n], pid) {
				return true
			}
		case err == syscall.EINTR || err == syscall.EPIPE: // EPIPE: the oldest were overwritten
		default:
			if look++; look == looks {
				return false
			}
			time.Sleep(pause)
		}
	}
}

// killedIn says whether a record of the log, "priority,number,time,…;text", tells that
// pid was killed for want of memory. Only the kernel's own records count: who may
// write into the log chooses another facility.
func killedIn(record []byte, pid int) bool {
	head, text, _ := bytes.Cut(record, []byte(";"))
	priority, _, _ := bytes.Cut(head, []byte(","))
	const facilities = 8 // levels per facility; the kernel's is the first
	if p, err := strconv.Atoi(string(priority)); err != nil || p >= facilities {
		return false
	}
	text, _, _ = bytes.Cut(text, []byte("\n"))
	_, rest, found := bytes.Cut(text, []byte("Killed process "))
	digits, _, _ := bytes.Cut(rest, []byte(" "))
	return found && string(bytes.TrimSuffix(digits, []byte(","))) == strconv.Itoa(pid)
}
