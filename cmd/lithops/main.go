// Command lithops maps a command over many inputs on a pool of worker processes,
// keeps statistics of every task, and shows them as tables, JSON and pictures.
package main

import (
	"context"
	"io"
	"os"

	"github.com/lithops-go/lithops"
	_ "github.com/lithops-go/lithops/internal/worker/first"
)

func main() {
	lithops.Init() // does not return in a worker
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes the command line args and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootCommand(&app{stdin: stdin, stdout: stdout, stderr: stderr})
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	report(stderr, err)
	return exitCode(err)
}
