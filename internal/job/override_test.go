package job

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestSet(t *testing.T) {
	s := mustParse(t, "command: x\ndata: {range: 3}\nenv: {A: file, B: file}\nfiles: [f]\nretries: {limit: 1, backoff: 3s}\nworkdir: w\n")
	for _, kv := range [][2]string{
		{"workers", "4"}, {"--timeout", "10m"}, {"retries", "3"}, {"retries.max_backoff", "1m"}, {"env", "A=1=2"}, {"env", "C="},
		{"on-failure", "stop"}, {"on_failure", "{tolerate: 3}"}, {"on-failure-tolerate", "5%"}, {"limits-memory", "2GiB"}, {"command", "gzip {}"},
		{"files", "a"}, {"--files", "b"}, {"glob", "a*"}, {"glob", "b*"}, {"stdin", ""}, {"name", "7"}, {"output", "json"}, {"isolation", "group"},
		{"retries-on", "[lost]"}, {"chunksize", "2"}, {"retries-lost", "0"}, {"max-time", "1d"}, {"durability", "sync"},
	} {
		if err := s.Set(kv[0], kv[1]); err != nil {
			t.Errorf("%v: %v", kv, err)
		}
	}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	s.from = origin{}
	stdin, never := "", 0
	want := &Spec{
		Name: "7", Command: Command{Shell: "gzip {}"}, Data: Data{Glob: []string{"a*", "b*"}}, Workers: 4, Chunksize: 2,
		Retries: Retries{3, 3 * time.Second, time.Minute, []State{Lost}, &never}, Timeout: 10 * time.Minute, MaxTime: 24 * time.Hour,
		OnFailure: OnFailure{Mode: Tolerate, Percent: 5}, Env: map[string]string{"A": "1=2", "B": "file", "C": ""},
		Workdir: "/jobs/w", Stdin: &stdin, Files: []string{"a", "b"}, Isolation: IsolationGroup,
		Limits: Limits{2 << 30}, Output: OutputJSON, Durability: DurabilitySync, Dir: "/jobs",
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
}

// Each data source has a flag, and it replaces what the file says.
func TestSetData(t *testing.T) {
	for _, test := range []struct {
		key, value string
		want       Data
	}{
		{"list", "[a, 1]", Data{List: Items{[]byte(`"a"`), []byte("1")}}},
		{"range", "5", Data{Range: &Range{0, 5, 1}}},
		{"data.range", "{start: 1, stop: 9}", Data{Range: &Range{1, 9, 1}}},
		{"range", "-5", Data{Range: &Range{0, -5, 1}}},
		{"lines", "-", Data{Lines: "-"}},
		{"lines", "in.txt", Data{Lines: "/home/in.txt"}},
		{"lines", "/in.txt", Data{Lines: "/in.txt"}},
		{"glob", "**/a", Data{Glob: []string{"/home/**/a"}}},
		{"csv", "../a.csv", Data{CSV: &CSV{File: "/a.csv"}}},
		{"data-jsonl", "a", Data{JSONL: "/home/a"}},
		{"matrix", "{b: [1], a: [2]}", Data{Matrix: []Axis{{"b", Items{[]byte("1")}}, {"a", Items{[]byte("2")}}}}},
	} {
		s := mustParse(t, "command: x\ndata: {list: [q]}\n")
		if err := s.SetFrom("/home", test.key, test.value); err != nil {
			t.Errorf("%s %s: %v", test.key, test.value, err)
		} else if !reflect.DeepEqual(s.Data, test.want) {
			t.Errorf("%s %s: %+v", test.key, test.value, s.Data)
		}
	}
}

func TestSetCSVDelimiter(t *testing.T) {
	s := mustParse(t, "command: x\ndata: {csv: a}\n")
	if err := s.Set("csv-delimiter", ";"); err != nil || s.Data.CSV.Delimiter != ";" {
		t.Errorf("%+v, %v", s.Data.CSV, err)
	}
}

func TestSetErrors(t *testing.T) {
	s := mustParse(t, "command: x\ndata: {range: 3}\nenv: {A: a}\n")
	before := *s
	for _, test := range [][3]string{
		{"timeout", "soon", `--timeout: timeout must be a duration such as 90 (seconds), 10m, 1h30m or 2d, not "soon"`},
		{"--workers", "four", `--workers: workers must be a whole number, not "four"`},
		{"workers", "", "--workers: workers is empty"},
		{"workers", "[", "--workers: not valid YAML: did not find expected node content"},
		{"retries", "{limit: 1, foo: 2}", `--retries: unknown key "foo" in retries; known keys: limit, backoff, max_backoff, on, lost`},
		{"retries", "{lost: 1, on: [error]}", `--retries: retries has no "limit", which on is for`},
		{"retries-lost", "-1", "--retries-lost: retries.lost must not be negative"},
		{"max-time", "long", `--max-time: max_time must be a duration such as 90 (seconds), 10m, 1h30m or 2d, not "long"`},
		{"durability", "disk", `--durability: durability must be process or sync, not "disk"`},
		{"env", "A", `--env: env must be NAME=VALUE, not "A"`},
		{"env", "=x", `--env: "" cannot be the name of a variable`},
		{"range", "a", `--range: data.range must be a whole number or a mapping of start, stop and step, not "a"`},
		{"csv-delimiter", ";", "--csv-delimiter: data.csv.delimiter is for csv data only"},
		{"limits-memory", "2G", `--limits-memory: limits.memory must be a size such as 2GiB (2^30), 500MB (10^6) or a number of bytes, not "2G"`},
		{"on-failure", "5%", `--on-failure: on_failure must be continue or stop, not "5%"`},
		{"timeot", "5", `timeot: unknown key "timeot"; did you mean "timeout"?`},
		{"jobs", "5", `jobs: unknown key "jobs"; lithops calls it "workers"`},
	} {
		err := s.Set(test[0], test[1])
		if err == nil || err.Error() != test[2] {
			t.Errorf("%s %q\ngot  %v\nwant %s", test[0], test[1], err, test[2])
		}
		if e, ok := err.(*SpecError); !ok || e.Detail() != "" {
			t.Errorf("%s: %T with detail", test[0], err)
		}
	}
	if !reflect.DeepEqual(before, *s) {
		t.Errorf("a refused flag changed the job: %+v", s)
	}
}

// A template from a flag is refused in the flag's name.
func TestSetTemplateError(t *testing.T) {
	s := mustParse(t, "command: x\ndata: {range: 3}\n")
	if err := s.Set("command", "echo {a b}"); err != nil {
		t.Fatal(err)
	}
	err := s.Validate()
	if want := "--command: {a b} is not a replacement (character 6)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestKeys(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Keys() {
		if seen[k.Flag] || strings.ContainsAny(k.Flag, "._") {
			t.Errorf("flag %q", k.Flag)
		}
		seen[k.Flag] = true
	}
	for _, flag := range strings.Fields("name command function runtime reduce reduce-runtime reduce-by list range lines glob csv csv-delimiter jsonl matrix workers chunksize retries retries-backoff " +
		"retries-max-backoff retries-on retries-lost timeout max-time on-failure on-failure-tolerate env workdir stdin files isolation limits-memory output durability") {
		if !seen[flag] {
			t.Errorf("no flag %q", flag)
		}
		delete(seen, flag)
	}
	for flag := range seen {
		t.Errorf("flag %q is not expected", flag)
	}
}

