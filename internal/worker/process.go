package worker

import (
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/proc"
	"github.com/lithops-go/lithops/internal/wire"
)

// process is a running command or runtime: the leader of a process group.
type process struct {
	pid   int
	grace time.Duration // between SIGTERM and SIGKILL

	mu     sync.Mutex
	exited bool      // the leader is a zombie or gone: signals are the sweeper's now
	why    job.State // set when we end it: timeout or cancelled
	asked  time.Time // when that was
	hurry  bool      // what is left when the leader has exited gets no time either
	killer *time.Timer
	timer  *time.Timer // time limit, nil without one
	limits int         // counts time limits: one that has passed must not end what came after
}

// limit ends the process when it runs longer than d from now on, in place of an
// earlier limit; 0 is no limit. first, if not nil, is called before.
func (p *process) limit(d time.Duration, first func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unlimit()
	if n := p.limits; d > 0 {
		p.timer = time.AfterFunc(d, func() {
			if first != nil {
				first()
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.limits == n {
				p.endLocked(job.Timeout)
			}
		})
	}
}

// settle takes the time limit away; false when the process was ended before.
func (p *process) settle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unlimit()
	return p.why == 0
}

// unlimit takes the time limit away. p.mu is held.
func (p *process) unlimit() {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	p.limits++
}

// end asks the process group to end, and kills it when the grace period is over.
// The first reason stands.
func (p *process) end(why job.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endLocked(why)
}

// ending says why we have asked it to end, 0 if we have not.
func (p *process) ending() job.State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}

func (p *process) endLocked(why job.State) {
	if p.exited || p.why != 0 {
		return
	}
	p.why, p.asked = why, time.Now()
	proc.Signal(p.pid, syscall.SIGTERM)
	p.killer = time.AfterFunc(p.grace, p.kill)
}

// kill ends the process group at once.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hurry = true
	if !p.exited {
		proc.Signal(p.pid, syscall.SIGKILL)
	}
}

// until is how long what outlived the leader may live, which was found at the time begun.
// When it was asked to end with its group, it has what is left of the grace period: the
// leader may have been no more than a shell in front of it.
func (p *process) until(begun time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	short := begun.Add(sweepGrace)
	switch full := p.asked.Add(p.grace); {
	case p.hurry:
		return begun
	case p.why != 0 && full.After(short):
		return full
	}
	return short
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

// endGroup kills what is left of a leader that has exited and was not collected:
// its group, and what came to this process when it died.
func endGroup(pid int) {
	syscall.Kill(-pid, syscall.SIGKILL)
	for _, other := range leftBehind(pid) {
		if other != pid {
			proc.Signal(other, syscall.SIGKILL)
		}
	}
}

const (
	// sweepGrace is what a process that outlived its task gets between SIGTERM
	// and SIGKILL.
	sweepGrace = 100 * time.Millisecond
	// sweepMost bounds the wait for processes that cannot be killed: those of
	// another user, or stuck in the kernel.
	sweepMost = 5 * time.Second
)

// endJob is the end of a worker whose host is gone: it kills all that is left of the
// job. Other workers do so with their tasks, and are left alone with them; what has no
// worker any more, because that was killed as well, would stay. It looks until only
// workers are left, because each of them may be killed yet. The job cannot have been
// resumed meanwhile: all its workers hold its lock.
func endJob(id string) {
	if id == "" || os.Getpid() == 1 { // of a PID namespace: nobody else is in it
		return
	}
	worker := func(pid int) bool {
		_, is := proc.Getenv(pid, wire.WorkerEnv)
		own, _ := proc.Getenv(pid, proc.JobEnv)
		if is = is && own == id; is {
			syscall.Kill(pid, syscall.SIGCONT) // it must find out, too
		}
		return is
	}
	mark, end := proc.Mark(id), time.Now().Add(sweepMost)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		left := slices.DeleteFunc(proc.Marked(mark), worker)
		if len(left) == 0 || time.Now().After(end) {
			return
		}
		proc.KillMarked(mark, worker, time.Until(end))
		time.Sleep(pause)
	}
}

// closed says whether the other end of a pipe is: its process is gone. Data that was
// not read yet does not matter.
func closed(pipe *os.File) (hung bool) {
	defer runtime.KeepAlive(pipe)
	fds := []unix.PollFd{{Fd: int32(pipe.Fd())}}
	for {
		if _, err := unix.Poll(fds, 0); err != unix.EINTR {
			return fds[0].Revents&unix.POLLHUP != 0
		}
	}
}

// reap collects the exited leader and ends all that the task has left behind.
// own is what the leader, with the children it waited for, has used; peak is the
// largest peak memory of all. stuck holds processes of
// earlier tasks that could not be ended, which nobody waits for any more.
func (p *process) reap(stuck map[int]bool) (status syscall.WaitStatus, own syscall.Rusage, peak int64, err error) {
	for {
		_, err = syscall.Wait4(p.pid, &status, 0, &own)
		if err != syscall.EINTR {
			break
		}
	}
	return status, own, max(maxRSS(&own), p.sweep(stuck)), err
}

// sweep ends and collects the processes that outlived their task. Each is asked
// once, alone or with its group, and killed when its time is over.
func (p *process) sweep(stuck map[int]bool) (peak int64) {
	var begun time.Time
	asked := map[int]bool{}
	for pause := 250 * time.Microsecond; ; pause = min(2*pause, 10*time.Millisecond) {
		largest, none := collect(stuck)
		peak = max(peak, largest)
		if none && orphansComeHere {
			return peak
		}
		left := slices.DeleteFunc(leftBehind(p.pid), func(pid int) bool { return stuck[pid] })
		if len(left) == 0 {
			return peak
		}
		if begun.IsZero() {
			begun = time.Now()
		}
		late := time.Since(p.until(begun))
		for _, pid := range left {
			switch group, _ := syscall.Getpgid(pid); {
			case late > sweepMost:
				stuck[pid] = true
			case late > 0:
				proc.Signal(pid, syscall.SIGKILL)
			case !asked[pid]: // many programs take a second SIGTERM for impatience
				asked[pid] = true
				if p.ending() == 0 || group != p.pid {
					proc.Signal(pid, syscall.SIGTERM)
				}
			}
		}
		time.Sleep(pause)
	}
}

// collect takes in all children that have ended; none says that there are no
// others.
func collect(stuck map[int]bool) (peak int64, none bool) {
	for {
		var ru syscall.Rusage
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, &ru)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return peak, true
		case pid == 0:
			return peak, false
		default:
			peak = max(peak, maxRSS(&ru))
			delete(stuck, pid)
		}
	}
}
