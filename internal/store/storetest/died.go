package storetest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// was notes what a worker is at, as the worker does.
func (j *written) was(worker int, at job.Attempt) {
	j.t.Helper()
	note, err := store.CreateRunning(j.s.JobDir(j.id), worker)
	if err != nil {
		j.t.Fatal(err)
	}
	note.Set(at)
}

// What workers were at that died with their host is lost, for all readers, before
// somebody resumes the job and after; what they have recorded is what it was.
func testDied(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 7)
	j.inputs()
	host := func(r stats.Record) { j.write(line{-1, r}) }
	j.was(0, job.Attempt{Task: 0, Try: 1}) // the host has not noted it
	host(stats.Record{Task: 1, Attempt: 1, State: job.Running, Worker: stats.IntOf(1), HostSubmit: stats.SecOf(5), HostDispatch: stats.SecOf(6)})
	j.was(1, job.Attempt{Task: 1, Try: 1})
	j.finish(outcome{1, 1, 1, job.Success, "one", ""}) // the host has not read it
	host(stats.Record{Task: 2, Attempt: 1, State: job.Error, Worker: stats.IntOf(1), StatusDone: stats.SecOf(7)})
	j.finish(outcome{2, 1, 1, job.Error, "", "no\n"})
	host(stats.Record{Task: 2, Attempt: 2, State: job.Queued, Worker: stats.IntOf(2)})
	j.was(2, job.Attempt{Task: 2, Try: 2})
	j.was(3, job.Attempt{Task: 3, Try: 1})
	host(stats.Record{Task: 3, Attempt: 1, State: job.Lost, ErrorType: "lost", Error: "worker 3: killed", Worker: stats.IntOf(3), StatusDone: stats.SecOf(8)})
	j.was(4, job.Attempt{})
	j.was(5, job.Attempt{Task: 7, Try: 1}) // no task of the job
	writeFile(t, j.path(6, "now"), []byte("damaged"))
	if all, _ := read(t, j.open()); !strings.Contains(all[0], `"state":"new"`) {
		t.Errorf("what a worker of a living host is at is read as %s", all[0])
	}
	j.close()
	j.addHost(stats.Record{Task: 0, Attempt: 1, State: job.Running, Worker: stats.IntOf(0)})
	j.addHost(stats.Record{Task: 2, Attempt: 2, State: job.Running, Worker: stats.IntOf(2)})
	j.check(0, 0)
	broken := j.must(j.open().Standings())
	var states []string
	for _, at := range broken.Tasks {
		states = append(states, fmt.Sprintf("%v%d", at.State, at.Tries))
	}
	same(t, "standings", states, []string{"lost1", "success1", "lost2", "lost1", "new0", "new0", "new0"})
	if all, _ := read(t, j.open()); !slices.ContainsFunc(all, func(r string) bool { return strings.Contains(r, `"worker 3: killed"`) }) {
		t.Error("why an attempt was lost is not told any more")
	}
	one, _, err := j.open().Task(0)
	if err != nil || len(one) != 1 || one[0].State != job.Lost || one[0].Worker != stats.IntOf(0) {
		t.Errorf("task 0 alone is %+v, %v", one, err)
	}
	j.resume()
	j.check(0, 0)
	if st := j.must(j.open().Standings()); !slices.Equal(st.Tasks, broken.Tasks) {
		t.Errorf("tasks stand at %+v, and before the job was reopened at %+v", st.Tasks, broken.Tasks)
	}
	for worker := range 7 {
		if _, err := os.Stat(j.path(worker, "now")); err == nil {
			t.Errorf("the note of worker %d is still there", worker)
		}
	}
	j.close()
	j.check(0, 0)
}

// logs reads the logs of all attempts in the three ways there are; what has none is not
// listed.
func (j *written) logs() (all []string) {
	j.t.Helper()
	opened := j.open()
	outputs := opened.Outputs()
	defer outputs.Close()
	for r, err := range opened.Records() {
		if err != nil {
			j.t.Fatal(err)
		}
		own := *r
		log, err := outputs.Log(&own)
		if errors.Is(err, store.ErrNoOutput) {
			continue
		}
		if err != nil {
			j.t.Fatal(err)
		}
		text, err := io.ReadAll(log)
		if err != nil {
			j.t.Fatal(err)
		}
		again, err := opened.Log(&own)
		if err != nil {
			j.t.Fatal(err)
		}
		same, err := io.ReadAll(again)
		again.Close()
		tail, err2 := opened.LogTail(&own, 100)
		if err != nil || err2 != nil || string(same) != string(text) || tail != strings.TrimRight(string(text), "\n") {
			j.t.Errorf("log of task %d is %q, %q (%v) and its end %q (%v)", r.Task, text, same, err, tail, err2)
		}
		all = append(all, fmt.Sprintf("%d/%d %q", r.Task, r.Attempt, text))
	}
	return all
}

// What an attempt had said before its worker died is its log.
func testLeftLogs(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 6)
	j.inputs()
	lost := func(task, worker int) {
		j.write(line{-1, stats.Record{Task: task, Attempt: 1, State: job.Lost, ErrorType: "lost", Worker: stats.IntOf(worker)}})
	}
	part := func(worker int, text string) { writeFile(t, j.path(worker, store.LogPart), []byte(text)) }
	j.finish(outcome{0, 1, 0, job.Success, "", "done\n"})
	lost(1, 0)
	part(0, "done\nsaid") // a command may say what the one before said
	lost(2, 1)            // two of one worker: the last one
	lost(3, 1)
	part(1, "three\n")
	lost(4, 2)
	part(2, "")
	j.was(3, job.Attempt{Task: 5, Try: 1})
	part(3, "five\n")
	want := []string{`0/1 "done\n"`, `1/1 "done\nsaid"`, `3/1 "three\n"`}
	same(t, "logs while the job runs", j.logs(), want)
	j.close()
	same(t, "logs of a job that broke off", j.logs(), append(want, `5/1 "five\n"`))
	j.resume()
	same(t, "logs of a job that is resumed", j.logs(), append(want, `5/1 "five\n"`))
}

