package worker

import (
	"sync"
	"syscall"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/proc"
)

// process is a running command: the leader of a process group.
type process struct {
	pid   int
	grace time.Duration // between SIGTERM and SIGKILL

	mu     sync.Mutex
	exited bool      // the leader is a zombie or gone: signals are the sweeper's now
	why    job.State // set when we end it: timeout or cancelled
	killer *time.Timer
	timer  *time.Timer // time limit, nil without one
}

// limit ends the process when it runs longer than d.
func (p *process) limit(d time.Duration) {
	if d > 0 {
		p.timer = time.AfterFunc(d, func() { p.end(job.Timeout) })
	}
}

// end asks the process group to end, and kills it when the grace period is over.
// The first reason stands.
func (p *process) end(why job.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.exited || p.why != 0 {
		return
	}
	p.why = why
	syscall.Kill(-p.pid, syscall.SIGTERM)
	syscall.Kill(-p.pid, syscall.SIGCONT) // a stopped process must wake up to end
	p.killer = time.AfterFunc(p.grace, p.kill)
}

// kill ends the process group at once.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.exited {
		syscall.Kill(-p.pid, syscall.SIGKILL)
	}
}

// done notes that the leader has exited and says why we ended it, 0 if we did not.
func (p *process) done() job.State {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exited = true
	for _, t := range []*time.Timer{p.timer, p.killer} {
		if t != nil {
			t.Stop()
		}
	}
	return p.why
}

const (
	// sweepGrace is what a process that outlived its task gets between SIGTERM
	// and SIGKILL.
	sweepGrace = 100 * time.Millisecond
	// sweepMost bounds the wait for processes that cannot be killed: those of
	// another user, or stuck in the kernel.
	sweepMost = 5 * time.Second
)

// reap collects the exited leader and ends all that the task has left behind.
// Every process of the task whose parent died is a child of the worker
// (a subreaper), so it ends when there are no children. peak is the largest
// peak memory of those collected.
func (p *process) reap() (status syscall.WaitStatus, peak int64, err error) {
	var ru syscall.Rusage
	for {
		_, err = syscall.Wait4(p.pid, &status, 0, &ru)
		if err != syscall.EINTR {
			break
		}
	}
	peak = maxRSS(&ru)
	if err != nil {
		return status, peak, err
	}
	var begun time.Time
	signal := syscall.SIGTERM
	for pause := 250 * time.Microsecond; ; {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, &ru)
		switch {
		case err == syscall.EINTR:
		case err != nil: // no children: the only way out
			return status, peak, nil
		case pid > 0:
			peak = max(peak, maxRSS(&ru))
		default:
			if begun.IsZero() {
				begun = time.Now()
			}
			if age := time.Since(begun); age > sweepMost {
				return status, peak, nil
			} else if age > sweepGrace {
				signal = syscall.SIGKILL
			}
			syscall.Kill(-p.pid, signal)
			for _, child := range proc.Children() {
				proc.Signal(child, signal)
			}
			time.Sleep(pause)
			pause = min(2*pause, 10*time.Millisecond)
		}
	}
}
