package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lithops-go/lithops/internal/job"
)

// scaled is a job of some size, run once each round.
type scaled struct {
	n     int
	argv  []string
	code  int // how the program ends
	check func(printed []byte) (inside time.Duration, err error)
	costs []cost // peak is that of the host alone; 0 where the system does not tell
}

// series is one kind of job in all its sizes, growing.
type series struct {
	name string
	jobs []*scaled
}

// scalePart looks whether a task costs as much among very many as among few, and whether
// the host's memory grows with them.
func scalePart(b *bench) error {
	own, err := b.build("callers", "github.com/lithops-go/lithops/internal/bench/calls")
	if err != nil {
		return err
	}
	calls, err := b.scaledCalls(own)
	if err != nil {
		return err
	}
	inputs, err := b.scaledInputs()
	if err != nil {
		return err
	}
	for range min(b.rounds, 3) {
		for _, s := range append(calls, inputs...) {
			for _, j := range s.jobs {
				runs := 1
				if j.n <= b.scale/100 {
					runs = 5 // these are short, and differ much
				}
				for range runs {
					if err := b.runScaled(j); err != nil {
						return fmt.Errorf("%s, %d tasks: %w", s.name, j.n, err)
					}
				}
			}
		}
	}
	b.printf("calls of a function that does nothing, %d processes; peak memory is that of the host process alone\n", b.workers)
	b.table(scaleRows(calls))
	b.printf("\nthe cost of a call among very many, to that among few: of all there is to pay, and without what a job of\n%d calls costs, which is to start and to end\n", b.workers)
	b.table(growthRows(calls))
	b.printf("\nitems of commands: time to put one into the store, of a job that is ended when its first tasks have run\n")
	b.table(inputRows(inputs))
	return nil
}

// sizes are one task for each process, and n in four steps.
func (b *bench) sizes(n int) []int {
	return []int{b.workers, max(1, n/1000), max(1, n/100), max(1, n/10), n}
}

// scaledCalls are jobs of calls: by the Go API, and by lithops run in Python.
func (b *bench) scaledCalls(own string) ([]*series, error) {
	byGo, byPython := &series{name: "Go API"}, &series{name: "lithops run, Python"}
	for i, n := range b.sizes(b.scale) {
		jobs := filepath.Join(b.dir, "scale-store")
		byGo.jobs = append(byGo.jobs, &scaled{n: n, argv: []string{own, "stream", strconv.Itoa(n), strconv.Itoa(b.workers), jobs},
			check: func(printed []byte) (time.Duration, error) {
				defer os.RemoveAll(jobs) // else they fill the disk
				return toldSum(printed, n)
			}})
		file, err := callFiles.ReadFile("calls/noop.py")
		if err != nil {
			return nil, err
		}
		if _, err = b.file("scale.py", string(file)); err != nil {
			return nil, err
		}
		spec, err := b.file(fmt.Sprintf("scale-%d.yaml", i), fmt.Sprintf("function: scale.py:noop\nworkers: %d\ndata: {range: %d}\n", b.workers, n))
		if err != nil {
			return nil, err
		}
		byPython.jobs = append(byPython.jobs, &scaled{n: n, argv: []string{b.lithops, "run", "--quiet", spec},
			check: func(printed []byte) (time.Duration, error) { return b.jobSum(printed, n) }})
	}
	if python := needs("python3", "--version"); python.missing != "" {
		b.printf("%s: skipped: %s\n", byPython.name, python.missing)
		return []*series{byGo}, nil
	}
	return []*series{byGo, byPython}, nil
}

// scaledInputs are jobs of commands with items from each source that is read as a stream.
func (b *bench) scaledInputs() (all []*series, err error) {
	lines := func(i int) string { return fmt.Sprintf("item-%d\n", i) }
	sources := []struct {
		name, data, head string
		line             func(i int) string
	}{
		{"jsonl", "jsonl: %s", "", func(i int) string { return fmt.Sprintf("{\"n\": %d, \"name\": \"item-%d\"}\n", i, i) }},
		{"csv", "csv: %s", "n,name\n", func(i int) string { return fmt.Sprintf("%d,item-%d\n", i, i) }},
		{"lines", "lines: %s", "", lines},
		{"range", "range: %s", "", nil},
	}
	for _, source := range sources {
		s := &series{name: source.name}
		for _, n := range []int{max(1, b.scale/10), b.scale} {
			from := strconv.Itoa(n)
			if source.line != nil {
				from = fmt.Sprintf("scale-%d.%s", n, source.name)
				var text strings.Builder
				text.WriteString(source.head)
				for i := range n {
					text.WriteString(source.line(i))
				}
				if _, err = b.file(from, text.String()); err != nil {
					return nil, err
				}
			}
			spec, err := b.file(fmt.Sprintf("scale-%s-%d.yaml", source.name, n), fmt.Sprintf("command: [%q, \"{}\"]\nworkers: %d\nmax_time: 500ms\ndata: {%s}\n",
				b.target, b.workers, fmt.Sprintf(source.data, from)))
			if err != nil {
				return nil, err
			}
			s.jobs = append(s.jobs, &scaled{n: n, code: 1, argv: []string{b.lithops, "run", "--quiet", spec},
				check: func(printed []byte) (time.Duration, error) { return b.staging(printed, n) }})
		}
		all = append(all, s)
	}
	return all, nil
}

