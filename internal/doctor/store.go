package doctor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// storeAdvice is the hint where the store cannot be used as it is.
const storeAdvice = "--store, LITHOPS_STORE or store in a configuration file name the directory"

// storeDir is the store's directory, and the nearest one that exists: itself, or the
// one that it would be made in. Nothing is made.
func (m *machine) storeDir() (root, there string, err error) {
	if m.Store == "" {
		return "", "", errors.New("there is no home directory to keep jobs in")
	}
	if root, err = filepath.Abs(m.Store); err != nil {
		return "", "", err
	}
	for there = root; ; there = filepath.Dir(there) {
		info, err := os.Stat(there)
		switch {
		case err == nil && info.IsDir():
			return root, there, nil
		case err == nil:
			return root, "", fmt.Errorf("%s is not a directory", there)
		case errors.Is(err, syscall.ENOTDIR):
		case !errors.Is(err, fs.ErrNotExist):
			return root, "", err
		}
		if _, err := os.Lstat(there); err == nil {
			return root, "", fmt.Errorf("%s is a link to what is not there", there)
		}
	}
}

func (m *machine) store() Finding {
	root, there, err := m.storeDir()
	if err != nil {
		return problem(storeAdvice, "%v", err)
	}
	found := fmt.Sprintf("%s (from: %s)", root, m.StoreFrom)
	dir := trialDir(root, there)
	sync, err := tryFiles(dir)
	if err != nil {
		return problem(storeAdvice, "%s: no job can be kept in %s: %v", found, dir, err)
	}
	if there != root {
		return ok("%s, not there yet, can be made; forcing a file to disk takes %s", found, stats.HumanDuration(int64(sync)))
	}
	version, err := layout(root)
	if err != nil {
		return problem(storeAdvice, "%s: %v", found, err)
	}
	found = fmt.Sprintf("%s, %s, writable; forcing a file to disk takes %s", found, version, stats.HumanDuration(int64(sync)))
	if info, err := os.Stat(root); err == nil && info.Mode().Perm()&0o077 != 0 {
		return limited("chmod 700 "+root, "%s; others may look into it: mode %04o", found, info.Mode().Perm())
	}
	return ok("%s", found)
}

// layout is the version of the store's layout, which must be known to this program.
func layout(root string) (string, error) {
	b, err := os.ReadFile(filepath.Join(root, "version"))
	if errors.Is(err, fs.ErrNotExist) {
		return "no jobs yet", nil
	} else if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(b))
	v, err := strconv.Atoi(text)
	if err != nil {
		return "", fmt.Errorf("the file version does not hold one: %.40q", text)
	}
	if v > store.Version {
		return "", fmt.Errorf("%w (layout %d, this program knows %d)", store.ErrNewer, v, store.Version)
	}
	return "layout " + text, nil
}

// tryFiles does in dir what jobs do with their files, and returns how long forcing one
// to disk took.
func tryFiles(dir string) (sync time.Duration, err error) {
	err = inTrial(dir, func(dir string) error {
		path := filepath.Join(dir, "file")
		err := store.WriteFile(path, 0o600, func(w io.Writer) error {
			_, err := w.Write(make([]byte, 4096))
			return err
		})
		if err != nil {
			return err
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		begun := time.Now()
		_, err = f.WriteString("line\n")
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			return err
		}
		sync = time.Since(begun)
		// A file that is shared with a worker's memory.
		note, err := store.CreateRunning(dir, 0)
		if err != nil {
			return err
		}
		note.Set(job.Attempt{Task: 1, Try: 1})
		if a, ok := store.ReadRunning(dir, 0); !ok || a.Task != 1 {
			err = errors.New("what is written through memory does not show in the file")
		}
		return errors.Join(err, note.Close())
	})
	return sync, err
}

// trialDir is where things are tried: where jobs are made, or the nearest to it that
// there is.
func trialDir(root, there string) string {
	jobs := filepath.Join(root, "jobs")
	if _, err := os.Stat(jobs); errors.Is(err, fs.ErrNotExist) {
		return there
	}
	return jobs
}

