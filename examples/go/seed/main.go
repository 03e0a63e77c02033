// Seed is the first example of Lithops' page "Execution stats" in Go: 500 calls
// that take 5 to 10 seconds each, on 50 workers, and two pictures of them in the
// directory plots. It takes about 80 seconds and hardly any CPU.
package main

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"time"

	"github.com/lithops-go/lithops"
)

var myMapFunction = lithops.Func("my_map_function", func(ctx context.Context, x int) (int, error) {
	fmt.Printf("I'm activation number %d\n", lithops.TaskNumber(ctx))
	time.Sleep(time.Duration(5+rand.IntN(6)) * second()) // Do some work...
	return x + 7, nil
})

// second is how long a second takes: less, for who is in a hurry.
func second() time.Duration {
	d, err := time.ParseDuration(os.Getenv("SECOND"))
	if err != nil {
		return time.Second
	}
	return d
}

func main() {
	lithops.Init()
	tasks := flag.Int("tasks", 500, "number of calls")
	workers := flag.Int("workers", 50, "worker processes")
	second := flag.Duration("second", time.Second, "how long a second takes")
	plots := flag.String("plots", "plots", "directory of the pictures")
	flag.Parse()
	if err := run(*tasks, *workers, *second, *plots); err != nil {
		log.Fatal(err)
	}
}

func run(tasks, workers int, second time.Duration, plots string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exec, err := lithops.New(lithops.WithWorkers(workers), lithops.WithName("seed"), lithops.WithEnv(map[string]string{"SECOND": second.String()}))
	if err != nil {
		return err
	}
	defer exec.Close()
	futures, err := lithops.Map(ctx, exec, myMapFunction, count(tasks))
	if err != nil {
		return err
	}
	fmt.Println("job", futures.JobID())
	results, err := futures.Results(ctx)
	if err != nil {
		return err
	}
	fmt.Println(len(results), "results, the last is", results[len(results)-1])
	return exec.Plot(plots)
}

// count is range(n).
func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}
