package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// outcome is how an attempt ends, on its way into a job. A result of "-" is none.
type outcome struct {
	task, try, worker int
	state             job.State
	result, log       string
}

// finish writes results, logs and records of attempts, as their workers do.
func (j *written) finish(all ...outcome) {
	j.t.Helper()
	for _, o := range all {
		r := stats.Record{Task: o.task, Attempt: o.try, State: o.state, Worker: stats.IntOf(o.worker)}
		if o.state != job.Success {
			r.ErrorType, r.Error = "exit", fmt.Sprintf("failed at %d", o.task)
		}
		if o.result != "-" {
			r.ResultOffset, r.ResultSize = stats.IntOf(j.append(o.worker, store.OutSegment, o.result)), stats.IntOf(len(o.result))
			r.ResultCRC = stats.IntOf(crc32.Checksum([]byte(o.result), crc32.MakeTable(crc32.Castagnoli)))
		}
		r.LogOffset, r.LogSize = stats.IntOf(j.append(o.worker, store.LogSegment, o.log)), stats.IntOf(len(o.log))
		j.write(line{o.worker, r})
	}
}

// append adds text to a segment of results or logs.
func (j *written) append(worker int, kind, text string) (offset int) {
	j.t.Helper()
	f, err := os.OpenFile(j.path(worker, kind), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		j.t.Fatal(err)
	}
	info, errStat := f.Stat()
	_, errWrite := f.WriteString(text)
	if err := errors.Join(errStat, errWrite, f.Close()); err != nil {
		j.t.Fatal(err)
	}
	return int(info.Size())
}

var largeResult = strings.Repeat("large ", 400_000)

// mixed is a running job of some results, in an order of their own.
func mixed(t *testing.T, s *store.Store) *written {
	j := newJob(t, s, testID, 8)
	j.finish(
		outcome{5, 1, 0, job.Success, largeResult, "5"},
		outcome{1, 1, 0, job.Error, "half", "no\n"},
		outcome{0, 1, 1, job.Success, "zero", ""},
		outcome{1, 2, 1, job.Success, "one\n", "better\n"},
		outcome{6, 1, 1, job.Success, "six", ""},
		outcome{2, 1, 0, job.Error, "two", ""},
		outcome{2, 2, 1, job.Timeout, "two again", "late\n"},
		outcome{4, 1, 0, job.Success, "", ""},
		outcome{7, 1, 0, job.Success, "-", ""},
	)
	return j
}

