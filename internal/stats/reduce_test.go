package stats

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
)

// reduced is the record of an attempt at a reduce task, see ran.
func reduced(task, try int, state job.State, worker, submit, start, startup, exec, upload, fetch int) *Record {
	r := ran(task, try, state, worker, submit, start, startup, exec, upload, fetch)
	r.Stage = StageReduce
	return r
}

// mapReduce has three map tasks on two workers and a reduce task.
func mapReduce() (JobInfo, []*Record) {
	info := JobInfo{ID: "j", State: "done", Created: created, Ended: created + 552_000_000, Workers: 2}
	records := []*Record{ran(0, 1, job.Success, 0, 0, 10, 2, 100, 3, 1), ran(1, 1, job.Success, 1, 0, 10, 2, 200, 3, 1),
		ran(2, 1, job.Success, 0, 0, 120, 2, 80, 3, 1), reduced(3, 1, job.Success, 0, 230, 240, 2, 300, 3, 2)}
	for _, r := range records[:3] {
		r.Stage = StageMap
	}
	return info, records
}

// unreduced is the same job, of which a map task failed, so that the reduce was not run.
func unreduced() (JobInfo, []*Record) {
	info, records := mapReduce()
	info.State = "failed"
	records[2].State, records[2].ErrorType, records[2].Error = job.Error, "ValueError", "no such luck"
	records[3] = &Record{Task: 3, State: job.New, Stage: StageReduce}
	return info, records
}

