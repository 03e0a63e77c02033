package storetest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// stands reads where the tasks stand, as "state tries/run".
func (j *written) stands() (all []string, st *store.Standings, rep *store.Report) {
	j.t.Helper()
	st, rep, err := j.open().Standings()
	if err != nil {
		j.t.Fatal(err)
	}
	for _, at := range st.Tasks {
		all = append(all, fmt.Sprintf("%v %d/%d", at.State, at.Tries, at.Run))
	}
	return all, st, rep
}

// A success counts when its result is there as it was written, and the last such one.
func testStandings(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 14)
	j.manifest.Runs = []store.RunInfo{{Number: 1}, {Number: 2, FirstWorker: 2}}
	if err := j.w.WriteManifest(j.manifest); err != nil {
		t.Fatal(err)
	}
	j.finish(
		outcome{0, 1, 0, job.Success, "zero", ""},
		outcome{1, 1, 0, job.Success, "one", ""},
		outcome{1, 2, 2, job.Success, "one", ""},        // a second success,
		outcome{2, 1, 0, job.Success, "two", ""},        //
		outcome{2, 2, 1, job.Success, "TWO", ""},        // one that is changed below,
		outcome{2, 3, 2, job.Error, "half", "no\n"},     // and a failure after both
		outcome{3, 1, 0, job.Success, "-", ""},          // no result
		outcome{4, 1, 1, job.Success, "", ""},           // an empty one
		outcome{5, 1, 1, job.Success, "last of 1", ""},  // cut short below
		outcome{6, 1, 3, job.Success, "missing", ""},    // its file is removed below
		outcome{7, 1, 0, job.Error, "half", ""},         //
		outcome{7, 2, 2, job.Timeout, "half", ""},       //
		outcome{8, 1, 4, job.Success, largeResult, ""},  //
		outcome{9, 1, 4, job.Success, largeResult, "x"}, // changed below
	)
	note := func(r stats.Record) { j.write(line{-1, r}) }
	note(stats.Record{Task: 10, Attempt: 1, State: job.Success, Worker: stats.IntOf(0), StatusDone: stats.SecOf(70)}) // its record is gone
	note(stats.Record{Task: 11, Attempt: 3, State: job.Running, Worker: stats.IntOf(3)})
	note(stats.Record{Task: 12, Attempt: 1, State: job.Lost, Worker: stats.IntOf(1)})
	note(stats.Record{Task: 12, Attempt: 2, State: job.Queued, Worker: stats.IntOf(2), HostDispatch: stats.SecOf(80)})
	j.w.Event(store.Event{Event: "progress", TimeNS: 1_790_000_000_000_000_000})
	if err := j.w.Flush(); err != nil {
		t.Fatal(err)
	}
	one, four := j.path(1, store.OutSegment), j.path(4, store.OutSegment)
	writeFile(t, one, bytes.Replace(readFile(t, one), []byte("TWO"), []byte("TwO"), 1)[:7])
	large := readFile(t, four)
	large[len(large)-2] ^= 1
	writeFile(t, four, large)
	if err := os.Remove(j.path(3, store.OutSegment)); err != nil {
		t.Fatal(err)
	}
	want := []string{"success 1/1", "success 2/2", "success 3/1", "lost 1/1", "success 1/1", "lost 1/1", "lost 1/2", "timeout 2/2",
		"success 1/2", "lost 1/2", "lost 1/1", "lost 3/2", "lost 2/1", "new 0/0"}
	want[12] = "lost 1/1"
	for _, over := range []bool{false, true} {
		if over {
			j.close()
		}
		if got, _ := results(t, j.open(), 0, 2); got[1] != `1/2 success "one" of 3, <nil>` {
			t.Errorf("of two successes, the result is %s", got[1])
		}
		got, st, rep := j.stands()
		same(t, "standings", got, want)
		if st.Unsound != 4 { // of task 2 there is another success
			t.Errorf("%d tasks are lost for their results, want 4", st.Unsound)
		}
		if st.LastNS != 1_790_000_000_000_000_000 {
			t.Errorf("the last stamp is %d", st.LastNS)
		}
		var said []string
		for _, d := range rep.Damage {
			said = append(said, filepath.Base(d.Path)+": "+d.Msg)
		}
		slices.Sort(said)
		same(t, "damage", said, []string{
			"w-0.stats.jsonl: records that the host has read are missing: 1",
			"w-1.out: output of task 2, attempt 2 at byte 0 was changed",
			"w-1.stats.jsonl: points to bytes 3 to 12 of w-1.out, which has 7",
			"w-3.stats.jsonl: points to bytes 0 to 7 of w-3.out, which has 0",
			fmt.Sprintf("w-4.out: output of task 9, attempt 1 at byte %d was changed", len(largeResult)),
		})
	}
}

