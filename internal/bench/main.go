// Bench compares lithops with other ways to run many short commands, and to call
// a function many times, side by side in one run, and measures what reading a
// large job costs. Figures of different runs, and of different machines, do not
// compare; ratios do.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
		os.Exit(1)
	}
}

// options is how much to measure.
type options struct {
	tasks, calls, rounds, records, jobs, scale, workers int
	sleepers                                            int
	asleep                                              time.Duration
}

// part is one comparison.
type part struct {
	name, doc string
	run       func(b *bench) error
}

var parts = []part{
	{"tasks", "many times true, by lithops and others", tasksPart},
	{"calls", "many calls of a function, by lithops, over plain pipes and by Python's pools", callsPart},
	{"balance", "tasks of very different length, against a greedy schedule", balancePart},
	{"scale", "calls and items by the million: what one more costs, and the memory of the host", scalePart},
	{"records", "tables, pictures and exports of a large job, a list of many", recordsPart},
	{"workers", "many tasks that sleep, each with a worker of its own", workersPart},
	{"start", "one task, and no task at all", startPart},
}

// bench is one run of the program.
type bench struct {
	options
	dir     string // for all it makes; removed at the end
	lithops string // the program
	target  string // true
	out     io.Writer
}

func run(args []string, stdout, stderr io.Writer) error {
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.tasks, "n", 10_000, "number of tasks")
	fs.IntVar(&o.calls, "calls", 100_000, "number of function calls")
	fs.IntVar(&o.rounds, "rounds", 5, "rounds; a figure is the median of its rounds")
	fs.IntVar(&o.records, "records", 1_000_000, "records of the large job")
	fs.IntVar(&o.jobs, "jobs", 1000, "small jobs in the store that is listed")
	fs.IntVar(&o.scale, "scale", 1_000_000, "function calls, and items of commands, of the largest jobs of the part scale")
	fs.IntVar(&o.workers, "workers", 2, "commands, or functions, at a time")
	fs.IntVar(&o.sleepers, "sleepers", 500, "number of tasks that sleep, all at a time")
	fs.DurationVar(&o.asleep, "sleep", 5*time.Second, "the shortest of their sleeps; the longest is twice that")
	smoke := fs.Bool("smoke", false, "only show that it works: few tasks, one round")
	chosen := fs.String("parts", "", "parts to run, separated by commas (default all): "+partNames())
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *smoke {
		o.tasks, o.calls, o.rounds, o.records, o.jobs, o.scale = 200, 2_000, 1, 10_000, 20, 10_000
		o.sleepers, o.asleep = 8, 50*time.Millisecond
	}
	if o.tasks < 1 || o.calls < 1 || o.rounds < 1 || o.records < 1 || o.jobs < 1 || o.scale < 1 || o.workers < 1 || o.sleepers < 1 || o.asleep <= 0 || fs.NArg() > 0 {
		return errors.New("all numbers must be positive, and there are no arguments")
	}
	todo, err := choose(*chosen)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "lithops-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, dir: dir, out: stdout}
	if err := b.prepare(); err != nil {
		return err
	}
	for _, p := range todo {
		b.printf("\n%s: %s\n", p.name, p.doc)
		if err := p.run(b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

func partNames() string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

func choose(names string) (todo []part, err error) {
	if names == "" {
		return parts, nil
	}
next:
	for name := range strings.SplitSeq(names, ",") {
		for _, p := range parts {
			if p.name == name {
				todo = append(todo, p)
				continue next
			}
		}
		return nil, fmt.Errorf("no part %q: there are %s", name, partNames())
	}
	return todo, nil
}

// prepare builds the program and looks at the machine.
func (b *bench) prepare() (err error) {
	if b.target, err = exec.LookPath("true"); err != nil {
		return err
	}
	if b.lithops, err = b.build("lithops", "github.com/lithops-go/lithops/cmd/lithops"); err != nil {
		return err
	}
	b.printf("%s/%s, %d CPUs, %s, %d rounds\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), b.rounds)
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		b.printf("load averages before: %s\n", strings.Join(strings.Fields(string(load))[:3], " "))
	}
	return nil
}

func (b *bench) build(name, pkg string) (path string, err error) {
	path = filepath.Join(b.dir, name)
	out, err := exec.Command("go", "build", "-o", path, pkg).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return path, nil
}

func (b *bench) printf(format string, args ...any) { fmt.Fprintf(b.out, format, args...) }

// file writes a file for a contestant.
func (b *bench) file(name, content string) (path string, err error) {
	path = filepath.Join(b.dir, name)
	return path, os.WriteFile(path, []byte(content), 0o600)
}