func TestSummaryOfMapAndReduce(t *testing.T) {
	info, records := mapReduce()
	s := summarize(info, 4, records)
	r := s.Reduce
	if s.Tasks != 4 || s.Maps != 3 || s.Attempts != 4 || s.States[job.Success] != 4 || r == nil || r.Tasks != 1 || r.Attempts != 1 ||
		r.States[job.Success] != 1 || len(r.States) != len(s.States) || r.NotRun() || r.Start != at(240) {
		t.Fatalf("%+v, reduce %+v", s, r)
	}
	// The spreads are those of the map alone, what the workers did is of both.
	running := s.Phases.Running
	if running.Dist != (Dist[Sec]{3, ms(80), ms(100), SecOf(126_666_667), ms(200), ms(200), ms(200)}) || running.Total != ms(380) || s.Phases.Waiting.Max != ms(120) ||
		s.CPUUser.Total != ms(190) || s.PeakMemory.Max != IntOf(200<<10) {
		t.Errorf("map: %+v", s.Spreads)
	}
	if r.Phases.Running.Total != ms(300) || r.Phases.Waiting.Max != ms(10) || r.CPUUser.Total != ms(150) || r.PeakMemory.Max != IntOf(300<<10) {
		t.Errorf("reduce: %+v", r.Spreads)
	}
	// From the first start to the end 542 ms; busy 110 + 210 + 90 + 310 ms.
	if s.Wall != ms(552) || s.WorkerTime.Running != ms(680) || s.WorkerTime.Busy != ms(720) || s.WorkerTime.Idle != ms(2*552-720) ||
		!near(s.Utilisation, 100*720.0/1084) || !near(s.SpeedUp, 680.0/552) || !near(s.Cores, (340+68)/552.0) {
		t.Errorf("wall %v, %+v, utilisation %v, speed-up %v, cores %v", s.Wall, s.WorkerTime, s.Utilisation, s.SpeedUp, s.Cores)
	}
	if !near(running.Share, 100*380.0/1104) || !near(r.Phases.Running.Share, 100*300.0/1104) {
		t.Errorf("shares %v and %v", running.Share, r.Phases.Running.Share)
	}
	if s.Slowest[0].Task != 3 || s.Slowest[0].Stage != StageReduce || s.Slowest[1].Stage != StageMap {
		t.Errorf("slowest %+v", s.Slowest)
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"tasks":4,"map_tasks":3,`, `"phases":{"waiting":{"measured":3,`, `"reduce":{"tasks":1,"states":{"cancelled":0,`, `"stage":"reduce"`, `"end_reason":null`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in\n%s", want, b)
		}
	}
	back := new(Summary)
	if err := json.Unmarshal(b, back); err != nil || !reflect.DeepEqual(back, s) {
		t.Errorf("%v, read back\n%+v\nwant\n%+v", err, back, s)
	}
}

func TestSummaryOfReduceThatWasNotRun(t *testing.T) {
	info, records := unreduced()
	s := summarize(info, 4, records)
	if !s.Reduce.NotRun() || len(s.Warnings) != 0 || !s.Utilisation.OK || !s.WorkerTime.Idle.OK || s.Done() != 3 || len(s.Failures) != 1 || s.Failures[0].Example() != "task 2" {
		t.Errorf("%+v", s)
	}
	records[1] = &Record{Task: 1, State: job.New, Stage: StageMap}
	if s := summarize(info, 4, records); !s.Utilisation.OK || len(s.Warnings) != 1 || s.Warnings[0] != "2 of 4 tasks did not end" {
		t.Errorf("map not ended: %+v", s.Warnings)
	}
}

func TestFailuresOfMapAndReduceAreApart(t *testing.T) {
	var records []*Record
	for i := range 4 {
		r := ran(i, 1, job.Error, 0, 0, 10*i, 0, 5, 0, 0)
		if r.ErrorType, r.Error = "ValueError", "bad"; i >= 2 {
			r.Stage = StageReduce
		}
		records = append(records, r)
	}
	s := summarize(JobInfo{}, 4, records)
	if len(s.Failures) != 2 || s.Failures[0].Count != 2 || s.Failures[1].Count != 2 || s.Failures[0].Example() != "task 0" || s.Failures[1].Example() != "reduce task 2" {
		t.Errorf("%+v", s.Failures)
	}
}

// shortCalls are n calls of 200 ns of a warm function on two workers, each of which
// started one runtime; the worker took 600 ns more for each.
func shortCalls(n int) (JobInfo, []*Record) {
	rng := rand.New(rand.NewPCG(1, 2))
	var records []*Record
	free := [2]int64{created + 1e6, created + 1e6}
	for i := range n {
		w := i % 2
		exec := int64(120 + rng.IntN(160))
		r := &Record{Task: i, Attempt: 1, State: job.Success, Stage: StageMap, Worker: IntOf(w), WorkerHostname: "alpha", WorkerColdStart: BoolOf(i < 2),
			HostSubmit: SecOf(created + 500_000), WorkerStart: SecOf(free[w]), CPUUser: SecOf(0), CPUSystem: SecOf(0), ResultSize: IntOf(2), ResultUpload: SecOf(100)}
		start := free[w] + 300
		if i < 2 {
			r.FuncStartup = ms(15)
			start += 15e6
		}
		r.FuncStart, r.FuncEnd = SecOf(start), SecOf(start+exec)
		r.WorkerEnd, r.StatusDone = SecOf(start+exec+400), SecOf(start+exec+400+3e6)
		r.Derive()
		free[w] = r.WorkerEnd.NS
		records = append(records, r)
	}
	return JobInfo{ID: "j", State: "done", Created: created, Workers: 2}, records
}

// TestSummaryOfShortCalls sees to it that a warm call has no start-up at all, and
// that the worker's own time is not taken for it.
func TestSummaryOfShortCalls(t *testing.T) {
	info, records := shortCalls(10_000)
	s := summarize(info, len(records), records)
	if p := s.Phases; p.Starting.Measured != 2 || p.Starting.Total != ms(30) || p.Overhead.Median != SecOf(600) || p.Running.Median.NS < 150 || p.Running.Median.NS > 250 {
		t.Errorf("%+v", s.Phases)
	}
	if s.WorkerTime.Starting != ms(30) || s.WorkerTime.Overhead != SecOf(600*10_000) || s.ColdStarts != IntOf(2) || s.WorkerTime.Discarded != SecOf(0) {
		t.Errorf("%+v", s.WorkerTime)
	}
	if !near(s.Cores, 0) || !s.SpeedUp.OK || s.Throughput.V < 100_000 {
		t.Errorf("cores %v, speed-up %v, %v tasks/s", s.Cores, s.SpeedUp, s.Throughput)
	}
}

// TestSummaryOfCallsSentAhead has a worker with two calls at a time: it cannot be
// busier than all the time.
func TestSummaryOfCallsSentAhead(t *testing.T) {
	var records []*Record
	for i := range 10 {
		r := ran(i, 1, job.Success, 0, 0, 10*i, 0, 8, 1, 0)
		r.FuncStartup, r.WorkerEnd, r.WorkerExec = Sec{}, at(10*i+20), ms(20)
		records = append(records, r)
	}
	s := summarize(JobInfo{Created: created, Workers: 1}, 10, records)
	w := WorkerTime{Available: ms(110), Busy: ms(110), Running: ms(80), Uploading: ms(10), Overhead: ms(20), Idle: ms(0), Discarded: ms(0)}
	if s.WorkerTime != w || !near(s.Utilisation, 100) || s.Phases.Overhead.Share.OK || s.Phases.Overhead.Total != ms(110) || !near(s.Phases.Running.Share, 800.0/11) {
		t.Errorf("%+v, utilisation %v, overhead %+v", s.WorkerTime, s.Utilisation, s.Phases.Overhead)
	}
}

func TestSummaryOfNoTimeAtAll(t *testing.T) {
	r := &Record{Attempt: 1, State: job.Success, Worker: IntOf(0), HostSubmit: at(0), WorkerStart: at(0), FuncStart: at(0), FuncEnd: at(0), WorkerEnd: at(0),
		StatusDone: at(0), CPUUser: SecOf(0), CPUSystem: SecOf(0)}
	r.Derive()
	s := summarize(JobInfo{Created: created, Workers: 1}, 1, []*Record{r})
	if s.Wall != SecOf(0) || s.Throughput.OK || s.SpeedUp.OK || s.Utilisation.OK || s.Cores.OK || s.Phases.Running.Share.OK || r.TaskCPUPercent.OK {
		t.Errorf("%+v", s)
	}
	if text := table(t, s, 0); !strings.Contains(text, "speed        - tasks/s   speed-up -   cores used -\n") || !strings.Contains(text, "running      0 s      -\n") {
		t.Errorf("%s", text)
	}
}

func TestColumnsOfMapAndReduce(t *testing.T) {
	_, records := unreduced()
	for _, backwards := range []bool{false, true} {
		c := NewColumns("j", "", time.Unix(0, created), 4)
		if c.Maps != 4 {
			t.Errorf("%d map tasks at first", c.Maps)
		}
		c.Started = make([]bool, 4)
		records[1].FuncStartup = Sec{} // a warm call
		for i := range records {
			r := new(Record)
			if backwards {
				i = len(records) - 1 - i
			}
			if err := ParseKeys(AppendJSON(nil, records[i]), r, ColumnKeys()); err != nil {
				t.Fatal(err)
			}
			c.Add(r)
		}
		if c.Maps != 3 || !reflect.DeepEqual(c.Started, []bool{true, false, true, false}) || c.WorkerEnd[0] == Null || c.Worker[3] != -1 {
			t.Errorf("%+v", c)
		}
	}
}

func TestCPUPercentOfCalls(t *testing.T) {
	call := Record{FuncStartup: ms(900), FuncStart: at(1000), FuncEnd: at(1100), CPUUser: ms(40), CPUSystem: ms(10)}
	process := call
	process.ExitCode = IntOf(0)
	killed := call
	killed.Signal = "SIGKILL"
	for want, r := range map[float64]*Record{50: &call, 5: &process} {
		if r.Derive(); r.TaskCPUPercent != FloatOf(want) {
			t.Errorf("%v, want %v", r.TaskCPUPercent, want)
		}
	}
	if killed.Derive(); killed.TaskCPUPercent != FloatOf(5) {
		t.Errorf("%v of a killed process", killed.TaskCPUPercent)
	}
}

func TestTableOfMapAndReduce(t *testing.T) {
	info, records := mapReduce()
	oneInfo, one := mapReduce()
	one[3].Task = 1
	notRunInfo, notRun := unreduced()
	failed := summarize(notRunInfo, 4, notRun)
	failed.Reason = "1 of 3 map tasks failed, so the reduce was not run"
	notRunInfo.Now = created + 1_000_000_000
	_, many := mapReduce()
	many = append(many, reduced(4, 1, job.Success, 1, 230, 240, 2, 100, 3, 2), reduced(5, 1, job.Error, 1, 230, 350, 2, 100, 3, 2))
	many[5].ErrorType, many[5].Error = "ValueError", "bad group"
	for _, r := range many[3:] { // as of functions that needed less than others before
		r.TaskPeakMemory, r.PeakMemoryEnd = Int{}, IntOf(20<<20)
	}
	callInfo, calls := shortCalls(10_000)
	for _, c := range []struct {
		name    string
		summary *Summary
		width   int
		want    []string // parts, in their order
	}{
		{"one reduce task", summarize(info, 4, records), 100, []string{`
tasks        4 (3 map, 1 reduce)   success 4
attempts     4   tasks retried 0   cold starts 2
speed        7.25 tasks/s   speed-up 1.23   cores used 0.739
workers      2   utilisation 66.4 %   running 61.6 %   idle 34.8 %   overhead 1.8 %
             uploading 1.1 %   starting 0.7 %
reduce       1 task   success 1   began after 240 ms   running 300 ms   share 27.2 %   cpu 180 ms
             peak memory 300 KiB

per map task       min   median     mean      p95      p99      max    total   share  measured
waiting        10.0 ms  10.0 ms  46.7 ms   120 ms   120 ms   120 ms   140 ms               all
starting       2.00 ms  2.00 ms  2.00 ms  2.00 ms  2.00 ms  2.00 ms  6.00 ms   0.5 %       all
running        80.0 ms   100 ms   127 ms   200 ms   200 ms   200 ms   380 ms  34.4 %       all
`, `
slowest task  stage   attempt  state    worker  running      cpu  peak memory
           3  reduce        1  success       0   300 ms   180 ms      300 KiB
           1  map           1  success       1   200 ms   120 ms      200 KiB
`}},
		{"narrow", summarize(info, 4, records), 60, []string{`
reduce       1 task   success 1   began after 240 ms
             running 300 ms   share 27.2 %   cpu 180 ms
             peak memory 300 KiB
`, `
slowest task  stage   state    running      cpu  peak memory
           3  reduce  success   300 ms   180 ms      300 KiB
`}},
		{"one of each", summarize(oneInfo, 2, []*Record{one[0], one[3]}), 0, []string{`
the map task           share
waiting       10.0 ms
starting      2.00 ms  0.2 %
`}},
		{"not run", failed, 60, []string{`
tasks        4 (3 map, 1 reduce)   ended 3 (75.0 %)
             success 2   error 1   new 1
ended early  1 of 3 map tasks failed, so the reduce was not
             run
`, `
reduce       1 task   not run
`, `
failed tasks  state  cause       example
           1  error  ValueError  task 2, attempt 1
`}},
		{"map runs", summarize(notRunInfo, 4, notRun), 0, []string{`
reduce       1 task   not begun
`}},
		{"several", summarize(info, 6, many), 100, []string{`
reduce       3 tasks   success 2   error 1   began after 240 ms   running 500 ms, longest 300 ms
             share 45.3 %   cpu 300 ms   peak memory at most 20.0 MiB
`, `
failed tasks  state  cause       example
           1  error  ValueError  reduce task 5, attempt 1
reduce task 5: bad group
reduce task 5 log: log of 5/1
`}},
		{"short calls", summarize(callInfo, 10_000, calls), 120, []string{`
workers      2   utilisation 86.7 %   starting 63.8 %   idle 17.0 %   overhead 12.8 %   running 4.2 %   uploading 2.1 %

per task         min   median     mean      p95      p99      max       total   share     measured
`, `
starting     15.0 ms  15.0 ms  15.0 ms  15.0 ms  15.0 ms  15.0 ms     30.0 ms  63.8 %  2 of 10,000
running       120 ns   199 ns   200 ns   272 ns   278 ns   279 ns     2.00 ms   4.2 %          all
uploading     100 ns   100 ns   100 ns   100 ns   100 ns   100 ns     1.00 ms   2.1 %          all
overhead      600 ns   600 ns   600 ns   600 ns   600 ns   600 ns     6.00 ms  12.8 %          all
`, `
peak memory        -        -        -        -        -        -                      0 of 10,000
rss                -        -        -        -        -        -                      0 of 10,000
`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := "\n" + table(t, c.summary, c.width)
			rest := got
			for _, want := range c.want {
				i := strings.Index(rest, want)
				if i < 0 {
					t.Fatalf("no%sin%s", want, got)
				}
				rest = rest[i+len(want)-1:]
			}
			if strings.Contains(got, "warning") {
				t.Errorf("warnings in\n%s", got)
			}
		})
	}
}
