// Stats is the second example of Lithops' page "Execution stats" in Go: one call,
// and all its statistics.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/lithops-go/lithops"
)

var myFunction = lithops.Func("my_function", func(_ context.Context, x int) (int, error) {
	return x + 7, nil
})

func main() {
	lithops.Init()
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	exec, err := lithops.New()
	if err != nil {
		return err
	}
	defer exec.Close()
	future, err := lithops.CallAsync(ctx, exec, myFunction, 3)
	if err != nil {
		return err
	}
	result, err := future.Result(ctx)
	if err != nil {
		return err
	}
	stats, err := future.Stats()
	if err != nil {
		return err
	}
	fmt.Print(stats)
	took, _ := stats.Duration("worker_func_exec_time")
	fmt.Printf("the result, %d, took %v\n", result, took)
	return nil
}