// Calls that follow each other closely write into one file: what is of those before is
// left out where that can be told.
func testLeftLogsOfCalls(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 5)
	j.manifest.Spec.Function = job.Function{File: "f.py", Name: "f"}
	if err := j.w.WriteManifest(j.manifest); err != nil {
		t.Fatal(err)
	}
	var logs []string
	for task, log := range []string{"item 0\n", "item 1\n", "item 2\n", "item 3\n"} {
		j.finish(outcome{task, 1, 0, job.Success, "", log})
		logs = append(logs, fmt.Sprintf("%d/1 %q", task, log))
	}
	j.write(line{-1, stats.Record{Task: 4, Attempt: 1, State: job.Error, ErrorType: "exit", Worker: stats.IntOf(0)}})
	for _, c := range []struct{ part, want string }{
		{"item 4", "item 4"},
		{"item 3\n", "item 3\n"},                 // it may have said that again
		{"item 3\nitem 4\n", "item 3\nitem 4\n"}, // and this
		{"item 2\nitem 3\nitem 4\n", "item 4\n"},
		{"item 0\nitem 1\nitem 2\nitem 3\nitem 4\n", "item 4\n"},
		{"item 1\nitem 2\nitem 3\n", ""},
		{"item 2\nsomething\nitem 3\nitem 4\n", "item 2\nsomething\nitem 3\nitem 4\n"},
	} {
		writeFile(t, j.path(0, store.LogPart), []byte(c.part))
		want := logs
		if c.want != "" {
			want = append(slices.Clip(logs), fmt.Sprintf("4/1 %q", c.want))
		}
		same(t, fmt.Sprintf("logs with %q left", c.part), j.logs(), want)
	}
}

// The host was last seen when it last wrote a stamp.
func testLastSeen(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 1)
	seen := func(want int64) {
		t.Helper()
		if err := j.w.Flush(); err != nil {
			t.Fatal(err)
		}
		if got := j.open().LastSeen(); got != want {
			t.Errorf("last seen at %d, want %d", got, want)
		}
	}
	seen(0)
	j.w.Event(store.Event{Event: "run", TimeNS: 1000})
	seen(1000)
	j.w.Task(&stats.Record{Task: 0, Attempt: 1, State: job.Running, HostSubmit: stats.SecOf(1001), HostDispatch: stats.SecOf(1200)})
	seen(1200)
	j.w.Task(&stats.Record{Task: 0, Attempt: 1, State: job.Success, StatusDone: stats.SecOf(1100)})
	seen(1200)
	j.w.Event(store.Event{Event: "progress", TimeNS: 1300})
	seen(1300)
	for range 1000 { // no stamp at the end
		j.w.Task(&stats.Record{Task: 0, Attempt: 1, State: job.Lost, Error: "killed"})
	}
	seen(1300)
	j.close()
	whole := readFile(t, j.hostPath())
	writeFile(t, j.hostPath(), append(whole, `{"event":"end","time_ns":1400`...))
	if got := j.open().LastSeen(); got != 1300 {
		t.Errorf("with a torn line last seen at %d, want 1300", got)
	}
	writeFile(t, j.hostPath(), make([]byte, 100_000))
	if got := j.open().LastSeen(); got != 0 {
		t.Errorf("with zeroes last seen at %d", got)
	}
}

// A result that is damaged is told of until it has been made again.
func testMadeAgain(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 4)
	j.inputs()
	for task := range 4 {
		j.finish(outcome{task, 1, 0, job.Success, fmt.Sprint("result ", task), "log\n"})
	}
	j.close()
	out := readFile(t, j.path(0, store.OutSegment))
	out[0] ^= 1 // changed; those of 1 and 2 are there, that of 3 is not
	writeFile(t, j.path(0, store.OutSegment), out[:len(out)-1])
	damages := func(want, unsound, inResults int) {
		t.Helper()
		_, rep := read(t, j.open())
		st, stood, err := j.open().Standings()
		if err != nil {
			t.Fatal(err)
		}
		_, shown := results(t, j.open(), 0, 4)
		if rep.Total != want || st.Unsound != unsound || stood.Total != inResults || shown.Total != inResults {
			t.Errorf("%d places are damaged, %d tasks lost for it; to resume %+v, with results %+v; want %d, %d and %d",
				rep.Total, st.Unsound, stood, shown, want, unsound, inResults)
		}
	}
	damages(1, 2, 2)
	j.resume()
	worker := j.w.NextWorker()
	j.finish(outcome{0, 2, worker, job.Success, "result 0", ""}, outcome{3, 2, worker, job.Error, "", "no\n"})
	j.close()
	damages(1, 0, 1) // task 3 has failed since
	j.resume()
	j.finish(outcome{3, 3, j.w.NextWorker(), job.Success, "result 3", ""})
	j.close()
	damages(0, 0, 0)
	got, _ := results(t, j.open(), 0, 4)
	same(t, "results", got, []string{`0/2 success "result 0" of 8, <nil>`, `1/1 success "result 1" of 8, <nil>`,
		`2/1 success "result 2" of 8, <nil>`, `3/3 success "result 3" of 8, <nil>`})
	if err := os.Truncate(j.path(0, store.LogSegment), 2); err != nil {
		t.Fatal(err)
	}
	damages(4, 0, 4) // logs are not made again
}
