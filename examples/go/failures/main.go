// Failures shows what becomes of calls that go wrong: an error, a panic, a call
// that takes too long, and one that works when it is tried again.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/lithops-go/lithops"
)

var risky = lithops.Func("risky", func(ctx context.Context, what string) (string, error) {
	switch what {
	case "error":
		_, err := os.ReadFile("/no/such/file")
		return "", err
	case "panic":
		var letters []string
		fmt.Println(letters[len(what)])
	case "slow":
		<-ctx.Done() // work that minds its context
		return "", ctx.Err()
	case "flaky":
		// The first try leaves a file that the second one finds.
		f, err := os.OpenFile(filepath.Join(os.Getenv("SCRATCH"), "tried"), os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			f.Close()
			return "", errors.New("not this time")
		}
	}
	return what + " is done", nil
})

func main() {
	lithops.Init()
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	scratch, err := os.MkdirTemp("", "failures-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	exec, err := lithops.New(
		lithops.WithTimeout(500*time.Millisecond),
		lithops.WithRetries(1),
		lithops.WithBackoff(10*time.Millisecond, time.Second),
		lithops.WithEnv(map[string]string{"SCRATCH": scratch}),
	)
	if err != nil {
		return err
	}
	defer exec.Close()
	items := []string{"fine", "error", "panic", "slow", "flaky"}
	futures, err := lithops.Map(ctx, exec, risky, items)
	if err != nil {
		return err
	}
	for i, future := range futures.Futures() {
		result, err := future.Result(ctx)
		switch failed, ok := errors.AsType[*lithops.TaskError](err); {
		case err == nil:
			fmt.Printf("%s: %s\n", items[i], result)
		case !ok:
			return err // not the call's fault
		case failed.Traceback != "":
			fmt.Printf("%s: %s\n%.200s...\n", items[i], failed.Message, failed.Traceback)
		default:
			fmt.Printf("%s: %s after %d attempts: %s\n", items[i], failed.State, failed.Attempt, failed.Message)
		}
	}
	return nil
}
