//go:build linux

package faults

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var (
	killsFlag = flag.Int("faults.kills", fewKills, "how many processes TestKills kills; with more than the default other tests are thorough, too")
	seedFlag  = flag.Uint64("faults.seed", 0, "seed of what TestKills does; 0 draws one")
	kindFlag  = flag.String("faults.kind", "", "only this kind of job in TestKills")
	soakFlag  = flag.Duration("faults.soak", 0, "how long TestSoak runs; without it, a few seconds and without a verdict")
)

// fewKills is how many a plain go test makes.
const fewKills = 20

// thorough says that there is time.
func thorough() bool { return *killsFlag > fewKills }

// built holds what the tests build; it is removed at the end.
var built string

func TestMain(m *testing.M) {
	if as := os.Getenv(asEnv); as != "" {
		os.Exit(helper(as, os.Args[1:]))
	}
	os.Exit(tests(m))
}

func tests(m *testing.M) int {
	var err error
	if built, err = os.MkdirTemp("", "lithops-faults-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(built)
	return m.Run()
}

// lithops is the path of the program, built as make build does.
var lithops = sync.OnceValues(func() (string, error) { return build("lithops", "../../cmd/lithops") })

// tenant is the path of a program that uses the Go API.
var tenant = sync.OnceValues(func() (string, error) { return build("tenant", "./testdata/tenant") })

func build(name, source string) (string, error) {
	path := filepath.Join(built, name)
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", path, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", source, err, out)
	}
	return path, nil
}
