package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// requestPipe is a pipe of packets, as a worker's: a read takes one write.
func requestPipe() (r, w *os.File, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_DIRECT); err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(p[0]), "requests"), os.NewFile(uintptr(p[1]), "requests"), nil
}

// What waits in the pipe while a call runs can be taken back.
func TestNothingIsReadAhead(t *testing.T) {
	const text = `import fs from 'fs'
export const f = (x) => { fs.readFileSync(String(x)); return x }
export const g = async (x) => { await fs.promises.readFile(String(x)); return x }`
	for f := range 2 {
		s := start(t, file("f.mjs", text), "f", "g")
		request := func(id int) string { return fmt.Sprintf(`{"id":%d,"input":%d,"f":%d}`+"\n", id, id, f) }
		ours, err := os.Open(fmt.Sprintf("/proc/%d/fd/3", s.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		defer ours.Close()
		for id := range 3 {
			if err := unix.Mkfifo(filepath.Join(s.dir, strconv.Itoa(id)), 0o600); err != nil {
				t.Fatal(err)
			}
			s.write(request(id))
		}
		// begun waits until the call reads its pipe, which ends when ours is closed.
		begun := func(id, flags int) (*os.File, error) {
			return os.OpenFile(filepath.Join(s.dir, strconv.Itoa(id)), os.O_WRONLY|flags, 0)
		}
		first, err := begun(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		var buf [4096]byte
		if n, err := ours.Read(buf[:]); err != nil || string(buf[:n]) != request(1) {
			t.Errorf("%q, %v waits in the pipe, want %q", buf[:n], err, request(1))
		}
		first.Close()
		if r := s.read(); r.ID != 0 || r.outcome() != "0" {
			t.Errorf("reply %d: %s", r.ID, r.outcome())
		}
		third, err := begun(2, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := begun(1, unix.O_NONBLOCK); !errors.Is(err, unix.ENXIO) {
			t.Errorf("the call that was taken back is made: %v", err)
		}
		third.Close()
		if r := s.read(); r.ID != 2 || r.outcome() != "2" {
			t.Errorf("reply %d: %s", r.ID, r.outcome())
		}
	}
}
