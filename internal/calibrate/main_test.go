//go:build linux

package calibrate

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lithops-go/lithops"
)

// childEnv makes the test binary a task, which does what its argument says,
// calledEnv a program that is called as a function is.
const (
	childEnv  = "LITHOPS_CALIBRATE_CHILD"
	calledEnv = "LITHOPS_CALIBRATE_CALLED"
)

func TestMain(m *testing.M) {
	lithops.Init() // the jobs' workers are this binary too
	if _, ok := os.LookupEnv(childEnv); ok {
		if err := behave(strings.Join(os.Args[1:], " ")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if _, ok := os.LookupEnv(calledEnv); ok {
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Setenv("GORACE", "atexit_sleep_ms=10 "+os.Getenv("GORACE")) // a race binary sleeps a second at its end otherwise
	code := m.Run()
	if testing.Verbose() {
		figures.print(os.Stdout)
	}
	os.Exit(code)
}