// results reads n results from first on, as "task/attempt state result", and what
// damage was met.
func results(t *testing.T, j *store.Job, first, n int) (all []string, rep *store.Report) {
	t.Helper()
	rep, err := j.Results(first, n, func(r *stats.Record, result io.Reader) error {
		text := fmt.Sprintf("%d/%d %v", r.Task, r.Attempt, r.State)
		if result == nil {
			all = append(all, text+" nothing "+r.Error)
			return nil
		}
		b, err := io.ReadAll(result)
		all = append(all, fmt.Sprintf("%s %.20q of %d, %v", text, b, len(b), err))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, rep
}

func testResults(t *testing.T, s *store.Store) {
	j := mixed(t, s)
	want := []string{
		`0/1 success "zero" of 4, <nil>`, `1/2 success "one\n" of 4, <nil>`, "2/2 timeout nothing failed at 2", "3/0 new nothing ",
		`4/1 success "" of 0, <nil>`, fmt.Sprintf("5/1 success %.20q of %d, <nil>", largeResult, len(largeResult)),
		`6/1 success "six" of 3, <nil>`, "7/1 success nothing ",
	}
	for first := range len(want) + 1 {
		for n := range len(want) + 1 - first {
			got, rep := results(t, j.open(), first, n)
			same(t, "results", got, want[first:first+n])
			if rep.Total != 0 {
				t.Errorf("results are damaged: %+v", rep)
			}
		}
	}
	for _, c := range [][3]int{{-1, 1, -1}, {0, 9, 8}, {8, 1, 8}, {9, 0, 9}, {3, -1, 8}, {1, 1<<63 - 1, 8}} {
		var none *store.NoTaskError
		_, err := j.open().Results(c[0], c[1], nil)
		if !errors.As(err, &none) || none.Task != c[2] {
			t.Errorf("%d results from %d on: %v, want that there is no task %d", c[1], c[0], err, c[2])
		}
	}
	stop := errors.New("stop")
	if _, err := j.open().Results(0, 8, func(*stats.Record, io.Reader) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("results that are stopped: %v", err)
	}
	var attempts [][]int
	_, err := j.open().Tasks(1, 2, stats.NewKeySet("error"), func(all []stats.Record) error {
		var tries []int
		for _, r := range all {
			tries = append(tries, r.Attempt)
		}
		attempts = append(attempts, append(tries, store.Counting(all).Attempt))
		return nil
	})
	if want := "[[1 2 2] [1 2 2]]"; err != nil || fmt.Sprint(attempts) != want {
		t.Errorf("attempts and which one counts: %v, %v, want %s", attempts, err, want)
	}
	j.checkLogs(map[job.Attempt]string{{Task: 1, Try: 1}: "no\n", {Task: 1, Try: 2}: "better\n", {Task: 2, Try: 2}: "late\n", {Task: 5, Try: 1}: "5"})
}

// checkLogs reads all logs; those not in want are to be empty.
func (j *written) checkLogs(want map[job.Attempt]string) {
	j.t.Helper()
	outputs := j.open().Outputs()
	defer outputs.Close()
	for r, err := range j.open().Records() {
		if err != nil {
			j.t.Fatal(err)
		}
		log, err := outputs.Log(r)
		if r.Attempt == 0 {
			if !errors.Is(err, store.ErrNoOutput) {
				j.t.Errorf("log of a task that was not tried: %v", err)
			}
			continue
		}
		if err != nil {
			j.t.Fatal(err)
		}
		b, err := io.ReadAll(log)
		if w := want[job.Attempt{Task: r.Task, Try: r.Attempt}]; err != nil || string(b) != w {
			j.t.Errorf("log of %d/%d is %q, %v, want %q", r.Task, r.Attempt, b, err, w)
		}
	}
}

// A damaged result is reported once and keeps no other from being read. Of a small
// one nothing is given out.
func testDamagedResults(t *testing.T, s *store.Store) {
	j := mixed(t, s)
	intact, _ := results(t, j.open(), 0, 8)
	paths := []string{j.path(0, store.OutSegment), j.path(1, store.OutSegment)}
	whole := [][]byte{readFile(t, paths[0]), readFile(t, paths[1])}
	for _, c := range []struct {
		name     string
		worker   int
		becomes  []byte // nil: missing
		lost     []int  // tasks
		says     string // of the first
		total    int    // damages
		reported string // of the first
	}{
		{"small", 1, bytes.Replace(whole[1], []byte("one"), []byte("One"), 1), []int{1}, `1/2 success "" of 0, `, 1, "w-1.out: output of task 1, attempt 2 at byte 4 was changed"},
		{"large", 0, bytes.Replace(whole[0], []byte("large"), []byte("Large"), 1), []int{5}, fmt.Sprintf(`5/1 success "Large large large la" of %d, `, len(largeResult)), 1,
			"w-0.out: output of task 5, attempt 1 at byte 0 was changed"},
		{"cut", 1, whole[1][:9], []int{6}, `6/1 success "" of 0, `, 2, "w-1.stats.jsonl:4: points to bytes 8 to 11 of w-1.out, which has 9"},
		{"missing", 1, nil, []int{0, 1, 6}, `0/1 success "" of 0, `, 4, "w-1.stats.jsonl:2: points to bytes 0 to 4 of w-1.out, which has 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if writeFile(t, paths[c.worker], c.becomes); c.becomes == nil {
				os.Remove(paths[c.worker])
			}
			got, rep := results(t, j.open(), 0, 8)
			for _, task := range c.lost {
				if task == c.lost[0] && !strings.HasPrefix(got[task], c.says) || !strings.Contains(got[task], "output of task") {
					t.Errorf("damaged result is read as %s, want %s", got[task], c.says)
				}
			}
			for task := range intact {
				if !slices.Contains(c.lost, task) && got[task] != intact[task] {
					t.Errorf("result is read as %s, was %s", got[task], intact[task])
				}
			}
			if rep.Total != c.total || !strings.HasSuffix(rep.Damage[0].String(), c.reported) {
				t.Errorf("report %+v, want %d, %s", rep, c.total, c.reported)
			}
			other := errors.New("other")
			_, err := j.open().Results(c.lost[0], 1, func(_ *stats.Record, result io.Reader) error {
				_, err := io.Copy(io.Discard, result)
				if err == nil {
					t.Error("a damaged result was read to its end")
				}
				return other
			})
			if !errors.Is(err, other) {
				t.Errorf("an error of the reader is %v", err)
			}
			writeFile(t, paths[c.worker], whole[c.worker])
		})
	}
}

