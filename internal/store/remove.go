package store

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/lithops-go/lithops/internal/job"
)

// Names of directories of jobs that are being made, and removed.
const (
	newPrefix = ".new-"
	oldPrefix = ".old-"
)

// Remove deletes a job that does not run: at once out of sight, whatever is reading it.
// What is wrong with its files does not matter. The errors are *NotFoundError,
// *RunningError, ErrNewer, and what the file system says.
func (s *Store) Remove(id string) error {
	if !job.ValidID(id) {
		return &NotFoundError{Ref: id}
	}
	lock, err := s.lock(id)
	if err != nil {
		return err
	}
	defer lock.Close()
	dir := s.JobDir(id)
	// Whoever resumes a job of a newer layout may look for its lock elsewhere.
	if _, err := readBrief(dir); errors.Is(err, ErrNewer) {
		return fmt.Errorf("remove job %s: %w", id, err)
	}
	old := filepath.Join(filepath.Dir(dir), fmt.Sprintf("%s%016x", oldPrefix, rand.Uint64()))
	if err = os.Rename(dir, old); err == nil {
		err = os.RemoveAll(old)
	}
	if err != nil {
		return fmt.Errorf("remove job %s: %w", id, err)
	}
	return nil
}

// RemoveLeftovers deletes what is left of jobs whose creation or removal broke off, and
// says of how many.
func (s *Store) RemoveLeftovers() (n int, err error) {
	jobs := filepath.Join(s.root, "jobs")
	all, err := os.ReadDir(jobs)
	if err != nil {
		return 0, fmt.Errorf("remove leftovers: %w", err)
	}
	var errs []error
	for _, d := range all {
		if !d.IsDir() || !InMaking(d.Name()) {
			continue
		}
		removed, err := removeLeftover(filepath.Join(jobs, d.Name()))
		if removed {
			n++
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("remove leftovers: %w", err))
		}
	}
	return n, errors.Join(errs...)
}

// removeLeftover deletes one such directory, unless somebody is still at it.
func removeLeftover(dir string) (removed bool, err error) {
	path := filepath.Join(dir, lockName)
	if _, err := os.Stat(path); err == nil {
		lock, err := lockFile(path)
		if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		defer lock.Close()
	} else if justBegun(dir) {
		return false, nil
	}
	err = os.RemoveAll(dir)
	return err == nil, err
}

// InMaking says whether a name in jobs/ is that of a job which is being made or removed.
func InMaking(name string) bool {
	return strings.HasPrefix(name, newPrefix) || strings.HasPrefix(name, oldPrefix)
}

// Leftover says whether nobody is still making or removing the job in dir.
func Leftover(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, lockName)); err == nil {
		return !Locked(dir)
	}
	_, err := os.Stat(dir)
	return err == nil && !justBegun(dir)
}

// justBegun says of a directory without a lock that its maker may be about to take it:
// otherwise he has died before.
func justBegun(dir string) bool {
	if !strings.HasPrefix(filepath.Base(dir), newPrefix) {
		return false
	}
	const begun = time.Hour
	info, err := os.Stat(dir)
	return err != nil || time.Since(info.ModTime()) < begun
}
