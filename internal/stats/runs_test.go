package stats

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
)

const hour = int64(time.Hour)

// resumed is a job that broke off after 300 ms and was gone on with an hour later, on
// three workers in place of two. Task 0 succeeded in the first run; 1 failed there and
// then in the second, before it succeeded; 2 was lost with the host; 3 was not begun
// before the second run. The stamps are the true ones.
func resumed() (JobInfo, []*Record) {
	in := func(run int, r *Record) *Record {
		r.Run = IntOf(run)
		if run == 2 {
			r.ShiftBy(-hour)
		}
		return r
	}
	failed := func(r *Record) *Record {
		r.ErrorType, r.ExitCode = "exit", IntOf(1)
		return r
	}
	info := JobInfo{ID: "j", State: "done", Created: created, Ended: created + hour + 700_000_000, Workers: 3, Runs: []JobRun{
		{Number: 1, Start: created + 2_000_000, End: created + 300_000_000, State: "broken off", Workers: 2, Tasks: 4},
		{Number: 2, Start: created + hour + 300_000_000, End: created + hour + 700_000_000, Shift: hour, State: "done", Workers: 3, Tasks: 3},
	}}
	return info, []*Record{
		in(1, ran(0, 1, job.Success, 0, 0, 10, 2, 100, 3, 1)),      // 10 to 120
		in(1, failed(ran(1, 1, job.Error, 1, 0, 10, 2, 40, 3, 1))), // 10 to 60
		in(1, &Record{Task: 2, Attempt: 1, State: job.Lost, Worker: IntOf(0), HostSubmit: at(1), HostDispatch: at(120)}),
		in(2, failed(ran(1, 2, job.Error, 2, 305, 320, 2, 90, 3, 1))), // 320 to 420
		in(2, ran(1, 3, job.Success, 3, 430, 440, 2, 140, 3, 1)),      // 440 to 590
		in(2, ran(2, 2, job.Success, 4, 305, 320, 2, 190, 3, 1)),      // 320 to 520
		in(2, ran(3, 1, job.Success, 2, 305, 430, 2, 240, 3, 1)),      // 430 to 680
	}
}

func aligned(info JobInfo, records []*Record) []*Record {
	out := make([]*Record, len(records))
	for i, r := range records {
		own := *r
		Align(info.Runs, &own)
		out[i] = &own
	}
	return out
}

func TestShiftMovesAllStampsButTheJobsOwn(t *testing.T) {
	r := new(Record)
	for i := range fields {
		if at, ok := fields[i].kind.(func(*Record) *Sec); ok {
			*at(r) = SecOf(100)
		}
	}
	r.ShiftBy(30)
	for i := range fields {
		at, ok := fields[i].kind.(func(*Record) *Sec)
		if !ok {
			continue
		}
		want := SecOf(100)
		if fields[i].Unit == Stamp && fields[i].Key != "host_job_create_tstamp" {
			want = SecOf(70)
		}
		if *at(r) != want {
			t.Errorf("%s is %v, want %v", fields[i].Key, *at(r), want)
		}
	}
	none := new(Record)
	if none.ShiftBy(30); none.HostSubmit.OK || none.HostSubmit.NS != 0 {
		t.Errorf("what is null became %+v", none.HostSubmit)
	}
}

