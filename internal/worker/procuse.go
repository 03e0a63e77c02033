package worker

import (
	"syscall"
	"time"

	"github.com/lithops-go/lithops/internal/proc"
	"github.com/lithops-go/lithops/internal/stats"
)

// procUse is what a process has used so far, seen from outside.
type procUse struct {
	ok                  bool
	cpu                 int64 // ns, of all its threads, exact
	system              int64 // ns of them, to a clock tick
	childUser, childSys int64 // ns of the children it has waited for, to a clock tick
	minor, major        int64 // page faults, those of the children included
}

// fill sets what was used from an earlier look to u.
func (u *procUse) fill(rec *stats.Record, from *procUse) {
	if !u.ok || !from.ok {
		return
	}
	cpu := u.cpu - from.cpu
	system := min(cpu, u.system-from.system)
	rec.CPUUser = stats.SecOf(max(0, cpu-system) + u.childUser - from.childUser)
	rec.CPUSystem = stats.SecOf(max(0, system) + u.childSys - from.childSys)
	rec.MinorFaults, rec.MajorFaults = stats.IntOf(u.minor-from.minor), stats.IntOf(u.major-from.major)
}

// addChildren adds what a runtime cannot tell of itself: its children's CPU time.
func (u *procUse) addChildren(rec *stats.Record, from *procUse) {
	if !u.ok || !from.ok || !rec.CPUUser.OK {
		return
	}
	rec.CPUUser.NS += u.childUser - from.childUser
	rec.CPUSystem.NS += u.childSys - from.childSys
}

// orphans collects the children that came to this process because their parent
// had ended, and now have ended themselves; runtime, which has not, stays.
// What they used counts to the running call.
func orphans(runtime int) (user, system int64, peak int64) {
	for range 1000 {
		pid := endedChild()
		if pid <= 0 || pid == runtime {
			return user, system, peak
		}
		var ru syscall.Rusage
		if _, err := syscall.Wait4(pid, nil, syscall.WNOHANG, &ru); err != nil {
			return user, system, peak
		}
		user += ru.Utime.Nano()
		system += ru.Stime.Nano()
		peak = max(peak, maxRSS(&ru))
	}
	return user, system, peak
}

// endChildren kills and collects all that a worker's own functions have started, until
// there is nothing left or most has gone by: children of children come here when
// these die.
func endChildren(most time.Duration) {
	proc.KillOrphans(func(int) bool { return false }, most)
}
