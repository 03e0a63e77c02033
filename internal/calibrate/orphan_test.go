//go:build linux

package calibrate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// daemon starts a burning grandchild in a session of its own, whose parent ends
// at once, and waits for its word in a file, not for its end: daemon DURATION FILE.
func daemon(s *script, args []string) error {
	cmd := self("quiet; middle burn " + args[0] + " user , report " + args[1])
	if err := cmd.Run(); err != nil {
		return err
	}
	var told truth
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		b, err := os.ReadFile(args[1])
		if err == nil {
			err = json.Unmarshal(b, &told)
		}
		if err == nil {
			break
		}
		if time.Now().After(end) {
			return errors.New("no word from the daemon")
		}
	}
	s.told = append(s.told, told)
	return nil
}

// gone waits until the daemons that told have ended; a parent may not have taken
// notice yet.
func gone(s *script, _ []string) error {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if !slices.ContainsFunc(s.told, func(t truth) bool { return lives(t.PID) }) {
			return nil
		}
	}
	return errors.New("the daemon does not end")
}

// lives says whether a process is more than a zombie. Its first thread can be one
// already while others of its threads are still ending.
func lives(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	const threads = 20 // as numbered in proc(5); the first field here is number 3
	return string(f[0]) != "Z" || number(string(f[threads-3])) > 1
}

// middle starts what follows, its commas read as semicolons, in a session of its
// own and does not wait for it.
func middle(_ *script, args []string) error {
	text := "quiet;"
	for _, a := range args {
		if a == "," {
			a = ";"
		}
		text += " " + a
	}
	cmd := self(text)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}

// report writes the truth about this process so far to a file.
func report(s *script, args []string) error {
	s.measure()
	b, err := json.Marshal(s.truth)
	if err != nil {
		return err
	}
	if err := os.WriteFile(args[0]+".part", b, 0o600); err != nil {
		return err
	}
	return os.Rename(args[0]+".part", args[0])
}

// leave starts a grandchild that burns for ever and reports every few
// milliseconds, and waits for its first word: leave FILE.
func leave(_ *script, args []string) error {
	if err := self("quiet; middle stay " + args[0]).Run(); err != nil {
		return err
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, err := os.Stat(args[0]); err == nil {
			return nil
		}
	}
	return errors.New("no word from the grandchild")
}

func stay(s *script, args []string) error {
	ignoreTerm()
	for {
		if err := burn(s, []string{"5ms", "user"}); err != nil {
			return err
		}
		if err := report(s, args); err != nil {
			return err
		}
	}
}

func ignoreTerm() { signal.Ignore(syscall.SIGTERM) }

// die ends this process by a signal. Go's own handler would make an exit code of
// some, so the default action is what a shell's kill meets.
func die(name string) error {
	return syscall.Exec("/bin/sh", []string{"sh", "-c", "kill -" + name + " $$"}, os.Environ())
}

// murder kills the worker the first time it is run: murder FILE.
func murder(_ *script, args []string) error {
	f, err := os.OpenFile(args[0], os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil // done before
	}
	f.Close()
	syscall.Kill(os.Getppid(), syscall.SIGKILL)
	time.Sleep(patience)
	return errors.New("survived the worker")
}

// send sends so many MiB to itself over loopback and stays a little, so that the
// counters move on: send 10.
func send(_ *script, args []string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	size := int64(number(args[0])) << 20
	sent := make(chan error, 1)
	go func() {
		c, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			_, err = io.CopyN(c, rand.NewChaCha8([32]byte{}), size)
			err = errors.Join(err, c.Close())
		}
		sent <- err
	}()
	c, err := l.Accept()
	if err != nil {
		return err
	}
	defer c.Close()
	n, err := io.Copy(io.Discard, c)
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	return errors.Join(err, <-sent)
}

// known is size bytes that follow from seed, of all values.
func known(size, seed int) []byte {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{byte(seed)}).Read(b)
	return b
}
