package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/lithops-go/lithops"
)

// waiting is a task that takes the given seconds and no processor.
var waiting = lithops.Func("wait", func(_ context.Context, seconds float64) (int, error) {
	time.Sleep(time.Duration(seconds * 1e9))
	return 0, nil
})

// wait maps waiting over the numbers in a file, one in a line, and prints the job's id.
func wait(file string, workers int, store string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var items []float64
	for _, field := range strings.Fields(string(text)) {
		item, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	exec, err := lithops.New(lithops.WithStore(store), lithops.WithWorkers(workers))
	if err != nil {
		return err
	}
	defer exec.Close()
	futures, err := lithops.Map(context.Background(), exec, waiting, items)
	if err != nil {
		return err
	}
	if _, err := futures.Results(context.Background()); err != nil {
		return err
	}
	_, err = fmt.Println(futures.JobID())
	return err
}
