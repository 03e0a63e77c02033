package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// Random jobs are read as the model says, at every stage of their life.
func testMerge(t *testing.T, s *store.Store) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		j := newJob(t, s, fmt.Sprintf("%d-0-M000", seed), rnd.IntN(40))
		lines := randomJob(rnd, j.manifest.Tasks, 3)
		stop := rnd.IntN(len(lines) + 1)
		for i, l := range lines {
			if i == stop {
				j.checkRecords()
			}
			j.write(l)
		}
		j.checkRecords()
		j.checkTasks()
		j.close()
		j.checkRecords()
	}
}

// checkRecords is check for a job that lacks records the host has read.
func (j *written) checkRecords() {
	j.t.Helper()
	got, _ := read(j.t, j.open())
	same(j.t, "job and model", got, j.records())
}

// checkTasks reads every task by itself, and the sequence.
func (j *written) checkTasks() {
	j.t.Helper()
	var one, seq []string
	for task := range j.manifest.Tasks {
		all, _, err := j.open().Task(task)
		if err != nil {
			j.t.Fatal(err)
		}
		for _, r := range all {
			one = append(one, string(stats.AppendJSON(nil, r)))
		}
	}
	same(j.t, "Task and model", one, j.records())
	for r, err := range j.open().Records() {
		if err != nil {
			j.t.Fatal(err)
		}
		seq = append(seq, string(stats.AppendJSON(nil, r)))
	}
	same(j.t, "Records and model", seq, j.records())
	for range j.open().Records() {
		break // what reads ahead must not mind
	}
	for _, task := range []int{-1, j.manifest.Tasks} {
		var none *store.NoTaskError
		if _, _, err := j.open().Task(task); !errors.As(err, &none) || none.Task != task {
			j.t.Errorf("task %d: %v", task, err)
		}
	}
}

// Whatever keys are asked for, they have the values they have among all.
func testKeys(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 30)
	for _, l := range randomJob(rand.New(rand.NewPCG(7, 7)), 30, 3) {
		j.write(l)
	}
	value := func(key string, r *stats.Record) string {
		for _, f := range stats.Fields() {
			if f.Key == key {
				return string(f.AppendValue(fmt.Appendf(nil, "%d/%d %s=", r.Task, r.Attempt, key), r))
			}
		}
		return ""
	}
	for _, f := range stats.Fields() {
		var all, some []string
		_, err := j.open().Scan(stats.AllKeys(), func(r *stats.Record) error { all = append(all, value(f.Key, r)); return nil })
		if err != nil {
			t.Fatal(err)
		}
		_, err = j.open().Scan(stats.NewKeySet(f.Key), func(r *stats.Record) error { some = append(some, value(f.Key, r)); return nil })
		if err != nil {
			t.Fatal(err)
		}
		same(t, "one key and all", some, all)
	}
	stop := errors.New("stop")
	if _, err := j.open().Scan(stats.AllKeys(), func(*stats.Record) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("scan that is stopped: %v", err)
	}
	if _, err := j.open().Ordered(stats.AllKeys(), func(*stats.Record) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("reading in order that is stopped: %v", err)
	}
}

func testColumns(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 50)
	for _, l := range randomJob(rand.New(rand.NewPCG(8, 8)), 50, 3) {
		j.write(l)
	}
	want := stats.NewColumns(j.id, j.manifest.Name, time.Unix(0, j.manifest.Clock.Wall), 50)
	want.Started = make([]bool, 50)
	want.MarkRuns(j.manifest.JobRuns())
	for r, err := range j.open().Records() {
		if err != nil {
			t.Fatal(err)
		}
		want.Add(r)
	}
	got, _, err := j.open().Columns()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*stats.Columns{got, want} { // these stand in the order in which they were read
		slices.SortFunc(c.Others, func(a, b stats.OtherAttempt) int {
			return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.Attempt, b.Attempt))
		})
	}
	same(t, "columns", strings.Split(fmt.Sprintf("%v", *got), "] "), strings.Split(fmt.Sprintf("%v", *want), "] "))
}

