package doctor

import "golang.org/x/sys/unix"

// synchronised says whether the kernel knows of somebody who keeps the wall clock
// right.
func synchronised() (bool, error) {
	var t unix.Timex // without a mode it only reads
	if _, err := unix.Adjtimex(&t); err != nil {
		return false, err
	}
	return t.Status&unix.STA_UNSYNC == 0, nil
}
