package localworker

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lithops-go/lithops/internal/job"
)

// self is this very program, even if its file was replaced since.
func self() (string, error) { return "/proc/self/exe", nil }

// sysProcAttr puts a worker into a process group of its own, and with isolation
// pid into a PID namespace, in which nothing outlives it. When its host dies, a
// worker that is stopped wakes up, to find out; others do not mind, nor that they get
// the signal when only the thread ends that has started them.
func sysProcAttr(isolation job.Isolation) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGCONT}
	if isolation != job.IsolationPID {
		return attr
	}
	attr.Cloneflags = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS
	if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN} // else exec drops it, and /proc cannot be mounted
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
	}
	return attr
}
