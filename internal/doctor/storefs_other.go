//go:build !linux

package doctor

import "golang.org/x/sys/unix"

func (m *machine) fileSystem(_ string, s *unix.Statfs_t) string {
	return unix.ByteSliceToString(s.Fstypename[:])
}
