//go:build linux

package faults

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds every wait; it is reached only when a test fails.
const patience = 2 * time.Minute

// site is a directory to run jobs in, with a store and an empty home.
type site struct {
	dir, store string
	env        []string
}

func newSite(t *testing.T) *site {
	t.Helper()
	if _, err := lithops(); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "lithops-faults-site-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("kept: %s", dir)
		} else {
			os.RemoveAll(dir)
		}
	})
	s := &site{dir: dir, store: filepath.Join(dir, "store")}
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); !strings.HasPrefix(name, "LITHOPS_") && name != "HOME" && name != "XDG_STATE_HOME" {
			s.env = append(s.env, kv)
		}
	}
	s.env = append(s.env, "HOME="+dir, "LITHOPS_STORE="+s.store, "GORACE=atexit_sleep_ms=10")
	return s
}

// file writes a file into the site.
func (s *site) file(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

// read is the text of a file of the site, "" when there is none.
func (s *site) read(name string) string {
	b, _ := os.ReadFile(filepath.Join(s.dir, name))
	return string(b)
}

// host is a process that runs a job, with what it prints.
type host struct {
	cmd    *exec.Cmd
	mark   string // in the environment of all that is below it
	output string // files with what it prints: .out and .err
	ended  chan struct{}
	err    error
}

var hosts atomic.Int64

// start runs the program, or another one when args[0] is a path.
func (s *site) start(t *testing.T, args ...string) *host {
	t.Helper()
	path, err := lithops()
	if err != nil {
		t.Fatal(err)
	}
	if filepath.IsAbs(args[0]) {
		path, args = args[0], args[1:]
	}
	number := strconv.FormatInt(hosts.Add(1), 10)
	h := &host{cmd: exec.Command(path, args...), output: filepath.Join(s.dir, "host-"+number), ended: make(chan struct{})}
	h.mark = fmt.Sprintf("FAULTS_MARK=%d.%s", os.Getpid(), number)
	h.cmd.Dir, h.cmd.Env = s.dir, append(s.env[:len(s.env):len(s.env)], h.mark)
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // when the tests are killed
	out, err1 := os.Create(h.output + ".out")
	said, err2 := os.Create(h.output + ".err")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	defer said.Close()
	h.cmd.Stdout, h.cmd.Stderr = out, said
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		h.err = h.cmd.Wait()
		close(h.ended)
	}()
	t.Cleanup(h.end)
	return h
}

// end leaves nothing of the host, however the test went.
func (h *host) end() {
	for range 100 {
		pids := marked(h.mark)
		if len(pids) == 0 {
			break
		}
		for _, pid := range pids {
			hit(pid, h.mark, syscall.SIGKILL)
		}
		time.Sleep(10 * time.Millisecond)
	}
	<-h.ended
}

func (h *host) pid() int { return h.cmd.Process.Pid }

func (h *host) out() string {
	b, _ := os.ReadFile(h.output + ".out")
	return string(b)
}

func (h *host) said() string {
	b, _ := os.ReadFile(h.output + ".err")
	return string(b)
}

// id is the job's, "" as long as it was not told.
func (h *host) id() string {
	id, _, told := strings.Cut(h.out(), "\n")
	if !told {
		return ""
	}
	return id
}

// over says whether the process has ended.
func (h *host) over() bool {
	select {
	case <-h.ended:
		return true
	default:
		return false
	}
}

// wait waits for the end, and for that of all below. The code is -1 for a signal.
func (h *host) wait(t *testing.T, s *site) (code int) {
	t.Helper()
	h.await(t, s)
	h.nobodyLeft(t, s)
	if exit, ok := errors.AsType[*exec.ExitError](h.err); ok {
		return exit.ExitCode()
	}
	if h.err != nil {
		t.Fatal(h.err)
	}
	return 0
}

// await waits for the end of the process itself.
func (h *host) await(t *testing.T, s *site) {
	t.Helper()
	select {
	case <-h.ended:
	case <-time.After(patience):
		t.Fatalf("%v hangs\n%s", h.cmd.Args, h.dump(s))
	}
}

// nobodyLeft waits until nothing the host has started is there any more. What is left
// behind in these tests would live for minutes.
func (h *host) nobodyLeft(t *testing.T, s *site) {
	t.Helper()
	await(t, func() bool { return len(marked(h.mark)) == 0 }, func() string {
		return fmt.Sprintf("processes outlive %v, which has ended (%v)\n%s", h.cmd.Args, h.err, h.dump(s))
	})
}

// await waits for something; what tells what was waited for in vain.
func await(t *testing.T, ok func() bool, what func() string) {
	t.Helper()
	for end, pause := time.Now().Add(patience/4), time.Millisecond; !ok(); pause = min(2*pause, 50*time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what())
		}
		time.Sleep(pause)
	}
}

// awaitFile waits until a file of the site has text in it.
func (s *site) awaitFile(t *testing.T, name string) string {
	t.Helper()
	await(t, func() bool { return s.read(name) != "" }, func() string { return "waited in vain for the file " + name })
	return strings.TrimSpace(s.read(name))
}

// run runs the program to its end.
func (s *site) run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	h := s.start(t, args...)
	code = h.wait(t, s)
	return h.out(), h.said(), code
}

// must runs the program, which has to end well.
func (s *site) must(t *testing.T, args ...string) string {
	t.Helper()
	out, said, code := s.run(t, args...)
	if code != 0 {
		t.Fatalf("lithops %s: exit code %d\n%s", strings.Join(args, " "), code, said)
	}
	return out
}

// namespaces says whether a process of ours may have a PID namespace of its own.
func namespaces() bool {
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
	}
	return cmd.Run() == nil
}
