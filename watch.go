package lithops

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// watchTime is how often a host looks whether its job is to be cancelled.
const watchTime = 250 * time.Millisecond

// watch is what may end a job from outside: its time limit, and a request in the store.
type watch struct {
	w     *store.Writer
	now   chan struct{} // closed when running tasks are to be killed
	stop  context.CancelCauseFunc
	limit context.CancelFunc
	over  chan struct{}  // closed by end
	done  chan struct{}  // closed when nobody looks any more
	asked *executor.Stop // by somebody; to be read after end, as who is
	who   string
}

// watch gives the context in which the job is to run.
func (p *Prepared) watch(ctx context.Context) (context.Context, *watch) {
	v := &watch{w: p.w, now: make(chan struct{}), over: make(chan struct{}), done: make(chan struct{}), limit: func() {}}
	if most := p.run.Spec.MaxTime; most > 0 {
		reason := fmt.Sprintf("max_time of %s was reached", stats.HumanDuration(int64(most)))
		ctx, v.limit = context.WithTimeoutCause(ctx, most, &executor.Stop{Reason: reason})
	}
	ctx, v.stop = context.WithCancelCause(ctx)
	go v.follow()
	return ctx, v
}

// end stops watching. The context's cause stays what it was.
func (v *watch) end() {
	close(v.over)
	<-v.done
	v.stop(nil)
	v.limit()
}

// follow looks for requests until the job is over, or there is nothing left to ask for.
func (v *watch) follow() {
	defer close(v.done)
	tick := time.NewTicker(watchTime)
	defer tick.Stop()
	for {
		r, err := v.w.CancelRequest()
		if err == nil && r != nil { // one that cannot be read is none
			if v.asked == nil {
				v.who = fmt.Sprintf("lithops cancel by %s (pid %d on %s)", r.User, r.PID, r.Hostname)
				v.asked = &executor.Stop{Reason: "cancelled: " + v.who}
				v.stop(v.asked)
			}
			if r.Now {
				close(v.now)
				return
			}
		}
		select {
		case <-tick.C:
		case <-v.over:
			return
		}
	}
}

// explain adds to the outcome why the job was ended.
func (v *watch) explain(ctx context.Context, out *Outcome) {
	if out == nil || !out.Interrupted {
		return
	}
	if s, ours := errors.AsType[*executor.Stop](context.Cause(ctx)); ours {
		out.Interrupted = false
		if s == v.asked {
			out.Cancelled = v.who
		}
	}
}
