package lithops_test

import (
	"context"
	"fmt"
	"log"

	"github.com/lithops-go/lithops"
)

var myFunction = lithops.Func("my_function", func(_ context.Context, x int) (int, error) {
	return x + 7, nil
})

// The second example of Lithops' page "Execution stats". fmt.Print(stats) shows all
// the statistics, as pprint does there.
func Example_stats() {
	ctx := context.Background()
	exec, err := lithops.New()
	if err != nil {
		log.Fatal(err)
	}
	defer exec.Close()
	future, err := lithops.CallAsync(ctx, exec, myFunction, 3)
	if err != nil {
		log.Fatal(err)
	}
	result, err := future.Result(ctx)
	if err != nil {
		log.Fatal(err)
	}
	stats, err := future.Stats()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result)
	for _, key := range []string{"func_data_size_bytes", "func_result_size", "host_status_query_count", "host_result_query_count", "worker_cold_start"} {
		fmt.Println(key, stats.Get(key))
	}
	// Output:
	// 10
	// func_data_size_bytes 1
	// func_result_size 2
	// host_status_query_count 1
	// host_result_query_count 1
	// worker_cold_start true
}
