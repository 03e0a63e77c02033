//go:build !linux

package localworker

import (
	"os"
	"syscall"

	"github.com/lithops-go/lithops/internal/job"
)

func self() (string, error) { return os.Executable() }

// sysProcAttr puts a worker into a process group of its own; there are no PID
// namespaces here, and the job was refused if it asked for one.
func sysProcAttr(job.Isolation) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
