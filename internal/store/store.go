package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Store is a directory of jobs. Any number of processes may use it at a time.
type Store struct{ root string }

// Open opens the store at root and makes it when it does not exist. The errors
// are ErrNewer and what the file system says.
func Open(root string) (*Store, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(root, "jobs"), 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	path := filepath.Join(root, "version")
	b, err := os.ReadFile(path)
	// A power cut may have left the file empty, or zeroes in it.
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(bytes.Trim(b, "\x00")) == 0 {
		b = []byte(strconv.Itoa(Version) + "\n")
		err = writeFile(path, b)
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	v, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, fmt.Errorf("open store: %s does not hold a version: %.40q", path, b)
	}
	if v > Version {
		return nil, fmt.Errorf("open store %s: %w (layout %d, this program knows %d)", root, ErrNewer, v, Version)
	}
	return &Store{root: root}, nil
}

// Root is the store's absolute path.
func (s *Store) Root() string { return s.root }

// JobDir is the directory of a job.
func (s *Store) JobDir(id string) string { return filepath.Join(s.root, "jobs", id) }
