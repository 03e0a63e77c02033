package worker

import (
	"bytes"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// requests is the pipe by which a runtime gets its calls. Where the system can, each
// short write is a packet, which a read takes whole and alone: then calls can
// wait in the pipe, and those that wait can be taken back.
type requests struct {
	fd     int // our end
	back   int // another reader, that never waits; -1: nothing is sent ahead
	places int // packets that the pipe has room for beside the one that is read
	close  func()
}

// pipe makes a pipe whose ends a child does not inherit.
func pipe() (r, w int, err error) {
	var p [2]int
	syscall.ForkLock.RLock()
	err = syscall.Pipe(p[:])
	if err == nil {
		syscall.CloseOnExec(p[0])
		syscall.CloseOnExec(p[1])
	}
	syscall.ForkLock.RUnlock()
	return p[0], p[1], err
}

// newRequests makes the pipe and gives the runtime's end of it. ahead asks for packets.
func newRequests(ahead bool) (q requests, theirs int, err error) {
	theirs, q.fd, err = pipe()
	if err != nil {
		return q, 0, err
	}
	q.back = -1
	if ahead {
		q.back, q.places = packets(theirs, q.fd)
	}
	// A runtime that does not read must not hold us for ever.
	if err := syscall.SetNonblock(q.fd, true); err != nil {
		return q, theirs, err
	}
	fd, back := q.fd, q.back
	q.close = sync.OnceFunc(func() {
		syscall.Close(fd)
		if back >= 0 {
			syscall.Close(back)
		}
	})
	return q, theirs, nil
}

func (q *requests) ahead() bool { return q.back >= 0 }

// send writes a request; false when the runtime is gone or reads no more. A long one is
// written as a plain stream.
func (q *requests) send(line []byte, gone <-chan struct{}) bool {
	long := len(line) > packet && q.ahead()
	if long {
		setPackets(q.fd, false)
		defer setPackets(q.fd, true)
	}
	for len(line) > 0 {
		n, err := syscall.Write(q.fd, line)
		if n > 0 {
			line = line[n:]
		}
		switch err {
		case nil, syscall.EINTR:
		case syscall.EAGAIN:
			select {
			case <-gone:
				return false
			default:
			}
			unix.Poll([]unix.PollFd{{Fd: int32(q.fd), Events: unix.POLLOUT}}, int(50*time.Millisecond/time.Millisecond))
		default:
			return false
		}
	}
	return true
}

// trySend writes a short request if there is room for it now.
func (q *requests) trySend(line []byte) bool {
	for {
		n, err := syscall.Write(q.fd, line)
		if err != syscall.EINTR {
			return err == nil && n == len(line) // a packet is written whole or not at all
		}
	}
}

// takeBack empties the pipe and returns the tasks of the requests that were in it. The
// runtime may read meanwhile: they need not be the last.
func (q *requests) takeBack() (tasks []int64) {
	var buf [packet]byte
	for {
		got, err := syscall.Read(q.back, buf[:])
		switch {
		case err == syscall.EINTR:
		case err != nil || got == 0:
			return tasks
		default:
			if rest, ok := bytes.CutPrefix(buf[:got], []byte(`{"id":`)); ok {
				if id, _, ok := number(rest); ok {
					tasks = append(tasks, id)
				}
			}
		}
	}
}
