//go:build linux

package calibrate

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// patience bounds every wait; it is reached only when a test fails.
const patience = 60 * time.Second

// keys are those of job.yaml; data, workers and, without a function, command have
// a default.
type keys map[string]any

// measured is a finished job.
type measured struct {
	t       *testing.T
	job     *store.Job
	records []*stats.Record // in order of task and attempt
}

// measure runs one task for each script and checks what holds for every record.
func measure(t *testing.T, with keys, scripts ...string) *measured {
	t.Helper()
	return measureUntil(t, t.Context(), with, scripts...)
}

func measureUntil(t *testing.T, ctx context.Context, with keys, scripts ...string) *measured {
	t.Helper()
	m, err := execute(t, ctx, with, scripts...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// execute is measureUntil for jobs that this machine may refuse.
func execute(t *testing.T, ctx context.Context, with keys, scripts ...string) (*measured, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	all := keys{"command": []string{self, "{}"}, "data": keys{"list": scripts}, "workers": 1, "env": keys{childEnv: "1"}}
	if with["function"] != nil {
		all = keys{"data": keys{"list": scripts}, "workers": 1}
	}
	for k, v := range with {
		all[k] = v
	}
	source, err := json.Marshal(all) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	spec, err := job.Parse(filepath.Join(dir, "job.yaml"), source)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := lithops.Run{Store: s, Spec: spec, Source: source}.Do(ctx)
	if err != nil {
		return nil, err
	}
	return finished(t, s, out.JobID), nil
}

// finished reads a job and checks what holds for every record.
func finished(t *testing.T, s *store.Store, id string) *measured {
	t.Helper()
	m := &measured{t: t}
	var err error
	if m.job, err = s.Job(id); err != nil {
		t.Fatal(err)
	}
	for r, err := range m.job.Records() {
		if err != nil {
			t.Fatal(err)
		}
		own := *r
		m.records = append(m.records, &own)
		always(t, &own)
	}
	return m
}

// one is the record of a job of one attempt.
func (m *measured) one() *stats.Record {
	m.t.Helper()
	if len(m.records) != 1 {
		m.t.Fatalf("%d records, want 1", len(m.records))
	}
	return m.records[0]
}

// succeeded fails the test unless all tasks ended well.
func (m *measured) succeeded() *measured {
	m.t.Helper()
	for _, r := range m.records {
		if r.State != job.Success {
			log, _ := m.job.LogTail(r, 2000)
			m.t.Fatalf("task %d: %v: %s\n%s", r.Task, r.State, r.Error, log)
		}
	}
	return m
}

// result is what the task wrote to standard output.
func (m *measured) result(r *stats.Record) []byte { return m.read(m.job.Result(r)) }
func (m *measured) log(r *stats.Record) []byte    { return m.read(m.job.Log(r)) }

func (m *measured) read(f io.ReadCloser, err error) []byte {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		m.t.Fatal(err)
	}
	return b
}

// truth is what the task says of itself.
func (m *measured) truth(r *stats.Record) truth {
	m.t.Helper()
	return truthOf(m.t, m.result(r))
}

func truthOf(t *testing.T, result []byte) (own truth) {
	t.Helper()
	if err := json.Unmarshal(result, &own); err != nil {
		t.Fatalf("the task does not tell of itself: %v", err)
	}
	return own
}

// stamp is a reading of the monotonic clock as the records' Unix time.
func (m *measured) stamp(mono int64) int64 {
	base := m.job.Manifest.Clock
	return base.Wall + mono - base.Mono
}
