package doctor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lithops-go/lithops/internal/proc"
)

// orphans tries the means by which nothing of a task is left behind.
func (m *machine) orphans() Finding {
	var works, fails []string
	for _, t := range []struct {
		name string
		try  func() error
	}{
		{"orphans come to the worker (subreaper)", m.trySubreaper},
		{"tasks die with it (parent-death signal)", m.tryDeathSignal},
		{"processes are told apart from later ones of their number (pidfd)", m.tryPidfd},
	} {
		if err := t.try(); err != nil {
			fails = append(fails, fmt.Sprintf("not so: %s: %v", t.name, err))
		} else {
			works = append(works, t.name)
		}
	}
	if len(fails) > 0 {
		return limited("processes of a task may outlive a worker that is killed; `lithops doctor` lists them under left behind",
			"%s", strings.Join(append(fails, works...), "\n"))
	}
	return ok("%s", strings.Join(works, "\n"))
}

// sleeper starts a shell that waits until the returned function lets it go, or until this
// process is gone.
func sleeper(program string, attr *syscall.SysProcAttr) (cmd *exec.Cmd, out *os.File, end func(), err error) {
	in, hold, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	defer in.Close()
	out, said, err := os.Pipe()
	if err != nil {
		hold.Close()
		return nil, nil, nil, err
	}
	defer said.Close()
	cmd = exec.Command("/bin/sh", "-c", program)
	cmd.Stdin, cmd.Stdout, cmd.SysProcAttr = in, said, attr
	if err := cmd.Start(); err != nil {
		hold.Close()
		out.Close()
		return nil, nil, nil, err
	}
	return cmd, out, func() { hold.Close(); out.Close() }, nil
}

// trySubreaper has a child leave a child of its own behind, and looks whose it is
// then.
func (m *machine) trySubreaper() error {
	if err := proc.Subreaper(); err != nil {
		return err
	}
	cmd, out, end, err := sleeper("exec 3<&0; (read x <&3) & echo $!", nil)
	if err != nil {
		return err
	}
	defer end()
	out.SetReadDeadline(time.Now().Add(m.Timeout / 2))
	buf := make([]byte, 32)
	n, readErr := out.Read(buf)
	pid, err := strconv.Atoi(strings.TrimSpace(string(buf[:n])))
	if readErr != nil || err != nil {
		end()
		return errors.Join(fmt.Errorf("no answer from a shell: %v", readErr), cmd.Wait())
	}
	if err := cmd.Wait(); err != nil {
		return err
	}
	// A wait for one process fails at once when it is nobody's child.
	end()
	for {
		_, err := syscall.Wait4(pid, nil, 0, nil)
		switch err {
		case nil:
			return nil
		case syscall.EINTR:
		case syscall.ECHILD:
			return errors.New("the orphan went elsewhere")
		default:
			return err
		}
	}
}

// tryDeathSignal ends the thread that has started a child, which to the child is the
// end of its parent.
func (m *machine) tryDeathSignal() error {
	type started struct {
		cmd *exec.Cmd
		end func()
		err error
	}
	begun := make(chan started)
	go inThread(func() {
		cmd, _, end, err := sleeper("read x", &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL})
		begun <- started{cmd, end, err}
	})
	s := <-begun
	if s.err != nil {
		return s.err
	}
	// Without the signal it ends by itself then, and well.
	let := time.AfterFunc(m.Timeout/2, s.end)
	defer let.Stop()
	err := s.cmd.Wait()
	s.end()
	exit, isExit := errors.AsType[*exec.ExitError](err)
	if isExit && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return nil
	}
	return errors.New("the child lived on")
}

// inThread runs f in a thread that ends with it.
func inThread(f func()) {
	runtime.LockOSThread() // and never unlocked: that ends the thread
	if unix.Gettid() == os.Getpid() {
		// The first thread would not end; while it is kept, another one gets the work.
		done := make(chan bool)
		go func() { defer close(done); inThread(f) }()
		<-done
		runtime.UnlockOSThread()
		return
	}
	f()
}

func (m *machine) tryPidfd() error {
	cmd, _, end, err := sleeper("read x", nil)
	if err != nil {
		return err
	}
	defer cmd.Wait()
	defer end()
	fd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	if err != nil {
		return os.NewSyscallError("pidfd_open", err)
	}
	defer unix.Close(fd)
	return os.NewSyscallError("pidfd_send_signal", unix.PidfdSendSignal(fd, 0, nil, 0))
}
