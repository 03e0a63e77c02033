package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/chart"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/store/storetest"
)

// synthetic makes a job that was not run; edit changes its manifest.
func synthetic(t *testing.T, o storetest.Synthetic, edit func(*store.Manifest)) *store.Job {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	id, err := storetest.Synthesize(st, o)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(st.JobDir(id), "job.json")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m store.Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	edit(&m)
	if b, err = json.Marshal(&m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := st.Job(id)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestClosingOfMapAndReduce(t *testing.T) {
	for name, tt := range map[string]struct {
		o      storetest.Synthetic
		edit   func(*store.Manifest)
		reason string
		want   []string
	}{
		"one": {storetest.Synthetic{Tasks: 501, Workers: 4}, func(m *store.Manifest) { m.Reduces = 1 }, "",
			[]string{"500 map tasks and 1 reduce task in ", ": 501 succeeded; speed-up ", "\nmore: lithops stats "}},
		"groups": {storetest.Synthetic{Tasks: 13, Workers: 4}, func(m *store.Manifest) { m.Reduces = 12 }, "",
			[]string{"1 map task and 12 reduce tasks in ", ": 13 succeeded; speed-up "}},
		"failed": {storetest.Synthetic{Tasks: 3, Failed: 1}, func(m *store.Manifest) { m.Reduces = 1 }, "",
			[]string{"2 map tasks and 1 reduce task in ", ": 3 failed; ", "\n  2 × exit code 1, such as task 0: work: cannot do it\n  1 × exit code 1, such as reduce task 2: work: cannot do it\n"}},
		"not run": {storetest.Synthetic{Tasks: 2, Failed: 1}, func(m *store.Manifest) { m.Reduces, m.Tasks = 1, 3 }, "2 of 2 map tasks failed",
			[]string{"2 map tasks and 1 reduce task in ", ": 2 failed, reduce not run; ", "\nended early: 2 of 2 map tasks failed\n"}},
		"no reduce": {storetest.Synthetic{Tasks: 2}, func(*store.Manifest) {}, "", []string{"2 tasks in ", ": 2 succeeded; "}},
	} {
		t.Run(name, func(t *testing.T) {
			s, rep, err := summarize(synthetic(t, tt.o, tt.edit))
			if err != nil || rep.Total != 0 {
				t.Fatal(err, rep)
			}
			var out strings.Builder
			writeClosing(&out, s, tt.reason)
			rest := out.String()
			for _, want := range tt.want {
				i := strings.Index(rest, want)
				if i < 0 {
					t.Fatalf("no %q in\n%s", want, out.String())
				}
				rest = rest[i+len(want)-1:]
			}
		})
	}
}

// What the host knows of the end is shown with the summary.
func TestSummaryShowsWhyTheReduceWasNotRun(t *testing.T) {
	const why = "2 of 2 map tasks failed, so the reduce was not run"
	j := synthetic(t, storetest.Synthetic{Tasks: 2, Failed: 1}, func(m *store.Manifest) {
		m.Reduces, m.Tasks, m.Ended.Reason = 1, 3, why
		m.Ended.Counts[job.New] = 1
	})
	for asJSON, want := range map[bool][]string{
		false: {"tasks        3 (2 map, 1 reduce)   ended 2 (66.7 %)   error 2   new 1\nended early  " + why + "\n", "reduce       1 task   not run\n"},
		true:  {`"end_reason": "` + why + `"`, `"map_tasks": 2,`, `"reduce": {`},
	} {
		var out bytes.Buffer
		a := &app{stdout: &out}
		if _, err := a.writeSummary(&out, j, statsOptions{summaryJSON: asJSON}); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("no %q in\n%s", w, out.String())
			}
		}
		if strings.Contains(out.String(), "did not end") {
			t.Errorf("a warning besides in\n%s", out.String())
		}
	}
}

// TestShortTasks shows a job whose tasks take 200 ns, and one that lasts a few
// milliseconds in all.
func TestShortTasks(t *testing.T) {
	for _, tasks := range []int{1, 20_000} {
		j := synthetic(t, storetest.Synthetic{Tasks: tasks, Workers: 2, Median: 200 * time.Nanosecond, Spread: 0.5}, func(m *store.Manifest) { m.Reduces = min(1, tasks-1) })
		s, rep, err := summarize(j)
		if err != nil || rep.Total != 0 {
			t.Fatal(err, rep)
		}
		var out strings.Builder
		if err := s.WriteTable(&out, 0); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), " ns ") || strings.Contains(out.String(), "NaN") || strings.Contains(out.String(), "Inf") {
			t.Errorf("%s", out.String())
		}
		c, rep, err := j.Columns()
		if err != nil || rep.Total != 0 {
			t.Fatal(err, rep)
		}
		if c.Maps != s.Maps || !c.Started[0] {
			t.Errorf("%d map tasks, want %d; the first was started: %v", c.Maps, s.Maps, c.Started[0])
		}
		for kind, want := range map[chart.Kind]string{chart.Timeline: "(milliseconds)", chart.Durations: "(nanoseconds)", chart.Histogram: "task mean "} {
			if tasks > 1 && kind != chart.Histogram {
				continue
			}
			var svg strings.Builder
			if err := chart.Render(&svg, kind, c, chart.Options{SVG: true}); err != nil || !strings.Contains(svg.String(), want) || strings.Contains(svg.String(), "NaN") {
				t.Errorf("%s of %d tasks: %v, no %q", kind, tasks, err, want)
			}
		}
	}
}
