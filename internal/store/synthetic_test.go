package store_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/store/storetest"
)

// A synthetic job is like one that was run: whole, consistent, its outputs there.
func TestSynthesize(t *testing.T) {
	const tasks = 3000
	o := storetest.Synthetic{Tasks: tasks, Workers: 5, Failed: 0.1, Retries: 2, Spread: 0.5}
	s := openIn("")(t)
	id, err := storetest.Synthesize(s, o)
	if err != nil {
		t.Fatal(err)
	}
	j, err := s.Job(id)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := j.Spec()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := job.Parse("job.yaml", spec); err != nil {
		t.Errorf("its specification: %v", err)
	}
	counts, attempts := map[job.State]int{}, 0
	rep, err := j.Ordered(stats.AllKeys(), func(r *stats.Record) error {
		attempts++
		if r.State == job.Success || r.Attempt == 3 {
			counts[r.State]++
		}
		stamps := []stats.Sec{r.HostJobCreate, r.HostSubmit, r.HostDispatch, r.WorkerStart, r.FuncStart, r.FuncEnd, r.WorkerEnd, r.StatusDone}
		for i := range stamps[1:] {
			if d := stamps[i+1].Since(stamps[i]); !d.OK || d.NS < 0 {
				t.Fatalf("stamps of %d/%d go backwards: %v", r.Task, r.Attempt, stamps)
			}
		}
		return outputs(j, r)
	})
	if err != nil || rep.Total > 0 || rep.Torn > 0 {
		t.Fatalf("reading it: %v, %+v", err, rep)
	}
	ended := j.Manifest.Ended
	if counts[job.Success] != ended.Counts[job.Success] || counts[job.Error] != ended.Counts[job.Error] || counts[job.Success]+counts[job.Error] != tasks {
		t.Errorf("counted %v, the manifest says %v", counts, ended.Counts)
	}
	checkResults(t, j)
	if failed := counts[job.Error]; failed < tasks/20 || failed > tasks/5 || attempts != tasks+2*failed || j.State() != store.JobFailed {
		t.Errorf("%d tasks failed, %d attempts, job is %s", failed, attempts, j.State())
	}
}

// checkResults reads the results of all tasks.
func checkResults(t *testing.T, j *store.Job) {
	t.Helper()
	want := "result of %d\n"
	if j.Manifest.Reduces > 0 {
		want = "%d"
	}
	next, stages := 0, map[string]int{}
	rep, err := j.Results(0, j.Manifest.Tasks, func(r *stats.Record, result io.Reader) error {
		stages[r.Stage]++
		if next++; r.Task != next-1 || (r.State == job.Success) != (result != nil) {
			t.Fatalf("result %d is of task %d, %v: %v", next-1, r.Task, r.State, result)
		}
		if result == nil {
			return nil
		}
		if b, err := io.ReadAll(result); err != nil || string(b) != fmt.Sprintf(want, r.Task) {
			t.Fatalf("result of task %d is %q, %v", r.Task, b, err)
		}
		return nil
	})
	m := j.Manifest
	if err != nil || rep.Total > 0 || next != m.Tasks || stages[stats.StageMap] != m.Maps() || stages[stats.StageReduce] != m.Reduces {
		t.Errorf("%d results, %v, %v, %+v", next, stages, err, rep)
	}
}

// A synthetic map_reduce has the reduce after the map.
func TestSynthesizeReduce(t *testing.T) {
	s := openIn("")(t)
	id, err := storetest.Synthesize(s, storetest.Synthetic{Tasks: 700, Reduces: 30, Workers: 3, Failed: 0.1, Spread: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	j, err := s.Job(id)
	if err != nil {
		t.Fatal(err)
	}
	checkResults(t, j)
	var mapped, reducing stats.Sec
	if _, err := j.Ordered(stats.AllKeys(), func(r *stats.Record) error {
		switch {
		case r.Stage == stats.StageMap:
			mapped = stats.SecOf(max(mapped.NS, r.WorkerEnd.NS))
		case !reducing.OK || r.WorkerStart.NS < reducing.NS:
			reducing = r.WorkerStart
		}
		return outputs(j, r)
	}); err != nil {
		t.Fatal(err)
	}
	if gap := reducing.Since(mapped); !gap.OK || gap.NS <= 0 {
		t.Errorf("the reduce begins %v after the map's end", gap)
	}
	in, err := j.Inputs()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	n := 0
	for ; ; n++ {
		if _, err := in.Next(); err != nil {
			break
		}
	}
	if n != 730 {
		t.Errorf("%d inputs, want 730", n)
	}
}

// outputs reads result and log to their ends.
func outputs(j *store.Job, r *stats.Record) error {
	for _, open := range []func(*stats.Record) (io.ReadCloser, error){j.Result, j.Log} {
		f, err := open(r)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := io.Copy(io.Discard, f); err != nil {
			return err
		}
	}
	return nil
}