func TestAlign(t *testing.T) {
	runs := []JobRun{{Number: 1, Start: 1000}, {Number: 2, Start: 5000, Shift: 3000}, {Number: 4, Start: 9000, Shift: 3500}}
	for _, c := range []struct {
		name   string
		r      Record
		run    Int
		submit Sec
	}{
		{"first run", Record{Run: IntOf(1), HostSubmit: SecOf(6000)}, IntOf(1), SecOf(6000)},
		{"second run", Record{Run: IntOf(2), HostSubmit: SecOf(6000)}, IntOf(2), SecOf(3000)},
		{"a number left out", Record{Run: IntOf(4), HostSubmit: SecOf(9500)}, IntOf(4), SecOf(6000)},
		{"unknown run", Record{Run: IntOf(3), HostSubmit: SecOf(9500)}, IntOf(3), SecOf(9500)},
		{"no worker, in the first", Record{HostSubmit: SecOf(4999)}, IntOf(1), SecOf(4999)},
		{"no worker, in the second", Record{HostSubmit: SecOf(5000)}, IntOf(2), SecOf(2000)},
		{"no worker, in the last", Record{HostSubmit: SecOf(90000)}, IntOf(4), SecOf(86500)},
		{"before all", Record{HostSubmit: SecOf(3)}, Int{}, SecOf(3)},
		{"never submitted", Record{}, Int{}, Sec{}},
		{"known by its end", Record{StatusDone: SecOf(7000)}, IntOf(2), Sec{}},
	} {
		if Align(runs, &c.r); c.r.Run != c.run || c.r.HostSubmit != c.submit {
			t.Errorf("%s: run %v, submit %v", c.name, c.r.Run, c.r.HostSubmit)
		}
	}
}

func TestSummaryOfRuns(t *testing.T) {
	info, records := resumed()
	s := summarize(info, 4, aligned(info, records))
	// Run 1 takes 300 ms from the job's creation to its last sign of life, run 2 400 ms
	// from its start to its end, which is 19 ms after the last status.
	if s.Wall != ms(700) || s.Created != at(0) || s.Ended != SecOf(info.Ended) {
		t.Errorf("wall %v, created %v, ended %v", s.Wall, s.Created, s.Ended)
	}
	// Busy 110 + 50 + 100 + 150 + 200 + 250 ms. From the first start to the end 290 ms of
	// 2 workers, of which one was at a task when the host died, 380 ms of 3.
	w := s.WorkerTime
	if w.Busy != ms(860) || w.Available != ms(2*300+3*400) || w.Idle != ms(2*300+3*400-860) || w.Running != ms(800) {
		t.Errorf("%+v", w)
	}
	if !near(s.Utilisation, 100*860.0/(2*290+3*380)) || !near(s.SpeedUp, 800.0/700) || !near(s.Throughput, 4/0.7) {
		t.Errorf("utilisation %v, speed-up %v, throughput %v", s.Utilisation, s.SpeedUp, s.Throughput)
	}
	if p := s.Phases.Waiting; p.Max != ms(125) {
		t.Errorf("waiting %+v", p)
	}
	want := []Run{
		{Number: 1, Start: at(2), Ended: at(300), Wall: ms(300), State: "broken off", Workers: IntOf(2), Tasks: IntOf(4), Attempts: 3, Succeeded: 1},
		{Number: 2, Start: SecOf(created + hour + 300_000_000), Ended: SecOf(info.Ended), Pause: SecOf(hour), Wall: ms(400), State: "done",
			Workers: IntOf(3), Tasks: IntOf(3), Attempts: 4, Succeeded: 3},
	}
	if !slices.Equal(s.Runs, want) {
		t.Errorf("runs %+v", s.Runs)
	}
	if s.Attempts != 7 || s.Retried != 2 || s.Discarded[job.Error] != 2 || s.Discarded[job.Lost] != 1 || s.Discarded[job.Success] != 0 ||
		w.Discarded != ms(150) || s.Untimed != 1 {
		t.Errorf("%d attempts, %d retried, discarded %v, %v, %d untimed", s.Attempts, s.Retried, s.Discarded, w.Discarded, s.Untimed)
	}
	text := table(t, s, 0)
	for _, line := range []string{
		"wall time    700 ms   in 2 runs, without pauses   created 2001-09-09 01:46:40 UTC\n",
		"attempts     7   tasks retried 2   after error 2, lost 1   time lost by them 150 ms (of 1 not known)   cold starts 2\n",
		"\nworkers      2 to 3   utilisation 50.0 % ",
		"\nrun  began                pause before    took  tasks  attempts  succeeded  workers  ended\n" +
			"  1  2001-09-09 01:46:40             -  300 ms      4         3          1        2  broken off\n" +
			"  2  2001-09-09 02:46:40    1 h 00 min  400 ms      3         4          3        3  done\n",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no\n%s in\n%s", line, text)
		}
	}
	b, err := json.Marshal(s)
	back := new(Summary)
	if err != nil || json.Unmarshal(b, back) != nil || !reflect.DeepEqual(back, s) {
		t.Errorf("%v, read back\n%+v\nwant\n%+v", err, back, s)
	}
	for _, key := range []string{`"runs":[{"run":1,"start_tstamp":1000000000.002,"ended_tstamp":1000000000.3,"pause_before":null,"wall_time":0.3,"state":"broken off",`,
		`"discarded_attempts":{"cancelled":0,"error":2,`, `"discarded_attempts_untimed":1`} {
		if !strings.Contains(string(b), key) {
			t.Errorf("no %s in\n%s", key, b)
		}
	}
}

