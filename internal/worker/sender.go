package worker

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/lithops-go/lithops/internal/wire"
)

// ringDelay bounds how long a finished task can go untold while others run.
const ringDelay = 15 * time.Millisecond

// sender writes to the host. Doorbells of short tasks are put together: a
// message of its own for each would cost more than recording the task does. An
// error in writing is left out: it means the host is gone, which the receiving
// side notices.
type sender struct {
	w io.Writer

	mu    sync.Mutex
	buf   []byte
	upTo  int64 // segment is complete up to here
	told  int64 // what the host was told
	last  time.Time
	timer *time.Timer
	armed bool
}

func (s *sender) message(m *wire.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.write(m)
}

func (s *sender) write(m *wire.Message) {
	s.buf = m.Append(s.buf[:0])
	s.w.Write(s.buf)
}

// fatal tells the host why the worker cannot go on.
func (s *sender) fatal(kind string, err error) {
	s.failure(wire.Failure{Type: kind, Error: err.Error()})
}

func (s *sender) failure(f wire.Failure) {
	b, _ := json.Marshal(f)
	s.message(&wire.Message{Kind: wire.Fatal, JSON: b})
}

// back gives attempts that were not begun to the host.
func (s *sender) back(tasks []assignment) {
	for _, a := range tasks {
		s.message(&wire.Message{Kind: wire.Back, Numbers: [2]int64{int64(a.Task), int64(a.Try)}})
	}
}

// ring says that the stats segment is complete up to offset: now, or within
// ringDelay together with what comes until then.
func (s *sender) ring(offset int64, now bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.upTo = offset
	if t := time.Now(); now || t.Sub(s.last) > ringDelay {
		s.last = t
		s.tell()
		return
	}
	if s.armed {
		return
	}
	s.armed = true
	if s.timer == nil {
		s.timer = time.AfterFunc(ringDelay, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.armed = false
			s.tell()
		})
		return
	}
	s.timer.Reset(ringDelay)
}

func (s *sender) tell() {
	if s.upTo == s.told {
		return
	}
	s.told = s.upTo
	s.write(&wire.Message{Kind: wire.Done, Numbers: [2]int64{s.upTo}})
}
