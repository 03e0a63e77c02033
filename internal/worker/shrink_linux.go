package worker

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lithops-go/lithops/internal/proc"
)

// shrink makes the process small and lets the kernel forget that it was ever larger:
// what starting up has touched of the program file (most of which a worker never needs
// again) is dropped, to be read back from the page cache on demand. A child's peak
// memory starts from this size. What is garbage on the heap is left for later: to
// collect it would touch more memory than it gives back, and costs more than all the rest.
// Where the kernel does not do it, nothing is lost but that.
func shrink() {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(maps)) {
		// from-to perms offset dev inode path; only unwritable pages of the file
		f := strings.Fields(line)
		if len(f) < 6 || f[5] != exe || f[1][1] == 'w' {
			continue
		}
		lo, hi, _ := strings.Cut(f[0], "-")
		from, err1 := strconv.ParseUint(lo, 16, 64)
		to, err2 := strconv.ParseUint(hi, 16, 64)
		if err1 != nil || err2 != nil || to <= from {
			return
		}
		unix.Syscall(unix.SYS_MADVISE, uintptr(from), uintptr(to-from), unix.MADV_DONTNEED)
	}
	const resetPeak = "5"
	os.WriteFile("/proc/self/clear_refs", []byte(resetPeak), 0)
}

// floor is the peak resident size of this process in bytes: where the kernel's
// count for a child begins. (RUSAGE_SELF would tell the size of the process that
// started this one, if that was larger.)
func (p *probe) floor() int64 { return highWater(proc.File(os.Getpid(), "status", p.buf)) }

// highWater is the peak resident size that a status file tells of, in bytes.
func highWater(status []byte) int64 {
	_, rest, ok := bytes.Cut(status, []byte("VmHWM:"))
	if !ok {
		return 0
	}
	kb, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte(" "))
	v, _ := strconv.ParseInt(string(kb), 10, 64)
	return v << 10
}
