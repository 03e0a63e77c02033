package store_test

import (
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
	if failed := counts[job.Error]; failed < tasks/20 || failed > tasks/5 || attempts != tasks+2*failed || j.State() != store.JobFailed {
		t.Errorf("%d tasks failed, %d attempts, job is %s", failed, attempts, j.State())
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