// staging is how long the n items of a job took into the store, which has to have all of
// them, and to have run some. It takes the job out of the store.
func (b *bench) staging(printed []byte, n int) (time.Duration, error) {
	j, err := b.job(printed)
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(j.Dir())
	m := j.Manifest
	if m.Ended == nil || m.Tasks != n || m.Ended.Counts[job.Success] == 0 {
		return 0, fmt.Errorf("job of %d tasks, not %d, ended %+v", m.Tasks, n, m.Ended)
	}
	return time.Duration(m.SerializeNS + m.DataUploadNS), nil
}

// runScaled runs a job once.
func (b *bench) runScaled(j *scaled) error {
	cmd := exec.Command(j.argv[0], j.argv[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+b.dir, "LITHOPS_STORE="+b.dir+"/store", "LITHOPS_CONFIG_FILE=")
	cmd.Dir = b.dir
	var printed, failures bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &failures
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	peak := watchPeak(cmd.Process.Pid)
	err := cmd.Wait()
	took := cost{wall: time.Since(begun), peak: <-peak}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == j.code {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, failures.Bytes())
	}
	took.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if took.inside, err = j.check(printed.Bytes()); err != nil {
		return fmt.Errorf("%w\n%s", err, failures.Bytes())
	}
	j.costs = append(j.costs, took)
	return nil
}

// watchPeak looks at a process's peak memory until it ends, every few milliseconds. (What
// the system says when it is waited for may be the peak of a child, or of this program.)
func watchPeak(pid int) <-chan int64 {
	peak := make(chan int64, 1)
	go func() {
		last := int64(0)
		for {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			_, from, ok := strings.Cut(string(status), "VmHWM:")
			if err != nil || !ok {
				peak <- last << 10
				return
			}
			fmt.Sscan(from, &last)
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return peak
}

func hostPeak(c cost) int64 { return c.peak }

func scaleRows(all []*series) [][]string {
	rows := [][]string{{"", "calls", "calls/s", "per call", "calls alone", "cpu per call", "peak memory"}}
	for _, s := range all {
		for _, j := range s.jobs {
			each := func(of func(cost) time.Duration) string { return tenths(median(j.costs, of) / time.Duration(j.n)) }
			rows = append(rows, []string{s.name, strconv.Itoa(j.n), fmt.Sprintf("%.0f", float64(j.n)/median(j.costs, wall).Seconds()),
				each(wall), each(inside), each(cpu), mib(median(j.costs, hostPeak))})
		}
	}
	return rows
}

// growthRows compares the last size of each series with the second, a thousandth of it. The
// first is what there is to pay to start and to end.
func growthRows(all []*series) [][]string {
	rows := [][]string{{"", "calls", "wall", "cpu", "wall without start", "cpu", "peak memory to a tenth of the calls"}}
	for _, s := range all {
		start, few, most := s.jobs[0], s.jobs[1], s.jobs[len(s.jobs)-1]
		over := func(of func(cost) time.Duration) string {
			at := func(j *scaled) float64 { return float64(median(j.costs, of)) / float64(j.n) }
			return ratio(at(most), at(few))
		}
		without := func(of func(cost) time.Duration) string {
			at := func(j *scaled) float64 {
				return float64(median(j.costs, of)-median(start.costs, of)) / float64(j.n-start.n)
			}
			return ratio(at(most), at(few))
		}
		tenth := s.jobs[len(s.jobs)-2]
		rows = append(rows, []string{s.name, fmt.Sprintf("%d to %d", most.n, few.n), over(wall), over(cpu), without(wall), without(cpu),
			ratio(float64(median(most.costs, hostPeak)), float64(median(tenth.costs, hostPeak)))})
	}
	return rows
}

// ratio is a/b, where both say something.
func ratio(a, b float64) string {
	if a > 0 && b > 0 {
		return times(a / b)
	}
	return "-"
}

func inputRows(all []*series) [][]string {
	rows := [][]string{{"", "items", "staging", "per item", "peak memory", "to a tenth"}}
	for _, s := range all {
		for i, j := range s.jobs {
			to := ""
			if i > 0 {
				to = ratio(float64(median(j.costs, hostPeak)), float64(median(s.jobs[i-1].costs, hostPeak)))
			}
			took := median(j.costs, inside)
			rows = append(rows, []string{s.name, strconv.Itoa(j.n), secs(took), fmt.Sprintf("%.2f µs", float64(took)/1e3/float64(j.n)), mib(median(j.costs, hostPeak)), to})
		}
	}
	return rows
}
