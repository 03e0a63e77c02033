package python

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestPacketPipe has several requests in a pipe that keeps them apart: what the
// runtime has not begun can be taken back.
func TestPacketPipe(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		var fds [2]int
		if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC|syscall.O_DIRECT); err != nil {
			t.Fatal(err)
		}
		r, w := os.NewFile(uintptr(fds[0]), "requests"), os.NewFile(uintptr(fds[1]), "requests")
		t.Cleanup(func() { w.Close() })
		mine, err := syscall.Dup(fds[0])
		if err != nil {
			t.Fatal(err)
		}
		syscall.CloseOnExec(mine)
		back := os.NewFile(uintptr(mine), "requests")
		t.Cleanup(func() { back.Close() })

		gate := t.TempDir() + "/gate"
		if err := syscall.Mkfifo(gate, 0o600); err != nil {
			t.Fatal(err)
		}
		p := launchOn(t, r, w, py, module(t, "waits.py", `
def f(path):
    with open(path) as gate:
        return gate.read()

def size(x):
    return len(x)
`), "f", "size")
		first, second := p.request(0, strconv.Quote(gate)), p.request(1, `"abc"`)
		p.send(first)
		p.send(second)
		open, err := os.OpenFile(gate, os.O_WRONLY, 0) // the first one runs now
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		if n, err := back.Read(buf); err != nil || string(buf[:n]) != second {
			t.Fatalf("took back %q, %v; want %q", buf[:n], err, second)
		}
		if _, err := open.WriteString("done"); err != nil {
			t.Fatal(err)
		}
		open.Close()
		if r := p.receive(); r.ID != 1 || string(r.Output) != `"done"` {
			t.Errorf("reply %+v", r)
		}
		p.want(1, `"`+strings.Repeat("x", 100000)+`"`, "100000") // many packets
		back.Close()
		p.end()
	})
}