func testResolve(t *testing.T, s *store.Store) {
	var none *store.NotFoundError
	if _, err := s.Resolve(store.Last); !errors.As(err, &none) {
		t.Errorf("last of an empty store: %v", err)
	}
	ids := []string{"1bc-0-M000", "1bd-2-M000", "1bd-10-M000", "2xy-0-M000", "2xyz-0-M000"}
	for _, id := range ids {
		newJob(t, s, id, 0).close()
	}
	for ref, want := range map[string]string{"1bc": "1bc-0-M000", "1bd-1": "1bd-10-M000", "1bd-2": "1bd-2-M000", "2xyz": "2xyz-0-M000",
		"2xy-0-M000": "2xy-0-M000", "2xy-": "2xy-0-M000", store.Last: "2xyz-0-M000"} {
		if got, err := s.Resolve(ref); err != nil || got != want {
			t.Errorf("%q is %q, %v, want %q", ref, got, err, want)
		}
	}
	for ref, want := range map[string][]string{"2xy": {"2xyz-0-M000", "2xy-0-M000"}, "1bd": {"1bd-10-M000", "1bd-2-M000"}} {
		var many *store.AmbiguousError
		if _, err := s.Resolve(ref); !errors.As(err, &many) || !slices.Equal(many.Candidates, want) || many.Hint() == "" {
			t.Errorf("%q: %v, want candidates %v", ref, err, want)
		}
	}
	for _, ref := range []string{"", "3", "2XY", "..", ".", "../jobs/2xy-0-M000", "2xy-0-M000/", "2xy-0-M000x"} {
		if got, err := s.Resolve(ref); !errors.As(err, &none) || none.Ref != ref || none.Hint() == "" {
			t.Errorf("%q is %q, %v", ref, got, err)
		}
	}
	if _, err := s.Resolve("2xy-0-M00x"); !errors.As(err, &none) || !slices.Equal(none.Near, []string{"2xy-0-M000"}) {
		t.Errorf("nearest to a slip: %+v", none)
	}
	for _, id := range []string{"..", "a/b", "", "nothere"} {
		if _, err := s.Job(id); !errors.As(err, &none) {
			t.Errorf("job %q: %v", id, err)
		}
	}
}

func testList(t *testing.T, s *store.Store) {
	if all, err := s.List(); err != nil || len(all) != 0 {
		t.Errorf("an empty store lists %v, %v", all, err)
	}
	running, ended, broken := newJob(t, s, "3-0-M000", 10), newJob(t, s, "2-0-M000", 10), newJob(t, s, "1-0-M000", 10)
	running.w.Event(store.Event{Event: "progress", Done: 1})
	for task := range 10 {
		running.write(line{-1, stats.Record{Task: task, Attempt: 1, State: job.Running}})
	}
	running.w.Event(store.Event{Event: "progress", Done: 4, Failed: 1, Running: 2})
	running.write(line{-1, stats.Record{Task: 9, Attempt: 1, State: job.Running}})
	ended.manifest.Name = "name"
	counts := map[job.State]int{job.Success: 9, job.Error: 1}
	ended.manifest.Ended = &store.Ending{State: store.JobFailed, TimeNS: 1_760_000_000_000_000_000, Counts: counts}
	if err := ended.w.WriteManifest(ended.manifest); err != nil {
		t.Fatal(err)
	}
	broken.w.Event(store.Event{Event: "progress", TimeNS: 1_751_000_000_000_000_000, Done: 4, Failed: 1, Running: 2})
	broken.write(line{-1, stats.Record{Task: 9, Attempt: 1, State: job.Success, StatusDone: stats.SecOf(1_751_000_000_500_000_000)}})
	broken.close()
	for _, name := range []string{"stray.file", ".hidden"} {
		writeFile(t, filepath.Join(s.Root(), "jobs", name), nil)
	}
	all, err := s.List()
	if err != nil || len(all) != 3 {
		t.Fatalf("list: %+v, %v", all, err)
	}
	created := time.Unix(0, 1_750_000_000_000_000_000)
	for i, want := range []store.Entry{
		{ID: "3-0-M000", State: store.JobRunning, Tasks: 10, Counts: map[job.State]int{job.Success: 4, job.Error: 1, job.Running: 2, job.Queued: 3}},
		{ID: "2-0-M000", State: store.JobFailed, Tasks: 10, Name: "name", Ended: time.Unix(0, 1_760_000_000_000_000_000), Counts: counts},
		{ID: "1-0-M000", State: store.JobBrokenOff, Tasks: 10, Ended: time.Unix(0, 1_751_000_000_500_000_000),
			Counts: map[job.State]int{job.Success: 4, job.Error: 1, job.Lost: 2, job.Queued: 3}},
	} {
		want.Created = created
		if got := fmt.Sprintf("%+v", all[i]); got != fmt.Sprintf("%+v", want) {
			t.Errorf("entry is\n%s, want\n%+v", got, want)
		}
	}
}

