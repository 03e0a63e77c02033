// Package cgroup limits the memory of tasks by control groups of the kernel: it
// finds where one may be made, makes one for a job with one per worker below it,
// starts processes in them, counts what the kernel has killed there, and removes
// them.
//
//	PLACE/lithops-JOBID       made and removed by the host, which holds a lock on it
//	PLACE/lithops-JOBID/w-N   made by worker N, used for all of its tasks
//
// A task's cgroup is its worker's, which runs one task at a time: making one per
// task would cost 50 to 100 µs. What earlier tasks have left in the page cache stays
// charged to it, but is given back when the next task needs the room; only files
// that they have left in a file system in memory (/dev/shm, /tmp here and there) are
// not.
package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	prefix   = "lithops-" // of a job's cgroup
	controls = "cgroup.subtree_control"
	procs    = "cgroup.procs"
	// closeTime bounds the wait for killed processes to leave a cgroup: those that
	// are stuck in the kernel never do.
	closeTime = 5 * time.Second
)

// Place is a cgroup below which others may be made.
type Place struct {
	Version int    // of the interface: 2, or 1
	Dir     string // of the cgroup
	sys     *system
}

// Job is the cgroup of a job, whose directory it has locked: so that nobody takes it
// for one that was left behind.
type Job struct {
	place *Place
	dir   string
	held  *os.File
}

// NewJob makes the cgroup of a job whose workers get one each with a limit of memory
// bytes. What jobs have left there that were killed, this one included, is removed.
func (p *Place) NewJob(jobID string, memory int64) (*Job, error) {
	p.removeLeftovers(prefix + jobID)
	j, err := p.newJob(jobID)
	if err != nil {
		return nil, err
	}
	w, err := p.sys.openWorker(p.Version, j.dir, 0, memory) // whether such a limit can be set shows now
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	w.Close()
	return j, nil
}

func (p *Place) newJob(jobID string) (*Job, error) {
	j := &Job{place: p, dir: filepath.Join(p.Dir, prefix+jobID)}
	begun := time.Now()
	for {
		if err := p.sys.mkdir(j.dir); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, failure("make a cgroup", err)
		}
		var err error
		if j.held, err = lock(j.dir); err == nil {
			break
		}
		// Somebody may be taking it for a leftover, and remove it.
		if passing := errors.Is(err, fs.ErrNotExist) || err == errLocked; !passing || time.Since(begun) > closeTime {
			return nil, fmt.Errorf("lock cgroup %s: %w", j.dir, cause(err))
		}
		time.Sleep(time.Millisecond)
	}
	err := j.remove(false)
	if err == nil && p.Version == 2 {
		err = p.sys.enable(j.dir)
	}
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

// Dir is the directory that OpenWorker is given.
func (j *Job) Dir() string { return j.dir }

// Close kills all that is left in the cgroup and removes it.
func (j *Job) Close() error {
	defer j.held.Close()
	if err := j.remove(true); err != nil {
		return fmt.Errorf("remove cgroup %s: %w", j.dir, cause(err))
	}
	return nil
}

// remove kills all that is in the cgroup and removes those below it, and with self the
// cgroup itself.
func (j *Job) remove(self bool) error {
	begun, sys := time.Now(), j.place.sys
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		err := sys.removeBelow(j.dir)
		if err == nil && self {
			err = sys.rmdir(j.dir)
		}
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if time.Since(begun) > closeTime {
			return err
		}
		sys.kill(j.dir)
		time.Sleep(pause)
	}
}

// removeLeftovers removes the empty cgroups of jobs whose host is gone: their locks
// went with it.
func (p *Place) removeLeftovers(except string) {
	all, _ := filepath.Glob(filepath.Join(p.Dir, prefix+"*"))
	for _, dir := range all {
		if filepath.Base(dir) == except {
			continue
		}
		l, err := lock(dir)
		if err != nil {
			continue
		}
		if p.sys.removeBelow(dir) == nil {
			p.sys.rmdir(dir)
		}
		l.Close()
	}
}

// lock opens and locks a directory until it is closed, by the death of this process
// too. The error is fs.ErrNotExist when the directory was removed meanwhile.
func lock(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if err == syscall.EWOULDBLOCK {
			err = errLocked
		}
		return nil, err
	}
	locked, err1 := f.Stat()
	there, err2 := os.Stat(dir)
	if err1 != nil || err2 != nil || !os.SameFile(locked, there) {
		f.Close()
		return nil, fs.ErrNotExist
	}
	return f, nil
}

var errLocked = errors.New("another process uses it")

// enable gives the cgroups below dir limits on memory (version 2).
func (s *system) enable(dir string) error {
	if has(filepath.Join(dir, controls), controller) {
		return nil
	}
	if !has(filepath.Join(dir, "cgroup.controllers"), controller) {
		return fmt.Errorf("the %s controller is not enabled for it", controller)
	}
	err := s.write(dir, controls, "+"+controller)
	if errors.Is(err, syscall.EBUSY) {
		return errBusy
	}
	return err
}

// controller is the one whose limits are set.
const controller = "memory"

// errBusy is the rule of version 2 that a cgroup has either processes or cgroups with
// limits below it.
var errBusy = errors.New("it has processes of its own, so none below it can have a limit")

// kill kills the processes in dir and below.
func (s *system) kill(dir string) {
	if s.write(dir, "cgroup.kill", "1") == nil { // version 2, from Linux 5.14 on
		return
	}
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil // it has gone meanwhile
		}
		b, _ := os.ReadFile(filepath.Join(path, procs))
		for _, word := range strings.Fields(string(b)) {
			if pid, err := strconv.Atoi(word); err == nil && pid > 1 { // 0 is one we cannot see
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		return nil
	})
}

// write writes into a control file, which has to be there.
func write(dir, file, value string) error {
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(value)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return failure("write "+value+" to "+file, err)
	}
	return nil
}

// has says whether a file has a word.
func has(path, word string) bool {
	b, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	for _, w := range strings.Fields(string(b)) {
		if w == word {
			return true
		}
	}
	return false
}

// failure says what failed without the path, which whoever reads it knows better than
// the names of our making in it.
func failure(what string, err error) error { return fmt.Errorf("%s: %w", what, cause(err)) }

// cause is an error without the path it was met at.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
