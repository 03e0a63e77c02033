package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// contestant is a command to measure.
type contestant struct {
	name  string
	note  string
	n     int           // what a run's time is divided by; 0 is 1
	argv  []string      // nil: cannot take part, note says why
	stdin string        // a file, "" for none
	check checker       // nil: nothing to check
	watch func(pid int) // called when it runs, before it is waited for; nil: nobody looks
	costs []cost        // one per round
}

// checker looks at what a run printed. It returns how long the work alone took, by
// the contestant's own clock.
type checker func(printed []byte) (inside time.Duration, err error)

// cost is what one run took, start-up and all children included.
type cost struct {
	wall, cpu time.Duration
	inside    time.Duration // of wall, see checker
	alone     time.Duration // of cpu, of the process itself; 0 where that cannot be told
	peak      int64         // bytes, of the largest process
}

// run runs the command once.
func (c *contestant) run(b *bench) error {
	cmd := exec.Command(c.argv[0], c.argv[1:]...)
	// The user's own configuration must not change what is compared.
	cmd.Env = append(os.Environ(), "HOME="+b.dir, "LITHOPS_STORE="+b.dir+"/store", "LITHOPS_CONFIG_FILE=", "MAKEFLAGS=", "MAKELEVEL=")
	cmd.Dir = b.dir
	var printed, errors bytes.Buffer
	cmd.Stderr = &errors
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if c.stdin != "" {
		f, err := os.Open(c.stdin)
		if err != nil {
			return err
		}
		defer f.Close()
		cmd.Stdin = f
	}
	begun := time.Now()
	var alone time.Duration
	if err = cmd.Start(); err == nil {
		if c.watch != nil {
			c.watch(cmd.Process.Pid)
		}
		printed.ReadFrom(stdout) // to the end of the process, which keeps its figures until it is waited for
		alone = processorTime(cmd.Process.Pid)
		err = cmd.Wait()
	}
	wall := time.Since(begun)
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", c.name, err, errors.Bytes())
	}
	s := cmd.ProcessState
	took := cost{wall: wall, cpu: s.UserTime() + s.SystemTime(), alone: alone, peak: s.SysUsage().(*syscall.Rusage).Maxrss << 10}
	if c.check != nil {
		if took.inside, err = c.check(printed.Bytes()); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	c.costs = append(c.costs, took)
	return nil
}

// processorTime is what a process has used without its children, to a clock tick; 0
// where /proc does not tell.
func processorTime(pid int) time.Duration {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // the name may hold anything
	const tick = time.Second / 100
	ticks := 0
	for i := 11; i < 13 && i < len(fields); i++ { // utime and stime
		n, _ := strconv.Atoi(fields[i])
		ticks += n
	}
	return time.Duration(ticks) * tick
}

// contest lets all run in turn, round after round, so that what the machine does
// besides meets all alike.
func (b *bench) contest(rounds int, all []*contestant) error {
	for range rounds {
		for _, c := range all {
			if c.argv == nil {
				continue
			}
			if err := c.run(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// each is the median over the rounds of what one of the contestant's tasks took.
func (c *contestant) each(of func(cost) time.Duration) time.Duration {
	return median(c.costs, of) / time.Duration(max(1, c.n))
}

func wall(c cost) time.Duration   { return c.wall }
func cpu(c cost) time.Duration    { return c.cpu }
func inside(c cost) time.Duration { return c.inside }

// ratio is the median of the rounds' ratios to another contestant; 0 when either
// did not run.
func (c *contestant) ratio(to *contestant) float64 {
	var all []float64
	for i := range min(len(c.costs), len(to.costs)) {
		own := c.costs[i].wall.Seconds() / float64(max(1, c.n))
		all = append(all, own/(to.costs[i].wall.Seconds()/float64(max(1, to.n))))
	}
	return median(all, func(v float64) float64 { return v })
}

func median[T any, V int64 | float64 | time.Duration](all []T, of func(T) V) V {
	if len(all) == 0 {
		return 0
	}
	values := make([]V, len(all))
	for i, v := range all {
		values[i] = of(v)
	}
	slices.Sort(values)
	mid := len(values) / 2
	if len(values)%2 == 0 {
		return (values[mid-1] + values[mid]) / 2
	}
	return values[mid]
}

// table prints aligned rows, the first of which are the headings.
func (b *bench) table(rows [][]string) {
	w := tabwriter.NewWriter(b.out, 0, 0, 3, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}

func micros(d time.Duration) string { return fmt.Sprintf("%.0f µs", float64(d)/1e3) }
func millis(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }
func secs(d time.Duration) string   { return fmt.Sprintf("%.2f s", d.Seconds()) }
func mib(n int64) string            { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
func times(r float64) string {
	if r == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", r)
}
