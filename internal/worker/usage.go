package worker

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lithops-go/lithops/internal/stats"
)

// childUsage is what all children collected so far have used. The difference
// around one task is that task's use, because the worker runs one at a time and
// collects all of a task's processes before the next.
func childUsage() (ru syscall.Rusage) {
	syscall.Getrusage(syscall.RUSAGE_CHILDREN, &ru) // fails for no valid argument
	return ru
}

// peaks tells a task's own peak memory from the worker's: the kernel's count for
// a child begins with the size of the process that started it.
type peaks struct {
	probe *probe
	known int64 // the worker's peak when it was last looked at; it never falls
}

// fill sets the memory keys from the peak the kernel counted for a task.
func (k *peaks) fill(rec *stats.Record, peak int64) {
	if k.known == 0 || peak > k.known {
		k.known = k.probe.floor() // the worker may have grown before it started the task
	}
	rec.PeakMemoryEnd = stats.IntOf(peak)
	// The kernel sums a process's pages per processor and now and then: two
	// readings of one size differ a little.
	if peak > k.known+k.known/16 {
		rec.PeakMemoryStart, rec.TaskPeakMemory = stats.IntOf(k.known), rec.PeakMemoryEnd
		return
	}
	// All that is known of the task is that it was smaller: the count is the worker's.
	rec.PeakMemoryStart = rec.PeakMemoryEnd
}

// usage fills in what the kernel has counted between two readings.
func usage(rec *stats.Record, before, after *syscall.Rusage) {
	rec.CPUUser = stats.SecOf(after.Utime.Nano() - before.Utime.Nano())
	rec.CPUSystem = stats.SecOf(after.Stime.Nano() - before.Stime.Nano())
	rec.MinorFaults = stats.IntOf(after.Minflt - before.Minflt)
	rec.MajorFaults = stats.IntOf(after.Majflt - before.Majflt)
	rec.VoluntarySwitch = stats.IntOf(after.Nvcsw - before.Nvcsw)
	rec.InvoluntSwitch = stats.IntOf(after.Nivcsw - before.Nivcsw)
	const block = 512
	rec.BlockRead = stats.IntOf((after.Inblock - before.Inblock) * block)
	rec.BlockWrite = stats.IntOf((after.Oublock - before.Oublock) * block)
}

// addUsage adds to what usage has filled in.
func addUsage(rec *stats.Record, before, after *syscall.Rusage) {
	var more stats.Record
	usage(&more, before, after)
	rec.CPUUser.NS += more.CPUUser.NS
	rec.CPUSystem.NS += more.CPUSystem.NS
	rec.MinorFaults.V += more.MinorFaults.V
	rec.MajorFaults.V += more.MajorFaults.V
	rec.VoluntarySwitch.V += more.VoluntarySwitch.V
	rec.InvoluntSwitch.V += more.InvoluntSwitch.V
	rec.BlockRead.V += more.BlockRead.V
	rec.BlockWrite.V += more.BlockWrite.V
}

func signalName(s syscall.Signal) string {
	if name := unix.SignalName(s); name != "" {
		return name
	}
	return "signal " + s.String()
}
