//go:build linux

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// dump tells what a host that hangs and all below it are doing. It ends them, with
// the stacks of those that are Go programs.
func (h *host) dump(s *site) string {
	var b strings.Builder
	pids := marked(h.mark)
	fmt.Fprintf(&b, "processes of %s:\n", h.mark)
	for _, pid := range pids {
		p, _ := look(pid)
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		where, _ := os.ReadFile(fmt.Sprintf("/proc/%d/wchan", pid))
		fmt.Fprintf(&b, "  %d below %d, session %d, %c, in %s: %s\n", pid, p.parent, p.session, p.state, where, strings.ReplaceAll(string(args), "\x00", " "))
	}
	id := h.id()
	dirs, _ := filepath.Glob(filepath.Join(s.store, "jobs", "*"))
	for _, dir := range dirs {
		if id == "" || filepath.Base(dir) != id {
			continue
		}
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if info, err := e.Info(); err == nil {
				fmt.Fprintf(&b, "  %9d %s\n", info.Size(), e.Name())
			}
		}
		fmt.Fprintf(&b, "host.jsonl ends:\n%s", tail(filepath.Join(dir, "host.jsonl"), 20))
	}
	for _, pid := range pids { // to a task it is a signal like others
		if hasEnv(pid, "LITHOPS_WORKER_NUMBER=") || pid == h.pid() {
			hit(pid, h.mark, syscall.SIGQUIT)
			hit(pid, h.mark, syscall.SIGCONT)
		}
	}
	time.Sleep(time.Second) // they write their stacks and end
	fmt.Fprintf(&b, "said by the host:\n%s", tail(h.output+".err", 200))
	if id != "" {
		errs, _ := filepath.Glob(filepath.Join(s.store, "jobs", id, "w-*.err"))
		for _, path := range errs {
			fmt.Fprintf(&b, "%s:\n%s", filepath.Base(path), tail(path, 200))
		}
	}
	return b.String()
}

// tail is the last lines of a file.
func tail(path string, n int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error() + "\n"
	}
	lines := slices.Collect(strings.Lines(string(b)))
	return strings.Join(lines[max(0, len(lines)-n):], "")
}
