package stats

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
)

const created = int64(1_000_000_000_000_000_000)

func ms(n int) Sec { return SecOf(int64(n) * 1_000_000) }

// at is a stamp n ms after the job's creation.
func at(n int) Sec { return SecOf(created + int64(n)*1_000_000) }

// ran is the record of an attempt whose phases took the given ms, one after the
// other, and whose worker was busy for 5 ms besides.
func ran(task, try int, state job.State, worker, submit, start, startup, exec, upload, fetch int) *Record {
	end := start + startup + exec + upload + 5
	r := &Record{Task: task, Attempt: try, State: state, Worker: IntOf(worker), WorkerHostname: "alpha", HostSubmit: at(submit),
		WorkerStart: at(start), FuncStartup: ms(startup), FuncExec: ms(exec), ResultUpload: ms(upload), WorkerEnd: at(end),
		WorkerExec: ms(end - start), StatusDone: at(end + fetch), WorkerColdStart: BoolOf(start < 20),
		CPUUser: ms(exec / 2), CPUSystem: ms(exec / 10), TaskPeakMemory: IntOf(exec << 10), ResultSize: IntOf(7),
		NetSent: IntOf(exec), NetRecv: IntOf(1)}
	return r
}

// mixed has a success, a retried task, a timeout and a task whose worker died.
func mixed() (JobInfo, []*Record) {
	failed := ran(1, 1, job.Error, 1, 0, 12, 2, 40, 1, 2)
	failed.ExitCode, failed.ErrorType, failed.Error = IntOf(3), "exit", "exit code 3"
	late := ran(2, 1, job.Timeout, 0, 0, 130, 2, 300, 3, 5)
	late.Signal, late.ErrorType, late.Error, late.TaskPeakMemory = "SIGKILL", "timeout", "ended after 300 ms", Int{}
	lost := &Record{Task: 3, Attempt: 1, State: job.Lost, Worker: IntOf(1), HostSubmit: at(0), Error: "the worker died"}
	info := JobInfo{ID: "4kx3m9d2q1w-0-M000", Name: "mixed", State: "done", Created: created, Ended: created + 445_000_000, Workers: 2,
		Machine: []string{"alpha", "2 cores"}}
	return info, []*Record{ran(0, 1, job.Success, 0, 0, 10, 2, 100, 3, 1), failed, ran(1, 2, job.Success, 1, 62, 70, 2, 200, 3, 1), late, lost}
}

func summarize(info JobInfo, tasks int, records []*Record) *Summary {
	s := NewSummarizer(info, tasks)
	s.LogLine = func(r *Record) string { return fmt.Sprintf("log of %d/%d", r.Task, r.Attempt) }
	for _, r := range records {
		s.Add(r)
	}
	return s.Summary()
}

func near(f Float, want float64) bool { return f.OK && f.V > want-0.001 && f.V < want+0.001 }

