package main

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// balanceWorkers is how many tasks wait at a time. They only wait, so that it does not
// matter how many cores there are.
const balanceWorkers = 8

// mix is a set of tasks of different length.
type mix struct {
	name string
	make func(tasks int, r *rand.Rand) []time.Duration // of so many as option -n says
}

// mixes take two seconds or three each, with as many tasks as there are by default.
var mixes = []mix{
	{"log-normal: median 20 ms, sigma 1.2", func(tasks int, r *rand.Rand) []time.Duration {
		return logNormal(tasks/25, 20*time.Millisecond, 1.2, r)
	}},
	{"log-normal: median 3 ms, sigma 2", func(tasks int, r *rand.Rand) []time.Duration {
		return logNormal(tasks/10, 3*time.Millisecond, 2, r)
	}},
	{"2 ms, a long one in the middle", func(tasks int, _ *rand.Rand) []time.Duration {
		return oneLong(tasks, tasks/10)
	}},
	{"2 ms, a long one at the end", func(tasks int, _ *rand.Rand) []time.Duration {
		return oneLong(tasks, tasks/5)
	}},
}

// logNormal are n lengths with a heavy tail, none longer than a second.
func logNormal(n int, median time.Duration, sigma float64, r *rand.Rand) []time.Duration {
	all := make([]time.Duration, max(1, n))
	for i := range all {
		all[i] = min(time.Second, time.Duration(float64(median)*math.Exp(sigma*r.NormFloat64())))
	}
	return all
}

// oneLong are short tasks, and a thousand times as long a one behind the first so many.
func oneLong(tasks, before int) []time.Duration {
	all := slices.Repeat([]time.Duration{2 * time.Millisecond}, max(1, tasks/5))
	return slices.Insert(all, min(before, len(all)), time.Duration(tasks)*200*time.Microsecond)
}

// balancePart compares with the schedule of someone who has all tasks in one queue and
// gives each to the first worker that is free.
func balancePart(b *bench) error {
	own, err := b.build("callers", "github.com/lithops-go/lithops/internal/bench/calls")
	if err != nil {
		return err
	}
	for i, m := range mixes {
		if err := b.balance(i, m, own); err != nil {
			return err
		}
	}
	return nil
}

// waiters are the ways to have the tasks of one mix done.
type waiters struct {
	items  string // file with their lengths in seconds, one in a line, other in every round
	ideal  []time.Duration
	all    []*contestant
	placed map[*contestant][]schedule // of those that tell, by round
}

func (b *bench) balance(i int, m mix, own string) error {
	w, err := b.waiters(i, own)
	if err != nil {
		return err
	}
	for round := range b.rounds {
		lengths := m.make(b.tasks, rand.New(rand.NewPCG(uint64(round), 0)))
		if err := os.WriteFile(w.items, []byte(seconds(lengths)), 0o600); err != nil {
			return err
		}
		w.ideal = append(w.ideal, greedy(lengths, make([]time.Duration, balanceWorkers)))
		if err := b.contest(1, w.all); err != nil {
			return err
		}
	}
	b.printf("%s, other ones in each of %d rounds; %d at a time\n", m.name, b.rounds, balanceWorkers)
	b.table(w.rows())
	return nil
}

