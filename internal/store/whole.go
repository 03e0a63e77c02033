package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
)

// wholeFiles makes files complete or not at all.
type wholeFiles struct {
	open OpenFunc // nil: the real one
	sync bool     // they and their names are on the disk before write returns
}

// WriteFile makes a file of what write writes, complete or not at all, also when others
// make it at the same time.
func WriteFile(path string, perm fs.FileMode, write func(io.Writer) error) error {
	return wholeFiles{}.write(path, perm, write)
}

// writeFile is WriteFile of b for the user alone.
func writeFile(path string, b []byte) error { return wholeFiles{}.put(path, b) }

func (o wholeFiles) put(path string, b []byte) error {
	return o.write(path, 0o600, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

func (o wholeFiles) write(path string, perm fs.FileMode, write func(io.Writer) error) error {
	tmp, f, err := o.temporary(path)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil && o.sync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Chmod(tmp, perm)
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		os.Remove(tmp)
		return err
	}
	return o.syncDirs(filepath.Dir(path))
}

// temporary opens a new file beside path.
func (o wholeFiles) temporary(path string) (tmp string, f File, err error) {
	for range 100 {
		tmp = fmt.Sprintf("%s.%016x.tmp", path, rand.Uint64())
		if f, err = o.open.orReal()(tmp); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return tmp, f, err
}

// syncDirs brings the names in directories to the disk, if that is wanted.
func (o wholeFiles) syncDirs(dirs ...string) error {
	if !o.sync {
		return nil
	}
	for _, dir := range dirs {
		if err := syncDir(o.open, dir); err != nil {
			return err
		}
	}
	return nil
}

// syncDir brings the names in a directory to the disk. Not every file system can: there
// is nothing to be done about that.
func syncDir(open OpenFunc, dir string) error {
	if open == nil {
		open = OpenExisting
	}
	f, err := open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}