// inTrial calls f with a directory in dir that is gone afterwards. Should this process
// be killed meanwhile, it is taken for a job that was never made.
func inTrial(dir string, f func(dir string) error) error {
	tmp, err := os.MkdirTemp(dir, ".new-doctor-*")
	if err != nil {
		return fmt.Errorf("make a directory: %w", bare(err))
	}
	return errors.Join(f(tmp), os.RemoveAll(tmp))
}

// storeLocks opens a file twice, and takes the lock of it that tells that a job runs.
func (m *machine) storeLocks() Finding {
	root, there, err := m.storeDir()
	if err != nil {
		return limited(storeAdvice, "cannot be tried: %v", err)
	}
	tried := false
	err = inTrial(trialDir(root, there), func(dir string) error {
		path := filepath.Join(dir, "twice") // the name lock would be a job's
		first, err := os.Create(path)
		if err != nil {
			return err
		}
		defer first.Close()
		second, err := os.Open(path)
		if err != nil {
			return err
		}
		defer second.Close()
		tried = true
		if err := syscall.Flock(int(first.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			return os.NewSyscallError("flock", err)
		}
		if err := syscall.Flock(int(second.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("a lock that is held was given to a second one (%v)", err)
		}
		first.Close()
		// What another check is just starting has it, too, until it runs its program.
		for begun := time.Now(); ; time.Sleep(2 * time.Millisecond) {
			err := syscall.Flock(int(second.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
			if err == nil || time.Since(begun) > m.Timeout/2 {
				return os.NewSyscallError("flock of a lock that was given back", err)
			}
		}
	})
	if err != nil && !tried {
		return limited(storeAdvice, "cannot be tried: %v", err)
	} else if err != nil {
		return problem("without locks a job that runs cannot be told from one that broke off: put the store on another file system", "%v", err)
	}
	return ok("flock works")
}

// What is little in a store.
const (
	lowSpace  = 1 << 30
	lowInodes = 100_000
)

func (m *machine) storeSpace() Finding {
	_, there, err := m.storeDir()
	if err != nil {
		return limited("", "cannot be told: %v", err)
	}
	var s unix.Statfs_t
	if err := unix.Statfs(there, &s); err != nil {
		return limited("", "cannot be told: %v", err)
	}
	inodes := int64(-1)
	if s.Files > 0 { // some file systems do not count them
		inodes = int64(s.Ffree)
	}
	return spaceOf(int64(s.Bavail)*int64(s.Bsize), inodes, m.fileSystem(there, &s))
}

// spaceOf tells of the room in a file system; inodes is -1 where there is no limit on
// them.
func spaceOf(free, inodes int64, kind string) Finding {
	found := stats.HumanBytes(free) + " free"
	if inodes >= 0 {
		found += fmt.Sprintf(", %s files more", stats.HumanCount(inodes))
	}
	if kind != "" {
		found += ", " + kind
	}
	var hints []string
	if free < lowSpace || inodes >= 0 && inodes < lowInodes {
		hints = append(hints, "a full disk ends jobs: `lithops clean --older-than 30d` removes old ones")
	}
	switch {
	case networked(kind):
		found += ", a network file system"
		hints = append(hints, "a store on a local disk is faster, and its locks are known to other machines only where the server keeps them: use it from one machine at a time")
	case kind == "tmpfs" || kind == "ramfs":
		found += ", in memory"
		hints = append(hints, "the store takes memory, and is gone when the machine is started again: name one on a disk by --store or LITHOPS_STORE")
	}
	if len(hints) > 0 {
		return limited(strings.Join(hints, "; "), "%s", found)
	}
	return ok("%s", found)
}

// networked says whether a file system of this kind may be on another machine.
func networked(kind string) bool {
	switch kind {
	case "fuse.lxcfs", "fuse.fuse-overlayfs", "fuse.mergerfs", "fuseblk":
		return false
	case "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "lustre", "gpfs", "beegfs", "afs", "afpfs", "glusterfs", "webdav", "ocfs2", "gfs2", "pvfs2", "orangefs", "panfs", "wekafs":
		return true
	}
	return strings.HasPrefix(kind, "fuse.")
}
