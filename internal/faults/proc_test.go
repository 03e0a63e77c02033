//go:build linux

package faults

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// process is one as /proc shows it.
type process struct {
	pid, parent, session int
	state                byte
}

// processes lists all there are.
func processes() map[int]process {
	all := map[int]process{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if p, ok := look(pid); ok {
				all[pid] = p
			}
		}
	}
	return all
}

func look(pid int) (process, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	// pid (name) state ppid pgrp session …; the name may hold anything
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if err != nil || len(f) < 4 {
		return process{}, false
	}
	parent, _ := strconv.Atoi(f[1])
	session, _ := strconv.Atoi(f[3])
	return process{pid: pid, parent: parent, session: session, state: f[0][0]}, true
}

func (p process) dead() bool { return p.state == 'Z' || p.state == 'X' }

// alive says whether a process is there and no zombie.
func alive(pid int) bool {
	p, ok := look(pid)
	return ok && !p.dead()
}

// below lists the processes below pid that have not ended. The kernel's own lists of
// children are quick; where there are none, all of /proc is read.
func below(pid int) (found []process) {
	children := listedChildren
	if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid())); err != nil {
		all := processes()
		children = func(pid int) (pids []int) {
			for _, p := range all {
				if p.parent == pid {
					pids = append(pids, p.pid)
				}
			}
			return pids
		}
	}
	for todo := children(pid); len(todo) > 0; todo = todo[1:] {
		if p, ok := look(todo[0]); ok && !p.dead() {
			found = append(found, p)
		}
		todo = append(todo, children(todo[0])...)
	}
	return found
}

// listedChildren are those that the kernel lists, of all threads.
func listedChildren(pid int) (pids []int) {
	paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, path := range paths {
		b, _ := os.ReadFile(path)
		for _, field := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(field); err == nil {
				pids = append(pids, n)
			}
		}
	}
	return pids
}

// hasEnv says whether a process was started with a variable that begins so.
func hasEnv(pid int, start string) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return bytes.HasPrefix(b, []byte(start)) || bytes.Contains(b, []byte("\x00"+start))
}

// marked lists the processes with a variable, as NAME=VALUE, in their environment.
func marked(variable string) (pids []int) {
	for pid, p := range processes() {
		if !p.dead() && hasEnv(pid, variable+"\x00") {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}

// handle holds on to a process: its number cannot become another's meanwhile.
type handle struct {
	pid, fd int
}

// grasp takes hold of a process that has the mark in its environment; without one it
// is not ours.
func grasp(pid int, mark string) (handle, bool) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return handle{}, false
	}
	if !hasEnv(pid, mark+"\x00") {
		unix.Close(fd)
		return handle{}, false
	}
	return handle{pid, fd}, true
}

// signal says whether the process was there to get it.
func (h handle) signal(s syscall.Signal) bool { return unix.PidfdSendSignal(h.fd, s, nil, 0) == nil }

func (h handle) release() { unix.Close(h.fd) }

// hit sends a signal to a process that has the mark.
func hit(pid int, mark string, s syscall.Signal) bool {
	h, ok := grasp(pid, mark)
	if !ok {
		return false
	}
	defer h.release()
	return h.signal(s)
}