func TestSummaryOfARunThatGoesOn(t *testing.T) {
	info, records := resumed()
	info.Ended, info.Now = 0, created+hour+900_000_000
	info.Runs[1].End, info.Runs[1].State, info.State = 0, "", "running"
	s := summarize(info, 5, aligned(info, records))
	if s.Wall != ms(900) || s.Runs[1].Wall != ms(600) || s.Runs[1].Ended.OK || s.Runs[1].State != "running" {
		t.Errorf("wall %v, runs %+v", s.Wall, s.Runs)
	}
}

func TestSummaryOfOneRun(t *testing.T) {
	info, records := mixed()
	s := summarize(info, 4, records)
	want := Run{Number: 1, Start: at(0), Ended: at(445), Wall: ms(445), State: "done", Workers: IntOf(2), Attempts: 5, Succeeded: 2}
	if len(s.Runs) != 1 || s.Runs[0] != want {
		t.Errorf("%+v", s.Runs)
	}
	if text := table(t, s, 0); strings.Contains(text, "pause") {
		t.Errorf("a job that was never resumed speaks of pauses:\n%s", text)
	}
}

// A run in which nothing is known to have happened takes no time, not less.
func TestSummaryOfAnEmptyRun(t *testing.T) {
	info, records := resumed()
	info.Ended, info.Runs[1].End = 0, 0
	s := summarize(info, 4, aligned(info, records[:3]))
	if s.Runs[0].Wall != ms(300) || s.Runs[1].Wall != SecOf(0) || s.Runs[1].Attempts != 0 {
		t.Errorf("%+v", s.Runs)
	}
}

func TestManyRunsAreCut(t *testing.T) {
	info := JobInfo{Created: created}
	for i := range 14 {
		info.Runs = append(info.Runs, JobRun{Number: i + 1, Start: created + int64(i)*hour, Shift: int64(i) * hour})
	}
	text := table(t, summarize(info, 1, nil), 0)
	if !strings.Contains(text, "\n  5  2001-09-09 05:46:40") || strings.Contains(text, "\n  4  2001") || !strings.Contains(text, "\nand 4 before\n") {
		t.Error(text)
	}
}

// The reduce's first stamp is exported as it was; what follows from it has no pause.
func TestReduceOfASecondRun(t *testing.T) {
	info, records := resumed()
	r := ran(4, 1, job.Success, 3, 700, 710, 2, 10, 3, 1)
	r.Run, r.Stage = IntOf(2), StageReduce
	r.ShiftBy(-hour)
	s := summarize(info, 5, aligned(info, append(records, r)))
	if s.Reduce.Start != SecOf(created+hour+710_000_000) || s.Reduce.After != ms(710) || !strings.Contains(table(t, s, 0), "began after 710 ms") {
		t.Errorf("%+v", s.Reduce)
	}
}

