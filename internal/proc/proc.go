// Package proc finds and ends processes that lost their parent.
package proc

import (
	"syscall"
	"time"
)

// Signal sends s to a process and to the group it leads, if it leads one, and
// wakes it up if it is stopped.
func Signal(pid int, s syscall.Signal) {
	for _, s := range []syscall.Signal{s, syscall.SIGCONT} {
		syscall.Kill(-pid, s)
		if group, err := syscall.Getpgid(pid); err != nil || group != pid {
			syscall.Kill(pid, s) // it has left its group
		}
	}
}

// KillOrphans kills the children of this process that known does not know, and
// collects them, until there are none or most has gone by. Only what it has
// killed itself is waited for.
func KillOrphans(known func(pid int) bool, most time.Duration) {
	for begun, pause := time.Now(), time.Millisecond; time.Since(begun) < most; pause = min(2*pause, 20*time.Millisecond) {
		left := 0
		for _, pid := range Children() {
			if known(pid) {
				continue
			}
			left++
			Signal(pid, syscall.SIGKILL)
			syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		}
		if left == 0 {
			return
		}
		time.Sleep(pause)
	}
}