func TestFromArgs(t *testing.T) {
	for _, test := range []struct {
		argv, items, want []string
	}{
		{[]string{"gzip"}, []string{"a"}, []string{"gzip", "{}"}},
		{[]string{"gzip", "{}", "x"}, []string{"a"}, []string{"gzip", "{}", "x"}},
		{[]string{"echo", "{#}"}, []string{}, []string{"echo", "{#}"}},
		{[]string{"echo", "{{}}"}, []string{}, []string{"echo", "{{}}", "{}"}},
		{[]string{"echo"}, nil, []string{"echo"}},
	} {
		s, err := FromArgs(test.argv, test.items, "/here")
		if err != nil || !reflect.DeepEqual(s.Command.Argv, test.want) {
			t.Errorf("%v ::: %v: %v, %v", test.argv, test.items, s, err)
		}
		if test.items != nil && len(s.Data.List) != len(test.items) {
			t.Errorf("%v: %d items", test.argv, len(s.Data.List))
		}
	}
	for _, test := range []struct {
		argv, items []string
		want        string
	}{
		{[]string{"awk", "{print}x}"}, []string{"a"}, "command[1]: } without { (character 9)"},
		{[]string{"x"}, []string{"a\xff"}, `item 1, "a\xff", is not valid UTF-8`},
		{nil, []string{"a"}, "command or function is missing"},
	} {
		if _, err := FromArgs(test.argv, test.items, "/"); err == nil || err.Error() != test.want {
			t.Errorf("%v: %v, want %s", test.argv, err, test.want)
		}
	}
}

