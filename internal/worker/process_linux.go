package worker

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
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
	return os.NewSyscallError("mount /proc", unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""))
}
