package executor

import (
	"maps"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/wire"
)

// nextStage is what Config.Next has given.
type nextStage struct {
	tasks  int
	reason string
	err    error
}

// advance lets the next stage be made when all tasks have ended.
func (e *executor) advance() {
	if e.Next == nil || e.next != nil || e.stopping || e.finished < e.Tasks {
		return
	}
	if e.OnFail.Mode == job.Tolerate { // tasks that are left as they are count, too
		if e.failed(); e.stopping {
			return
		}
	}
	e.sync(true) // it may look into the store
	e.next = make(chan nextStage, 1)
	counts := maps.Clone(e.counts)
	go func(made chan<- nextStage, next func(map[job.State]int) (int, string, error)) {
		n, reason, err := next(counts)
		made <- nextStage{n, reason, err}
	}(e.next, e.Next)
}

// begin starts the next stage.
func (e *executor) begin(n nextStage) {
	e.next = nil
	switch failed := n.err != nil || n.reason != ""; {
	case failed && e.stopping:
		return // as if it had not come to that
	case n.err != nil:
		e.fail(n.err)
		return
	case failed:
		e.stop(n.reason, wire.Recall)
		return
	}
	e.Next = nil
	e.admit(e.Tasks, n.tasks)
	e.Tasks += n.tasks
	e.queue.drained = e.stopping // it is made, and is not begun
}