// A running job may get more tasks. Who opened it before does not see them, and
// sees no damage.
func testGrowing(t *testing.T, s *store.Store) {
	j := done(t, s, 3, true)
	before := j.open()
	want, _ := read(t, before)
	j.manifest.Tasks, j.manifest.Reduces = 5, 2
	if err := j.w.WriteManifest(j.manifest); err != nil {
		t.Fatal(err)
	}
	j.write(line{-1, stats.Record{Task: 3, Attempt: 1, State: job.Running, Worker: stats.IntOf(0)}})
	j.finish(outcome{3, 1, 0, job.Success, "6", ""}, outcome{4, 1, 1, job.Error, "", "cannot add\n"})
	j.write(line{-1, stats.Record{Task: 4, Attempt: 1, State: job.Error, Worker: stats.IntOf(1), StatusDone: stats.SecOf(5)}})

	got, rep := read(t, before)
	same(t, "a job that has grown", got, want)
	if rep.Total != 0 {
		t.Errorf("who opened the job before it grew is told of damage: %+v", rep)
	}
	var none *store.NoTaskError
	if _, _, err := before.Task(3); !errors.As(err, &none) || none.Tasks != 3 {
		t.Errorf("a task that was added: %v", err)
	}
	j.check(0, 0)
	j.checkTasks()
	after := j.open()
	if m := after.Manifest; m.Maps() != 3 || m.Reduces != 2 {
		t.Errorf("%d map tasks, %d reduce tasks", m.Maps(), m.Reduces)
	}
	for task, stage := range []string{stats.StageMap, stats.StageMap, stats.StageMap, stats.StageReduce, stats.StageReduce} {
		all, _, err := after.Task(task)
		if err != nil || len(all) != 1 || all[0].Stage != stage {
			t.Errorf("task %d: %d attempts, %v, want one of stage %s", task, len(all), err, stage)
		}
	}
	if got, _ := results(t, after, 3, 2); got[0] != `3/1 success "6" of 1, <nil>` || got[1] != "4/1 error nothing failed at 4" {
		t.Errorf("results of the reduce are %q", got)
	}
	j.close()
	if _, rep := read(t, j.open()); rep.Total != 0 {
		t.Errorf("damage after the end: %+v", rep)
	}
	for _, text := range []string{`{"version":1,"tasks":2,"reduce_tasks":3}`, `{"version":1,"tasks":2,"reduce_tasks":-1}`} {
		writeFile(t, s.JobDir(testID)+"/job.json", []byte(text))
		if _, err := s.Job(testID); err == nil {
			t.Errorf("a job with manifest %s was opened", text)
		}
	}
}

// A follower sees each record that was added since it looked last, once, from
// whatever worker.
func testFollow(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 10)
	j.finish(outcome{0, 1, 0, job.Success, "0", ""})
	fl, err := j.open().Follow(stats.NewKeySet("error"))
	if err != nil {
		t.Fatal(err)
	}
	defer fl.Close()
	next := func(want ...string) {
		t.Helper()
		var got []string
		err := fl.Next(func(r *stats.Record) error {
			got = append(got, fmt.Sprintf("%d/%d %v by %d, %s: %s", r.Task, r.Attempt, r.State, r.Worker.V, r.Stage, r.Error))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "what follows", got, want)
	}
	next()
	j.finish(outcome{1, 1, 0, job.Success, "1", ""}, outcome{2, 1, 0, job.Error, "", "no"})
	next("1/1 success by 0, map: ", "2/1 error by 0, map: failed at 2")
	next()
	j.finish(outcome{12, 1, 4, job.Success, "", ""}, outcome{2, 2, 0, job.Success, "2", ""})
	next("2/2 success by 0, map: ", "12/1 success by 4, reduce: ")

	r := stats.Record{Task: 3, Attempt: 1, State: job.Success, Worker: stats.IntOf(0)}
	whole := stats.AppendWorkerLine([]byte("damaged\n"), &r)
	j.append(0, store.StatsSegment, string(whole[:len(whole)-9]))
	next()
	j.append(0, store.StatsSegment, string(whole[len(whole)-9:]))
	next("3/1 success by 0, map: ")
	stop := errors.New("stop")
	j.finish(outcome{4, 1, 0, job.Success, "", ""})
	if err := fl.Next(func(*stats.Record) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("a follower that is stopped: %v", err)
	}
}
