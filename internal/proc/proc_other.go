//go:build !linux

package proc

import (
	"syscall"
	"time"
)

// Subreaper does nothing: orphans go to the first process here, and only those
// that stayed in their task's group are found.
func Subreaper() error { return nil }

// Children knows none.
func Children() []int { return nil }

// Alive says whether a process is there.
func Alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// Marked finds none: environments cannot be read here.
func Marked(mark string) []int { return nil }

// KillMarked finds none.
func KillMarked(mark string, spare func(pid int) bool, most time.Duration) (killed int, left []int) {
	return 0, nil
}

// HasMark knows of none.
func HasMark(pid int, mark string) bool { return false }

// Getenv knows of none.
func Getenv(pid int, name string) (value string, ok bool) { return "", false }
