package lithops_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"slices"
	"time"

	"github.com/lithops-go/lithops"
)

func ExampleMap() {
	ctx := context.Background()
	exec, err := lithops.New(lithops.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer exec.Close()
	// double is a variable of the package, made by lithops.Func.
	futures, err := lithops.Map(ctx, exec, double, []int{1, 2, 3})
	if err != nil {
		log.Fatal(err)
	}
	results, err := futures.Results(ctx)
	fmt.Println(results, err)
	// Output: [2 4 6] <nil>
}

// The items may be a sequence, which is gone through once.
func ExampleMap_sequence() {
	ctx := context.Background()
	exec, err := lithops.New(lithops.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer exec.Close()
	prices := map[string]int{"apple": 30}
	futures, err := lithops.Map(ctx, exec, double, maps.Values(prices))
	if err != nil {
		log.Fatal(err)
	}
	results, err := futures.Results(ctx)
	fmt.Println(results, err)
	// Output: [60] <nil>
}

func ExampleCallAsync() {
	ctx := context.Background()
	exec, err := lithops.New()
	if err != nil {
		log.Fatal(err)
	}
	defer exec.Close()
	future, err := lithops.CallAsync(ctx, exec, double, 21)
	if err != nil {
		log.Fatal(err)
	}
	result, err := future.Result(ctx)
	fmt.Println(result, err)
	// Output: 42 <nil>
}

func ExampleMapReduce() {
	ctx := context.Background()
	exec, err := lithops.New(lithops.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer exec.Close()
	// sum is a variable of the package, made by lithops.ReduceFunc.
	future, err := lithops.MapReduce(ctx, exec, double, []int{1, 2, 3}, sum)
	if err != nil {
		log.Fatal(err)
	}
	total, err := future.Result(ctx)
	if err != nil {
		log.Fatal(err)
	}
	parts, err := future.Map().Results(ctx)
	fmt.Println(total, "is the sum of", parts, err)
	// Output: 12 is the sum of [2 4 6] <nil>
}

// The results come in the order of the items, each as soon as it is there.
func ExampleFutureList_All() {
	ctx := context.Background()
	exec, err := lithops.New(lithops.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer exec.Close()
	futures, err := lithops.Map(ctx, exec, fails, []string{"fine", "plain"})
	if err != nil {
		log.Fatal(err)
	}
	for result, err := range futures.All(ctx) {
		if failed, ok := errors.AsType[*lithops.TaskError](err); ok {
			fmt.Println("task", failed.Task, "failed:", failed.Message)
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(result)
	}
	// Output:
	// 4
	// task 1 failed: this went wrong
}

func ExampleFutureList_Wait() {
	ctx := context.Background()
	exec, err := lithops.New(lithops.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer exec.Close()
	futures, err := lithops.Map(ctx, exec, double, []int{1, 2, 3})
	if err != nil {
		log.Fatal(err)
	}
	if done, _, err := futures.Wait(ctx, lithops.AnyCompleted); err == nil {
		fmt.Println("at least one:", len(done) >= 1)
	}
	done, notDone, err := futures.Wait(ctx, lithops.AllCompleted)
	fmt.Println(len(done), len(notDone), err)
	// Output:
	// at least one: true
	// 3 0 <nil>
}

func ExampleFuture_Cancel() {
	ctx := context.Background()
	exec, err := lithops.New()
	if err != nil {
		log.Fatal(err)
	}
	defer exec.Close()
	// hold waits for a file, or the end of its context.
	future, err := lithops.CallAsync(ctx, exec, hold, gate{Began: "/dev/null", Go: "/no/such/file"})
	if err != nil {
		log.Fatal(err)
	}
	future.Cancel()
	_, err = future.Result(ctx)
	fmt.Println(errors.Is(err, context.Canceled), future.State())
	// Output: true cancelled
}

func ExampleNew() {
	exec, err := lithops.New(
		lithops.WithName("nightly"),
		lithops.WithWorkers(8),
		lithops.WithTimeout(10*time.Minute),
		lithops.WithRetries(2),
		lithops.WithTolerate(5),
		lithops.WithProgress(func(p lithops.Progress) { fmt.Printf("%d of %d\n", p.Success, p.Tasks) }),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(exec.Close())
	// Output: <nil>
}

func ExampleFuture_Stats() {
	ctx := context.Background()
	exec, err := lithops.New()
	if err != nil {
		log.Fatal(err)
	}
	defer exec.Close()
	future, err := lithops.CallAsync(ctx, exec, double, 3)
	if err != nil {
		log.Fatal(err)
	}
	<-future.Done()
	stats, err := future.Stats()
	if err != nil {
		log.Fatal(err)
	}
	took, ok := stats.Duration("worker_func_exec_time")
	fmt.Println(stats.Get("state"), took > 0, ok)
	fmt.Println(slices.Contains(stats.Keys(), "worker_func_rss"))
	// Output:
	// success true true
	// true
}
