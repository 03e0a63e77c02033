package worker

import "github.com/lithops-go/lithops/internal/stats"

// reading is the state of the machine's counters at one moment.
type reading struct {
	at    int64 // Unix ns
	ok    bool
	busy  []float64 // per core, seconds
	total []float64 // per core, seconds
	net   netCount
	netOK bool
}

// netCount is bytes over the interfaces, loopback apart.
type netCount struct{ sent, recv, loSent, loRecv int64 }

// machineUse is what the whole machine did between two readings.
type machineUse struct {
	cores                      []float64 // percent; nil is null
	sent, recv, loSent, loRecv stats.Int
}

// since is the use between an earlier reading and r.
func (r *reading) since(from *reading) (u machineUse) {
	if len(r.busy) == len(from.busy) && len(r.busy) > 0 {
		for i := range r.busy {
			total := r.total[i] - from.total[i]
			if total <= 0 { // no tick has gone by on this core
				u.cores = nil
				break
			}
			u.cores = append(u.cores, min(100, max(0, 100*(r.busy[i]-from.busy[i])/total)))
		}
	}
	if r.netOK && from.netOK {
		// an interface that went away takes its counts with it
		d := netCount{r.net.sent - from.net.sent, r.net.recv - from.net.recv, r.net.loSent - from.net.loSent, r.net.loRecv - from.net.loRecv}
		if d.sent >= 0 && d.recv >= 0 && d.loSent >= 0 && d.loRecv >= 0 {
			u.sent, u.recv, u.loSent, u.loRecv = stats.IntOf(d.sent), stats.IntOf(d.recv), stats.IntOf(d.loSent), stats.IntOf(d.loRecv)
		}
	}
	return u
}
