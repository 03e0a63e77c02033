package worker

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lithops-go/lithops/internal/proc"
)

// sysProcAttr makes a command the leader of a group that dies with its worker.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// awaitExit waits until pid has exited and leaves it as a zombie, so that its
// group can be signalled without hitting a stranger.
func awaitExit(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return err
		}
	}
}

// orphansComeHere: a worker is a subreaper, so whatever a task leaves behind
// becomes its child, and without children nothing is left.
const orphansComeHere = true

// leftBehind lists what is left of the task whose leader was pid.
func leftBehind(int) []int { return proc.Children() }

// maxRSS is a peak resident size in bytes.
func maxRSS(ru *syscall.Rusage) int64 { return ru.Maxrss << 10 }

// mountProc gives a worker that is the first of a PID namespace the matching
// view of it; for others it does nothing.
func mountProc() error {
	if os.Getpid() != 1 {
		return nil
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return os.NewSyscallError("make mounts private", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return os.NewSyscallError("mount /proc", err)
	}
	// The commands, which this thread starts, get no more rights than the user has.
	return os.NewSyscallError("drop capabilities", unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
}

// takeName makes the process appear as lithops, and not by the name of the link it
// was started through.
func takeName() {
	os.WriteFile("/proc/self/comm", []byte("lithops"), 0) // without it, only looks differ
}
