//go:build !linux

package proc

// Subreaper does nothing: orphans go to the first process here, and only those
// that stayed in their task's group are found.
func Subreaper() error { return nil }

// Children knows none.
func Children() []int { return nil }

// HasEnv knows of none.
func HasEnv(pid int, variable string) bool { return false }
