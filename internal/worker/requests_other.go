//go:build !linux

package worker

import (
	"time"

	"golang.org/x/sys/unix"
)

// packets: there are none here, and nothing is sent ahead.
func packets(r, w int) (back, places int) { return -1, 0 }

func setPackets(w int, on bool) error { return nil }

func nap(d time.Duration) { time.Sleep(d) }

// ownOutput makes the worker's own standard output and error the file fd.
func ownOutput(fd int) error {
	if err := unix.Dup2(fd, 1); err != nil {
		return err
	}
	return unix.Dup2(fd, 2)
}