func TestItemsGoToStdinWhenItTakesThem(t *testing.T) {
	s, err := FromArgs([]string{"cat"}, []string{"a", "b"}, "/here")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Set("stdin", "{}"); err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	if len(s.Command.Argv) != 1 || s.Command.Argv[0] != "cat" {
		t.Errorf("command is %q", s.Command.Argv)
	}
}

func TestSetFunction(t *testing.T) {
	const home = "/home"
	for _, test := range []struct {
		src, flags string
		want       Spec
	}{
		{"command: [a, b]\n", "function=a.py:A.f", Spec{Function: Function{File: "/home/a.py", Name: "A.f"}}},
		{"function: a.py:f\n", "function=./p", Spec{Function: Function{File: "/home/p"}}},
		{"function: a.py:f\n", "function=/x/../a.js:f", Spec{Function: Function{File: "/x/../a.js", Name: "f"}}},
		{"function: a.py:f\n", "command=x {}", Spec{Command: Command{Shell: "x {}"}, Output: OutputBytes}},
		{"function: a.py:f\n", "runtime=python3.11", Spec{Function: Function{File: "a.py", Name: "f"}, Runtime: "python3.11"}},
		{"function: a.py:f\nruntime: x\n", "runtime=venv/", Spec{Function: Function{File: "a.py", Name: "f"}, Runtime: "/home/venv"}},
		{"function: a.py:f\nreduce: {function: a.py:g, runtime: x}\n", "reduce=../b.mjs:h;reduce-by=k",
			Spec{Function: Function{File: "a.py", Name: "f"}, Reduce: &Reduce{Function: Function{File: "/b.mjs", Name: "h"}}, ReduceBy: "k"}},
		{"function: a.py:f\nreduce: {function: a.py:g, runtime: x}\n", "reduce-runtime=./venv",
			Spec{Function: Function{File: "a.py", Name: "f"}, Reduce: &Reduce{Function{File: "a.py", Name: "g"}, "/home/venv"}}},
		{"command: x\n", "reduce-runtime=node20;--reduce=b.js:h",
			Spec{Command: Command{Shell: "x"}, Reduce: &Reduce{Function{File: "/home/b.js", Name: "h"}, "node20"}, Output: OutputBytes}},
		{"command: x\n", "--reduce=b.js:h;reduce.runtime=node20;reduce_by=k",
			Spec{Command: Command{Shell: "x"}, Reduce: &Reduce{Function{File: "/home/b.js", Name: "h"}, "node20"}, ReduceBy: "k", Output: OutputBytes}},
	} {
		s, err := Read("/jobs/job.yaml", []byte("data: {range: 3}\n"+test.src))
		if err != nil {
			t.Fatal(err)
		}
		for _, kv := range strings.Split(test.flags, ";") {
			key, value, _ := strings.Cut(kv, "=")
			if err := s.SetFrom(home, key, value); err != nil {
				t.Errorf("%s: %v", test.flags, err)
			}
		}
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", test.flags, err)
		}
		got := Spec{Command: s.Command, Function: s.Function, Runtime: s.Runtime, Reduce: s.Reduce, ReduceBy: s.ReduceBy, Output: s.Output}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s\ngot  %+v\nwant %+v", test.flags, got, test.want)
		}
	}
}