// A reduce that is made again succeeds twice: the last success counts, in any order.
func TestLaterSuccessReplacesAnEarlierOne(t *testing.T) {
	first, second := ran(0, 1, job.Success, 0, 0, 10, 2, 100, 3, 1), ran(0, 2, job.Success, 1, 0, 200, 2, 40, 3, 1)
	second.TaskPeakMemory = Int{} // what the first measured must not stay
	worse := ran(0, 3, job.Error, 1, 0, 300, 2, 10, 3, 1)
	records := []*Record{first, second, worse}
	for range 6 {
		rand.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		s := summarize(JobInfo{Created: created, Workers: 1}, 1, records)
		if s.Phases.Running.Max != ms(40) || s.PeakMemory.Measured != 0 || s.Slowest[0].Attempt != 2 || s.Slowest[0].Worker != IntOf(1) {
			t.Errorf("%+v, peak %+v, slowest %+v", s.Phases.Running, s.PeakMemory, s.Slowest)
		}
		if s.Phases.Running.Total != ms(150) || s.WorkerTime.Discarded != ms(110+20) || s.Discarded[job.Success] != 1 || s.Discarded[job.Error] != 1 || s.Attempts != 3 {
			t.Errorf("total %v, %+v, discarded %v", s.Phases.Running.Total, s.WorkerTime, s.Discarded)
		}
	}
}

// Numbers of attempts can have holes: what was handed out and never begun was none.
func TestAttemptsAreCounted(t *testing.T) {
	s := summarize(JobInfo{}, 2, []*Record{ran(0, 1, job.Error, 0, 0, 0, 0, 1, 0, 0), ran(0, 4, job.Success, 0, 0, 0, 0, 1, 0, 0),
		ran(1, 2, job.Success, 0, 0, 0, 0, 1, 0, 0)})
	if s.Attempts != 3 || s.Retried != 1 {
		t.Errorf("%d attempts, %d tasks retried", s.Attempts, s.Retried)
	}
}

// What a worker had in hand and never began was no attempt.
func TestWhatNeverBeganIsNoAttempt(t *testing.T) {
	queued := &Record{Attempt: 1, State: job.Queued, Worker: IntOf(0), HostSubmit: at(0), HostDispatch: at(1)}
	done := ran(0, 2, job.Success, 1, 0, 0, 0, 1, 0, 0)
	for _, records := range [][]*Record{{queued, done}, {done, queued}} {
		s := summarize(JobInfo{}, 1, records)
		if s.Attempts != 1 || s.Retried != 0 || s.Discarded[job.Queued] != 0 || s.Untimed != 0 || s.Runs[0].Attempts != 1 {
			t.Errorf("%+v", s)
		}
		c := NewColumns("", "", time.Unix(0, created), 1)
		for _, r := range records {
			c.Add(r)
		}
		if c.Retried[0] || len(c.Others) != 0 || c.State[0] != job.Success {
			t.Errorf("%+v", c)
		}
	}
}

func TestTimeOfLostAttemptsIsNotKnown(t *testing.T) {
	lost := &Record{Attempt: 1, State: job.Lost, Worker: IntOf(1), HostSubmit: at(0)}
	s := summarize(JobInfo{}, 1, []*Record{lost, ran(0, 2, job.Success, 0, 0, 10, 0, 5, 0, 0)})
	if s.WorkerTime.Discarded.OK || s.Untimed != 1 || !strings.Contains(table(t, s, 0), "after lost 1   time lost by them -   cold") {
		t.Errorf("%+v\n%s", s.WorkerTime, table(t, s, 0))
	}
}

