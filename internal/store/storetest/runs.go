package storetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
)

// inputs gives the job as many inputs as it has tasks, as it needs to be reopened.
func (j *written) inputs() {
	j.t.Helper()
	in, err := j.w.Inputs()
	if err != nil {
		j.t.Fatal(err)
	}
	for task := range j.manifest.Tasks {
		if err := in.Add(fmt.Append(nil, task)); err != nil {
			j.t.Fatal(err)
		}
	}
	if err := in.Close(); err != nil {
		j.t.Fatal(err)
	}
}

// resume begins a further run of a job that was closed.
func (j *written) resume() {
	j.t.Helper()
	w, m, err := j.s.Reopen(j.id, nil)
	if err != nil {
		j.t.Fatal(err)
	}
	if len(m.Runs) == 0 {
		m.Runs = []store.RunInfo{{Number: 1, StartNS: m.Clock.Wall}}
	}
	n := len(m.Runs)
	m.Runs[n-1].EndNS, m.Runs[n-1].State = m.Runs[n-1].StartNS+1e12, "broken"
	m.Runs = append(m.Runs, store.RunInfo{Number: n + 1, StartNS: m.Runs[n-1].EndNS + 1e12, FirstWorker: w.NextWorker()})
	m.Ended = nil
	if err := w.WriteManifest(m); err != nil {
		j.t.Fatal(err)
	}
	j.w, j.manifest, j.first, j.over, j.segs = w, m, w.NextWorker(), false, map[int]*store.Segment{}
}

// checkStandings compares where the tasks stand with the model.
func (j *written) checkStandings() *store.Standings {
	j.t.Helper()
	got, _, err := j.open().Standings()
	if err != nil {
		j.t.Fatal(err)
	}
	want := j.standings()
	if got.LastNS != want.LastNS || got.Unsound != 0 {
		j.t.Errorf("last stamp %d, %d unsound, want %d and none", got.LastNS, got.Unsound, want.LastNS)
	}
	for task := range want.Tasks {
		if got.Tasks[task] != want.Tasks[task] {
			j.t.Fatalf("task %d stands at %+v, want %+v", task, got.Tasks[task], want.Tasks[task])
		}
	}
	return got
}

// Random jobs that break off and are resumed, several times, are read as the model says.
func testRuns(t *testing.T, s *store.Store) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		j := newJob(t, s, fmt.Sprintf("%d-0-M000", seed), 1+rnd.IntN(30))
		j.inputs()
		lines := randomJob(rnd, j.manifest.Tasks, 3)
		for run := 1; ; run++ {
			stop := rnd.IntN(len(lines) + 1)
			for _, l := range lines[:stop] {
				j.write(l)
			}
			j.checkRecords()
			wantListed(t, s, j.id, store.JobRunning)
			j.close()
			j.checkRecords()
			wantListed(t, s, j.id, store.JobBrokenOff)
			if run == 4 {
				break
			}
			j.resume()
			j.checkRecords()
			j.checkTasks()
			st := j.checkStandings()
			var queues [][]line
			for task, at := range st.Tasks {
				if at.State != job.Success {
					queues = append(queues, randomTask(rnd, task, int(at.Tries)+1, j.first, 3))
				}
			}
			lines = interleave(rnd, queues)
		}
	}
}

// wantListed says what state a job is to be listed and opened in.
func wantListed(t *testing.T, s *store.Store, id, want string) {
	t.Helper()
	all, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(e store.Entry) bool { return e.ID == id })
	if i < 0 || all[i].State != want {
		t.Errorf("job %s is listed as %+v, want %s", id, all, want)
	}
	if j, err := s.Job(id); err != nil || j.State() != want {
		t.Errorf("job %s is opened: %v, want %s", id, err, want)
	}
}

// A job is what its last run has made of it, whatever the runs before.
func testStatesOfRuns(t *testing.T, s *store.Store) {
	j := done(t, s, 2, true)
	j.inputs()
	j.manifest.Ended = &store.Ending{State: store.JobDone, TimeNS: 1_760_000_000_000_000_000, Counts: map[job.State]int{job.Success: 2}}
	if err := j.w.WriteManifest(j.manifest); err != nil {
		t.Fatal(err)
	}
	j.w.Event(store.Event{Event: "progress", Done: 1, Running: 1})
	j.close()
	wantListed(t, s, testID, store.JobDone)
	if got := j.checkEnded(); got != 2 {
		t.Errorf("%d tasks of a job that is done have succeeded", got)
	}
	for range 2 {
		j.resume()
		j.w.Event(store.Event{Event: "run", TimeNS: 5})
		if err := j.w.Flush(); err != nil {
			t.Fatal(err)
		}
		wantListed(t, s, testID, store.JobRunning)
		all, err := s.List()
		want := map[job.State]int{job.Queued: 1, job.Running: 0, job.Success: 1, job.Error: 0}
		if err != nil || !all[0].Ended.IsZero() || !maps.Equal(all[0].Counts, want) {
			t.Errorf("a job that is resumed is listed as %+v, %v, want %v", all, err, want)
		}
		j.check(0, 0)
		j.close()
		wantListed(t, s, testID, store.JobBrokenOff)
		j.check(0, 0)
	}
}

// checkEnded is how many tasks the list says have succeeded, and where they stand.
func (j *written) checkEnded() int {
	j.t.Helper()
	all, err := j.s.List()
	if err != nil || len(all) != 1 {
		j.t.Fatal(all, err)
	}
	for task, at := range j.must(j.open().Standings()).Tasks {
		if at != (store.Standing{State: job.Success, Tries: 1, Run: 1}) {
			j.t.Errorf("task %d stands at %+v", task, at)
		}
	}
	return all[0].Counts[job.Success]
}

func (j *written) must(st *store.Standings, _ *store.Report, err error) *store.Standings {
	j.t.Helper()
	if err != nil {
		j.t.Fatal(err)
	}
	return st
}

// What a reduce task made of lists that do not count any more is no success.
func testSuperseded(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 3)
	m := j.manifest
	m.Reduces, m.ReduceRun = 1, 1
	m.Runs = []store.RunInfo{{Number: 1}, {Number: 2, FirstWorker: 1}}
	j.finish(outcome{0, 1, 0, job.Success, "0", ""}, outcome{1, 1, 0, job.Success, "1", ""}, outcome{2, 1, 0, job.Success, "01", ""})
	for _, c := range []struct {
		name   string
		change func()
		want   string
		says   string
	}{
		{"made", func() {}, "success 1/1", `2/1 success "01" of 2, <nil>`},
		{"stale", func() { m.ReduceStale = true }, "cancelled 1/1", "2/1 cancelled nothing map tasks were run after it: the reduce is made again"},
		{"to be made", func() { m.ReduceStale, m.ReduceRun = false, 2 }, "cancelled 1/1", "2/1 cancelled nothing map tasks were run after it: the reduce is made again"},
		{"made again", func() { j.finish(outcome{2, 2, 1, job.Success, "0+1", ""}) }, "success 2/2", `2/2 success "0+1" of 3, <nil>`},
	} {
		c.change()
		if err := j.w.WriteManifest(m); err != nil {
			t.Fatal(err)
		}
		got, st, rep := j.stands()
		same(t, c.name, got, []string{"success 1/1", "success 1/1", c.want})
		if st.Unsound != 0 || rep.Total != 0 {
			t.Errorf("%s: %+v, %+v", c.name, st, rep)
		}
		if got, _ := results(t, j.open(), 2, 1); got[0] != c.says {
			t.Errorf("%s: the result is %s, want %s", c.name, got[0], c.says)
		}
		read(t, j.open())
	}
}
