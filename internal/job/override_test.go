package job

import (
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
		{"retries-on", "[lost]"}, {"chunksize", "2"},
	} {
		if err := s.Set(kv[0], kv[1]); err != nil {
			t.Errorf("%v: %v", kv, err)
		}
	}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	s.from = origin{}
	stdin := ""
	want := &Spec{
		Name: "7", Command: Command{Shell: "gzip {}"}, Data: Data{Glob: []string{"a*", "b*"}}, Workers: 4, Chunksize: 2,
		Retries: Retries{3, 3 * time.Second, time.Minute, []State{Lost}}, Timeout: 10 * time.Minute,
		OnFailure: OnFailure{Mode: Tolerate, Percent: 5}, Env: map[string]string{"A": "1=2", "B": "file", "C": ""},
		Workdir: "/jobs/w", Stdin: &stdin, Files: []string{"a", "b"}, Isolation: IsolationGroup,
		Limits: Limits{2 << 30}, Output: OutputJSON, Dir: "/jobs",
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
		{"retries", "{limit: 1, foo: 2}", `--retries: unknown key "foo" in retries; known keys: limit, backoff, max_backoff, on`},
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
	for _, flag := range strings.Fields("name command list range lines glob csv csv-delimiter jsonl matrix workers chunksize retries retries-backoff " +
		"retries-max-backoff retries-on timeout on-failure on-failure-tolerate env workdir stdin files isolation limits-memory output") {
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
		{nil, []string{"a"}, "command is missing"},
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
