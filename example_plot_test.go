package lithops_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/lithops-go/lithops"
)

var myMapFunction = lithops.Func("my_map_function", func(ctx context.Context, x int) (int, error) {
	fmt.Printf("I'm activation number %d\n", lithops.TaskNumber(ctx))
	time.Sleep(time.Duration(5+rand.IntN(6)) * time.Millisecond) // Do some work...
	return x + 7, nil
})

// The first example of Lithops' page "Execution stats", with seconds that take a
// millisecond; in full it is examples/go/seed. Init is called by TestMain here.
func Example_plot() {
	ctx := context.Background()
	exec, err := lithops.New(lithops.WithWorkers(50))
	if err != nil {
		log.Fatal(err)
	}
	defer exec.Close()
	numbers := make([]int, 500)
	for i := range numbers {
		numbers[i] = i
	}
	futures, err := lithops.Map(ctx, exec, myMapFunction, numbers)
	if err != nil {
		log.Fatal(err)
	}
	if err := exec.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	last, err := futures.At(499).Result(ctx)
	fmt.Println(last, err)

	plots, err := os.MkdirTemp("", "plots-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(plots)
	if err := exec.Plot(plots); err != nil {
		log.Fatal(err)
	}
	pictures, err := filepath.Glob(filepath.Join(plots, "*.png"))
	fmt.Println(len(pictures), "pictures", err)
	// Output:
	// 506 <nil>
	// 2 pictures <nil>
}