func TestPoison(t *testing.T) {
	var records []*Record
	for try := 1; try <= 6; try++ {
		r := &Record{Task: 1, Attempt: try, State: job.Lost, Worker: IntOf(try), HostSubmit: at(try), ErrorType: "lost", Error: "the worker died"}
		if try == 6 {
			r.ErrorType, r.Error = "poison", "given up: its worker died in each of 6 attempts"
		}
		records = append(records, r)
	}
	s := summarize(JobInfo{}, 2, append(records, ran(0, 1, job.Success, 0, 0, 10, 0, 5, 0, 0)))
	f := s.Failures
	if len(f) != 1 || f[0].ErrorType != "poison" || f[0].State != job.Lost || f[0].Task != 1 || f[0].Lost != 6 || f[0].Count != 1 {
		t.Errorf("%+v", f)
	}
	if text := table(t, s, 0); !strings.Contains(text, "1  lost   poison  task 1, attempt 6\n") || !strings.Contains(text, "task 1: given up: its worker died") {
		t.Error(text)
	}
}

// The job took at least until the last submit, if nobody could tell of that attempt.
func TestWallOfLostTasks(t *testing.T) {
	s := summarize(JobInfo{Created: created, Ended: created + 400_000_000}, 2, []*Record{ran(0, 1, job.Success, 0, 0, 10, 0, 5, 0, 0),
		{Task: 1, Attempt: 1, State: job.Lost, Worker: IntOf(1), HostSubmit: at(500)}})
	if s.Wall != ms(500) {
		t.Errorf("%v", s.Wall)
	}
}

// A job that broke off took until its last sign of life, whatever its workers could tell.
func TestSummaryOfAJobThatBrokeOff(t *testing.T) {
	info, records := resumed()
	info.State, info.Ended, info.Workers, info.Runs = BrokenOff, 0, 2, info.Runs[:1]
	info.Runs[0].State = ""
	records = records[:3]
	s := summarize(info, 4, aligned(info, records))
	if s.Wall != ms(300) || s.Ended.OK || s.Runs[0].Wall != ms(300) || s.Runs[0].Ended != at(300) || s.Runs[0].State != BrokenOff {
		t.Errorf("wall %v, ended %v, runs %+v", s.Wall, s.Ended, s.Runs)
	}
	// Worker 1 was busy for 50 ms, worker 0 for 110 ms, and then at what was lost: until 300 ms.
	if w := s.WorkerTime; w.Available != ms(600) || w.Busy != ms(160) || w.Idle != ms(440) {
		t.Errorf("%+v", w)
	}
	if !near(s.Utilisation, 100*160.0/(2*290)) || !near(s.SpeedUp, 140.0/300) || !near(s.Throughput, 2/0.3) {
		t.Errorf("utilisation %v, speed-up %v, throughput %v", s.Utilisation, s.SpeedUp, s.Throughput)
	}
	if s.States[job.Lost] != 1 || s.States[job.Error] != 1 || s.Failed() != 2 || s.States[job.New] != 1 {
		t.Errorf("states %v", s.States)
	}
	if text := table(t, s, 0); strings.Contains(text, "so far") || !strings.Contains(text, "idle 73.3 %") {
		t.Error(text)
	}
	// A worker's last stamp can lie behind the host's last sign of life.
	info.Runs[0].End = created + 50_000_000
	if s = summarize(info, 4, aligned(info, records)); s.Wall != ms(121) || s.Runs[0].Ended != at(121) {
		t.Errorf("wall %v, runs %+v", s.Wall, s.Runs)
	}
	// Without any sign of life there is nothing to go by.
	info.Runs[0].End = 0
	if s = summarize(info, 4, nil); s.Wall.OK || s.Throughput.OK {
		t.Errorf("wall %v, throughput %v", s.Wall, s.Throughput)
	}
}

