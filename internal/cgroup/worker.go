package cgroup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// NotEntered is the exit code of a process that could not be moved into its cgroup
// (version 1); it has said why on its standard error.
const NotEntered = 125

// Worker is the cgroup of one worker's tasks.
type Worker struct {
	sys     *system
	version int
	dir     string
	self    *os.File // the directory
	events  *os.File // where oom_kill is counted
	memory  int64    // limit
	hits    int64    // as last counted
}

// OpenWorker makes the cgroup of a worker below that of its job, with a limit of
// memory bytes, swap included where the kernel counts it.
func OpenWorker(version int, dir string, worker int, memory int64) (*Worker, error) {
	return real.openWorker(version, dir, worker, memory)
}

func (s *system) openWorker(version int, dir string, worker int, memory int64) (w *Worker, err error) {
	w = &Worker{sys: s, version: version, memory: memory, dir: filepath.Join(dir, "w-"+strconv.Itoa(worker))}
	if err := s.mkdir(w.dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, failure("make a cgroup", err)
	}
	events := "memory.events"
	if version == 1 {
		events = "memory.oom_control"
	}
	if err = w.limit(strconv.FormatInt(memory, 10)); err == nil {
		w.self, err = os.Open(w.dir)
	}
	if err == nil {
		w.events, err = os.Open(filepath.Join(w.dir, events))
	}
	if err != nil {
		w.Close()
		return nil, failure("set up a cgroup", err)
	}
	return w, nil
}

// limit sets the limits. Swap is no way round them; a process that is killed takes
// all others of its task along in version 2.
func (w *Worker) limit(memory string) error {
	set, also := "memory.max", map[string]string{"memory.swap.max": "0", "memory.oom.group": "1"}
	if w.version == 1 {
		set, also = "memory.limit_in_bytes", map[string]string{"memory.memsw.limit_in_bytes": memory}
	}
	if err := w.sys.write(w.dir, set, memory); err != nil {
		return err
	}
	for file, value := range also {
		if err := w.sys.write(w.dir, file, value); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Enter changes what a process is to be started with, in place in attr, so that it
// is in the cgroup from its first instruction on. attr is valid until Close. In version
// 1 a shell goes into the cgroup and becomes the program.
func (w *Worker) Enter(path string, argv []string, attr *syscall.ProcAttr) (newPath string, newArgv []string) {
	if w.version == 2 {
		if attr.Sys == nil {
			attr.Sys = &syscall.SysProcAttr{}
		}
		cloneInto(attr.Sys, int(w.self.Fd()))
		return path, argv
	}
	script := `echo 0 >"$0" || { echo "lithops: cannot enter the memory cgroup $0" >&2; exit ` + strconv.Itoa(NotEntered) + `; }; exec "$@"`
	return "/bin/sh", append([]string{"/bin/sh", "-c", script, filepath.Join(w.dir, procs), path}, argv[1:]...)
}

// Gone says that the cgroup is not there any more: somebody else has removed it.
func (w *Worker) Gone() bool { return !exists(filepath.Join(w.dir, procs)) }

// OOMKills counts the processes in the cgroup that the kernel has killed for want of
// memory, whoever had too little: the cgroup, one above it, or the machine.
func (w *Worker) OOMKills() (int64, error) { return counter(w.events, "oom_kill") }

// AtLimit says whether the cgroup's own limit was what processes have been killed for
// since it was last asked, and not one of a cgroup above it, or the machine's. In version
// 1 nobody counts that: that the limit was reached stands for it.
func (w *Worker) AtLimit() bool {
	if w.version == 2 {
		n, err := counter(w.events, "oom")
		atLimit := err == nil && n != w.hits
		w.hits = n
		return atLimit
	}
	atLimit := false
	for _, file := range []string{"memory.max_usage_in_bytes", "memory.memsw.max_usage_in_bytes"} {
		b, _ := os.ReadFile(filepath.Join(w.dir, file))
		most, err := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64)
		if err == nil && most >= w.memory-w.memory/16 { // of a limit in whole pages, charged several at a time
			atLimit = true
			w.sys.write(w.dir, file, "0") // it starts anew with what is used now
		}
	}
	return atLimit
}

// counter reads the line "name N".
func counter(f *os.File, name string) (int64, error) {
	var buf [512]byte
	n, err := f.ReadAt(buf[:], 0)
	for line := range bytes.Lines(buf[:n]) {
		if key, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" ")); string(key) == name {
			return strconv.ParseInt(string(value), 10, 64)
		}
	}
	if n == 0 && err != nil {
		return 0, err
	}
	return 0, fmt.Errorf("read %s: there is no %s in it", f.Name(), name)
}

// Close removes the cgroup if nothing is left in it; else that is for the job's.
func (w *Worker) Close() {
	for _, f := range []*os.File{w.self, w.events} {
		if f != nil {
			f.Close()
		}
	}
	w.sys.rmdir(w.dir)
}
