package store

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// inOrder runs do for 0..n-1 on several goroutines and hands what it has made to
// use, in order and in the calling goroutine. At most a few results wait at a
// time, and each T is used again, buffers and all. An error of use ends it.
func inOrder[T any](n int, do func(i int, t *T), use func(*T) error) error {
	workers := min(runtime.GOMAXPROCS(0), 8, n)
	if workers <= 1 {
		t := new(T)
		for i := range n {
			do(i, t)
			if err := use(t); err != nil {
				return err
			}
		}
		return nil
	}
	window := 3 * workers
	free := make(chan *T, window)
	ready := make([]chan *T, window) // by i modulo window: no more are under way
	for i := range ready {
		free <- new(T)
		ready[i] = make(chan *T, 1)
	}
	var (
		next atomic.Int64
		wg   sync.WaitGroup
		stop = make(chan struct{})
	)
	defer wg.Wait()
	defer close(stop)
	for range workers {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				case t := <-free: // before taking i, so that the lowest i always has one
					i := int(next.Add(1)) - 1
					if i >= n {
						return
					}
					do(i, t)
					ready[i%window] <- t
				}
			}
		})
	}
	for i := range n {
		t := <-ready[i%window]
		if err := use(t); err != nil {
			return err
		}
		free <- t
	}
	return nil
}
