package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// RunningError is a job whose lock is held: its host or a worker of it lives, or
// somebody is about to run or to remove it.
type RunningError struct{ ID string }

func (e *RunningError) Error() string { return fmt.Sprintf("job %s is running", e.ID) }

// Hint tells what to do about it.
func (e *RunningError) Hint() string { return "`lithops cancel " + e.ID + "` ends it" }

// lockFile takes the lock that dies with its holder, and with all who have inherited
// it. A reader that looks whether it is held takes it for an instant, so one refusal
// does not count. fs.ErrNotExist also says that, by the time the lock was had, the
// directory was removed.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for range 50 {
		if err = flock(f, syscall.LOCK_EX); !errors.Is(err, syscall.EWOULDBLOCK) {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	if !leadsTo(path, f) {
		err = fs.ErrNotExist
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

// leadsTo says whether path is, by now, that of f.
func leadsTo(path string, f *os.File) bool {
	there, err1 := os.Stat(path)
	ours, err2 := f.Stat()
	return err1 == nil && err2 == nil && os.SameFile(there, ours)
}

// lock takes the lock of a job that exists. The errors are *NotFoundError,
// *RunningError and what the file system says.
func (s *Store) lock(id string) (*os.File, error) {
	dir := s.JobDir(id)
	f, err := lockFile(filepath.Join(dir, lockName))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil, &NotFoundError{Ref: id}
	case errors.Is(err, syscall.EWOULDBLOCK):
		return nil, &RunningError{id}
	}
	return f, err
}

// Locked says whether a process holds the lock of the job in dir.
func Locked(dir string) bool {
	f, err := os.Open(filepath.Join(dir, lockName))
	if err != nil {
		return false
	}
	defer f.Close() // gives a lock that was taken back
	return errors.Is(flock(f, syscall.LOCK_SH), syscall.EWOULDBLOCK)
}

func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
