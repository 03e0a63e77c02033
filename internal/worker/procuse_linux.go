package worker

import (
	"bytes"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// watched is a process whose counters are read again and again, from files that
// stay open.
type watched struct {
	pid    int
	stat   *os.File
	status *os.File
	clear  *os.File // to reset its peak; nil where that is not allowed
	buf    [4096]byte
}

func watch(pid int) *watched {
	dir := "/proc/" + strconv.Itoa(pid) + "/"
	w := &watched{pid: pid}
	w.stat, _ = os.Open(dir + "stat") // what cannot be opened is null
	w.status, _ = os.Open(dir + "status")
	w.clear, _ = os.OpenFile(dir+"clear_refs", os.O_WRONLY, 0)
	return w
}

func (w *watched) close() {
	for _, f := range []*os.File{w.stat, w.status, w.clear} {
		if f != nil {
			f.Close()
		}
	}
}

// use reads what the process has used.
func (w *watched) use() (u procUse) {
	var ts unix.Timespec
	if w.stat == nil || unix.ClockGettime(int32(^w.pid<<3|2), &ts) != nil {
		return u
	}
	n, err := w.stat.ReadAt(w.buf[:], 0)
	if n == 0 && err != nil {
		return u
	}
	b := w.buf[:n]
	// pid (name) state ppid …: the name may hold anything
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(f) < 15 {
		return u
	}
	field := func(i int) int64 { // as numbered in proc(5)
		v, _ := strconv.ParseInt(string(f[i-3]), 10, 64)
		return v
	}
	const tick = 1e9 / clockTick
	return procUse{ok: true, cpu: ts.Nano(), system: field(15) * tick, childUser: field(16) * tick, childSys: field(17) * tick,
		minor: field(10) + field(11), major: field(12) + field(13)}
}

// resetPeak makes the kernel forget how large the process has been.
func (w *watched) resetPeak() bool {
	if w.clear == nil {
		return false
	}
	_, err := w.clear.WriteAt([]byte("5"), 0)
	return err == nil
}

// peak is the largest resident size since then, in bytes; 0 when not to be had.
func (w *watched) peak() int64 {
	if w.status == nil {
		return 0
	}
	n, _ := w.status.ReadAt(w.buf[:], 0)
	return highWater(w.buf[:n])
}

// endedChild is a child that has ended and was not collected, 0 when there is
// none.
func endedChild() int {
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil); err != nil || info.Signo == 0 {
		return 0
	}
	// The pid stands right after three ints, aligned to a word.
	at := 3 * unsafe.Sizeof(int32(0))
	if align := unsafe.Alignof(uintptr(0)); at%align != 0 {
		at += align - at%align
	}
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(&info), at)))
}