// A job whose host died before it wrote a manifest is there, and empty.
func testNoManifest(t *testing.T, s *store.Store) {
	w, err := s.Create(testID, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, s, store.JobRunning)
	staging, err := s.Job(testID)
	if err != nil {
		t.Fatal(err)
	}
	w.Task(&stats.Record{Task: 7, Attempt: 1, State: job.Running})
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, rep := read(t, staging); len(got) != 0 || rep.Total != 0 {
		t.Errorf("records that came after the job was opened: %v, %+v", got, rep)
	}
	writeFile(t, filepath.Join(s.JobDir(testID), "host.jsonl"), nil)
	w.Close()
	wantState(t, s, store.JobBrokenOff)
	j, err := s.Job(testID)
	if err != nil {
		t.Fatal(err)
	}
	if m := j.Manifest; m.JobID != testID || m.Spec == nil || time.Since(time.Unix(0, m.Clock.Wall)).Abs() > time.Hour {
		t.Errorf("what is known of a job without manifest: %+v", m)
	}
	if got, rep := read(t, j); len(got) != 0 || rep.Total != 0 {
		t.Errorf("its records: %v, %+v", got, rep)
	}
	writeFile(t, filepath.Join(j.Dir(), "input.jsonl"), []byte("1\n2\n3\n"))
	if j, err = s.Job(testID); err != nil {
		t.Fatal(err)
	}
	if got, rep := read(t, j); len(got) != 3 || rep.Total != 0 {
		t.Errorf("its records, of three inputs: %v, %+v", got, rep)
	}
	if all, err := s.List(); err != nil || all[0].Tasks != 3 {
		t.Errorf("list of it: %+v, %v", all, err)
	}
	if err := os.Remove(filepath.Join(j.Dir(), "host.jsonl")); err != nil {
		t.Fatal(err)
	}
	if got, rep := read(t, j); len(got) != 3 || rep.Total != 0 {
		t.Errorf("its records without a log: %v, %+v", got, rep)
	}
}

func testOutputs(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 3)
	out := "first resultsecond result"
	writeFile(t, j.path(0, store.OutSegment), []byte(out))
	crc := crc32.Checksum([]byte("second result"), crc32.MakeTable(crc32.Castagnoli))
	r := &stats.Record{Task: 1, Attempt: 1, Worker: stats.IntOf(0), ResultOffset: stats.IntOf(12), ResultSize: stats.IntOf(13), ResultCRC: stats.IntOf(crc)}
	result := func() (string, error) {
		f, err := j.open().Result(r)
		if err != nil {
			return "", err
		}
		defer f.Close()
		b, err := io.ReadAll(f)
		return string(b), err
	}
	if got, err := result(); err != nil || got != "second result" {
		t.Errorf("result is %q, %v", got, err)
	}
	var damage store.Damage
	writeFile(t, j.path(0, store.OutSegment), []byte(strings.ToUpper(out)))
	if got, err := result(); !errors.As(err, &damage) || got != "SECOND RESULT" || damage.Path != j.path(0, store.OutSegment) || damage.Offset != 12 {
		t.Errorf("changed result is %q, %v", got, err)
	}
	writeFile(t, j.path(0, store.OutSegment), []byte(out[:20]))
	if got, err := result(); !errors.As(err, &damage) || got != "second r" {
		t.Errorf("cut result is %q, %v", got, err)
	}
	r.ResultSize, r.ResultCRC = stats.IntOf(0), stats.IntOf(0)
	if got, err := result(); err != nil || got != "" {
		t.Errorf("empty result is %q, %v", got, err)
	}
	r.ResultSize = stats.Int{}
	if _, err := result(); !errors.Is(err, store.ErrNoOutput) {
		t.Errorf("result that is null: %v", err)
	}
}

func testLogTail(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 1)
	for _, c := range []struct {
		log   string
		limit int
		want  string
	}{
		{"", 10, ""}, {"\n", 10, ""}, {"one\n", 10, "one"}, {"one", 10, "one"}, {"one\n", 3, "one"}, {"one\r\n\r\n", 10, "one"},
		{"one\ntwo\n", 3, "two"}, {"one\ntwo\n", 6, "two"}, {"one\ntwo\n", 7, "one\ntwo"}, {"a long last line\n", 4, "line"},
		{"first\na long last line\n", 4, "line"}, {"one\ntwo", 3, "two"}, {strings.Repeat("x", 100) + "\nend\n", 5, "end"}, {"one\ntwo\n", 2, "wo"},
	} {
		writeFile(t, j.path(0, store.LogSegment), []byte("before\n"+c.log+"after\n"))
		r := &stats.Record{Worker: stats.IntOf(0), LogOffset: stats.IntOf(7), LogSize: stats.IntOf(len(c.log))}
		if got, err := j.open().LogTail(r, c.limit); err != nil || got != c.want {
			t.Errorf("last %d bytes of %.40q: %q, %v, want %q", c.limit, c.log, got, err, c.want)
		}
	}
	if _, err := j.open().LogTail(&stats.Record{}, 10); !errors.Is(err, store.ErrNoOutput) {
		t.Errorf("end of no log: %v", err)
	}
}
