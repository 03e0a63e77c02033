package main

import (
	"context"
	"time"

	"github.com/lithops-go/lithops"
)

// noopByWorkers is what lithops' workers, which are this program again, call.
var noopByWorkers = lithops.Func("noop", func(_ context.Context, x int) (int, error) { return noop(x), nil })

// byLithops maps the function by the Go API and reads all results, as a pool's map
// does.
func byLithops(n, workers int, store string) (sum int, spent time.Duration, err error) {
	exec, err := lithops.New(lithops.WithStore(store), lithops.WithWorkers(workers))
	if err != nil {
		return 0, 0, err
	}
	defer exec.Close()
	items := make([]int, n)
	for i := range items {
		items[i] = i
	}
	begun, ctx := time.Now(), context.Background()
	futures, err := lithops.Map(ctx, exec, noopByWorkers, items)
	if err != nil {
		return 0, 0, err
	}
	results, err := futures.Results(ctx)
	if err != nil {
		return 0, 0, err
	}
	spent = time.Since(begun)
	for _, x := range results {
		sum += x
	}
	return sum, spent, nil
}

// streamed does the same with a sequence of items and one result at a time, so that
// neither takes memory.
func streamed(n, workers int, store string) (sum int, spent time.Duration, err error) {
	exec, err := lithops.New(lithops.WithStore(store), lithops.WithWorkers(workers))
	if err != nil {
		return 0, 0, err
	}
	defer exec.Close()
	begun, ctx := time.Now(), context.Background()
	items := func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
	futures, err := lithops.Map(ctx, exec, noopByWorkers, items)
	if err != nil {
		return 0, 0, err
	}
	for x, err := range futures.All(ctx) {
		if err != nil {
			return 0, 0, err
		}
		sum += x
	}
	return sum, time.Since(begun), nil
}
