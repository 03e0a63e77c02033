package lithops_test

import (
	"os"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// TestDocumentedKeys checks that docs/stats.md tells of each key of a record what
// lithops stats --explain tells: its unit and how exact it is.
func TestDocumentedKeys(t *testing.T) {
	text, err := os.ReadFile("docs/stats.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for _, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || !strings.Contains(cells[1], "`") {
			continue
		}
		rows[strings.Trim(cells[1], " \\*`")] = cells[2:]
	}
	for _, f := range stats.Fields() {
		row := rows[f.Key]
		delete(rows, f.Key)
		switch {
		case row == nil:
			t.Errorf("docs/stats.md does not explain %s", f.Key)
		case strings.TrimSpace(row[0]) != string(f.Unit):
			t.Errorf("docs/stats.md: the unit of %s is %s, not %s", f.Key, f.Unit, strings.TrimSpace(row[0]))
		case strings.TrimSpace(row[1]) != string(f.Exact):
			t.Errorf("docs/stats.md: %s is %s, not %s", f.Key, f.Exact, strings.TrimSpace(row[1]))
		}
	}
	for key := range rows {
		t.Errorf("docs/stats.md explains %s, which is no key", key)
	}
}

// TestDocumentedJobKeys checks that docs/jobspec.md has each key of a job file.
func TestDocumentedJobKeys(t *testing.T) {
	text, err := os.ReadFile("docs/jobspec.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range job.Keys() {
		for _, want := range []string{"`" + k.Name + "`", "--" + k.Flag} {
			if !strings.Contains(string(text), want) {
				t.Errorf("docs/jobspec.md does not mention %s", want)
			}
		}
	}
}

// TestDocumentedStates checks that docs/states.md has each state.
func TestDocumentedStates(t *testing.T) {
	text, err := os.ReadFile("docs/states.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range job.States() {
		if !strings.Contains(string(text), "**"+s.String()+"**") {
			t.Errorf("docs/states.md does not explain %s", s)
		}
	}
}
