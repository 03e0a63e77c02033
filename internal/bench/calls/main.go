// Calls is the Go side of the part calls of the benchmark: it calls a function
// that does nothing, once for each number below N.
//
//	calls pipe N WORKERS AHEAD COMMAND...   by lines of JSON to child processes
//	calls serve                             is such a child
//	calls map N WORKERS STORE               by the Go API of lithops
//	calls stream N WORKERS STORE            by the same, one item and one result at a time
//
// pipe, map and stream print the sum of the results and the nanoseconds of the calls
// alone. For the part balance there is a function that waits:
//
//	calls wait FILE WORKERS STORE           for the seconds in each line of FILE
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/lithops-go/lithops"
)

func main() {
	lithops.Init()
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "calls:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "serve":
		return serve(os.Stdin, os.Stdout)
	case len(args) >= 5 && args[0] == "pipe":
		n, workers, ahead, err := numbers(args[1], args[2], args[3])
		if err != nil {
			return err
		}
		return report(overPipes(n, workers, ahead, args[4:]))
	case len(args) == 4 && (args[0] == "map" || args[0] == "stream"):
		n, workers, _, err := numbers(args[1], args[2], "1")
		if err != nil {
			return err
		}
		if args[0] == "stream" {
			return report(streamed(n, workers, args[3]))
		}
		return report(byLithops(n, workers, args[3]))
	case len(args) == 4 && args[0] == "wait":
		workers, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return wait(args[1], workers, args[3])
	}
	return errors.New("usage: calls pipe N WORKERS AHEAD COMMAND..., calls serve, calls map|stream N WORKERS STORE, or calls wait FILE WORKERS STORE")
}

func numbers(texts ...string) (a, b, c int, err error) {
	for i, to := range []*int{&a, &b, &c} {
		if *to, err = strconv.Atoi(texts[i]); err != nil {
			return 0, 0, 0, err
		}
	}
	return a, b, c, nil
}

func report(sum int, spent time.Duration, err error) error {
	if err == nil {
		_, err = fmt.Printf("{\"sum\": %d, \"ns\": %d}\n", sum, spent)
	}
	return err
}

func noop(x int) int { return x }
