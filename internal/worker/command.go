package worker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/wire"
)

// start runs a program. A script without a #! line is run by /bin/sh, as
// every shell does.
func start(path string, argv []string, attr *syscall.ProcAttr) (pid int, err error) {
	pid, err = syscall.ForkExec(path, argv, attr)
	if err == syscall.ENOEXEC {
		pid, err = syscall.ForkExec("/bin/sh", append([]string{"/bin/sh", path}, argv[1:]...), attr)
	}
	return pid, err
}

// startError says in the user's words why a command did not start.
func startError(argv []string, err error) error {
	if err == syscall.E2BIG {
		size := 0
		for _, a := range argv {
			size += len(a) + 1
		}
		return fmt.Errorf("start %s: arguments of %d bytes are more than the system takes (use stdin: for large inputs)", argv[0], size)
	}
	return fmt.Errorf("start %s: %w", argv[0], err)
}

// limitAddressSpace wraps a command so that each of its processes gets an address
// space of at most limit bytes. The shell sets the limit before the command
// exists, so there is no moment without it.
func limitAddressSpace(limit int64, path string, argv []string) (string, []string) {
	script := fmt.Sprintf(`ulimit -v %d && exec "$0" "$@"`, (limit+1023)/1024)
	return "/bin/sh", append([]string{"/bin/sh", "-c", script, path}, argv[1:]...)
}

// programs finds programs by name as a shell does, once each.
type programs struct {
	dir   string // what relative paths are relative to
	path  string // PATH of the commands
	found map[string]string
}

func (p *programs) find(name string) (path string, err error) {
	if path, ok := p.found[name]; ok {
		return path, nil
	}
	if path, err = FindProgram(name, p.dir, p.path); err != nil {
		return "", err
	}
	if p.found == nil {
		p.found = map[string]string{}
	}
	if len(p.found) < 1000 { // a command whose name comes from the data
		p.found[name] = path
	}
	return path, nil
}

// FindProgram finds the program a command names: a path, relative to dir, or a
// name to look for in the directories of PATH. The error says what is wrong with
// it; it is fs.ErrNotExist when there is none.
func FindProgram(name, dir, path string) (string, error) {
	if name == "" {
		return "", errors.New("command is empty")
	}
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return name, executable(name)
	}
	var found error
	for _, d := range filepath.SplitList(path) {
		if !filepath.IsAbs(d) {
			d = filepath.Join(dir, d)
		}
		file := filepath.Join(d, name)
		err := executable(file)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, fs.ErrNotExist) && found == nil {
			found = err
		}
	}
	if found != nil {
		return "", found
	}
	return "", fmt.Errorf("command not found: %s: %w", name, exec.ErrNotFound)
}

func executable(file string) error {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return fmt.Errorf("command not found: %w", err)
	case info.IsDir():
		return fmt.Errorf("command %s is a directory", file)
	}
	if err := unix.Access(file, unix.X_OK); err != nil {
		return fmt.Errorf("command %s is not executable: %w", file, err)
	}
	return nil
}

// environment is what commands see: the worker's own, the job's, and which
// task they are.
type environment []string

// The variables that differ between tasks stand first.
const (
	envTask    = "LITHOPS_TASK="
	envAttempt = "LITHOPS_ATTEMPT="
)

func newEnvironment(j *wire.Job) environment {
	set := map[string]string{}
	for _, kv := range os.Environ() {
		k, v, _ := strings.Cut(kv, "=")
		set[k] = v
	}
	for k, v := range j.Spec.Env {
		set[k] = v
	}
	set["LITHOPS_JOB_ID"] = j.JobID
	set["LITHOPS_WORKER"] = strconv.Itoa(j.Worker)
	set["LITHOPS_FUNC_DIR"] = filepath.Join(j.Dir, "func")
	for _, k := range []string{"LITHOPS_TASK", "LITHOPS_ATTEMPT", "NODE_CHANNEL_FD", "NODE_UNIQUE_ID"} {
		delete(set, k) // those of node tell of descriptors that only its own children have
	}
	env := environment{"", ""}
	for k, v := range set {
		env = append(env, k+"="+v)
	}
	slices.Sort(env[2:])
	return env
}

// of is the environment of one attempt, valid until the next call.
func (e environment) of(a job.Attempt) []string {
	e[0] = envTask + strconv.Itoa(a.Task)
	e[1] = envAttempt + strconv.Itoa(a.Try)
	return e
}

// warm is the environment of a process that runs many tasks.
func (e environment) warm() []string { return e[2:] }

func (e environment) lookup(name string) string {
	for _, kv := range e {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}
