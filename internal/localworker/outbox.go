package localworker

import (
	"bytes"
	"os"
	"sync"

	"github.com/lithops-go/lithops/internal/wire"
)

// outbox holds the lines that a worker has not been sent yet. They are written by a
// goroutine of their own, which a worker that is stopped blocks. There are not more
// than the tasks that the worker may have, and of the messages without a task, which it
// never has to answer, each once.
type outbox struct {
	to *os.File

	mu      sync.Mutex
	changed sync.Cond
	lines   []byte
	told    map[string]bool // the messages without a task among them
	closed  bool
}

func newOutbox(to *os.File) *outbox {
	o := &outbox{to: to, told: map[string]bool{}}
	o.changed.L = &o.mu
	return o
}

var taskWord = []byte(wire.Task + " ")

// add queues lines, which are tasks or a single message.
func (o *outbox) add(lines []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	if !bytes.HasPrefix(lines, taskWord) {
		if o.told[string(lines)] {
			return
		}
		o.told[string(lines)] = true
	}
	o.lines = append(o.lines, lines...)
	o.changed.Signal()
}

// send writes what is queued until close.
func (o *outbox) send() {
	defer o.to.Close()
	var spare []byte
	for {
		o.mu.Lock()
		for len(o.lines) == 0 && !o.closed {
			o.changed.Wait()
		}
		if o.closed {
			o.mu.Unlock()
			return
		}
		lines := o.lines
		o.lines = spare[:0]
		clear(o.told)
		o.mu.Unlock()
		o.to.Write(lines) // fails when the worker is gone, of which follow tells
		const most = 64 << 10
		if spare = lines; cap(spare) > most {
			spare = nil
		}
	}
}

// close ends send; the worker is gone.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.changed.Signal()
}