func TestSummary(t *testing.T) {
	info, records := mixed()
	s := summarize(info, 4, records)
	states := map[job.State]int{job.New: 0, job.Queued: 0, job.Running: 0, job.Success: 2, job.Error: 0, job.Timeout: 1, job.Cancelled: 0, job.Lost: 1}
	if !reflect.DeepEqual(s.States, states) || s.Attempts != 5 || s.Retried != 1 || s.ColdStarts != IntOf(2) || s.Done() != 4 || s.Failed() != 2 {
		t.Errorf("counts: %+v", s)
	}
	if s.Wall != ms(445) || s.Created != at(0) || s.Ended != at(445) || s.Workers != IntOf(2) {
		t.Errorf("wall %v, created %v, ended %v, workers %v", s.Wall, s.Created, s.Ended, s.Workers)
	}
	// Busy 110 + 48 + 210 + 310 ms; from the first start to the end 435 ms.
	want := WorkerTime{Available: ms(890), Busy: ms(678), Starting: ms(8), Running: ms(640), Uploading: ms(10), Overhead: ms(20), Idle: ms(212), Discarded: ms(48)}
	if s.WorkerTime != want {
		t.Errorf("worker time %+v", s.WorkerTime)
	}
	if !near(s.Throughput, 3/0.445) || !near(s.Utilisation, 100*678.0/870) || !near(s.SpeedUp, 640.0/445) || !near(s.Cores, (320+64)/445.0) {
		t.Errorf("throughput %v, utilisation %v, speed-up %v, cores %v", s.Throughput, s.Utilisation, s.SpeedUp, s.Cores)
	}
	running := s.Phases.Running
	if running.Dist != (Dist[Sec]{3, ms(100), ms(200), ms(200), ms(300), ms(300), ms(300)}) || running.Total != ms(640) || !near(running.Share, 100*640.0/890) {
		t.Errorf("running %+v", running)
	}
	waiting := s.Phases.Waiting
	if waiting.Min != ms(8) || waiting.Median != ms(10) || waiting.Max != ms(130) || waiting.Total != ms(10+12+8+130) || waiting.Share.OK {
		t.Errorf("waiting %+v", waiting)
	}
	if f := s.Phases.Fetching; f.Measured != 3 || f.Max != ms(5) || f.Total != ms(9) {
		t.Errorf("fetching %+v", f)
	}
	if s.PeakMemory != (Dist[Int]{2, IntOf(100 << 10), IntOf(100 << 10), IntOf(150 << 10), IntOf(200 << 10), IntOf(200 << 10), IntOf(200 << 10)}) || s.RSS.Max.OK {
		t.Errorf("peak memory %+v, rss %+v", s.PeakMemory, s.RSS)
	}
	if s.Totals.ResultBytes != (Total{IntOf(28), 4}) || s.Totals.BlockRead != (Total{}) {
		t.Errorf("totals %+v", s.Totals)
	}
	// Worker 0 saw 400 bytes sent, worker 1 saw 240 of them too.
	if s.Totals.NetSent != IntOf(400) || s.Totals.NetRecv != IntOf(2) {
		t.Errorf("network %v, %v", s.Totals.NetSent, s.Totals.NetRecv)
	}
	slow := []SlowTask{{2, 1, job.Timeout, StageMap, IntOf(0), ms(300), ms(180), Int{}, ""}, {1, 2, job.Success, StageMap, IntOf(1), ms(200), ms(120), IntOf(200 << 10), ""},
		{0, 1, job.Success, StageMap, IntOf(0), ms(100), ms(60), IntOf(100 << 10), ""}}
	if !slices.Equal(s.Slowest, slow) {
		t.Errorf("slowest %+v", s.Slowest)
	}
	failures := []Failure{{State: job.Timeout, ErrorType: "timeout", Stage: StageMap, Count: 1, Task: 2, Attempt: 1, Error: "ended after 300 ms", LogLine: "log of 2/1"},
		{State: job.Lost, Stage: StageMap, Count: 1, Task: 3, Attempt: 1, Lost: 1, Error: "the worker died", LogLine: "log of 3/1"}}
	if !slices.Equal(s.Failures, failures) {
		t.Errorf("failures %+v", s.Failures)
	}
	if len(s.Warnings) != 0 {
		t.Errorf("warnings %q", s.Warnings)
	}
	if got := s.WhereTimeWent(); got != "running 71.9 %, idle 23.8 %, overhead 2.2 %, uploading 1.1 %, starting 0.9 %" {
		t.Errorf("where the time went: %s", got)
	}
}

func TestSummaryOfMachinesAddsTheirTraffic(t *testing.T) {
	far := ran(1, 1, job.Success, 1, 0, 0, 0, 30, 0, 0)
	far.WorkerHostname = "beta"
	s := summarize(JobInfo{}, 2, []*Record{ran(0, 1, job.Success, 0, 0, 0, 0, 20, 0, 0), far})
	if s.Totals.NetSent != IntOf(50) {
		t.Errorf("sent %v", s.Totals.NetSent)
	}
}

func TestSummaryDoesNotDependOnOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var records []*Record
	states := []job.State{job.Success, job.Error, job.Timeout, job.Lost, job.Cancelled}
	for task := range 300 {
		for try := 1; try <= 1+rng.IntN(3); try++ {
			state := states[min(rng.IntN(9), 4)]
			r := ran(task, try, state, rng.IntN(4), 0, rng.IntN(1000), rng.IntN(3), rng.IntN(50), rng.IntN(3), rng.IntN(5))
			r.ExitCode, r.Error = IntOf(rng.IntN(3)), fmt.Sprint("error of ", task, "/", try)
			records = append(records, r)
			if state == job.Success {
				break
			}
		}
	}
	info := JobInfo{ID: "j", Created: created, Workers: 4}
	want, err := json.Marshal(summarize(info, 301, records))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		rng.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		got, err := json.Marshal(summarize(info, 301, records))
		if err != nil || string(got) != string(want) {
			t.Fatalf("%v, in another order\n%s\nwant\n%s", err, got, want)
		}
	}
}

