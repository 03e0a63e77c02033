// Package facts finds out about the machine. It stands apart from the worker, which has
// no need of it, and starts sooner without the library.
package facts

import (
	"os"
	"os/user"
	"runtime"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/host"
	"github.com/shirou/gopsutil/v3/mem"

	"github.com/lithops-go/lithops/internal/store"
)

// Machine is what is known of this machine; what cannot be found out is left empty.
func Machine() store.Machine {
	m := store.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), UsableCPUs: runtime.GOMAXPROCS(0), PID: os.Getpid()}
	m.Hostname, _ = os.Hostname()
	m.Kernel, _ = host.KernelVersion()
	if n, err := cpu.Counts(true); err == nil {
		m.CPUs = n
	}
	if c, err := cpu.Info(); err == nil && len(c) > 0 {
		m.CPUModel = c[0].ModelName
	}
	if v, err := mem.VirtualMemory(); err == nil {
		m.MemoryBytes = v.Total
	}
	if u, err := user.Current(); err == nil {
		m.User = u.Username
	}
	return m
}
