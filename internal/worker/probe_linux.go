package worker

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"github.com/lithops-go/lithops/internal/proc"
	"github.com/lithops-go/lithops/internal/stats"
)

// probe reads the memory of processes. The memory they share with nobody, which
// the kernel must walk all their pages for, is read again after factor times
// what that took.
type probe struct {
	buf     []byte
	page    int64
	factor  time.Duration
	ussNext time.Time
}

func newProbe(factor time.Duration) *probe {
	return &probe{buf: make([]byte, 16<<10), page: int64(os.Getpagesize()), factor: factor}
}

// memory samples pid, and its descendants when tree is set. It is null when the
// process has ended.
func (p *probe) memory(pid int, tree bool) (m memory) {
	rss, vms, ok := p.statm(pid)
	if !ok {
		return m
	}
	pids := []int{pid}
	if tree {
		// All below the worker are the task's; a daemon of it is not below pid.
		for _, child := range proc.Descendants(os.Getpid()) {
			if child == pid {
				continue
			}
			if r, v, ok := p.statm(child); ok {
				rss, vms = rss+r, vms+v
				pids = append(pids, child)
			}
		}
	}
	m.rss, m.vms = stats.IntOf(rss), stats.IntOf(vms)
	begun := time.Now()
	if begun.Before(p.ussNext) {
		return m
	}
	rss = 0
	uss := int64(0)
	for i, id := range pids {
		r, u, ok := p.rollup(id)
		if !ok && i == 0 {
			return m // ended meanwhile, or not readable for us
		}
		rss, uss = rss+r, uss+u
	}
	// Of one look: the task may have grown since the first.
	m.rss, m.uss, m.vms = stats.IntOf(rss), stats.IntOf(uss), stats.IntOf(max(vms, rss))
	now := time.Now()
	p.ussNext = now.Add(p.factor * now.Sub(begun))
	return m
}

// statm is resident and virtual size in bytes; not ok for a zombie.
func (p *probe) statm(pid int) (rss, vms int64, ok bool) {
	b := proc.File(pid, "statm", p.buf)
	size, rest, _ := bytes.Cut(b, []byte(" "))
	resident, _, _ := bytes.Cut(rest, []byte(" "))
	v, err1 := strconv.ParseInt(string(size), 10, 64)
	r, err2 := strconv.ParseInt(string(resident), 10, 64)
	return r * p.page, v * p.page, err1 == nil && err2 == nil && v > 0
}

// rollup is the resident memory of pid, and the part of it that would be free
// without it.
func (p *probe) rollup(pid int) (rss, uss int64, ok bool) {
	for line := range bytes.Lines(proc.File(pid, "smaps_rollup", p.buf)) {
		private := bytes.HasPrefix(line, []byte("Private_"))
		if !private && !bytes.HasPrefix(line, []byte("Rss:")) {
			continue
		}
		f := bytes.Fields(line)
		if len(f) < 2 {
			continue
		}
		kb, err := strconv.ParseInt(string(f[1]), 10, 64)
		if err != nil {
			return 0, 0, false
		}
		if private {
			uss += kb << 10
			ok = true
		} else {
			rss = kb << 10
		}
	}
	return rss, uss, ok
}
