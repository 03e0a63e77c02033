// Package doctor finds out what this machine offers for running jobs. Each check
// tries the thing itself, such as starting a worker, and not only looks whether
// it should work. Nothing of what it makes to try things stays.
package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Status is what a check came to.
type Status string

// The statuses.
const (
	OK      Status = "ok"
	Limited Status = "limited" // jobs run, but with less than there could be
	Missing Status = "missing" // not there; what needs it does not work, all else does
	Problem Status = "problem" // no job can run
)

// Finding is what a check found.
type Finding struct {
	Name   string
	Status Status
	Found  string // lines
	Hint   string // what to do about it; "" where nothing is to be done
}

// Options is what the checks are about.
type Options struct {
	Version   string // of the program
	Store     string // the store's directory, "" when there is none
	StoreFrom string // who says that it is this one

	Timeout time.Duration // of each check; 0 is 5 s
}

// Examine makes all checks, most of them side by side, and returns their findings in an order
// that is always the same. The process becomes a subreaper. A check that hangs is
// given up after the timeout.
func Examine(o Options) []Finding {
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	m := &machine{Options: o}
	return m.examine(checks)
}

// checks are all of them, in the order of their rows.
var checks = []check{
	{name: "system", run: (*machine).system, hung: Limited},
	{name: "cpus", run: (*machine).cpus, hung: Limited},
	{name: "memory", run: (*machine).memory, hung: Limited},
	{name: "workers", run: (*machine).workers, hung: Problem, alone: true},
	{name: "open files", run: (*machine).openFiles, hung: Limited},
	{name: "processes", run: (*machine).processes, hung: Limited},
	{name: "orphans", run: (*machine).orphans, hung: Limited},
	{name: "isolation", run: (*machine).isolation, hung: Limited},
	{name: "memory limits", run: (*machine).memoryLimits, hung: Limited},
	{name: "out of memory", run: (*machine).outOfMemory, hung: Limited},
	{name: "figures", run: (*machine).figures, hung: Limited},
	{name: "store", run: (*machine).store, hung: Problem},
	{name: "store locks", run: (*machine).storeLocks, hung: Problem},
	{name: "store space", run: (*machine).storeSpace, hung: Limited},
	{name: "store jobs", run: (*machine).storeJobs, hung: Limited},
	{name: "left behind", run: (*machine).leftBehind, hung: Limited},
	{name: "python3", run: (*machine).python, hung: Limited},
	{name: "node", run: (*machine).node, hung: Limited},
	{name: "clock", run: (*machine).clock, hung: Limited, alone: true},
}

// check is one row.
type check struct {
	name  string
	run   func(*machine) Finding
	hung  Status // what the row says when the check does not come to an end
	alone bool   // it measures time: the others would disturb it
}

// machine is what the checks look at.
type machine struct {
	Options
	root string // of the file system that proc, sys and dev are looked for in
}

func (m *machine) examine(checks []check) []Finding {
	found := make([]Finding, len(checks))
	for i, c := range checks {
		if c.alone {
			found[i] = m.try(c)
		}
	}
	var wait sync.WaitGroup
	for i, c := range checks {
		if !c.alone {
			wait.Go(func() { found[i] = m.try(c) })
		}
	}
	wait.Wait()
	for i, c := range checks {
		found[i].Name = c.name
	}
	return found
}

// try makes one check. One that hangs, as a look at a dead network file system does,
// is left to itself.
func (m *machine) try(c check) Finding {
	done := make(chan Finding, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- limited("this is a mistake in lithops: please report it", "the check itself failed: %v", p)
			}
		}()
		done <- c.run(m)
	}()
	late := time.NewTimer(m.Timeout)
	defer late.Stop()
	select {
	case f := <-done:
		return f
	case <-late.C:
		return Finding{Status: c.hung, Found: fmt.Sprintf("no answer within %v", m.Timeout),
			Hint: "what it asks hangs, such as a network file system whose server is gone"}
	}
}

func ok(format string, args ...any) Finding {
	return Finding{Status: OK, Found: fmt.Sprintf(format, args...)}
}

func limited(hint, format string, args ...any) Finding {
	return Finding{Status: Limited, Found: fmt.Sprintf(format, args...), Hint: hint}
}

func missing(hint, format string, args ...any) Finding {
	return Finding{Status: Missing, Found: fmt.Sprintf(format, args...), Hint: hint}
}

func problem(hint, format string, args ...any) Finding {
	return Finding{Status: Problem, Found: fmt.Sprintf(format, args...), Hint: hint}
}

// path is where the file of that name is on the machine that is looked at.
func (m *machine) path(name string) string { return filepath.Join("/", m.root, name) }

// read is the text of a small file without the white space around it, "" when there
// is none.
func (m *machine) read(name string) string {
	b, err := os.ReadFile(m.path(name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// bare is an error without the path that it was met at, which a row tells in
// another way.
func bare(err error) error {
	for {
		switch e := err.(type) {
		case *os.PathError:
			err = e.Err
		case *os.LinkError:
			err = e.Err
		case *os.SyscallError:
			err = e.Err
		default:
			return err
		}
	}
}