// lithops run --function example.py:f --range 500 needs neither a job file nor a
// command: it begins with an empty Spec.
func TestSetFunctionWithoutFile(t *testing.T) {
	s := &Spec{Dir: "/here"}
	if err := errors.Join(s.SetFrom("/here", "function", "example.py:f"), s.SetFrom("/here", "range", "500")); err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	if s.Function != (Function{File: "example.py", Name: "f"}) || s.Data.Range.Stop != 500 || s.Workdir != "/here" {
		t.Errorf("%+v", s)
	}
	if e := s.Fault("function", "bad"); e.Error() != "--function: bad" {
		t.Errorf("%v", e)
	}
}

func TestSetFunctionErrors(t *testing.T) {
	inline, err := FromArgs([]string{"echo"}, []string{"a"}, "/here")
	if err != nil {
		t.Fatal(err)
	}
	file := mustParse(t, "command: x\ndata: {range: 3}\nreduce: {function: a.py:f, runtime: x}\n")
	function := mustParse(t, "command: x\ndata: {range: 3}\n")
	command := mustParse(t, "function: a.py:f\ndata: {range: 3}\n")
	if err := errors.Join(function.Set("function", "a.py:f"), command.Set("command", "y")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		spec                   *Spec
		key, value, want, hint string
	}{
		{inline, "function", "a.py:f", "--function: command and function contradict each other: keep one", ""},
		{function, "command", "y", "--command: command and function contradict each other: keep one", ""},
		{command, "function", "a.py:f", "--function: command and function contradict each other: keep one", ""},
		{&Spec{Function: Function{Go: "f"}}, "command", "y", "--command: command and function contradict each other: keep one", ""},
		{file, "function", "a.py", "--function: function needs the name of a function in a.py", "such as --function a.py:my_function"},
		{file, "function", "f", `--function: function must be FILE:NAME, or a program's path with a slash in it, not "f"`,
			"such as --function example.py:my_function, or ./f for a program"},
		{file, "function", "", "--function: function is empty", "such as --function example.py:my_function"},
		{file, "reduce", "a.js:a.b", `--reduce: reduce must end in the name of a function in a.js, not "a.b"`, "such as --reduce a.js:myFunction"},
		{file, "reduce", "", "--reduce: reduce is empty", "such as --reduce example.py:my_function"},
		{file, "reduce-runtime", "", "--reduce-runtime: reduce.runtime is empty", ""},
		{file, "runtime", "", "--runtime: runtime is empty", ""},
		{file, "reduce-by", "", "--reduce-by: reduce_by is empty", ""},
		{file, "python", "x", `python: unknown key "python"; lithops calls it "runtime"`, ""},
	} {
		before := *test.spec
		if before.Reduce != nil {
			reduce := *before.Reduce
			before.Reduce = &reduce
		}
		err := test.spec.SetFrom("/home", test.key, test.value)
		var e *SpecError
		if !errors.As(err, &e) || err.Error() != test.want || e.Hint != test.hint || e.Detail() != "" {
			t.Errorf("%s %s\ngot  %v\nwant %s", test.key, test.value, err, test.want)
		}
		if !reflect.DeepEqual(before, *test.spec) {
			t.Errorf("%s %s, refused, changed the job: %+v", test.key, test.value, test.spec)
		}
	}
	// What only shows in the whole is reported in the flag's name.
	for _, test := range [][3]string{
		{"reduce-runtime", "x", "--reduce-runtime: reduce.runtime needs a function to reduce with"},
		{"reduce-by", "x", "--reduce-by: reduce_by needs a function to reduce with"},
		{"runtime", "x", "--runtime: runtime is for a Python or JavaScript function, and the job has none"},
	} {
		s := mustParse(t, "command: x\ndata: {range: 3}\n")
		if err := s.Set(test[0], test[1]); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(); err == nil || err.Error() != test[2] {
			t.Errorf("got %v, want %s", err, test[2])
		}
	}
	// And what the file has for the command alone, in the file.
	s := mustParse(t, "command: x\ndata: {range: 3}\noutput: json\n")
	if err := s.Set("function", "a.py:f"); err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), "/jobs/job.yaml:3:1: output is for a command") {
		t.Errorf("got %v", err)
	}
}
