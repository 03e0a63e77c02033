package worker

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/lithops-go/lithops/internal/cgroup"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/wire"
)

// memoryLimit keeps the memory of tasks within its limit, if there is one, and finds
// out which of them the kernel has killed for want of memory.
type memoryLimit struct {
	bytes int64          // 0: no limit
	group *cgroup.Worker // nil: the limit is on the address space of each process

	kills int64      // with a cgroup: as last seen
	log   *kernelLog // without: from the running attempt's start on
}

func newMemoryLimit(j *wire.Job) (m *memoryLimit, err error) {
	m = &memoryLimit{bytes: j.Spec.Limits.Memory}
	version := 0
	if j.Memory != nil {
		m.bytes = j.Memory.Bytes
		version = map[string]int{wire.ByCgroup1: 1, wire.ByCgroup2: 2}[j.Memory.By]
	}
	if version == 0 {
		m.log = openKernelLog()
		return m, nil
	}
	if m.group, err = cgroup.OpenWorker(version, j.Memory.Dir, j.Worker, m.bytes); err != nil {
		return nil, fmt.Errorf("limit memory: %w", err)
	}
	m.look()
	return m, nil
}

func (m *memoryLimit) close() {
	if m.group != nil {
		m.group.Close()
	}
	m.log.close()
}

// wrap changes how a program is started so that it is within the limit.
func (m *memoryLimit) wrap(path string, argv []string, attr *syscall.ProcAttr) (string, []string) {
	switch {
	case m.group != nil:
		return m.group.Enter(path, argv, attr)
	case m.bytes > 0:
		return limitAddressSpace(m.bytes, path, argv)
	}
	return path, argv
}

// begin notes that a process is about to be started.
func (m *memoryLimit) begin() { m.log.mark() }

// look says whether the kernel has killed processes in the cgroup since it was last
// asked, and whether that was at the limit. What cannot be read has not risen.
func (m *memoryLimit) look() (killed, atLimit bool) {
	if m.group == nil {
		return false, false
	}
	kills, err := m.group.OOMKills()
	if err != nil || kills == m.kills {
		return false, false
	}
	m.kills = kills
	return true, m.group.AtLimit()
}

// blame sees to it that an attempt which has failed is told to be out of memory if
// it was: if the kernel has killed its leader, the process pid, or one of the others
// in the cgroup. It is to be called once for each attempt that may have been hit; one
// that has come to a good end all the same stays what it is. The text is what the kernel
// did, "" for nothing.
func (m *memoryLimit) blame(rec *stats.Record, pid int) (text string) {
	text, _ = m.verdict(rec.Signal == killedName, pid)
	if text == "" || rec.State != job.Error {
		return text
	}
	rec.Error = text + after(rec)
	rec.ErrorType = "memory"
	return text
}

// after is what a function has said of its end, which the kernel's part in it does not
// make worthless.
func after(rec *stats.Record) string {
	if rec.ErrorType == "signal" || rec.ErrorType == "exit" {
		return ""
	}
	return ": " + rec.ErrorType + ": " + rec.Error
}

// entered is an error when the command did not start because it could not be moved into
// its cgroup, which somebody has removed then.
func (m *memoryLimit) entered(rec *stats.Record) error {
	if m.group != nil && rec.ExitCode == stats.IntOf(cgroup.NotEntered) && m.group.Gone() {
		return &haltError{errors.New("the memory cgroup of the job's tasks is not there any more: somebody has removed it")}
	}
	return nil
}

// verdict is what the kernel has to do with an attempt's end, "" for nothing; killed
// says that its leader was ended by SIGKILL. again says that another attempt may fare
// better: it was not its own limit that was in the way.
func (m *memoryLimit) verdict(killed bool, pid int) (text string, again bool) {
	if m.group == nil {
		if killed && m.log.tells(pid) {
			return "out of memory: the kernel killed it", true
		}
		return "", true
	}
	hit, atLimit := m.look()
	who := "it"
	if !killed {
		who = "a process of it"
	}
	switch {
	case !hit:
		return "", true
	case atLimit:
		return fmt.Sprintf("out of memory: the kernel killed %s at its limit of %s (limits.memory)", who, size(m.bytes)), false
	}
	return fmt.Sprintf("out of memory: the kernel killed %s for the machine, or a cgroup around it, and not at its limit of %s (limits.memory)", who, size(m.bytes)), true
}

var killedName = signalName(syscall.SIGKILL)

// size is a limit as it was most likely written.
func size(n int64) string {
	for i, unit := 3, []string{"B", "KiB", "MiB", "GiB"}; i > 0; i-- {
		if n > 0 && n%(1<<(10*i)) == 0 {
			return fmt.Sprintf("%d %s", n>>(10*i), unit[i])
		}
	}
	return stats.HumanBytes(n)
}
