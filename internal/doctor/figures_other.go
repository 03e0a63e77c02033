//go:build !linux

package doctor

import (
	"errors"
	"runtime"
)

func (m *machine) figures() Finding {
	return limited("all figures are measured on Linux only",
		"null on %s: worker_func_cpu_usage, worker_func_uss, worker_func_sent_net_io and the like, task_peak_memory of functions, CPU time of functions that are programs", runtime.GOOS)
}

func (m *machine) tryKernelLog() error { return errors.New("only Linux has one that tells of it") }
