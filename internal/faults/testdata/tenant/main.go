// Tenant is a program that uses the Go API, for the tests of package faults. Its
// argument says what it does.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/lithops-go/lithops"
)

// hold begins a file per call, waits for the file "go", and says its number.
var hold = lithops.Func("hold", func(ctx context.Context, n int) (int, error) {
	f, err := os.OpenFile("began-"+strconv.Itoa(n), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	fmt.Fprintln(f, os.Getpid())
	f.Close()
	for {
		if _, err := os.Stat("go"); err == nil {
			return n * n, nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
})

func main() {
	if os.Getenv("TENANT") == "dumb" && os.Getenv("LITHOPS_WORKER_NUMBER") != "" {
		fmt.Fprintln(os.Stderr, "cannot find libmagic.so.7")
		os.Exit(3)
	}
	lithops.Init()
	what := os.Getenv("TENANT")
	exec, err := lithops.New(lithops.WithWorkers(2))
	if err == nil {
		err = run(what, exec)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("end of main")
}

func run(what string, exec *lithops.Executor) error {
	ctx := context.Background()
	futures, err := lithops.Map(ctx, exec, hold, []int{0, 1, 2})
	if err != nil {
		return err
	}
	fmt.Println(futures.JobID())
	switch what {
	case "wait":
		if err := begun(); err != nil {
			return err
		}
		brief, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		if _, err := futures.Results(brief); !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("waited with a time-out: %v", err)
		}
		if err := os.WriteFile("go", []byte("go"), 0o600); err != nil {
			return err
		}
	case "leave":
		return begun() // without Close
	case "close":
		if err := begun(); err != nil {
			return err
		}
		return exec.Close()
	}
	results, err := futures.Results(ctx)
	if err == nil {
		fmt.Println(results)
	}
	return errors.Join(err, exec.Close())
}

// begun waits until two calls run.
func begun() error {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		_, err0 := os.Stat("began-0")
		_, err1 := os.Stat("began-1")
		if err0 == nil && err1 == nil {
			return nil
		}
	}
	return errors.New("the calls do not begin")
}
