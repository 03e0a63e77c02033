package worker

import (
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// packets makes a pipe one of packets and gives a second reader, -1 when that
// cannot be had, and how many packets can wait. (A pipe's second reader is opened anew: a
// copy of the descriptor would share the flag that it does not wait.)
func packets(r, w int) (back, places int) {
	back, err := syscall.Open("/proc/self/fd/"+strconv.Itoa(r), syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return -1, 0
	}
	const wanted = 64
	page := os.Getpagesize() // a packet takes one
	size, err := unix.FcntlInt(uintptr(w), unix.F_SETPIPE_SZ, wanted*page)
	if err != nil { // more than we may have
		size, err = unix.FcntlInt(uintptr(w), unix.F_GETPIPE_SZ, 0)
	}
	if err != nil || setPackets(w, true) != nil {
		syscall.Close(back)
		return -1, 0
	}
	return back, size/page - 1
}

// nap lets the calling thread sleep, and nothing else: time.Sleep would need other
// threads to wake it.
func nap(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	unix.Nanosleep(&t, nil) // a signal ends it early
}

func setPackets(w int, on bool) error {
	flags := unix.O_NONBLOCK
	if on {
		flags |= unix.O_DIRECT
	}
	_, err := unix.FcntlInt(uintptr(w), unix.F_SETFL, flags)
	return err
}

// ownOutput makes the worker's own standard output and error the file fd.
func ownOutput(fd int) error {
	if err := unix.Dup3(fd, 1, 0); err != nil {
		return err
	}
	return unix.Dup3(fd, 2, 0)
}
