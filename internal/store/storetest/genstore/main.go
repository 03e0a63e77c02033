// Genstore writes synthetic finished jobs into a store, to try out and measure
// what reads them, and prints their ids.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/store/storetest"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "genstore:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	var (
		o      = storetest.Synthetic{Created: time.Now()}
		fs     = flag.NewFlagSet("genstore", flag.ContinueOnError)
		dir    = fs.String("store", "", "directory of the store (needed)")
		kind   = fs.String("kind", "seed", "length of the tasks: seed (seconds) or fast (a millisecond)")
		failed = fs.String("failed", "0%", "share of tasks that fail")
		jobs   = fs.Int("jobs", 1, "number of jobs, a second apart")
		err    error
	)
	fs.IntVar(&o.Tasks, "tasks", 1000, "number of tasks")
	fs.IntVar(&o.Reduces, "reduces", 0, "number of reduce tasks after them, of a job of functions")
	fs.IntVar(&o.Workers, "workers", 8, "number of workers")
	fs.IntVar(&o.Retries, "retries", 0, "further attempts at a task that fails")
	fs.Uint64Var(&o.Seed, "seed", 1, "seed of all that is random")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return fmt.Errorf("-store is missing")
	}
	if o.Failed, err = parsePercent(*failed); err != nil {
		return err
	}
	switch *kind {
	case "seed":
		o.Median, o.Spread = 3*time.Second, 0.5
	case "fast":
		o.Median, o.Spread = time.Millisecond, 0.3
	default:
		return fmt.Errorf("unknown -kind %q", *kind)
	}
	s, err := store.Open(*dir)
	if err != nil {
		return err
	}
	for range *jobs {
		id, err := storetest.Synthesize(s, o)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(stdout, id); err != nil {
			return err
		}
		o.Created = o.Created.Add(time.Second)
	}
	return nil
}

func parsePercent(s string) (float64, error) {
	number, percent := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return 0, fmt.Errorf("-failed %q is no share", s)
	}
	return v, nil
}
