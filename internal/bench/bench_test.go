package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/stats"
)

// All parts must go on to work; what they measure here means nothing.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	var out, errs bytes.Buffer
	if err := run([]string{"-smoke"}, &out, &errs); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	for _, want := range []string{"C floor", "lithops", "xargs", "make -j2", "parallel", "spawn: fork until exec", "doorbell: ", "by the records: ", "workers, without the commands", "Python, pipe", "Python, lithops", "Python, multiprocessing.Pool",
		"Python, ProcessPoolExecutor", "JavaScript, pipe, 16 ahead", "JavaScript, lithops", "Go, pipe", "Go, lithops",
		"2 ms, a long one at the end", "lithops, sleep", "lithops, Python function", "lithops, Go function", "xargs -P8", "parallel -j8",
		"Go API", "lithops run, Python", "jsonl", "csv", "range",
		"lithops stats", "lithops plot, both", "lithops stats --json", "lithops stats --csv of 1000 records", "lithops list of 20 jobs", "lithops run, one true",
		"8 tasks that sleep", "ideal", "the last task began"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no line about %s", want)
		}
	}
	t.Log("\n" + out.String())
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"-n", "0"}, {"-calls", "0"}, {"-rounds", "-1"}, {"-jobs", "0"}, {"-scale", "0"}, {"-sleepers", "0"}, {"-sleep", "0s"}, {"-parts", "tasks,nonsense"}, {"more"}, {"-unknown"}} {
		var out, errs bytes.Buffer
		if err := run(args, &out, &errs); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}

func TestCheckedSum(t *testing.T) {
	b := &bench{options: options{calls: 4}}
	took, err := b.toldSum([]byte(`{"sum": 6, "ns": 12}`))
	if err != nil || took != 12 {
		t.Errorf("took %v, %v", took, err)
	}
	for _, printed := range []string{`{"sum": 5, "ns": 12}`, `{"sum": 7, "ns": 12}`, `{}`, ``} {
		if _, err := b.toldSum([]byte(printed)); err == nil {
			t.Errorf("%q is taken", printed)
		}
	}
}

// A language is compared with its own pipe, and what is not there is named.
func TestCallRows(t *testing.T) {
	took := func(name string, wall, alone time.Duration) *contestant {
		return &contestant{name: name, n: 1000, argv: []string{name}, costs: []cost{{wall: wall, cpu: 2 * wall, inside: alone}}}
	}
	b := &bench{options: options{calls: 1000, workers: 2}}
	rows := callRows([]*callers{
		{took("pipe", 20*time.Millisecond, 10*time.Millisecond), []*contestant{took("ahead", 10*time.Millisecond, 0), took("own", 30*time.Millisecond, 0)}},
		b.overPipes("Other", "callers", needed{missing: "other is not installed"}, "loop"),
	})
	for i, want := range []string{
		"pipe|0.02 s|20.0 µs|50000|40.0 µs|1.00|2.00|10.0 µs",
		"ahead|0.01 s|10.0 µs|100000|20.0 µs|0.50|1.00|0.0 µs",
		"own|0.03 s|30.0 µs|33333|60.0 µs|1.50|3.00|0.0 µs",
		"Other, pipe|skipped: other is not installed",
		"Other, pipe, 16 ahead|skipped: other is not installed",
	} {
		if got := strings.Join(rows[i+1], "|"); got != want {
			t.Errorf("row %d is %q, want %q", i+1, got, want)
		}
	}
}

func TestMixes(t *testing.T) {
	for i, want := range []int{400, 1000, 2001, 2001} {
		all := mixes[i].make(10_000, rand.New(rand.NewPCG(1, 0)))
		if longest := slices.Max(all); len(all) != want || longest > 2*time.Second || longest < 200*time.Millisecond {
			t.Errorf("%s: %d tasks, the longest of %v", mixes[i].name, len(all), longest)
		}
		if again := mixes[i].make(10_000, rand.New(rand.NewPCG(1, 0))); !slices.Equal(all, again) {
			t.Errorf("%s: no two are alike", mixes[i].name)
		}
		if few := mixes[i].make(1, rand.New(rand.NewPCG(1, 0))); len(few) < 1 {
			t.Errorf("%s: none of one", mixes[i].name)
		}
	}
	if all := mixes[2].make(10_000, nil); all[1000] != 2*time.Second || all[999] != 2*time.Millisecond {
		t.Errorf("in the middle there are %v", all[998:1002])
	}
	if all := mixes[3].make(10_000, nil); all[2000] != 2*time.Second {
		t.Errorf("at the end there are %v", all[1998:])
	}
}

