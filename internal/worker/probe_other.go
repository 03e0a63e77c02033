//go:build !linux

package worker

import (
	"syscall"
	"time"

	ps "github.com/shirou/gopsutil/v3/process"

	"github.com/lithops-go/lithops/internal/stats"
)

// probe reads the memory of processes. The memory shared with nobody is not to be
// had here.
type probe struct{}

func newProbe(time.Duration) *probe { return &probe{} }

// floor is the peak resident size of this process in bytes.
func (*probe) floor() int64 {
	var ru syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
	return maxRSS(&ru)
}

func (*probe) memory(pid int, tree bool) (m memory) {
	p, err := ps.NewProcess(int32(pid))
	if err != nil {
		return m
	}
	all := []*ps.Process{p}
	if tree {
		below, _ := p.Children()
		all = append(all, below...)
	}
	rss, vms := uint64(0), uint64(0)
	for i, p := range all {
		info, err := p.MemoryInfo()
		if err != nil {
			if i == 0 {
				return m
			}
			continue
		}
		rss, vms = rss+info.RSS, vms+info.VMS
	}
	m.rss, m.vms = stats.IntOf(int64(rss)), stats.IntOf(int64(vms))
	return m
}
