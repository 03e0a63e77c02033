package lithops

import (
	"context"
	"slices"
	"sync"
)

// slots shares a number of workers among jobs: first come, first served, each as
// many as it asks for.
type slots struct {
	mu      sync.Mutex
	free    int
	waiting []*applicant
}

// applicant is a job that asks for workers.
type applicant struct {
	want  int
	ready chan struct{} // closed when it has what it wants
}

// apply asks for n workers.
func (s *slots) apply(n int) *applicant {
	a := &applicant{n, make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, a)
	s.serve()
	return a
}

// await waits until a has its workers. When ctx ends before, it gets none.
func (s *slots) await(ctx context.Context, a *applicant) error {
	select {
	case <-a.ready:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, a); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	} else {
		s.free += a.want // it has just got them
	}
	s.serve()
	return context.Cause(ctx)
}

// give takes a's workers back.
func (s *slots) give(a *applicant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free += a.want
	s.serve()
}

func (s *slots) serve() {
	for len(s.waiting) > 0 && s.waiting[0].want <= s.free {
		s.free -= s.waiting[0].want
		close(s.waiting[0].ready)
		s.waiting = slices.Delete(s.waiting, 0, 1)
	}
}
