//go:build !linux

package doctor

import "runtime"

func (m *machine) orphans() Finding {
	return limited("a task that starts daemons should end them itself",
		"on %s only what stays in a task's process group is found and ended; there is no subreaper, no parent-death signal, no pidfd", runtime.GOOS)
}
