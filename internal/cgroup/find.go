package cgroup

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Env is the environment variable that names a cgroup to be used: one that was
// delegated to the user.
const Env = "LITHOPS_CGROUP"

// Find finds a cgroup below which others with a limit on memory can be made, by making
// one and starting a process in it. The error says in one line why there is none.
//
// It looks at $LITHOPS_CGROUP, and where that is not set at this process's own cgroup
// and at those above it: in version 2, a cgroup with processes of its own can have no
// limits below it. A cgroup that has a limit itself is not left.
func Find() (*Place, error) {
	if runtime.GOOS != "linux" {
		return nil, errors.New("only Linux has memory cgroups")
	}
	return real.find(os.Getenv(Env))
}

// system is what differs between the kernel's file systems and a directory made up for
// a test.
type system struct {
	root  string // in front of /proc
	mkdir func(string) error
	rmdir func(string) error
	write func(dir, file, value string) error // into a control file, which has to be there
	enter func(*Worker) error                 // starts a process there
}

var real = &system{mkdir: mkdir, rmdir: syscall.Rmdir, write: write, enter: enterTrue}

func mkdir(dir string) error { return os.Mkdir(dir, 0o755) }

// removeBelow removes the empty cgroups below dir.
func (s *system) removeBelow(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		below := filepath.Join(dir, e.Name())
		if err := s.removeBelow(below); err != nil {
			return err
		}
		if err := s.rmdir(below); err != nil {
			return err
		}
	}
	return nil
}

func (s *system) find(named string) (*Place, error) {
	if named != "" {
		dir, err := filepath.Abs(named)
		var p *Place
		if err == nil {
			p, err = s.at(dir)
		}
		if err == nil {
			err = p.test()
		}
		if err != nil {
			return nil, fmt.Errorf("%s=%s: %w", Env, named, err)
		}
		return p, nil
	}
	mounts, err := s.mounts()
	if err != nil {
		return nil, fmt.Errorf("find cgroups: %w", cause(err))
	}
	var reasons []string
	for _, m := range mounts {
		p, err := s.below(m)
		if err == nil {
			return p, nil
		}
		if reason := err.Error(); !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	if len(reasons) == 0 {
		return nil, errors.New("no cgroup file system is mounted that knows of memory")
	}
	return nil, errors.New(strings.Join(reasons, "; "))
}

// below tries the process's own cgroup at m and those above it. The error is the first
// one's.
func (s *system) below(m mount) (*Place, error) {
	var first error
	for dir := m.own; ; dir = filepath.Dir(dir) {
		p := &Place{Version: m.version, Dir: dir, sys: s}
		err := p.test()
		if err == nil {
			return p, nil
		}
		if first == nil {
			first = fmt.Errorf("%s: %w", dir, err)
		}
		if dir == m.at {
			return nil, first
		}
		if file := limited(dir); file != "" {
			return nil, fmt.Errorf("%w; above it would be outside of its %s", first, file)
		}
	}
}

// limited is the file with a limit that somebody has set on a cgroup, "" when there is
// none: processes that are started elsewhere would escape it.
func limited(dir string) string {
	for _, file := range []string{"memory.max", "memory.high", "memory.limit_in_bytes", "cpu.max", "cpuset.cpus"} {
		b, err := os.ReadFile(filepath.Join(dir, file))
		value, _, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
		const unlimited = 1 << 62 // version 1 says 2^63 less a page
		n, _ := strconv.ParseUint(value, 10, 64)
		if err == nil && value != "" && value != "max" && (file != "memory.limit_in_bytes" || n < unlimited) {
			return file
		}
	}
	return ""
}

// at is the place at a directory, of the version that it is of.
func (s *system) at(dir string) (*Place, error) {
	p := &Place{Version: 2, Dir: dir, sys: s}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, cause(err)
	case !info.IsDir():
		return nil, errors.New("not a directory")
	case exists(filepath.Join(dir, "cgroup.controllers")):
	case exists(filepath.Join(dir, "memory.limit_in_bytes")):
		p.Version = 1
	default:
		return nil, errors.New("not a memory cgroup")
	}
	return p, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// test does once what is done for a job.
func (p *Place) test() error {
	if p.Version == 2 {
		if err := p.sys.enable(p.Dir); err != nil {
			return err
		}
	}
	const most = 64 << 20
	j, err := p.newJob(fmt.Sprintf("test-%d-%08x", os.Getpid(), rand.Uint32()))
	if err != nil {
		return err
	}
	w, err := p.sys.openWorker(p.Version, j.dir, 0, most)
	if err == nil {
		err = p.sys.enter(w)
		w.Close()
	}
	return errors.Join(err, j.Close())
}

// enterTrue starts a process in w.
func enterTrue(w *Worker) error {
	attr := &syscall.ProcAttr{Files: []uintptr{^uintptr(0), ^uintptr(0), ^uintptr(0)}}
	path, argv := w.Enter("/bin/sh", []string{"sh", "-c", ":"}, attr)
	pid, err := syscall.ForkExec(path, argv, attr)
	if err != nil {
		return failure("start a process in a cgroup", err)
	}
	var status syscall.WaitStatus
	for {
		if _, err = syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
			break
		}
	}
	switch {
	case err != nil:
		return failure("wait for a process in a cgroup", err)
	case status.ExitStatus() == NotEntered:
		return errors.New("move a process into a cgroup: not permitted")
	case status != 0:
		return fmt.Errorf("run /bin/sh in a cgroup: it ended with status %d", status)
	}
	return nil
}

// mount is where the cgroups of a version can be seen.
type mount struct {
	version int
	at      string // directory
	own     string // this process's cgroup, at or below it
}

// mounts lists the hierarchies that may limit memory, version 2 first.
func (s *system) mounts() (all []mount, err error) {
	own, err := s.own()
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(s.root + "/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(b)) {
		// id parent major:minor root point options [tags] - type source options
		left, right, _ := strings.Cut(line, " - ")
		f, g := strings.Fields(left), strings.Fields(right)
		if len(f) < 6 || len(g) < 3 {
			continue
		}
		m := mount{version: 2, at: s.root + unescape(f[4])}
		switch {
		case g[0] == "cgroup2":
		case g[0] == "cgroup" && slices.Contains(strings.Split(g[2], ","), controller):
			m.version = 1
		default:
			continue
		}
		path, known := own[m.version]
		root := unescape(f[3])
		below, err := filepath.Rel(root, path)
		if !known || err != nil || outside(root) || outside(path) || outside("/"+below) {
			continue // this process's cgroup is not to be seen here
		}
		m.own = filepath.Join(m.at, below)
		all = append(all, m)
	}
	slices.SortStableFunc(all, func(a, b mount) int { return b.version - a.version })
	return all, nil
}

// outside says whether a path leads out of where it begins, which is how a cgroup
// namespace shows what it does not contain.
func outside(path string) bool { return path == "/.." || strings.HasPrefix(path, "/../") }

// own is the path of this process's cgroup by version.
func (s *system) own() (map[int]string, error) {
	b, err := os.ReadFile(s.root + "/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	own := map[int]string{}
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) < 3 {
			continue
		}
		if f[0] == "0" && f[1] == "" {
			own[2] = f[2]
		} else if slices.Contains(strings.Split(f[1], ","), controller) {
			own[1] = f[2]
		}
	}
	return own, nil
}

// unescape undoes what mountinfo writes for blanks and the like: \040.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
