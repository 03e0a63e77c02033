package main

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/store/storetest"
)

// attempt is how one attempt ends, for jobs that are written and not run.
type attempt struct {
	task, try      int
	state          job.State
	result         string
	errType, error string
	log            string
}

// written is a job in a store of its own.
type written struct {
	t     *testing.T
	store string
	id    string
	w     *store.Writer
	m     *store.Manifest
}

// writeJob begins a job of the given spec; the last reduces of its tasks are of the reduce.
func writeJob(t *testing.T, spec *job.Spec, tasks, reduces int, attempts ...attempt) *written {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	root := t.TempDir()
	s, err := store.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	const id = "0123456789b-0-M000"
	w, err := s.Create(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	j := &written{t: t, store: root, id: id, w: w, m: &store.Manifest{JobID: id, Spec: spec, Clock: clock.Base{Wall: 1}}}
	j.grow(tasks, reduces)
	var out, log, lines []byte
	for _, a := range attempts {
		r := stats.Record{Task: a.task, Attempt: a.try, State: a.state, Worker: stats.IntOf(0), ErrorType: a.errType, Error: a.error,
			ResultOffset: stats.IntOf(len(out)), ResultSize: stats.IntOf(len(a.result)), LogOffset: stats.IntOf(len(log)), LogSize: stats.IntOf(len(a.log)),
			ResultCRC: stats.IntOf(crc32.Checksum([]byte(a.result), crc32.MakeTable(crc32.Castagnoli)))}
		out, log, lines = append(out, a.result...), append(log, a.log...), stats.AppendWorkerLine(lines, &r)
	}
	for kind, b := range map[string][]byte{store.OutSegment: out, store.LogSegment: log, store.StatsSegment: lines} {
		if err := os.WriteFile(store.SegmentPath(w.Dir(), 0, kind), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

func (j *written) grow(tasks, reduces int) {
	j.t.Helper()
	j.m.Tasks, j.m.Reduces = tasks, reduces
	if err := j.w.WriteManifest(j.m); err != nil {
		j.t.Fatal(err)
	}
}

func (j *written) end(state string) {
	j.t.Helper()
	j.m.Ended = &store.Ending{State: state, TimeNS: 2}
	if err := errors.Join(j.w.WriteManifest(j.m), j.w.Close()); err != nil {
		j.t.Fatal(err)
	}
}

// command runs lithops with the job's store and checks what it writes; says is a
// pattern for all of standard error.
func (j *written) command(line string, code int, stdout, says string) {
	j.t.Helper()
	var out, errOut bytes.Buffer
	args := append(strings.Fields(line), "--store", j.store)
	got := run(context.Background(), args, strings.NewReader(""), &out, &errOut)
	if got != code || out.String() != stdout || !regexp.MustCompile(`\A`+says+`\z`).MatchString(errOut.String()) {
		j.t.Errorf("lithops %s: exit code %d, want %d; output\n%s, want\n%s; it says\n%s, want\n%s", line, got, code, out.String(), stdout, errOut.String(), says)
	}
}

var mapReduce = &job.Spec{Function: job.Function{File: "f.py", Name: "f"}, Reduce: &job.Reduce{Function: job.Function{File: "f.py", Name: "g"}}}

// Results of functions are JSON, without a line end in the store.
func TestFunctionResults(t *testing.T) {
	j := writeJob(t, &job.Spec{Function: job.Function{File: "f.py", Name: "f"}}, 6, 0,
		attempt{task: 2, try: 1, state: job.Success, result: `"a\nb"`},
		attempt{task: 0, try: 1, state: job.Success, result: `{"x":[1,2.0,"<é>"]}`, log: "called\n"},
		attempt{task: 1, try: 1, state: job.Error, errType: "ValueError", error: "no\nsuch \"thing\"", log: "Traceback:\n"},
		attempt{task: 3, try: 1, state: job.Lost},
		attempt{task: 3, try: 2, state: job.Success, result: `null`},
		attempt{task: 4, try: 1, state: job.Error, errType: "TypeError", result: "1"},
		attempt{task: 5, try: 1, state: job.Success, result: `1e400`},
	)
	j.end(store.JobFailed)
	failed := `lithops: 2 of 6 tasks have no result, such as task 1 \(error: ValueError: no such "thing"\); lithops logs ` + j.id + ` --failed tells more\n`
	j.command("results last", 1, "{\"x\":[1,2.0,\"<é>\"]}\n\"a\\nb\"\nnull\n1e400\n", failed)
	j.command("results last --raw --task 0,2-3", 0, `{"x":[1,2.0,"<é>"]}"a\nb"null`, "")
	j.command("results last --jsonl", 1, `{"task":0,"state":"success","result":{"x":[1,2.0,"<é>"]}}
{"task":1,"state":"error","error_type":"ValueError","error":"no\nsuch \"thing\""}
{"task":2,"state":"success","result":"a\nb"}
{"task":3,"state":"success","result":null}
{"task":4,"state":"error","error_type":"TypeError"}
{"task":5,"state":"success","result":1e400}
`, failed)
	dir := filepath.Join(t.TempDir(), "out")
	j.command("results last -o "+dir, 1, "", "4 files in "+dir+"\n"+failed)
	for name, want := range map[string]string{"0.json": `{"x":[1,2.0,"<é>"]}`, "3.json": "null"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != want {
			t.Errorf("%s holds %q, %v, want %q", name, b, err, want)
		}
	}
	j.command("logs last", 0, "==> task 0: success <==\ncalled\n==> task 1: error, ValueError: no such \"thing\" <==\nTraceback:\n==> task 4: error, TypeError <==\n", "")
	j.command("logs last --task 3", 0, "==> task 3, attempt 1: lost <==\n", "")
}

// What is no JSON though it should be is a text; what is not UTF-8 is encoded.
func TestResultsThatAreNoJSON(t *testing.T) {
	j := writeJob(t, &job.Spec{Output: job.OutputJSON}, 4, 0,
		attempt{task: 0, try: 1, state: job.Success, result: "not JSON"},
		attempt{task: 1, try: 1, state: job.Success, result: ""},
		attempt{task: 2, try: 1, state: job.Success, result: "\"\xff\""},
		attempt{task: 3, try: 1, state: job.Success, result: " {\n\"a\" :\t1\n}\r\n"},
	)
	j.end(store.JobDone)
	j.command("results last --jsonl", 0, `{"task":0,"state":"success","result":"not JSON"}
{"task":1,"state":"success","result":""}
{"task":2,"state":"success","result_base64":"Iv8i"}
{"task":3,"state":"success","result":{"a":1}}
`, "")
}

// Of a map_reduce, the results are those of the reduce, unless the map's are asked for.
func TestReduceResults(t *testing.T) {
	j := writeJob(t, mapReduce, 3, 0,
		attempt{task: 0, try: 1, state: job.Success, result: "10"},
		attempt{task: 1, try: 1, state: job.Success, result: "11"},
		attempt{task: 2, try: 1, state: job.Success, result: "12"},
		attempt{task: 3, try: 1, state: job.Success, result: "[30]"},
		attempt{task: 4, try: 1, state: job.Error, errType: "KeyError", error: "'x'"},
	)
	j.command("results last", 0, "", "job "+j.id+" still runs: its reduce has not begun; --stage map shows the results of the map\n")
	j.command("results last --stage map", 0, "10\n11\n12\n", "job "+j.id+" still runs: results of 3 of 3 tasks so far\n")
	j.grow(6, 3)
	failed := " reduce tasks %s no result: task 4 .error: KeyError: 'x'.; lithops logs " + j.id + " --failed tells more\n"
	j.command("results last", 1, "[30]\n", "job "+j.id+" still runs: results of 1 of 3 reduce tasks so far\nlithops: 1 of 3"+strings.Replace(failed, "%s", "has", 1))
	j.end(store.JobFailed)
	two := strings.Replace(strings.Replace(failed, "%s", "have", 1), ":", ", such as", 1)
	j.command("results last", 1, "[30]\n", "lithops: 2 of 3"+two)
	j.command("results last --stage reduce", 1, "[30]\n", "lithops: 2 of 3"+two)
	j.command("results last --stage map", 0, "10\n11\n12\n", "")
	j.command("results last --task 2-3", 0, "12\n[30]\n", "")
	j.command("results last --task 3 --jsonl", 0, `{"task":3,"state":"success","result":[30]}`+"\n", "")

	stopped := writeJob(t, mapReduce, 1, 0, attempt{task: 0, try: 1, state: job.Error, errType: "KeyError"})
	stopped.end(store.JobFailed)
	stopped.command("results last", 1, "", "lithops: the reduce of job "+stopped.id+" has not begun\nhint: lithops results "+stopped.id+" --stage map shows the results of the map\n")
}

// A large result that is damaged is written as far as it goes, and the next one
// begins on a line of its own.
func TestDamagedLargeResult(t *testing.T) {
	large := strings.Repeat("large", 300_000)
	j := writeJob(t, &job.Spec{}, 2, 0, attempt{task: 0, try: 1, state: job.Success, result: large}, attempt{task: 1, try: 1, state: job.Success, result: "next"})
	j.end(store.JobDone)
	path := store.SegmentPath(j.w.Dir(), 0, store.OutSegment)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[0] = 'L'
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	says := "lithops: damaged: .*w-0.out: output of task 0, attempt 1 at byte 0 was changed\nlithops: 1 place in the store is damaged; .*\n"
	j.command("results last", 1, "L"+large[1:]+"\nnext\n", says)
	j.command("results last --jsonl", 1, `{"task":1,"state":"success","result":"next"}`+"\n", says)
	dir := t.TempDir()
	j.command("results last -o "+dir, 1, "", "1 file in .*\n"+says)
	if names, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(names) != 1 {
		t.Errorf("files %v, %v, want one", names, err)
	}
}

func TestSyntheticResults(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	root := t.TempDir()
	s, err := store.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	id, err := storetest.Synthesize(s, storetest.Synthetic{Tasks: 2000, Reduces: 3, Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	j := &written{t: t, store: root, id: id}
	j.command("results last", 0, "2000\n2001\n2002\n", "")
	j.command("results last --task 1999-2000,1500", 0, "1500\n1999\n2000\n", "")
	j.command("logs last", 0, "", "no task of job "+id+" has written to its log\n")
}

func TestTaskList(t *testing.T) {
	for text, want := range map[string]string{"3": "3", "3,7-9": "3,7-9", "7-9,3": "3,7-9", "1,2,3": "1-3", "1-5,2-3": "1-5", " 1 , 4-4": "1,4", "0-2147483647": "0-2147483647",
		"": "error", ",": "error", "-": "error", "1-": "error", "-1": "error", "1-2-3": "error", "2-1": "error", "0x1": "error", "2147483648": "error", "1 2": "error"} {
		var l taskList
		got := "error"
		if l.Set(text) == nil {
			got = l.String()
		}
		if got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	var l taskList
	if !l.wants(5) || l.given() || l.one() {
		t.Error("no list is not all tasks")
	}
	for _, part := range []string{"3", "7-9", "20"} {
		if err := l.Set(part); err != nil {
			t.Fatal(err)
		}
	}
	for task := range 25 {
		if want := task == 3 || task >= 7 && task <= 9 || task == 20; l.wants(task) != want {
			t.Errorf("task %d is wanted: %v", task, !want)
		}
	}
}

func TestLastLines(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, c := range []struct {
		log  string
		n    int
		want string
	}{
		{"", 1, ""}, {"\n", 1, "\n"}, {"a", 1, "a"}, {"a\nb\n", 1, "b\n"}, {"a\nb", 1, "b"}, {"a\nb\n", 2, "a\nb\n"}, {"a\nb\n", 9, "a\nb\n"},
		{"a\n\n\n", 2, "\n\n"}, {"a\n" + long + "\nb\n", 2, long + "\nb\n"}, {"a\n" + long + long, 1, long + long}, {strings.Repeat("y\n", 5000), 4999, strings.Repeat("y\n", 4999)},
	} {
		at, err := lastLines(io.NewSectionReader(strings.NewReader("before\n"+c.log+"after\n"), 7, int64(len(c.log))), c.n)
		if err != nil || c.log[at:] != c.want {
			t.Errorf("last %d lines of %.20q: %.20q, %v, want %.20q", c.n, c.log, c.log[at:], err, c.want)
		}
	}
}