// A file that has its length and no more, as a power cut may leave it, is torn: once.
func testZeroTail(t *testing.T, s *store.Store) {
	j := done(t, s, 200, false)
	j.inputs()
	j.close()
	for _, zeroes := range []int64{1, 100, 1 << 16, 300_000, 40 << 20} {
		paths := []string{j.path(0, store.StatsSegment), j.hostPath()}
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, info.Size()+zeroes); err != nil {
				t.Fatal(err)
			}
		}
		j.check(0, 2)
		if st := j.must(j.open().Standings()); slices.ContainsFunc(st.Tasks, func(at store.Standing) bool { return at.State != job.Success }) {
			t.Errorf("with %d zeroes tasks stand at %+v", zeroes, st.Tasks)
		}
		fl, err := j.open().Follow(stats.AllKeys())
		if err != nil {
			t.Fatal(err)
		}
		if err := fl.Next(func(r *stats.Record) error { return fmt.Errorf("record of task %d", r.Task) }); err != nil {
			t.Errorf("following %d zeroes: %v", zeroes, err)
		}
		fl.Close()
	}
	// The last line but one, and what follows, did not come to the disk either.
	path := j.path(0, store.StatsSegment)
	whole := bytes.TrimRight(readFile(t, path), "\x00")
	from := bytes.LastIndexByte(whole[:len(whole)-1], '\n') - 100
	writeFile(t, path, append(whole[:from:from], make([]byte, 100_000)...))
	delete(j.worker, job.Attempt{Task: 198, Try: 1})
	delete(j.worker, job.Attempt{Task: 199, Try: 1})
	j.check(0, 2)
	j.resume()
	j.check(0, 1) // that of a worker of the run before
}

// harm is a change to a file.
type harm struct {
	name string
	do   func(whole []byte, at int) []byte
	tail bool // all from the place on is harmed, not the byte alone
}

var harms = []harm{
	{"cut", func(whole []byte, at int) []byte { return whole[:at:at] }, true},
	{"zeroed", func(whole []byte, at int) []byte { return append(whole[:at:at], make([]byte, len(whole)-at)...) }, true},
	{"flipped", func(whole []byte, at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 1 << (at % 8)
		return b
	}, false},
}

