package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lithops-go/lithops/internal/store"
)

// callFiles are functions that do nothing, and what calls them besides lithops.
//
//go:embed calls/*.py calls/*.mjs
var callFiles embed.FS

// ahead is how many calls a process has in its hands where it has more than one.
const ahead = 16

// callers are the contestants that call a function of one language.
type callers struct {
	alone  *contestant // over a pipe, one call at a time: what the others are compared with
	others []*contestant
}

// callsPart calls a function that does nothing many times, by everything there is.
func callsPart(b *bench) error {
	files, err := fs.Sub(callFiles, "calls")
	if err != nil {
		return err
	}
	dir := filepath.Join(b.dir, "calls")
	if err := os.CopyFS(dir, files); err != nil {
		return err
	}
	own, err := b.build("callers", "github.com/lithops-go/lithops/internal/bench/calls")
	if err != nil {
		return err
	}
	n, workers := strconv.Itoa(b.calls), strconv.Itoa(b.workers)
	script := func(name string) string { return filepath.Join(dir, name) }

	python := needs("python3", "-c", "import sys; print(sys.executable)")
	pools := func(name, pool string) *contestant {
		return b.caller(name, python, b.toldSum, python.path, script("pools.py"), pool, n, workers)
	}
	byPython, err := b.byRuntime("Python", own, python, script("loop.py"), script("noop.py"))
	if err != nil {
		return err
	}
	byPython.others = append(byPython.others, pools("Python, multiprocessing.Pool", "multiprocessing"), pools("Python, ProcessPoolExecutor", "futures"))
	byNode, err := b.byRuntime("JavaScript", own, needs("node", "-p", "process.execPath"), script("loop.mjs"), script("noop.mjs"))
	if err != nil {
		return err
	}
	byGo := b.overPipes("Go", own, needed{}, own, "serve")
	jobs := filepath.Join(b.dir, "calls-store")
	byGo.others = append(byGo.others, b.caller("Go, lithops", needed{}, func(printed []byte) (time.Duration, error) {
		defer os.RemoveAll(jobs) // else they fill the disk
		return b.toldSum(printed)
	}, own, "map", n, workers, jobs))

	groups := []*callers{byPython, byNode, byGo}
	var all []*contestant
	for _, g := range groups {
		all = append(append(all, g.alone), g.others...)
	}
	if err := b.contest(b.rounds, all); err != nil {
		return err
	}
	b.printf("%d calls of a function that does nothing, %d processes; all of a program's run counts, its start and end too\n", b.calls, b.workers)
	b.table(callRows(groups))
	return nil
}

// callRows compares each language's contestants with its plain pipe, and with the
// pipe that has calls ahead, the first of the others.
func callRows(groups []*callers) [][]string {
	rows := [][]string{{"", "wall", "per call", "calls/s", "cpu per call", "to pipe", fmt.Sprintf("to pipe, %d ahead", ahead), "calls alone"}}
	for _, g := range groups {
		for _, c := range append([]*contestant{g.alone}, g.others...) {
			if c.argv == nil {
				rows = append(rows, []string{c.name, "skipped: " + c.note})
				continue
			}
			total := median(c.costs, wall)
			rows = append(rows, []string{c.name, secs(total), tenths(c.each(wall)), fmt.Sprintf("%.0f", float64(c.n)/total.Seconds()),
				tenths(c.each(cpu)), times(c.ratio(g.alone)), times(c.ratio(g.others[0])), tenths(c.each(inside))})
		}
	}
	return rows
}

func tenths(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d)/1e3) }

// needed is the program that runs a language's files.
type needed struct {
	path    string
	missing string // why there is none
}

// needs looks for a program and asks it for its own path: what is found may be a
// script that starts it, at a price.
func needs(name string, ask ...string) needed {
	path, err := exec.LookPath(name)
	if err != nil {
		return needed{missing: name + " is not installed"}
	}
	out, err := exec.Command(path, ask...).Output()
	if err != nil {
		return needed{missing: fmt.Sprintf("%s does not start: %v", path, err)}
	}
	return needed{path: strings.TrimSpace(string(out))}
}

// caller is a contestant that makes all the calls, when what it needs is there.
func (b *bench) caller(name string, need needed, check checker, argv ...string) *contestant {
	c := &contestant{name: name, n: b.calls, argv: argv, check: check}
	if need.missing != "" {
		c.note, c.argv = need.missing, nil
	}
	return c
}

// overPipes are the callers of child processes that do nothing else.
func (b *bench) overPipes(language, own string, need needed, child ...string) *callers {
	pipe := func(name string, ahead int) *contestant {
		argv := []string{own, "pipe", strconv.Itoa(b.calls), strconv.Itoa(b.workers), strconv.Itoa(ahead)}
		return b.caller(language+", "+name, need, b.toldSum, append(argv, child...)...)
	}
	return &callers{pipe("pipe", 1), []*contestant{pipe(fmt.Sprintf("pipe, %d ahead", ahead), ahead)}}
}

// byRuntime are the callers of a function in a file that an interpreter runs.
func (b *bench) byRuntime(language, own string, interpreter needed, loop, file string) (*callers, error) {
	spec, err := b.file("calls-"+language+".yaml", fmt.Sprintf("function: %q\nruntime: %q\nworkers: %d\ndata: {range: %d}\n",
		file+":noop", interpreter.path, b.workers, b.calls))
	if err != nil {
		return nil, err
	}
	told := func(printed []byte) (time.Duration, error) { return b.jobSum(printed, b.calls) }
	all := b.overPipes(language, own, interpreter, interpreter.path, loop)
	all.others = append(all.others, b.caller(language+", lithops", interpreter, told, b.lithops, "run", "--quiet", spec))
	return all, nil
}

// toldSum checks the sum of all results, as a contestant prints it, and gives the
// time of the calls alone.
func (b *bench) toldSum(printed []byte) (time.Duration, error) { return toldSum(printed, b.calls) }

func toldSum(printed []byte, n int) (time.Duration, error) {
	var told struct {
		Sum int           `json:"sum"`
		NS  time.Duration `json:"ns"`
	}
	if err := json.Unmarshal(printed, &told); err != nil {
		return 0, err
	}
	return told.NS, checkSum(told.Sum, n)
}

func checkSum(sum, n int) error {
	if want := n * (n - 1) / 2; sum != want {
		return fmt.Errorf("the results' sum is %d, not %d", sum, want)
	}
	return nil
}

// job opens the job whose id lithops has printed.
func (b *bench) job(printed []byte) (*store.Job, error) {
	s, err := store.Open(filepath.Join(b.dir, "store"))
	if err != nil {
		return nil, err
	}
	return s.Job(string(bytes.TrimSpace(printed)))
}

// jobSum does what toldSum does for a job of n calls that lithops has run, and takes the
// job out of the store.
func (b *bench) jobSum(printed []byte, n int) (time.Duration, error) {
	j, err := b.job(printed)
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(j.Dir())
	outputs := j.Outputs()
	defer outputs.Close()
	var result []byte
	sum, first, last := 0, int64(0), int64(0)
	for r, err := range j.Records() {
		if err == nil {
			result, err = outputs.AppendResult(result[:0], r)
		}
		if err != nil {
			return 0, err
		}
		x, err := strconv.Atoi(string(result))
		if err != nil {
			return 0, err
		}
		sum += x
		if first == 0 || r.FuncStart.NS < first {
			first = r.FuncStart.NS
		}
		last = max(last, r.StatusDone.NS)
	}
	return time.Duration(last - first), checkSum(sum, n)
}
