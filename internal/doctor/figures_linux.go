package doctor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// figures tries the sources that the figures of a record come from, those of
// processes with a child.
func (m *machine) figures() Finding {
	cmd, _, end, err := sleeper("read x", nil)
	if err != nil {
		return limited("", "cannot be tried: %v", err)
	}
	defer cmd.Wait()
	defer end()
	return m.figuresOf(cmd.Process.Pid)
}

// source is where figures of a record come from, and what is wrong with them
// without it.
type source struct {
	figures string
	missing string // what they are then
	try     func() error
}

func (m *machine) figuresOf(pid int) Finding {
	file := func(name, has string) func() error {
		return func() error { return fileHas(m.path(fmt.Sprintf("proc/%d/%s", pid, name)), has) }
	}
	const null = "null"
	bad := []string{}
	for _, s := range []source{
		{"worker_func_cpu_usage", null, func() error { return fileHas(m.path("proc/stat"), "\ncpu0 ") }},
		{"worker_func_sent_net_io, worker_func_recv_net_io, worker_func_sent_loopback_io, worker_func_recv_loopback_io", null,
			func() error { return fileHas(m.path("proc/net/dev"), ":") }},
		{"worker_func_rss, worker_func_vms", null, file("statm", " ")},
		{"worker_func_uss", null, file("smaps_rollup", "Private_")},
		{"task_peak_memory of functions", null, func() error {
			f, err := os.OpenFile(m.path(fmt.Sprintf("proc/%d/clear_refs", pid)), os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("5") // forget the peak
			return errors.Join(err, f.Close(), file("status", "\nVmHWM:")())
		}},
		{"CPU time and page faults of functions that are programs", null, func() error {
			var ts unix.Timespec
			if err := unix.ClockGettime(int32(^pid<<3|2), &ts); err != nil {
				return os.NewSyscallError("clock_gettime of a process", err)
			}
			return file("stat", ") ")()
		}},
		{"block_read_bytes, block_write_bytes", "0, whatever a task reads and writes", file("io", "\nwrite_bytes:")},
	} {
		if err := s.try(); err != nil {
			bad = append(bad, fmt.Sprintf("%s: %s (%v)", s.figures, s.missing, err))
		}
	}
	if len(bad) > 0 {
		return limited("the kernel or the container hides what they come from; all other figures of a record are there", "%s", strings.Join(bad, "\n"))
	}
	return ok("all figures of a record can be measured")
}

// fileHas says why a file cannot serve: it cannot be read, or lacks what it ought to
// have.
func fileHas(path, text string) error {
	b, err := os.ReadFile(path)
	if err == nil && !bytes.Contains(b, []byte(text)) {
		err = fmt.Errorf("%s has no %q", path, strings.TrimSpace(text))
	}
	return err
}

// tryKernelLog reads one message of the kernel's log.
func (m *machine) tryKernelLog() error {
	fd, err := unix.Open(m.path("dev/kmsg"), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open /dev/kmsg: %w", err)
	}
	defer unix.Close(fd)
	_, err = unix.Read(fd, make([]byte, 8192))
	if err == unix.EAGAIN || err == unix.EPIPE { // it is empty, or was written over
		err = nil
	}
	if err != nil {
		return fmt.Errorf("read /dev/kmsg: %w", err)
	}
	return nil
}