// What all workers did was lost: how busy they were is not known, but how long it took.
func TestSummaryOfLostTasksOnly(t *testing.T) {
	lost := func(task int) *Record {
		return &Record{Task: task, Attempt: 1, State: job.Lost, Worker: IntOf(task), HostSubmit: at(1), HostDispatch: at(20)}
	}
	info := JobInfo{State: BrokenOff, Created: created, Workers: 2, Runs: []JobRun{{Number: 1, Start: created, End: created + 4_000_000_000, Workers: 2}}}
	s := summarize(info, 4, []*Record{lost(0), lost(1)})
	if s.Wall != ms(4000) || s.Throughput != FloatOf(0) || s.WorkerTime.Available != ms(8000) {
		t.Errorf("wall %v, throughput %v, %+v", s.Wall, s.Throughput, s.WorkerTime)
	}
	if s.Utilisation.OK || s.SpeedUp.OK || s.WorkerTime.Busy.OK || s.WorkerTime.Idle.OK || s.WhereTimeWent() != "" {
		t.Errorf("known of nothing: %+v, %v, %q", s.WorkerTime, s.Utilisation, s.WhereTimeWent())
	}
	text := table(t, s, 0)
	if !strings.Contains(text, "\nspeed        0 tasks/s   speed-up -   cores used -\nworkers      2   utilisation -\n") {
		t.Error(text)
	}
}

// A worker that recorded nothing was there from when it got the task at which it died.
func TestUtilisationOfWorkersThatDied(t *testing.T) {
	died := &Record{Task: 1, Attempt: 1, State: job.Lost, Worker: IntOf(1), HostSubmit: at(0), HostDispatch: at(5), StatusDone: at(205)}
	ahead := &Record{Task: 2, Attempt: 1, State: job.Lost, Worker: IntOf(0), HostSubmit: at(0), HostDispatch: at(2), StatusDone: at(130)}
	records := []*Record{died, ahead, ran(0, 1, job.Success, 0, 0, 10, 2, 90, 3, 1)} // 10 to 110
	info := JobInfo{Created: created, Ended: created + 400_000_000, Workers: 2}
	for range 6 {
		rand.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		if s := summarize(info, 3, records); !near(s.Utilisation, 100*100.0/(2*395)) {
			t.Errorf("utilisation %v", s.Utilisation)
		}
	}
}

// Workers that were told of no run are those of the job.
func TestWorkersOfRuns(t *testing.T) {
	for want, workers := range map[string][]int{"3": {3, 3}, "1 to 3": {3, 1}, "1 to 4": {2, 4, 1}, "2": {0, 2}, "7": {0, 0}} {
		info := JobInfo{Workers: 7, Created: created}
		for k, n := range workers {
			info.Runs = append(info.Runs, JobRun{Number: k + 1, Start: created, Workers: n})
		}
		if s := summarize(info, 1, nil); s.WorkersText() != want {
			t.Errorf("%v: %s, want %s", workers, s.WorkersText(), want)
		}
	}
	if got := summarize(JobInfo{}, 1, nil).WorkersText(); got != "-" {
		t.Errorf("unknown: %s", got)
	}
}