// waiters prepares for a mix; own is the program that uses the Go API.
func (b *bench) waiters(i int, own string) (*waiters, error) {
	dir := filepath.Join(b.dir, "balance-"+strconv.Itoa(i))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	function, data := in("wait.py"), fmt.Sprintf("workers: %d\ndata: {jsonl: items}\n", balanceWorkers)
	python := needs("python3", "-c", "import sys; print(sys.executable)")
	for name, content := range map[string]string{
		function:            "import time\n\n\ndef wait(seconds):\n    time.sleep(seconds)\n",
		in("command.yaml"):  "command: [sleep, '{}']\n" + data,
		in("function.yaml"): fmt.Sprintf("function: %q\nruntime: %q\n", function+":wait", python.path) + data,
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	p, items := strconv.Itoa(balanceWorkers), in("items")
	w := &waiters{items: items, placed: map[*contestant][]schedule{}}
	tells := func(c *contestant) *contestant {
		c.check = func(printed []byte) (time.Duration, error) {
			s, err := b.schedule(string(bytes.TrimSpace(printed)))
			w.placed[c] = append(w.placed[c], s)
			return s.span, err
		}
		return c
	}
	w.all = []*contestant{
		tells(&contestant{name: "lithops, sleep", argv: []string{b.lithops, "run", "--quiet", in("command.yaml")}}),
		tells(b.caller("lithops, Python function", python, nil, b.lithops, "run", "--quiet", in("function.yaml"))),
		tells(&contestant{name: "lithops, Go function", argv: []string{own, "wait", items, p, filepath.Join(b.dir, "store")}}),
		installed(&contestant{name: "xargs -P" + p + " -n1", argv: []string{"xargs", "-P" + p, "-n1", "-a", items, "sleep"}}),
		installed(&contestant{name: "parallel -j" + p, argv: []string{"parallel", "-j" + p, "-a", items, "sleep"}}),
	}
	if _, gnu, err := parallel(); err == nil && !gnu {
		c := w.all[len(w.all)-1]
		c.note, c.argv = "not GNU's", nil
	}
	return w, nil
}

func seconds(lengths []time.Duration) string {
	var s strings.Builder
	for _, l := range lengths {
		fmt.Fprintf(&s, "%.6f\n", l.Seconds())
	}
	return s.String()
}

// schedule is when the tasks of a job were on their workers, and how long the same
// tasks would have taken by the greedy schedule.
type schedule struct {
	span    time.Duration // from the begin of the first to the end of the last
	greedy  time.Duration // with all workers there when the first was
	delayed time.Duration // with each worker there from its first task on
	idle    time.Duration // the longest that a worker had nothing to do before the last task was begun
}

// schedule is that of a job, which is taken out of the store.
func (b *bench) schedule(id string) (schedule, error) {
	s, err := store.Open(filepath.Join(b.dir, "store"))
	if err != nil {
		return schedule{}, err
	}
	j, err := s.Job(id)
	if err != nil {
		return schedule{}, err
	}
	defer os.RemoveAll(j.Dir())
	var all []stats.Record
	for r, err := range j.Records() {
		if err != nil {
			return schedule{}, err
		}
		if r.State != job.Success {
			return schedule{}, fmt.Errorf("task %d: %s %s", r.Task, r.State, r.Error)
		}
		all = append(all, *r)
	}
	return scheduleOf(all), nil
}

func scheduleOf(all []stats.Record) (s schedule) {
	slices.SortFunc(all, func(a, b stats.Record) int { return cmp.Compare(a.Task, b.Task) })
	lengths := make([]time.Duration, len(all))
	for i, r := range all {
		lengths[i] = time.Duration(r.WorkerExec.NS)
	}
	slices.SortFunc(all, func(a, b stats.Record) int { return cmp.Compare(a.WorkerStart.NS, b.WorkerStart.NS) })
	first, last, begun := all[0].WorkerStart.NS, int64(0), all[len(all)-1].WorkerStart.NS
	var free []time.Duration
	ends := map[int64]int64{} // of each worker's task before
	for _, r := range all {
		if end, ok := ends[r.Worker.V]; ok {
			s.idle = max(s.idle, time.Duration(r.WorkerStart.NS-end))
		} else {
			free = append(free, time.Duration(r.WorkerStart.NS-first))
		}
		ends[r.Worker.V] = r.WorkerEnd.NS
		last = max(last, r.WorkerEnd.NS)
	}
	for _, end := range ends {
		s.idle = max(s.idle, time.Duration(begun-end))
	}
	s.span = time.Duration(last - first)
	s.greedy, s.delayed = greedy(lengths, make([]time.Duration, balanceWorkers)), greedy(lengths, free)
	return s
}

// greedy is how long it takes when each task in turn goes to the worker that is free
// first; free is from when on each is.
func greedy(lengths, free []time.Duration) (span time.Duration) {
	free = slices.Clone(free)
	for _, l := range lengths {
		i := 0
		for k, at := range free {
			if at < free[i] {
				i = k
			}
		}
		free[i] += l
		span = max(span, free[i])
	}
	return span
}

func (w *waiters) rows() [][]string {
	rows := [][]string{{"", "first to last", "greedy", "to greedy", "worst", "of it by late workers", "longest idle", "wall", "wall to greedy, nominal"}}
	for _, c := range w.all {
		if c.argv == nil {
			rows = append(rows, []string{c.name, "skipped: " + c.note})
			continue
		}
		var ratios []float64
		for round, ran := range c.costs {
			ratios = append(ratios, ran.wall.Seconds()/w.ideal[round].Seconds())
		}
		total, nominal := secs(median(c.costs, wall)), exactly(median(ratios, same))
		placed := w.placed[c]
		if placed == nil {
			rows = append(rows, []string{c.name, "", "", "", "", "", "", total, nominal})
			continue
		}
		ratios = ratios[:0]
		var late []float64
		for _, s := range placed {
			ratios = append(ratios, s.span.Seconds()/s.greedy.Seconds())
			late = append(late, (s.delayed-s.greedy).Seconds()/s.greedy.Seconds())
		}
		rows = append(rows, []string{c.name,
			secs(median(placed, func(s schedule) time.Duration { return s.span })),
			secs(median(placed, func(s schedule) time.Duration { return s.greedy })),
			exactly(median(ratios, same)), exactly(slices.Max(ratios)), exactly(median(late, same)),
			millis(slices.MaxFunc(placed, func(a, b schedule) int { return cmp.Compare(a.idle, b.idle) }).idle), total, nominal})
	}
	return rows
}

func same(v float64) float64       { return v }
func exactly(ratio float64) string { return fmt.Sprintf("%.3f", ratio) }
