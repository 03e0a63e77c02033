package job

import (
	"encoding/json"
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestFunctionForms(t *testing.T) {
	for _, test := range []struct {
		text string
		want Function
		lang Language
	}{
		{"example.py:my_map_function", Function{File: "example.py", Name: "my_map_function"}, Python},
		{"example.py:Class.method", Function{File: "example.py", Name: "Class.method"}, Python},
		{"../lib/a.b.PY:_f1", Function{File: "../lib/a.b.PY", Name: "_f1"}, Python},
		{"a.py:größe", Function{File: "a.py", Name: "größe"}, Python},
		{"a.py:e\u0301t\u00e9", Function{File: "a.py", Name: "e\u0301t\u00e9"}, Python},
		{"/x/a.js:$f", Function{File: "/x/a.js", Name: "$f"}, JavaScript},
		{"a.mjs:default", Function{File: "a.mjs", Name: "default"}, JavaScript},
		{"a.cjs:f$1", Function{File: "a.cjs", Name: "f$1"}, JavaScript},
		{`C:\x\a.py:f`, Function{File: `C:\x\a.py`, Name: "f"}, Python},
		{"a:b.py:c", Function{File: "a:b.py", Name: "c"}, Python},
		{"my file.py:f", Function{File: "my file.py", Name: "f"}, Python},
		{"./program", Function{File: "./program"}, Program},
		{"/bin/program", Function{File: "/bin/program"}, Program},
		{"bin/my program.sh", Function{File: "bin/my program.sh"}, Program},
		{"./run-12:30/program", Function{File: "./run-12:30/program"}, Program},
		{"./{#}", Function{File: "./{#}"}, Program},
	} {
		s := mustParse(t, "data: {range: 3}\nfunction: '"+test.text+"'\nreduce: '"+test.text+"'\n")
		if s.Function != test.want || s.Function.Language() != test.lang || s.Function.String() != test.text || s.Command.given() {
			t.Errorf("%s: %+v in %s", test.text, s.Function, s.Function.Language())
		}
		if s.Reduce == nil || *s.Reduce != (Reduce{Function: test.want}) {
			t.Errorf("reduce %s: %+v", test.text, s.Reduce)
		}
		long := mustParse(t, "data: {range: 3}\ncommand: x\nreduce: {function: '"+test.text+"'}\n")
		if !reflect.DeepEqual(long.Reduce, s.Reduce) {
			t.Errorf("reduce.function %s: %+v", test.text, long.Reduce)
		}
	}
	s := mustParse(t, "data: {range: 3}\ncommand: x\nreduce: {function: a.py:f, runtime: ./venv}\nreduce_by: 'the key'\n")
	if *s.Reduce != (Reduce{Function{File: "a.py", Name: "f"}, "./venv"}) || s.ReduceBy != "the key" || s.Output != OutputBytes {
		t.Errorf("%+v by %q, output %q", s.Reduce, s.ReduceBy, s.Output)
	}
}

func TestFunctionErrors(t *testing.T) {
	const data = "data: {range: 3}\n"
	for _, test := range []struct{ src, want, hint string }{
		{"function: example.py", "job.yaml:1:11: function needs the name of a function in example.py", "such as function: example.py:my_function"},
		{"function: 'example.py:'", "job.yaml:1:11: function needs the name of a function in example.py", "such as function: example.py:my_function"},
		{"function: a/b.mjs", "job.yaml:1:11: function needs the name of a function in a/b.mjs", "such as function: a/b.mjs:myFunction"},
		{"function: ./a:b.py", "job.yaml:1:11: function needs the name of a function in ./a:b.py", "such as function: ./a:b.py:my_function"},
		{"function: a.py:my-func", `job.yaml:1:11: function must end in the name of a function in a.py, not "my-func"`, "such as function: a.py:my_function"},
		{"function: a.py:1f", `job.yaml:1:11: function must end in the name of a function in a.py, not "1f"`, "such as function: a.py:my_function"},
		{"function: a.py:A..f", `job.yaml:1:11: function must end in the name of a function in a.py, not "A..f"`, "such as function: a.py:my_function"},
		{"function: a.py:$f", `job.yaml:1:11: function must end in the name of a function in a.py, not "$f"`, "such as function: a.py:my_function"},
		{"function: a.py:A.f()", `job.yaml:1:11: function must end in the name of a function in a.py, not "A.f()"`, "such as function: a.py:A.f"},
		{"function: \"a.py:f\u00a0\"", "job.yaml:1:11: function must end in the name of a function in a.py, not \"f\\u00a0\"", "such as function: a.py:my_function"},
		{"function: a.js:a.b", `job.yaml:1:11: function must end in the name of a function in a.js, not "a.b"`, "such as function: a.js:myFunction"},
		{"function: a.js:f()", `job.yaml:1:11: function must end in the name of a function in a.js, not "f()"`, "such as function: a.js:f"},
		{"function: ./a.py:b/c", `job.yaml:1:11: function must end in the name of a function in ./a.py, not "b/c"`, "such as function: ./a.py:my_function"},
		{"function: a.py::f", `job.yaml:1:11: function must have one colon between file and name, not "a.py::f"`, "such as function: a.py:f"},
		{"function: prog:name", `job.yaml:1:11: function must have a Python (.py) or JavaScript (.js, .mjs, .cjs) file before the colon, not "prog"`,
			"such as function: example.py:my_function, or ./prog for a program"},
		{"function: src/a.ts:f", `job.yaml:1:11: function must have a Python (.py) or JavaScript (.js, .mjs, .cjs) file before the colon, not "src/a.ts"`,
			"such as function: example.py:my_function, or src/a.ts for a program"},
		{"function: my_function", `job.yaml:1:11: function must be FILE:NAME, or a program's path with a slash in it, not "my_function"`,
			"such as function: example.py:my_function, or ./my_function for a program"},
		{"function: ':f'", `job.yaml:1:11: function needs a file before the colon of ":f"`, "such as function: example.py:f"},
		{"function: ' '", "job.yaml:1:11: function is empty", "such as function: example.py:my_function"},
		{"function: \"./p\\n\"", `job.yaml:1:11: function must be one line of text, not "./p\n"`, "such as function: example.py:my_function"},
		{"function: ''", "job.yaml:1:11: function is empty", "such as function: example.py:my_function"},
		{"function:", "job.yaml:1:10: function is empty; it must be a function such as example.py:my_function", ""},
		{"function: 5", "job.yaml:1:11: function must be a function such as example.py:my_function, not 5", ""},
		{"function: [a.py:f]", "job.yaml:1:11: function must be a function such as example.py:my_function, not a list", ""},
		{"function: {a.py: f}", "job.yaml:1:11: function must be a function such as example.py:my_function, not a mapping",
			`braces begin a mapping in YAML: write a replacement in quotes, as in "{}"`},

		{"runtime: ''", "job.yaml:1:10: runtime is empty", ""},
		{"runtime: 3.11", "job.yaml:1:10: runtime must be an interpreter such as python3.11, not 3.11", ""},
		{data + "command: x\nruntime: python3", "job.yaml:3:1: runtime is for a Python or JavaScript function, and the job has none", ""},
		{data + "function: ./p\nruntime: python3\nreduce: ./r", "job.yaml:3:1: runtime is for a Python or JavaScript function, and the job has none", ""},

		{"reduce: a.py", "job.yaml:1:9: reduce needs the name of a function in a.py", "such as reduce: a.py:my_function"},
		{"reduce: {function: a.js}", "job.yaml:1:20: reduce.function needs the name of a function in a.js", "such as function: a.js:myFunction"},
		{"reduce: {function: }", "job.yaml:1:20: reduce.function is empty; it must be a function such as example.py:my_function", ""},
		{"reduce: {runtime: node}", `job.yaml:1:9: reduce has no "function"`, ""},
		{"reduce: {}", `job.yaml:1:9: reduce has no "function"`, ""},
		{"reduce: [a.py:f]", "job.yaml:1:9: reduce must be a function such as example.py:my_function or a mapping of function and runtime, not a list", ""},
		{"reduce: ''", "job.yaml:1:9: reduce is empty", "such as reduce: example.py:my_function"},
		{"reduce:", "job.yaml:1:8: reduce is empty; it must be a function such as example.py:my_function or a mapping of function and runtime", ""},
		{"reduce: {function: a.py:f, runtime: 3}", "job.yaml:1:37: reduce.runtime must be an interpreter such as python3.11, not 3", ""},
		{data + "command: x\nreduce:\n  function: ./p\n  runtime: node", "job.yaml:5:3: reduce.runtime is for a Python or JavaScript function, and ./p is neither", ""},
		{data + "command: x\nreduce_by: k", "job.yaml:3:1: reduce_by needs a function to reduce with", "such as reduce: example.py:my_reduce_function"},
		{"reduce_by: ''", "job.yaml:1:12: reduce_by is empty", ""},
		{"reduce_by: [a, b]", "job.yaml:1:12: reduce_by must be text, not a list", ""},
		{"reduce_by: 2024", "job.yaml:1:12: reduce_by must be text, not 2024", "a number, or true or false, that is meant as text needs quotes"},

		{data + "command: x\nfunction: a.py:f", "job.yaml:3:1: command and function contradict each other: keep one", ""},
		{data, "job.yaml:1:1: command or function is missing", `such as: command: [gzip, -k, "{}"], or function: example.py:my_function`},
		{"function: a.py:f", "job.yaml:1:1: data is missing", "such as: data: {range: 500}; the sources are list, range, lines, glob, csv, jsonl or matrix"},
		{data + "stdin: '{}'\nfunction: a.py:f", "job.yaml:2:1: stdin is for a command; a function gets its item as argument", ""},
		{data + "function: a.py:f\noutput: bytes", "job.yaml:3:1: output is for a command; the result of a function is what it returns, as JSON", ""},

		{"module: x", `job.yaml:1:1: unknown key "module"; lithops calls it "function"`, ""},
		{"handler: x", `job.yaml:1:1: unknown key "handler"; lithops calls it "function"`, ""},
		{"func: x", `job.yaml:1:1: unknown key "func"; lithops calls it "function"`, ""},
		{"map: x", `job.yaml:1:1: unknown key "map"; lithops calls it "function"`, ""},
		{"map_function: x", `job.yaml:1:1: unknown key "map_function"; lithops calls it "function"`, ""},
		{"functoin: x", `job.yaml:1:1: unknown key "functoin"; did you mean "function"?`, ""},
		{"interpreter: x", `job.yaml:1:1: unknown key "interpreter"; lithops calls it "runtime"`, ""},
		{"python: x", `job.yaml:1:1: unknown key "python"; lithops calls it "runtime"`, ""},
		{"reducer: x", `job.yaml:1:1: unknown key "reducer"; lithops calls it "reduce"`, ""},
		{"group_by: x", `job.yaml:1:1: unknown key "group_by"; lithops calls it "reduce_by"`, ""},
		{"reduce-by: x", `job.yaml:1:1: unknown key "reduce-by"; did you mean "reduce_by"?`, ""},
		{"reduce: {func: x}", `job.yaml:1:10: unknown key "func"; lithops calls it "function"`, ""},
		{"reduce: {interpreter: x}", `job.yaml:1:10: unknown key "interpreter"; lithops calls it "runtime"`, ""},
		{"reduce: {reduce_by: x}", `job.yaml:1:10: unknown key "reduce_by" in reduce; it belongs to the job itself`, ""},
		{"reduce: {args: x}", `job.yaml:1:10: unknown key "args" in reduce; known keys: function, runtime`, ""},
	} {
		_, err := Parse("job.yaml", []byte(test.src))
		var e *SpecError
		if !errors.As(err, &e) || err.Error() != test.want || e.Hint != test.hint {
			t.Errorf("%q\ngot  %v\nwant %s", test.src, err, test.want)
			if e != nil {
				t.Errorf("hint %s\nwant %s", e.Hint, test.hint)
			}
			continue
		}
		if e.Source != splitLines(test.src)[e.Line-1] {
			t.Errorf("%q: source line %q", test.src, e.Source)
		}
	}
}

// A program's Spec is held to the same rules; a function of the program needs no
// data, because the program has the items.
func TestFunctionOfProgram(t *testing.T) {
	py, data := Function{File: "a.py", Name: "f"}, Data{Range: &Range{Stop: 3}}
	text := "{}"
	for _, test := range []struct {
		spec Spec
		want string
	}{
		{Spec{Function: Function{Go: "main.f"}}, ""},
		{Spec{Function: Function{Go: "main.f"}, Data: data, Reduce: &Reduce{Function: Function{Go: "main.g"}}, ReduceBy: "k"}, ""},
		{Spec{Function: Function{Go: "main.f"}, Reduce: &Reduce{Function: py}, Runtime: "python3.12"}, ""},
		{Spec{Function: py, Data: data}, ""},
		{Spec{Command: Command{Shell: "x"}, Reduce: &Reduce{Function: Function{Go: "main.g"}}, Data: data}, ""},
		{Spec{Function: py}, "data is missing"},
		{Spec{Command: Command{Shell: "x"}, Reduce: &Reduce{Function: Function{Go: "main.g"}}}, "data is missing"},
		{Spec{}, "command or function is missing"},
		{Spec{Function: py, Command: Command{Shell: "x"}, Data: data}, "command and function contradict each other: keep one"},
		{Spec{Function: Function{Go: "f"}, Command: Command{Argv: []string{}}}, "command and function contradict each other: keep one"},
		{Spec{Function: Function{Go: "f", Name: "f"}}, "function has two forms, a function of the program and one of a file: keep one"},
		{Spec{Function: Function{File: "a.py"}}, "function needs the name of a function in a.py"},
		{Spec{Function: Function{File: "a.py:f"}}, `function has the file "a.py:f", which holds a name`},
		{Spec{Function: Function{Name: "f"}}, `function needs a file before the colon of ":f"`},
		{Spec{Function: Function{File: "p"}}, `function must be FILE:NAME, or a program's path with a slash in it, not "p"`},
		{Spec{Function: Function{Go: "f"}, Reduce: &Reduce{}}, "reduce needs a function to reduce with"},
		{Spec{Function: Function{Go: "f"}, Reduce: &Reduce{Function: Function{File: "a.js"}}}, "reduce needs the name of a function in a.js"},
		{Spec{Function: Function{Go: "f"}, ReduceBy: "k"}, "reduce_by needs a function to reduce with"},
		{Spec{Function: Function{Go: "f"}, Runtime: "python3"}, "runtime is for a Python or JavaScript function, and the job has none"},
		{Spec{Function: Function{Go: "f"}, Stdin: &text}, "stdin is for a command; a function gets its item as argument"},
		{Spec{Function: Function{Go: "f"}, Output: OutputJSON}, "output is for a command; the result of a function is what it returns, as JSON"},
	} {
		got := ""
		if err := test.spec.Validate(); err != nil {
			got = err.Error()
		} else if err := test.spec.Validate(); err != nil {
			t.Errorf("%+v: valid once only: %v", test.spec, err)
		}
		if got != test.want {
			t.Errorf("%+v\ngot  %s\nwant %s", test.spec, got, test.want)
		}
	}
}

func TestInterpreter(t *testing.T) {
	const data = "data: {range: 3}\n"
	for _, test := range []struct{ src, name, key, reduce, reduceKey string }{
		{"command: x", "", "function", "", ""},
		{"function: ./p", "", "function", "", ""},
		{"function: a.py:f", "python3", "function", "", ""},
		{"function: a.cjs:f", "node", "function", "", ""},
		{"function: a.py:f\nruntime: python3.11", "python3.11", "runtime", "", ""},
		{"function: a.py:f\nreduce: a.py:g", "python3", "function", "python3", "reduce"},
		{"function: a.py:f\nreduce: {function: a.py:g}\nruntime: ./venv", "./venv", "runtime", "./venv", "runtime"},
		{"function: a.py:f\nreduce: b.js:g\nruntime: python3.11", "python3.11", "runtime", "node", "reduce"},
		{"function: a.js:f\nreduce: {function: b.py:g}\nruntime: node20", "node20", "runtime", "python3", "reduce.function"},
		{"function: a.py:f\nreduce: {function: a.py:g, runtime: python3.12}\nruntime: python3.11", "python3.11", "runtime", "python3.12", "reduce.runtime"},
		{"function: a.py:f\nreduce: {function: a.js:g, runtime: node22}", "python3", "function", "node22", "reduce.runtime"},
		{"command: x\nreduce: a.py:g\nruntime: python3.12", "", "runtime", "python3.12", "runtime"},
		{"command: x\nreduce: a.js:g", "", "function", "node", "reduce"},
		{"function: ./p\nreduce: a.js:g\nruntime: node20", "", "runtime", "node20", "runtime"},
		{"function: a.js:f\nreduce: ./p\nruntime: node20", "node20", "runtime", "", "reduce"},
	} {
		s := mustParse(t, data+test.src)
		if s.Interpreter(false) != test.name || s.Interpreter(true) != test.reduce {
			t.Errorf("%s: %q, reduce %q", test.src, s.Interpreter(false), s.Interpreter(true))
		}
		if s.InterpreterKey(false) != test.key || s.InterpreterKey(true) != test.reduceKey {
			t.Errorf("%s: keys %q, reduce %q", test.src, s.InterpreterKey(false), s.InterpreterKey(true))
		}
	}
	goes := Spec{Function: Function{Go: "f"}, Reduce: &Reduce{Function: Function{File: "a.py", Name: "f"}}, Runtime: "python3.12"}
	if goes.Interpreter(false) != "" || goes.Interpreter(true) != "python3.12" {
		t.Errorf("%q, reduce %q", goes.Interpreter(false), goes.Interpreter(true))
	}
}

func TestFault(t *testing.T) {
	const src = "data: {range: 3}\nfunction: a.py:f\nreduce:\n  function: b.py:g\n  runtime: nopy\n"
	s := mustParse(t, src)
	for key, want := range map[string]string{
		"function": "/jobs/job.yaml:2:1: bad", "reduce.function": "/jobs/job.yaml:4:3: bad", "reduce.runtime": "/jobs/job.yaml:5:3: bad",
		s.FunctionKey(true): "/jobs/job.yaml:4:3: bad", s.InterpreterKey(true): "/jobs/job.yaml:5:3: bad", "runtime": "/jobs/job.yaml:1:1: bad",
	} {
		if e := s.Fault(key, "bad"); e.Error() != want || e.Source != splitLines(src)[e.Line-1] {
			t.Errorf("%s: %v, source %q, want %s", key, e, e.Source, want)
		}
	}
	e := s.Fault("function", "function %s: %w", "a.py", fs.ErrNotExist)
	e.Hint = "make it"
	if !errors.Is(e, fs.ErrNotExist) || e.Error() != "/jobs/job.yaml:2:1: function a.py: file does not exist" {
		t.Errorf("%v", e)
	}
	if err := s.SetFrom("/home", "reduce", "c.py:f"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{s.FunctionKey(true), "reduce.function", "reduce.runtime"} {
		if e := s.Fault(key, "bad"); e.Error() != "--reduce: bad" || e.Detail() != "" {
			t.Errorf("%s by a flag: %v", key, e)
		}
	}
	if e := (&Spec{}).Fault("function", "100%% bad"); e.Error() != "100% bad" {
		t.Errorf("no file: %v", e)
	}
}

// A template of a function takes every item and has no command.
func TestFunctionTemplate(t *testing.T) {
	tpl, err := NewTemplate(mustParse(t, "function: ./{x}\ndata: {range: 3}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range []string{"1", `"\u0000"`, `{"a":1}`, "[]", "null", `"\ud800"`} {
		if err := tpl.Check([]byte(item)); err != nil {
			t.Errorf("%s: %v", item, err)
		}
		if argv, err := tpl.Expand(0, []byte(item), nil); err == nil || argv != nil {
			t.Errorf("%s: expanded to %q", item, argv)
		}
		if text, ok, err := tpl.Stdin(0, []byte(item)); text != "" || ok || err != nil {
			t.Errorf("%s: stdin %q, %v, %v", item, text, ok, err)
		}
	}
}

func TestFunctionFiles(t *testing.T) {
	const data = "data: {range: 3}\n"
	for src, want := range map[string][]string{
		"command: x": nil, "function: a.py:f": {"a.py"}, "function: ./p": {"./p"},
		"function: a.py:f\nreduce: a.py:g":            {"a.py"},
		"function: a.py:f\nreduce: ./sub/../a.py:g":   {"a.py"},
		"function: a.py:f\nreduce: /jobs/x/../a.py:g": {"a.py"},
		"function: a.py:f\nreduce: sub/a.py:g":        {"a.py", "sub/a.py"},
		"command: x\nreduce: r.js:f":                  {"r.js"},
	} {
		if got := mustParse(t, data+src).FunctionFiles(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
	s := Spec{Function: Function{Go: "f"}, Reduce: &Reduce{Function: Function{Go: "g"}}}
	if got := s.FunctionFiles(); len(got) != 0 {
		t.Errorf("Go functions: %q", got)
	}
}

// What manifests hold, today's and those from before there were functions.
func TestFunctionManifest(t *testing.T) {
	s := mustParse(t, "function: example.py:f\nruntime: python3.11\nreduce: r.js:g\nreduce_by: k\ndata: {range: 3}\n")
	got, err := json.Marshal(s)
	want := `{"function":{"file":"example.py","name":"f"},"runtime":"python3.11","reduce":{"function":{"file":"r.js","name":"g"}},"reduce_by":"k",` +
		`"data":{"range":{"start":0,"stop":3,"step":1}},"on_failure":{"mode":"continue"},"workdir":"/jobs","isolation":"auto","durability":"process","dir":"/jobs"}`
	if err != nil || string(got) != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
	}
	b, err := json.Marshal(&Spec{Function: Function{Go: "main.f"}})
	if err != nil || string(b) != `{"function":{"go":"main.f"},"data":{},"dir":""}` {
		t.Errorf("%s, %v", b, err)
	}
	var old Spec
	const manifest = `{"command":{"shell":"x {}"},"data":{"range":{"start":0,"stop":3,"step":1}},"on_failure":{"mode":"continue"},` +
		`"workdir":"/jobs","isolation":"auto","output":"bytes","dir":"/jobs"}`
	if err := json.Unmarshal([]byte(manifest), &old); err != nil {
		t.Fatal(err)
	}
	if err := old.Validate(); err != nil || old.Command.Shell != "x {}" || old.Function != (Function{}) || old.Reduce != nil {
		t.Errorf("%+v, %v", old, err)
	}
	// What came later has its default then.
	today := strings.Replace(manifest, `"dir"`, `"durability":"process","dir"`, 1)
	if again, err := json.Marshal(&old); err != nil || string(again) != today {
		t.Errorf("%s, %v", again, err)
	}
}