func TestWriteAttempts(t *testing.T) {
	info, records := resumed()
	var all []*Record
	for _, r := range records {
		if r.HostJobCreate = SecOf(info.Created); r.Task == 1 {
			all = append(all, r)
		}
	}
	var b bytes.Buffer
	if err := WriteAttempts(&b, all, all[2]); err != nil {
		t.Fatal(err)
	}
	const want = `# attempt  run  worker  state    cause        began         running  error
# 1          1       1  error    exit code 1  +10.0 ms      40.0 ms
# 2          2       2  error    exit code 1  +1 h 00 min   90.0 ms
# 3 *        2       3  success  -            +1 h 00 min   140 ms
`
	if normal := func(s string) string { return strings.Join(strings.Fields(s), " ") }; normal(b.String()) != normal(want) {
		t.Errorf("got\n%s", b.String())
	}
	if err := WritePprint(&b, all[2]); err != nil {
		t.Fatal(err)
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	read := exec.Command(python, "-c", "import ast, sys; print(ast.literal_eval(sys.stdin.read())['attempt'])")
	read.Stdin = &b
	if out, err := read.CombinedOutput(); err != nil || string(out) != "3\n" {
		t.Errorf("%v, %s", err, out)
	}
	one := new(bytes.Buffer)
	if err := WriteAttempts(one, all[:1], all[0]); err != nil || one.Len() > 0 {
		t.Errorf("%v, of one attempt %s", err, one)
	}
}

func TestColumnsOfRuns(t *testing.T) {
	info, records := resumed()
	records[2].StatusDone = at(290)
	const milli = 1_000_000
	zone := time.FixedZone("CET", 3600)
	for _, backwards := range []bool{false, true} {
		c := NewColumns("j", "", time.Unix(0, created).In(zone), 4)
		c.MarkRuns(info.Runs)
		all := aligned(info, records)
		if backwards {
			slices.Reverse(all)
		}
		for _, r := range all {
			c.Add(r)
		}
		marks := []RunMark{{1, 0, 0, time.Unix(0, created+2*milli).In(zone), 2, false},
			{2, 300 * milli, time.Hour, time.Unix(0, created+hour+300*milli).In(zone), 3, true}}
		if c.MarkRuns(info.Runs); !reflect.DeepEqual(c.Runs, marks) || c.EndNS != 700*milli {
			t.Errorf("runs %+v, end %d", c.Runs, c.EndNS)
		}
		if c.Submit[1] != 430*milli || c.WorkerStart[3] != 430*milli || c.StatusDone[3] != 681*milli || c.Attempt[1] != 3 {
			t.Errorf("%+v", c)
		}
		if !slices.Equal(c.Retried, []bool{false, true, true, false}) {
			t.Errorf("retried %v", c.Retried)
		}
		slices.SortFunc(c.Others, func(a, b OtherAttempt) int { return int(10*a.Task-10*b.Task) + int(a.Attempt) - int(b.Attempt) })
		others := []OtherAttempt{
			{Task: 1, Worker: 1, Attempt: 1, State: job.Error, From: 10 * milli, To: 60 * milli, Start: Null, End: Null},
			{Task: 1, Worker: 2, Attempt: 2, State: job.Error, From: 320 * milli, To: 420 * milli, Start: Null, End: Null},
			{Task: 2, Worker: 0, Attempt: 1, State: job.Lost, Run: 1, From: 120 * milli, To: 290 * milli, Start: Null, End: Null},
		}
		if !slices.Equal(c.Others, others) || !c.Others[2].Lost() || c.Others[0].Lost() || c.OthersCut != 0 {
			t.Errorf("others %+v", c.Others)
		}
	}
}

func TestColumnsKeepSoManyOthers(t *testing.T) {
	c := NewColumns("", "", time.Unix(0, created), MostOthers+9)
	for i := range c.Len() {
		c.Add(&Record{Task: i, Attempt: 1, State: job.Error, Worker: IntOf(0), WorkerStart: at(1), WorkerEnd: at(2)})
		c.Add(&Record{Task: i, Attempt: 2, State: job.Success, Worker: IntOf(0), WorkerStart: at(3), WorkerEnd: at(4)})
	}
	if len(c.Others) != MostOthers || c.OthersCut != 9 || c.Others[7].Task != 7 || c.Others[7].State != job.Error {
		t.Errorf("%d kept, %d cut", len(c.Others), c.OthersCut)
	}
}

// What counts and was lost is among the others too: it is in no column when it was.
func TestColumnsOfALostTask(t *testing.T) {
	c := NewColumns("", "", time.Unix(0, created), 2)
	c.Add(&Record{Task: 0, Attempt: 1, State: job.Lost, Worker: IntOf(3), HostDispatch: at(5), StatusDone: at(9)})
	c.Add(&Record{Task: 1, State: job.New})
	if len(c.Others) != 1 || c.Others[0].From != 5_000_000 || c.Others[0].To != 9_000_000 || c.Retried[0] || c.State[0] != job.Lost {
		t.Errorf("%+v", c)
	}
}
