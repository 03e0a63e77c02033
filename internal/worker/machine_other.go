//go:build !linux

package worker

import (
	"strings"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/net"
)

// machine reads the counters of cores and interfaces.
type machine struct{}

func newMachine() *machine { return &machine{} }

func (*machine) read(now int64) (r reading) {
	r.at = now
	if cores, err := cpu.Times(true); err == nil {
		for _, c := range cores {
			total := c.User + c.System + c.Nice + c.Irq + c.Softirq + c.Steal + c.Idle + c.Iowait
			r.total = append(r.total, total)
			r.busy = append(r.busy, total-c.Idle-c.Iowait)
		}
	}
	if interfaces, err := net.IOCounters(true); err == nil {
		for _, i := range interfaces {
			if strings.HasPrefix(i.Name, "lo") {
				r.net.loRecv += int64(i.BytesRecv)
				r.net.loSent += int64(i.BytesSent)
			} else {
				r.net.recv += int64(i.BytesRecv)
				r.net.sent += int64(i.BytesSent)
			}
		}
		r.netOK = true
	}
	r.ok = r.netOK || r.busy != nil
	return r
}
