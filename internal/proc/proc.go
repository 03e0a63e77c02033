// Package proc finds and ends processes that lost their parent.
package proc

import (
	"strings"
	"syscall"
	"time"
)

// What says in a process's environment to which jobs it belongs.
const (
	JobEnv   = "LITHOPS_JOB_ID"     // the id of its job
	OuterEnv = "LITHOPS_OUTER_JOBS" // the ids of the jobs in a task of which that job was run, with commas between
)

// Mark is the variable that all processes of a job have in their environment, and
// that Marked and KillMarked look for.
func Mark(jobID string) string { return JobEnv + "=" + jobID }

// Environ makes the environment of a job's processes from that of its host: marked as
// the job's own, and as belonging to the jobs that the host itself belongs to.
func Environ(host []string, jobID string) []string {
	env := make([]string, 0, len(host)+2)
	var outer []string
	for _, kv := range host {
		switch name, value, _ := strings.Cut(kv, "="); name {
		case JobEnv:
			outer = append(outer, value)
		case OuterEnv:
			outer = append(outer, strings.Split(value, ",")...)
		default:
			env = append(env, kv)
		}
	}
	if len(outer) > 0 {
		env = append(env, OuterEnv+"="+strings.Join(outer, ","))
	}
	return append(env, Mark(jobID))
}

// Signal sends s to a process and to the group it leads, if it leads one, and
// wakes it up if it is stopped.
func Signal(pid int, s syscall.Signal) {
	for _, s := range []syscall.Signal{s, syscall.SIGCONT} {
		syscall.Kill(-pid, s)
		if group, err := syscall.Getpgid(pid); err != nil || group != pid {
			syscall.Kill(pid, s) // it has left its group
		}
	}
}

// KillOrphans kills the children of this process that known does not know, and
// collects them, until there are none or most has gone by; left are those that are
// there even then. Only what it has killed itself is waited for.
func KillOrphans(known func(pid int) bool, most time.Duration) (left []int) {
	for begun, pause := time.Now(), time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		left = left[:0]
		for _, pid := range Children() {
			if known(pid) {
				continue
			}
			left = append(left, pid)
			Signal(pid, syscall.SIGKILL)
			syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		}
		if len(left) == 0 || time.Since(begun) >= most {
			return left
		}
		time.Sleep(pause)
	}
}
