package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

func (m *machine) python() Finding {
	return m.interpreter("python3", 3, 8, "Python", "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])")
}

func (m *machine) node() Finding {
	return m.interpreter("node", 18, 0, "JavaScript", "-p", "process.versions.node")
}

// interpreter has a program of PATH print its version.
func (m *machine) interpreter(name string, major, minor int, language string, args ...string) Finding {
	path, err := exec.LookPath(name)
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return missing(fmt.Sprintf("only for functions in %s: install it, or name it by runtime:", language), "no %s in PATH", name)
	}
	said, err := m.output(path, args...)
	if err != nil {
		return limited(fmt.Sprintf("functions in %s need one that works: name it by runtime:", language), "%s does not work: %v", path, err)
	}
	var x, y int
	if n, _ := fmt.Sscanf(said, "%d.%d", &x, &y); n < 2 {
		return limited(fmt.Sprintf("functions in %s need one that works: name it by runtime:", language), "%s does not tell its version: %.80q", path, said)
	}
	if x < major || x == major && y < minor {
		return limited("name a newer one by runtime:", "%s is %s; functions in %s need %s", path, said, language, version(major, minor))
	}
	return ok("%s at %s", said, path)
}

func version(major, minor int) string {
	if minor == 0 {
		return fmt.Sprintf("%d or newer", major)
	}
	return fmt.Sprintf("%d.%d or newer", major, minor)
}

// output runs a program and returns what it prints. It is ended, with what it has
// started, before the check is given up.
func (m *machine) output(path string, args ...string) (string, error) {
	ctx, stop := context.WithTimeout(context.Background(), m.Timeout*9/10)
	defer stop()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 100 * time.Millisecond
	err := cmd.Run()
	switch lines := strings.Split(strings.TrimSpace(said.String()), "\n"); {
	case ctx.Err() != nil:
		err = fmt.Errorf("it did not end within %v", m.Timeout*9/10)
	case err != nil && lines[len(lines)-1] != "":
		err = fmt.Errorf("%w: %.200s", err, lines[len(lines)-1])
	}
	return strings.TrimSpace(out.String()), err
}
