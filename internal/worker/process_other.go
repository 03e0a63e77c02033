//go:build !linux

package worker

import (
	"syscall"

	"golang.org/x/sys/unix"
)

func sysProcAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// awaitExit waits until pid has exited and leaves it as a zombie.
func awaitExit(pid int) error {
	queue, err := unix.Kqueue()
	if err != nil {
		return err
	}
	defer unix.Close(queue)
	event := []unix.Kevent_t{{}}
	unix.SetKevent(&event[0], pid, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	event[0].Fflags = unix.NOTE_EXIT
	for {
		n, err := unix.Kevent(queue, event, event, nil)
		switch {
		case err == unix.EINTR:
		case err == unix.ESRCH: // exited already
			return nil
		case err != nil || n > 0:
			return err
		}
	}
}

// orphansComeHere: they go to the first process of the system.
const orphansComeHere = false

// leftBehind is the task's group, by the pid that led it, while it has members.
func leftBehind(pid int) []int {
	if syscall.Kill(-pid, 0) != nil {
		return nil
	}
	return []int{pid}
}

func maxRSS(ru *syscall.Rusage) int64 { return ru.Maxrss }

func mountProc() error { return nil }

// shrink does nothing.
func shrink() {}

// wakeFirst does nothing.
func wakeFirst() {}

// takeName does nothing: the program was started by its own name.
func takeName() {}
