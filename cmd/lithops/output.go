package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeFile lets write make the file at path: it is there complete, or stays as
// it was. What is no regular file, such as a device or a pipe, is written to.
func writeFile(path string, write func(*os.File) error) error {
	target := path
	if real, err := filepath.EvalSymlinks(path); err == nil {
		target = real
	}
	if info, err := os.Stat(target); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(target, os.O_WRONLY, 0)
		if err != nil {
			return writeError(path, err)
		}
		return errors.Join(write(f), f.Close())
	}
	dir, name := filepath.Split(target)
	tmp := filepath.Join(dir, fmt.Sprintf(".%s.%d.tmp", name, os.Getpid()))
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return writeError(path, err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		os.Remove(tmp)
		return err
	}
	if err := os.Rename(tmp, target); err != nil {
		os.Remove(tmp)
		return writeError(path, err)
	}
	return nil
}

// writeError says which file could not be written, not which temporary one. The
// user named the file, so it is bad input.
func writeError(path string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return badInput{fmt.Errorf("write %s: %w", path, err)}
}
