package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const fullJob = `
name: thumbnails
command: [convert, "{path}", -resize, "{size}", "out/{path/.}-{size}.png"]
data:
  csv: photos.csv
workers: 8
chunksize: 1
retries: {limit: 2, backoff: 1s, max_backoff: 1m30s, on: [error, lost], lost: 2}
timeout: 10m
max_time: 2d
on_failure: {tolerate: 5%}
env: {OMP_NUM_THREADS: "1", N: 0.10}
workdir: sub/..
stdin: "{}"
files: [model.bin]
isolation: pid
limits: {memory: 2GiB}
output: json
durability: sync
`

func mustParse(t *testing.T, src string) *Spec {
	t.Helper()
	s, err := Parse("/jobs/job.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParseFull(t *testing.T) {
	s := mustParse(t, fullJob)
	stdin, lost := "{}", 2
	want := Spec{
		Name:    "thumbnails",
		Command: Command{Argv: []string{"convert", "{path}", "-resize", "{size}", "out/{path/.}-{size}.png"}},
		Data:    Data{CSV: &CSV{File: "photos.csv"}},
		Workers: 8, Chunksize: 1,
		Retries:   Retries{2, time.Second, 90 * time.Second, []State{Error, Lost}, &lost},
		Timeout:   10 * time.Minute,
		MaxTime:   48 * time.Hour,
		OnFailure: OnFailure{Mode: Tolerate, Percent: 5},
		Env:       map[string]string{"OMP_NUM_THREADS": "1", "N": "0.10"},
		Workdir:   "/jobs", Stdin: &stdin, Files: []string{"model.bin"},
		Isolation: IsolationPID, Limits: Limits{Memory: 2 << 30}, Output: OutputJSON, Durability: DurabilitySync, Dir: "/jobs",
	}
	got := *s
	got.from = origin{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseDefaults(t *testing.T) {
	s := mustParse(t, "command: 'gzip -k {}'\ndata: {glob: 'logs/*.txt'}\nretries: 3\n")
	if want := (Retries{3, time.Second, 30 * time.Second, []State{Error, Timeout, Lost}, nil}); !reflect.DeepEqual(s.Retries, want) {
		t.Errorf("retries %+v", s.Retries)
	}
	if s.Retries.MaxLost() != 5 || s.MaxTime != 0 || s.Durability != DurabilityProcess {
		t.Errorf("defaults %+v", s)
	}
	if s.Isolation != IsolationAuto || s.Output != OutputBytes || s.OnFailure.Mode != Continue || s.Workdir != "/jobs" {
		t.Errorf("defaults %+v", s)
	}
	s = mustParse(t, "command: x\ndata: {range: 3}\nretries: {limit: 1, backoff: 5m}\n")
	if s.Retries.MaxBackoff != 5*time.Minute {
		t.Errorf("max_backoff %v does not follow backoff", s.Retries.MaxBackoff)
	}
	s = mustParse(t, "command: x\ndata: {range: 3}\nretries: {limit: 1, max_backoff: 0.1}\n")
	if s.Retries.Backoff != 100*time.Millisecond {
		t.Errorf("backoff %v does not follow max_backoff", s.Retries.Backoff)
	}
	s = mustParse(t, "command: x\ndata: {range: 3}\nretries: {lost: 0}\n")
	if s.Retries.MaxLost() != 0 || s.Retries.Limit != 0 || s.Retries.On != nil {
		t.Errorf("retries %+v", s.Retries)
	}
}

// A job goes through JSON, the manifest and the workers, and comes back equal.
func TestSpecRoundTrip(t *testing.T) {
	for _, src := range []string{
		fullJob,
		"command: 'true'\ndata: {list: []}\n",
		"command: x\ndata: {list: [a, 1e3, '<&>\\u2028', {b: <x>, a: [null, ~, true]}, 10000000000000000000001]}\nretries: 1\n",
		"command: x\ndata: {matrix: {z: [1], a: [x, y]}}\non_failure: {tolerate: 0}\n",
		"command: x\ndata: {range: {start: -5, stop: 5, step: 2}}\nstdin: ''\n",
		"command: x\ndata: {glob: [a*, b*]}\n",
		"function: example.py:f\ndata: {range: 3}\n",
		"command: x\ndata: {range: 3}\nretries: {lost: 0}\nmax_time: 1h30m\ndurability: sync\n",
		"function: ./program\ndata: {range: 3}\nreduce: r.js:f\nruntime: node20\nreduce_by: <key>\n",
		"command: x\ndata: {range: 3}\noutput: json\nreduce: {function: a.py:A.f, runtime: ./venv}\n",
	} {
		s := mustParse(t, src)
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Spec
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		was := *s
		was.from = origin{}
		if !reflect.DeepEqual(was, back) {
			t.Errorf("%s\ngot  %+v\nwant %+v", b, back, was)
		}
		if err := back.Validate(); err != nil {
			t.Errorf("%s: %v", b, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	const ok = "command: x\ndata: {range: 3}\n"
	for _, test := range []struct{ src, want string }{
		{"", "job.yaml: the job is empty"},
		{"# nothing\n", "job.yaml: the job is empty"},
		{"- a", "job.yaml:1:1: a job is a mapping of keys such as command: and data:, not a list"},
		{"gzip", `job.yaml:1:1: a job is a mapping of keys such as command: and data:, not "gzip"`},
		{"comand: [x]\n", `job.yaml:1:1: unknown key "comand"; did you mean "command"?`},
		{"on-failure: stop\n", `job.yaml:1:1: unknown key "on-failure"; did you mean "on_failure"?`},
		{"max-parallel: 3", `job.yaml:1:1: unknown key "max-parallel"; lithops calls it "workers"`},
		{"max_parallel: 3", `job.yaml:1:1: unknown key "max_parallel"; lithops calls it "workers"`},
		{ok + "concurrency: 3", `job.yaml:3:1: unknown key "concurrency"; lithops calls it "workers"`},
		{"parallelism: 3", `job.yaml:1:1: unknown key "parallelism"; lithops calls it "workers"`},
		{"jobs: 3", `job.yaml:1:1: unknown key "jobs"; lithops calls it "workers"`},
		{"processes: 3", `job.yaml:1:1: unknown key "processes"; lithops calls it "workers"`},
		{"cmd: x", `job.yaml:1:1: unknown key "cmd"; lithops calls it "command"`},
		{"script: x", `job.yaml:1:1: unknown key "script"; lithops calls it "command"`},
		{"inputs: x", `job.yaml:1:1: unknown key "inputs"; lithops calls it "data"`},
		{"items: x", `job.yaml:1:1: unknown key "items"; lithops calls it "data"`},
		{"foreach: x", `job.yaml:1:1: unknown key "foreach"; lithops calls it "data"`},
		{"cwd: x", `job.yaml:1:1: unknown key "cwd"; lithops calls it "workdir"`},
		{"environment: x", `job.yaml:1:1: unknown key "environment"; lithops calls it "env"`},
		{"memory: 2GiB", `job.yaml:1:1: unknown key "memory"; lithops calls it "limits.memory"`},
		{"backoff: 2s", `job.yaml:1:1: unknown key "backoff"; it belongs under "retries"`},
		{"csv: x", `job.yaml:1:1: unknown key "csv"; it belongs under "data"`},
		{"data: {timeout: 3}", `job.yaml:1:8: unknown key "timeout" in data; it belongs to the job itself`},
		{"data: {files: x}", `job.yaml:1:8: unknown key "files"; lithops calls it "glob"`},
		{"data: {range: {end: 3}}", `job.yaml:1:16: unknown key "end"; lithops calls it "stop"`},
		{"retries: {limit: 1, backof: 2}", `job.yaml:1:21: unknown key "backof"; did you mean "backoff"?`},
		{"limits: {cpu: 2}", `job.yaml:1:10: unknown key "cpu" in limits; known keys: memory`},
		{"command: x\ncommand: y", `job.yaml:2:1: duplicate key "command", first on line 1`},
		{"data: {list: [{a: 1, a: 2}]}", `job.yaml:1:22: duplicate key "a", first on line 1`},
		{"<<: {a: 1}", "job.yaml:1:1: merge keys (<<) are not supported"},
		{"? [a]\n: b", "job.yaml:1:3: a key must be text, not a list"},
		{"~: b", "job.yaml:1:1: a key must be text, not null"},
		{ok + "---\ncommand: y", "job.yaml:4:1: more than one document: a job is one YAML document"},
		{ok + "name: x\xff\n", "job.yaml:3:8: the file is not UTF-8"},
		{ok + " name: x\n", "job.yaml:3:2: not valid YAML: did not find expected key"},
		{"command: [1, 2\ndata: 3\n", "job.yaml:1:10: not valid YAML: did not find expected ',' or ']'"},
		{"name: ö\ncommand: \"x\ndata: 3\n", "job.yaml:2:10: not valid YAML: found unexpected end of stream"},
		{"data:\n  range: 5\n workers: 3\n", "job.yaml:3:2: not valid YAML: did not find expected key"},
		{"a: *x\n", "job.yaml:1:4: not valid YAML: unknown anchor 'x' referenced"},
		{"a: 1\n\tb: 2\n", "job.yaml:2:1: not valid YAML: found a tab character that violates indentation"},
		{"data: {range: 1}", "job.yaml:1:1: command or function is missing"},
		{"command: x", "job.yaml:1:1: data is missing"},
		{"command: ' '\ndata: {range: 1}", "job.yaml:1:1: command is empty"},
		{"command: []", "job.yaml:1:10: command is empty"},
		{"command: ['', x]\ndata: {range: 1}", "job.yaml:1:11: command[0], the program to run, is empty"},
		{"command: {a: b}", "job.yaml:1:10: command must be text or a list of texts, not a mapping"},
		{"command: [gzip, {}]", "job.yaml:1:17: command[1] must be text, not a mapping"},
		{"command: [ls, ~]", "job.yaml:1:15: command[1] is empty; it must be text"},
		{"command: x\ndata: {range: 1, list: [a]}", "job.yaml:2:18: data has two sources, range and list: keep one"},
		{"data: {}", "job.yaml:1:7: data has no source; it must have one of list, range, lines, glob, csv, jsonl or matrix"},
		{"data: 5", "job.yaml:1:7: data must be a mapping with one source, not 5"},
		{"data: {list: a}", `job.yaml:1:14: data.list must be a list, not "a"`},
		{"data: {range: {start: 1}}", `job.yaml:1:15: data.range has no "stop"`},
		{"data: {range: {stop: 1, step: 0}}", "job.yaml:1:31: data.range.step must not be 0"},
		{"data: {range: 1.5}", "job.yaml:1:15: data.range must be a whole number or a mapping of start, stop and step, not 1.5"},
		{"data: {range: 9223372036854775808}", "job.yaml:1:15: data.range is out of range: 9223372036854775808"},
		{"data: {matrix: {}}", "job.yaml:1:16: data.matrix is empty"},
		{"data: {matrix: {a: 1}}", "job.yaml:1:20: data.matrix.a must be a list, not 1"},
		{"data: {csv: {delimiter: x}}", `job.yaml:1:13: data.csv has no "file"`},
		{"data: {csv: {file: x, delimiter: ab}}", `job.yaml:1:34: data.csv.delimiter must be one character, not "ab"`},
		{"data: {glob: '[a'}", `job.yaml:1:14: data.glob is not a valid pattern: "[a"`},
		{"data: {glob: '*/../a'}", `job.yaml:1:14: data.glob must not have .. behind a wildcard: "*/../a"`},
		{"data: {glob: []}", "job.yaml:1:14: data.glob is empty"},
		{"data: {list: [007]}", "job.yaml:1:15: ambiguous number 007: quote it to keep it as text, or write it as a plain decimal number"},
		{"data: {list: [1_000]}", "job.yaml:1:15: ambiguous number 1_000: quote it to keep it as text, or write it as a plain decimal number"},
		{"data: {list: [.inf]}", "job.yaml:1:15: JSON has no number .inf"},
		{"data: {list: [!!binary aGk=]}", "job.yaml:1:15: tag !!binary is not supported"},
		{"data: {list: &a [*a]}", "job.yaml:1:18: nested more than 500 deep, or an alias of a value that contains it"},
		{"command: x\nfunction: a.py:f", "job.yaml:2:1: command and function contradict each other: keep one"},
		{"function: a.py:f\ncommand: x", "job.yaml:2:1: command and function contradict each other: keep one"},
		{"name: 2024", "job.yaml:1:7: name must be text, not 2024"},
		{"name: \"a\\nb\"", `job.yaml:1:7: name must be one line of text, not "a\nb"`},
		{"workers: eight", `job.yaml:1:10: workers must be a whole number, not "eight"`},
		{"workers: 1.5", "job.yaml:1:10: workers must be a whole number, not 1.5"},
		{"workers: -1", "job.yaml:1:10: workers must not be negative"},
		{"workers:", "job.yaml:1:9: workers is empty; it must be a whole number"},
		{"workers: 99999999999999999999", "job.yaml:1:10: workers is out of range: 99999999999999999999"},
		{"timeout: soon", `job.yaml:1:10: timeout must be a duration such as 90 (seconds), 10m, 1h30m or 2d, not "soon"`},
		{"timeout: -5", "job.yaml:1:10: timeout must not be negative"},
		{"timeout: -5m", "job.yaml:1:10: timeout must not be negative"},
		{"timeout: 1e300", "job.yaml:1:10: timeout is too long: 1e+300 seconds"},
		{"timeout: 999999999d", `job.yaml:1:10: timeout is too long: "999999999d"`},
		{"timeout: [1]", "job.yaml:1:10: timeout must be a duration such as 90 (seconds), 10m or 1h30m, not a list"},
		{"retries: -1", "job.yaml:1:10: retries must not be negative"},
		{"retries: {backoff: 1s}", `job.yaml:1:10: retries has no "limit"`},
		{"retries: {limit: 1, on: [success]}", `job.yaml:1:26: retries.on[0] must be error, timeout or lost, not "success"`},
		{ok + "retries: {limit: 1, backoff: 9s, max_backoff: 3s}", "job.yaml:3:34: retries.max_backoff (3s) is shorter than retries.backoff (9s)"},
		{"retries: {}", `job.yaml:1:10: retries has no "limit"`},
		{"retries: {lost: 2, backoff: 1s}", `job.yaml:1:10: retries has no "limit", which backoff is for`},
		{"retries: {lost: -1}", "job.yaml:1:17: retries.lost must not be negative"},
		{"retries: {lost: often}", `job.yaml:1:17: retries.lost must be a whole number, not "often"`},
		{"retries: {lost: 9999999}", "job.yaml:1:17: retries.lost is out of range: 9999999"},
		{"retries: {max_lost: 2}", `job.yaml:1:11: unknown key "max_lost"; lithops calls it "lost"`},
		{"lost: 2", `job.yaml:1:1: unknown key "lost"; it belongs under "retries"`},
		{"max-time: 1h", `job.yaml:1:1: unknown key "max-time"; did you mean "max_time"?`},
		{"maxduration: 1h", `job.yaml:1:1: unknown key "maxduration"; lithops calls it "max_time"`},
		{"max_time: soon", `job.yaml:1:11: max_time must be a duration such as 90 (seconds), 10m, 1h30m or 2d, not "soon"`},
		{"max_time: -5m", "job.yaml:1:11: max_time must not be negative"},
		{ok + "max_time:", "job.yaml:3:10: max_time is empty; it must be a duration such as 90 (seconds), 10m or 1h30m"},
		{"durability: synch", `job.yaml:1:13: durability must be process or sync, not "synch"; did you mean "sync"?`},
		{"durability: true", "job.yaml:1:13: durability must be process or sync, not true"},
		{"fsync: true", `job.yaml:1:1: unknown key "fsync"; lithops calls it "durability"`},
		{"on_failure: stopp", `job.yaml:1:13: on_failure must be continue or stop, not "stopp"; did you mean "stop"?`},
		{"on_failure: {tolerate: 101%}", `job.yaml:1:24: on_failure.tolerate must be a number of tasks such as 10 or a percentage up to 100% such as 5%, not "101%"`},
		{"env: {A: true}", "job.yaml:1:10: env.A must be text, not true"},
		{"env: {A: }", "job.yaml:1:10: env.A is empty; it must be text"},
		{"env: {A=B: c}", `job.yaml:1:7: "A=B" cannot be the name of a variable`},
		{"limits: {memory: 2G}", `job.yaml:1:18: limits.memory must be a size such as 2GiB (2^30), 500MB (10^6) or a number of bytes, not "2G"`},
		{"limits: {memory: 9999999PiB}", `job.yaml:1:18: limits.memory is too large: "9999999PiB"`},
		{"isolation: grup", `job.yaml:1:12: isolation must be auto, group or pid, not "grup"; did you mean "group"?`},
		{"output: yaml", `job.yaml:1:9: output must be bytes or json, not "yaml"`},
	} {
		_, err := Parse("job.yaml", []byte(test.src))
		if err == nil || err.Error() != test.want {
			t.Errorf("%q\ngot  %v\nwant %s", test.src, err, test.want)
			continue
		}
		var e *SpecError
		if !errors.As(err, &e) {
			t.Errorf("%q: %T", test.src, err)
		} else if e.Line > 0 && e.Source != splitLines(test.src)[e.Line-1] {
			t.Errorf("%q: source line %q", test.src, e.Source)
		}
	}
}

func TestDetail(t *testing.T) {
	for _, test := range []struct {
		e    SpecError
		want string
	}{
		{SpecError{Line: 3, Col: 4, Source: "aö\tb"}, "    3 | aö\tb\n      |   \t^\n"},
		{SpecError{Line: 12, Col: 9, Source: "abc"}, "   12 | abc\n      |    ^\n"},
		{SpecError{Line: 1, Source: "abc"}, "    1 | abc\n"},
		{SpecError{Line: 1, Col: 2, Source: "a\x1bb"}, "    1 | a\uFFFDb\n      |  ^\n"},
		{SpecError{Col: 2, Source: "abc"}, ""},
		{SpecError{Line: 1, Col: 301, Source: strings.Repeat("x", 300) + "y"},
			"    1 | …" + strings.Repeat("x", 50) + "y\n      | " + strings.Repeat(" ", 51) + "^\n"},
	} {
		if got := test.e.Detail(); got != test.want {
			t.Errorf("got\n%swant\n%s", got, test.want)
		}
	}
}

func TestAliases(t *testing.T) {
	s := mustParse(t, "command: x\nenv: {A: &v one, B: *v}\ndata: {list: [&x {a: 1}, *x]}\n")
	if s.Env["B"] != "one" || string(s.Data.List[1]) != `{"a":1}` {
		t.Errorf("%+v", s)
	}
	var b strings.Builder
	b.WriteString("command: x\ndata:\n  list:\n  - &a0 [lol, lol]\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&b, "  - &a%d [*a%d, *a%d, *a%d]\n", i, i-1, i-1, i-1)
	}
	_, err := Parse("job.yaml", []byte(b.String()))
	if err == nil || !strings.Contains(err.Error(), "aliases multiply the job to more than 16 MiB") {
		t.Errorf("billion laughs: %v", err)
	}
}

func TestListValues(t *testing.T) {
	s := mustParse(t, `command: x
data:
  list:
  - plain
  - "10"
  - 1.10
  - 1e3
  - 10000000000000000000001
  - 0x1F
  - +5
  - .5
  - 2.
  - -0
  - 2024-01-02
  - 12:30:00
  - yes
  - True
  - ~
  -
  - {b: 1, a: [x, {}], 3: c}
  - "tab\tnew\nline \"q\" \\ ü \0"
  - !!str 5
`)
	want := []string{
		`"plain"`, `"10"`, "1.10", "1e3", "10000000000000000000001", "31", "5", "0.5", "2.0", "-0",
		`"2024-01-02"`, `"12:30:00"`, `"yes"`, "true", "null", "null", `{"b":1,"a":["x",{}],"3":"c"}`,
		`"tab\tnew\nline \"q\" \\ ü \u0000"`, `"5"`,
	}
	for i, w := range want {
		if got := string(s.Data.List[i]); got != w {
			t.Errorf("item %d: got %s, want %s", i, got, w)
		}
		if !json.Valid(s.Data.List[i]) {
			t.Errorf("item %d is not JSON: %s", i, s.Data.List[i])
		}
	}
}

func TestUnits(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90": 90 * time.Second, "10m": 10 * time.Minute, "1h30m": 90 * time.Minute, "1.5s": 1500 * time.Millisecond,
		"2d": 48 * time.Hour, "1d12h": 36 * time.Hour, "0": 0, "0.25": 250 * time.Millisecond, "1e3": 1000 * time.Second, "5ms": 5 * time.Millisecond,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("duration %s: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]int64{
		"2GiB": 2 << 30, "500MB": 500e6, "1024": 1024, "1.5 KiB": 1536, "10 B": 10, "1kB": 1000, "1TB": 1e12, "1PiB": 1 << 50, "0": 0,
	} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("size %s: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]OnFailure{
		"10": {Tolerate, 10, 0}, "5%": {Tolerate, 0, 5}, "0.5%": {Tolerate, 0, 0.5}, "100%": {Tolerate, 0, 100},
	} {
		if got, err := parseTolerance(text); err != nil || got != want {
			t.Errorf("tolerance %s: %v, %v", text, got, err)
		}
	}
}

func TestReadRelative(t *testing.T) {
	s, err := Read(filepath.Join("sub", "job.yaml"), []byte("workdir: w\n"))
	if err != nil {
		t.Fatal(err)
	}
	here, _ := filepath.Abs("sub")
	if s.Dir != here || s.Workdir != filepath.Join(here, "w") || s.Path("x") != filepath.Join(here, "x") {
		t.Errorf("dir %s, workdir %s", s.Dir, s.Workdir)
	}
}