func TestSummaryWhatCannotBeKnownIsNull(t *testing.T) {
	info, records := mixed()
	t.Run("running", func(t *testing.T) {
		info := info
		info.Now, info.Ended = created+2_000_000_000, 0
		s := summarize(info, 10, records[:4])
		if s.Wall != SecOf(2_000_000_000) || !near(s.Throughput, 1.5) || s.States[job.New] != 7 || s.Ended.OK {
			t.Errorf("%+v", s)
		}
		if s.Utilisation.OK || s.SpeedUp.OK || s.Cores.OK || s.WorkerTime.Available.OK || s.WorkerTime.Idle.OK {
			t.Errorf("known too early: %+v", s)
		}
		if got := s.WhereTimeWent(); got != "running 94.4 %, overhead 2.9 %, uploading 1.5 %, starting 1.2 %" {
			t.Errorf("where the time went: %s", got)
		}
	})
	t.Run("ended early", func(t *testing.T) { // what was not run was not run: the rest is known
		info := info
		info.State, info.Ended = "cancelled", created+1_500_000_000
		s := summarize(info, 10, records)
		if s.Wall != ms(1500) || s.Runs[0].Wall != ms(1500) || s.WorkerTime.Idle != ms(2*1500-678) || !near(s.SpeedUp, 640.0/1500) ||
			!near(s.Utilisation, 100*678.0/2980) || !near(s.Throughput, 3/1.5) || !slices.Equal(s.Warnings, []string{"6 of 10 tasks did not end"}) {
			t.Errorf("%+v", s)
		}
	})
	t.Run("workers unknown", func(t *testing.T) {
		info := info
		info.Workers, info.Created = 0, 0
		s := summarize(info, 4, records)
		if s.Workers.OK || s.Utilisation.OK || s.Wall.OK || s.Throughput.OK || s.SpeedUp.OK || s.Created.OK {
			t.Errorf("%+v", s)
		}
	})
	t.Run("busier than possible", func(t *testing.T) {
		info := info
		info.Workers = 1
		if s := summarize(info, 4, records); s.WorkerTime.Idle.OK {
			t.Errorf("idle %v", s.WorkerTime.Idle)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		s := summarize(JobInfo{Created: created, Ended: created + 5}, 0, nil)
		if s.Wall != SecOf(5) || s.WorkerTime != (WorkerTime{}) || s.ColdStarts.OK || s.WhereTimeWent() != "" {
			t.Errorf("%+v", s)
		}
	})
}

// Tasks that were lost or cancelled did not come to an end of their own.
func TestSpeedCountsWhatEndedItself(t *testing.T) {
	var records []*Record
	for i, state := range []job.State{job.Success, job.Error, job.Timeout, job.Lost, job.Cancelled, job.Queued} {
		records = append(records, &Record{Task: i, Attempt: 1, State: state, Worker: IntOf(0), HostSubmit: at(0)})
	}
	for name, info := range map[string]JobInfo{"ended": {Created: created, Ended: created + 2_000_000_000}, "running": {Created: created, Now: created + 2_000_000_000}} {
		if s := summarize(info, 7, records); s.Throughput != FloatOf(1.5) {
			t.Errorf("%s: %v", name, s.Throughput)
		}
	}
}

func TestSummaryWarns(t *testing.T) {
	info, records := mixed()
	info.Counts = map[job.State]int{job.Success: 3, job.Timeout: 1, job.New: 17}
	stray := ran(4, 1, job.Success, 0, 0, 0, 0, 0, 0, 0)
	below := ran(-1, 1, job.Success, 0, 0, 0, 0, 0, 0, 0)
	s := summarize(info, 4, append(records, stray, below))
	one := summarize(JobInfo{Counts: map[job.State]int{job.Error: 1}}, 1, []*Record{stray})
	if want := []string{"1 record left out: its task number is beyond the job's 1 task", "1 of 1 task did not end",
		"the host counted 1 task in state error, the records show 0"}; !slices.Equal(one.Warnings, want) {
		t.Errorf("warnings %q", one.Warnings)
	}
	want := []string{"2 records left out: their task numbers are beyond the job's 4 tasks",
		"the host counted 3 tasks in state success, the records show 2"}
	if !slices.Equal(s.Warnings, want) {
		t.Errorf("warnings %q", s.Warnings)
	}
}

func TestSameAttemptTwiceKeepsItsEnd(t *testing.T) {
	ended, open := ran(0, 1, job.Error, 0, 0, 0, 0, 10, 0, 0), &Record{Task: 0, Attempt: 1, State: job.Running}
	for _, records := range [][]*Record{{ended, open}, {open, ended}} {
		if s := summarize(JobInfo{}, 1, records); s.States[job.Error] != 1 || s.Attempts != 1 {
			t.Errorf("states %v, attempts %d", s.States, s.Attempts)
		}
	}
}

func TestFailuresStayBounded(t *testing.T) {
	const tasks = 5000
	s := NewSummarizer(JobInfo{}, tasks)
	for i := range tasks { // two kinds first, then more kinds than are kept
		r := &Record{Task: i, Attempt: 1, State: job.Error, ExitCode: IntOf(1), Error: strings.Repeat("ä", 5000)}
		if i >= 3000 {
			r.ErrorType = fmt.Sprint("kind ", i)
		}
		s.Add(r)
	}
	if s.failures.kept > maxFailureDetail+maxFailureKinds+1 || len(s.failures.kinds) != maxFailureKinds+1 {
		t.Errorf("%d details, %d kinds", s.failures.kept, len(s.failures.kinds))
	}
	list := s.Summary().Failures
	n := 0
	for _, f := range list {
		n += f.Count
		if f.Error == "" || len(f.Error) > maxFailureText+len("…") || !strings.HasSuffix(string(f.Error), "ä…") {
			t.Fatalf("error text of %d bytes", len(f.Error))
		}
	}
	if n != tasks || list[0].Count != 3000 || list[0].Task != 0 || list[1].ErrorType != "other" || list[1].Count != tasks-3000-maxFailureKinds+1 {
		t.Errorf("%d tasks, first %+v, then %+v", n, list[0].Count, list[1].ErrorType)
	}
	for i := range tasks {
		s.Add(&Record{Task: i, Attempt: 2, State: job.Success})
	}
	if s.failures.kept != 0 || len(s.Summary().Failures) != 0 {
		t.Errorf("%d details kept after all went well", s.failures.kept)
	}
}

func TestSummaryJSON(t *testing.T) {
	info, records := mixed()
	s := summarize(info, 4, records)
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"wall_time":0.445`, `"name":"mixed"`, `"states":{"cancelled":0,"error":0,"lost":1,"new":0,`,
		`"running":{"measured":3,"min":0.1,"median":0.2,"mean":0.2,"p95":0.3,"p99":0.3,"max":0.3,"total":0.64,"share_percent":71.9`,
		`"rss":{"measured":0,"min":null,`, `"block_read_bytes":{"sum":null,"measured":0}`, `"signal":null`, `"example_log_line":"log of 2/1"`, `"warnings":[]`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in\n%s", want, b)
		}
	}
	back := new(Summary)
	if err := json.Unmarshal(b, back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, s) {
		t.Errorf("read back\n%+v\nwant\n%+v", back, s)
	}
	empty, err := json.Marshal(summarize(JobInfo{}, 0, nil))
	if err != nil || !strings.Contains(string(empty), `"machine":[]`) || !strings.Contains(string(empty), `"slowest":[],"failures":[],"warnings":[]`) ||
		!strings.Contains(string(empty), `"name":null,"state":null,"created_tstamp":null`) {
		t.Errorf("%v, empty job: %s", err, empty)
	}
}

func TestSummaryKeysAreEnough(t *testing.T) {
	info, records := mixed()
	want := summarize(info, 4, records)
	for i, r := range records {
		records[i] = new(Record)
		if err := ParseKeys(AppendJSON(nil, r), records[i], SummaryKeys()); err != nil {
			t.Fatal(err)
		}
	}
	if got := summarize(info, 4, records); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestPeaksThatCouldNotBeMeasuredAreBounded(t *testing.T) {
	s := NewSummarizer(JobInfo{ID: "j", State: "done"}, 3)
	for i, r := range []Record{
		{PeakMemoryEnd: IntOf(10 << 20)},
		{PeakMemoryEnd: IntOf(12 << 20)},
		{PeakMemoryEnd: IntOf(50 << 20), TaskPeakMemory: IntOf(50 << 20)},
	} {
		r.Task, r.Attempt, r.State, r.FuncStart, r.FuncEnd = i, 1, job.Success, SecOf(0), SecOf(1)
		s.Add(&r)
	}
	sum := s.Summary()
	if sum.PeakHidden != IntOf(12<<20) || sum.PeakMemory.Max != IntOf(50<<20) {
		t.Errorf("hidden %v, measured %v", sum.PeakHidden, sum.PeakMemory)
	}
	var out strings.Builder
	if err := sum.WriteTable(&out, 0); err != nil || !strings.Contains(out.String(), "not measured: at most 12.0 MiB") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestItemsOfExamplesAreShown(t *testing.T) {
	s := NewSummarizer(JobInfo{ID: "j", State: "failed"}, 3)
	for i := range 3 {
		r := Record{Task: i, Attempt: 1, State: job.Success, FuncStart: SecOf(0), FuncEnd: SecOf(1000 * (i + 1)), FuncExec: SecOf(1000 * (i + 1))}
		if i == 1 {
			r.State, r.ErrorType, r.Error, r.ExitCode = job.Error, "exit", "exit code 3", IntOf(3)
		}
		s.Add(&r)
	}
	sum := s.Summary()
	if got := sum.Examples(); !slices.Equal(got, []int{0, 1, 2}) {
		t.Fatalf("examples %v", got)
	}
	long := `"/` + strings.Repeat("deep/", 30) + `file.txt"`
	sum.NameItems(func(task int) string { return []string{`"a"`, `{"b":1}`, long}[task] })
	var out strings.Builder
	if err := sum.WriteTable(&out, 0); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"peak memory  item", `  "a"`, `task 1 item: {"b":1}`, `deep/file.txt"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), long) {
		t.Error("a long item is not shortened")
	}
}
