package doctor

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// fileSystem is the kind of the file system that a directory is in, "" when it
// cannot be told.
func (m *machine) fileSystem(dir string, _ *unix.Statfs_t) (kind string) {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	at := ""
	for _, mnt := range m.mounts() { // of several at one place the last one is seen
		if below(dir, mnt.at) && len(mnt.at) >= len(at) {
			kind, at = mnt.kind, mnt.at
		}
	}
	return kind
}

// below says whether path is dir or in it.
func below(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