// Wherever a file is cut or changed: no task stands as success whose result is not
// there, and all that is good is shown.
func testDamagedStandings(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 6)
	j.inputs()
	var outcomes []outcome
	for task := range 6 {
		if task == 3 {
			outcomes = append(outcomes, outcome{task, 1, 1, job.Error, "half a result", "it said \"no\"\n"})
		}
		outcomes = append(outcomes, outcome{task, 1 + task/3%2, task % 2, job.Success, strings.Repeat(fmt.Sprintf("result of %d ", task), 2+task), "log\n"})
	}
	outcomes = append(outcomes[:len(outcomes)-1], outcome{5, 1, 1, job.Timeout, "", "late ünïcode\n"})
	for _, o := range outcomes {
		j.write(line{-1, stats.Record{Task: o.task, Attempt: o.try, State: job.Running, Worker: stats.IntOf(o.worker), HostSubmit: stats.SecOf(5), HostDispatch: stats.SecOf(6)}})
		j.finish(o)
		j.write(line{-1, stats.Record{Task: o.task, Attempt: o.try, State: o.state, Worker: stats.IntOf(o.worker), StatusDone: stats.SecOf(9)}})
	}
	j.close()
	intact, _, _ := j.stands()
	truth := map[int]string{}
	if _, err := j.open().Results(0, 6, func(r *stats.Record, result io.Reader) error {
		if result != nil {
			b, err := io.ReadAll(result)
			truth[r.Task] = string(b)
			return err
		}
		return nil
	}); err != nil || len(truth) != 5 {
		t.Fatal(truth, err)
	}
	step := 5
	if testing.Short() {
		step = 13
	}
	dir := s.JobDir(testID)
	for _, name := range []string{"w-0.stats.jsonl", "w-1.stats.jsonl", "w-0.out", "w-1.out", "w-0.log", "host.jsonl", "input.jsonl", "job.json"} {
		path := filepath.Join(dir, name)
		whole := readFile(t, path)
		spans := j.spans(name, whole)
		for _, h := range harms {
			places := map[int]bool{}
			for at := 0; at < len(whole); at += step {
				places[at] = true
			}
			for _, sp := range spans {
				places[sp.from], places[sp.to-1], places[max(0, sp.from-1)] = true, true, true
			}
			for at := range places {
				writeFile(t, path, h.do(whole, at))
				what := fmt.Sprintf("%s %s at %d", name, h.name, at)
				opened, err := s.Job(testID)
				if err != nil && name == "job.json" {
					continue
				}
				if err != nil {
					t.Fatal(what, err)
				}
				st, rep, err := opened.Standings()
				if err != nil {
					t.Fatal(what, err)
				}
				lost := map[int]bool{} // tasks that cannot stand as they did
				for _, sp := range spans {
					in := at >= sp.from && at < sp.to
					if sp.line && (h.tail || at == len(whole)-1) { // a line without its end is torn
						in = in || at == sp.to
					}
					if in || h.tail && at < sp.from {
						lost[sp.task] = true
					}
				}
				believed := map[int]string{}
				if _, err := opened.Results(0, len(st.Tasks), func(r *stats.Record, result io.Reader) error {
					if st.Tasks[r.Task].State == job.Success {
						b, err := io.ReadAll(result)
						believed[r.Task] = string(b)
						return err
					}
					return nil
				}); err != nil {
					t.Fatal(what, err)
				}
				want := maps.Clone(truth)
				maps.DeleteFunc(want, func(task int, _ string) bool { return lost[task] })
				if name == "job.json" { // it may say that there are other tasks
					maps.DeleteFunc(want, func(task int, _ string) bool { return believed[task] == "" })
				}
				if !maps.Equal(believed, want) {
					t.Fatalf("%s: results %v, want %v", what, believed, want)
				}
				if strings.HasSuffix(name, ".out") && st.Unsound != len(truth)-len(want) {
					t.Fatalf("%s: %d unsound, want %d", what, st.Unsound, len(truth)-len(want))
				}
				if h.name == "zeroed" && strings.HasSuffix(name, ".jsonl") && name != "input.jsonl" && rep.Torn != 1 {
					t.Fatalf("%s: %d torn lines, %+v", what, rep.Torn, rep.Damage)
				}
				if strings.HasSuffix(name, ".jsonl") && len(lost) == 0 && name != "host.jsonl" {
					got, _, _ := j.stands()
					same(t, what, got, intact)
				}
			}
		}
		writeFile(t, path, whole)
	}
}

// span is where the record, or the result, of a success stands.
type span struct {
	task, from, to int
	line           bool // it ends with a line end
}

// spans lists them for a file of the job.
func (j *written) spans(name string, whole []byte) (all []span) {
	for id, r := range j.worker {
		if r.State != job.Success || !strings.HasPrefix(name, fmt.Sprintf("w-%d.", r.Worker.V)) {
			continue
		}
		switch {
		case strings.HasSuffix(name, ".out"):
			all = append(all, span{id.Task, int(r.ResultOffset.V), int(r.ResultOffset.V + r.ResultSize.V), false})
		case strings.HasSuffix(name, ".stats.jsonl"):
			from := bytes.Index(whole, fmt.Appendf(nil, `{"task":%d,"attempt":%d,`, id.Task, id.Try))
			to := from + bytes.IndexByte(whole[from:], '\n')
			all = append(all, span{id.Task, from, to, true})
		}
	}
	return all
}