// The schedule of a job is compared with that of the same lengths, in order of input.
func TestScheduleAgainstGreedy(t *testing.T) {
	const ms = 1_000_000
	var all []stats.Record
	add := func(task, worker int, start, end int64) {
		all = append(all, stats.Record{Task: task, Worker: stats.IntOf(worker), WorkerStart: stats.SecOf(start * ms), WorkerEnd: stats.SecOf(end * ms), WorkerExec: stats.SecOf((end - start) * ms)})
	}
	add(0, 0, 1000, 1010)
	add(2, 1, 1004, 1034) // the second worker came late
	add(1, 0, 1016, 1066) // after six in which it might have begun
	add(3, 1, 1045, 1046) // eleven
	s := scheduleOf(all)
	want := schedule{span: 66 * ms, greedy: 50 * ms, delayed: 54 * ms, idle: 11 * ms}
	if s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
	if got := greedy([]time.Duration{3, 3, 3, 1, 5}, make([]time.Duration, 2)); got != 9 {
		t.Errorf("two workers need %d", got)
	}
	w := &waiters{all: []*contestant{{name: "own", argv: []string{"own"}, costs: []cost{{wall: 120 * ms}}}, {name: "other", note: "not there"}}, ideal: []time.Duration{60 * ms}}
	w.placed = map[*contestant][]schedule{w.all[0]: {s}}
	rows := w.rows()
	if got := strings.Join(rows[1], "|"); got != "own|0.07 s|0.05 s|1.320|1.320|0.080|11.0 ms|0.12 s|2.000" || rows[2][1] != "skipped: not there" {
		t.Errorf("%q, %q", got, rows[2])
	}
}

// The steps of a worker are summed up; the host's is another process's.
func TestStepRows(t *testing.T) {
	costs := parseSteps(`goos: linux
BenchmarkTaskPrepare-2    	    2000	      1090 ns/op
BenchmarkTaskMeasure-2    	    2000	      1908 ns/op	 12 B/op
BenchmarkTaskReap-2       	    2000	      8002 ns/op
BenchmarkTaskRecord    	    2000	      6000.4 ns/op
BenchmarkTaskDoorbell-2   	    2000	       100 ns/op
BenchmarkTaskHost-16   	   10000	      1616 ns/op
BenchmarkTaskOther-16   	   10000	      1616 MB/s
PASS
`)
	if len(costs) != len(steps) {
		t.Errorf("costs %v", costs)
	}
	var got []string
	for _, row := range stepRows(costs, 20*time.Microsecond)[1:] {
		got = append(got, strings.TrimSuffix(strings.Fields(row[0])[0], ":")+" "+row[1])
	}
	want := []string{"prepare 1.1 µs", "measure 1.9 µs", "reap 8.0 µs", "record 6.0 µs", "doorbell 0.1 µs", "sum 17.1 µs", "by 20.0 µs", "host 1.6 µs"}
	if !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
	rows := processorRows(900*time.Microsecond, 20*time.Microsecond, 700*time.Microsecond)
	if rows[1][1] != "20.0 µs" || rows[2][1] != "180.0 µs" || processorRows(9, 0, 7)[2][1] != "-" {
		t.Errorf("%q", rows)
	}
}

func TestMedianAndRatio(t *testing.T) {
	a := &contestant{n: 10, costs: []cost{{wall: 30 * time.Second}, {wall: 10 * time.Second}, {wall: 20 * time.Second}}}
	b := &contestant{n: 5, costs: []cost{{wall: 10 * time.Second}, {wall: 10 * time.Second}, {wall: 5 * time.Second}}}
	if got := a.each(wall); got != 2*time.Second {
		t.Errorf("each is %v", got)
	}
	// Of the rounds' ratios 1.5, 0.5 and 2, not of the medians.
	if got := a.ratio(b); got != 1.5 {
		t.Errorf("ratio is %v", got)
	}
	if got := a.ratio(&contestant{}); got != 0 {
		t.Errorf("ratio to nothing is %v", got)
	}
	if got := median([]int64{4, 1, 3, 2}, func(v int64) int64 { return v }); got != 2 {
		t.Errorf("median is %v", got)
	}
}

// The largest jobs are compared with those of a thousandth and of a tenth of their size.
func TestGrowth(t *testing.T) {
	took := func(n int, wall, cpu time.Duration, peak int64) *scaled {
		return &scaled{n: n, costs: []cost{{wall: wall, cpu: cpu, peak: peak}}}
	}
	rows := growthRows([]*series{
		{"some", []*scaled{took(1, 10*time.Millisecond, 20*time.Millisecond, 1), took(1000, 20*time.Millisecond, 30*time.Millisecond, 1),
			took(100_000, time.Second, time.Second, 10), took(1_000_000, 15*time.Second, 20*time.Second, 11)}},
		{"few", []*scaled{took(1, 1, 1, 0), took(1, 1, 1, 0), took(1, 1, 1, 0), took(1, 1, 1, 0)}},
	})
	for i, want := range []string{"some|1000000 to 1000|0.75|0.67|1.50|2.00|1.10", "few|1 to 1|1.00|1.00|-|-|-"} {
		if got := strings.Join(rows[i+1], "|"); got != want {
			t.Errorf("row %d is %q, want %q", i+1, got, want)
		}
	}
}

// What /proc tells of a process stands until that is waited for.
func TestFollow(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("there is no /proc")
	}
	cmd := exec.Command("sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; exec sleep 0.05")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var p process
	p.follow(cmd.Process.Pid)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if d := used - p.cpu; !p.seen || d < -20*time.Millisecond || d > 40*time.Millisecond {
		t.Errorf("seen %v, CPU time %v, the system says %v", p.seen, p.cpu, used)
	}
	if p.peak <= 0 {
		t.Errorf("peak memory is %d", p.peak)
	}
	p.follow(1 << 30)
	if p != (process{}) {
		t.Errorf("of a process that is not there it says %+v", p)
	}
}
