package python

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFatal(t *testing.T) {
	functions := "import os.path\nfrom os import getcwd\nlimit = [1]\n\nclass Model:\n    def predict(self, x):\n        pass\n\n" +
		"def my_map_function(x):\n    pass\n\ndef my_reduce_function(x):\n    pass\n\ndef _own(x):\n    pass\n\nmodel = Model()\n"
	const has = "; it has: my_map_function, my_reduce_function"
	cases := []struct {
		name, source, function string
		typ, message           string
		stack                  []string
	}{
		{"example.py", functions, "my_mapfunction", "UnknownFunction",
			`example.py has no function "my_mapfunction"; did you mean "my_map_function"?` + has, nil},
		{"example.py", functions, "zzz", "UnknownFunction", `example.py has no function "zzz"` + has, nil},
		{"example.py", functions, "model.predcit", "UnknownFunction",
			`example.py has no function "model.predcit"; did you mean "model.predict"?; it has: model.predict`, nil},
		{"example.py", functions, "Model.x.y", "UnknownFunction", `example.py has no function "Model.x"; it has: Model.predict`, nil},
		{"example.py", functions, "limit", "UnknownFunction", `"limit" in example.py is not a function: its type is list`, nil},
		{"empty.py", "", "f", "UnknownFunction", `empty.py has no function "f"; it has no functions`, nil},
		{"missing.py", "import sys\nimport no_such_module\n", "f", "ModuleNotFoundError", "No module named 'no_such_module'",
			[]string{"Traceback", `missing.py", line 2, in <module>`, "import no_such_module\n"}},
		{"syntax.py", "def f(:\n    pass\n", "f", "SyntaxError", "invalid syntax (syntax.py, line 1)", []string{`syntax.py", line 1`, "def f(:"}},
		{"indent.py", "def f():\npass\n", "f", "IndentationError", "(indent.py, line 2)", []string{"line 2"}},
		{"raises.py", "class Own(BaseException):\n    pass\n\ndef f(x):\n    raise Own('text')\n\nf(1)\n", "f", "raises.Own", "text",
			[]string{`raises.py", line 7, in <module>`, `raises.py", line 5, in f`}},
		{"exits.py", "import sys\n\nsys.exit(3)\n", "f", "SystemExit", "exits.py ended the process while it was loaded: sys.exit(3)",
			[]string{`exits.py", line 3`}},
	}
	eachPython(t, func(t *testing.T, py python) {
		for _, c := range cases {
			p := launch(t, py, module(t, c.name, c.source), c.function)
			said := p.hello.Fatal
			if said == nil {
				t.Errorf("%s: ready", c.name)
				continue
			}
			if said.Type != c.typ || !strings.HasSuffix(said.Message, c.message) {
				t.Errorf("%s:%s: %s: %s\nwant %s: %s", c.name, c.function, said.Type, said.Message, c.typ, c.message)
			}
			if len(c.stack) == 0 != (said.Stack == "") || strings.Contains(said.Stack, "runtime.py") || strings.Contains(said.Stack, "importlib") {
				t.Errorf("%s: stack:\n%s", c.name, said.Stack)
			}
			contains(t, c.name, said.Stack, c.stack...)
			if code := p.exit(); code != 1 || p.logged() != "" {
				t.Errorf("%s: exit code %d, log %q", c.name, code, p.logged())
			}
		}
	})
}

func TestFileThatIsNotThere(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		path := filepath.Join(t.TempDir(), "no.py")
		p := launch(t, py, path, "f")
		if p.hello.Fatal == nil || p.hello.Fatal.Type != "FileNotFoundError" {
			t.Fatalf("%+v", p.hello)
		}
		contains(t, "message", p.hello.Fatal.Message, path)
		p.exit()
	})
}

// TestNamesOfFiles loads files whose names are no identifiers, or those of modules.
func TestNamesOfFiles(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		for _, name := range []string{"json.py", "asyncio.py", "__main__.py", "my-script.py", "a.b.py", "with blank.py", "ümlaut.py", "UPPER.PY"} {
			p := start(t, py, module(t, name, "import json\n\ndef f(x):\n    return [x, __name__ != '__main__']\n"), "f")
			p.want(0, `1`, `[1,true]`)
			p.end()
		}
	})
}

// TestChangedFile changes a file faster than the times in bytecode tell.
func TestChangedFile(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		path := module(t, "changes.py", "")
		for i := range 3 {
			write(t, path, fmt.Sprintf("def f(x):\n    return %d\n", i))
			p := start(t, py, path, "f")
			p.want(0, `1`, fmt.Sprint(i))
			p.end()
		}
		if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
			t.Errorf("left beside the file: %v, %v", left, err)
		}
	})
}

func TestPythonThatIsTooOld(t *testing.T) {
	_, old := interpreters()
	if old == nil {
		t.Skip("there is no Python older than 3.8")
	}
	p := launch(t, *old, testdata(t, "behave.py"), "echo")
	said := p.hello.Fatal
	if said == nil || said.Type != "RuntimeError" {
		t.Fatalf("%+v", p.hello)
	}
	want := fmt.Sprintf("needs Python 3.8 or newer; %s is %d.%d.", old.path, old.version[0], old.version[1])
	if !strings.HasPrefix(said.Message, want) {
		t.Errorf("message %q, want %s…", said.Message, want)
	}
	if code := p.exit(); code != 1 || p.logged() != "" {
		t.Errorf("exit code %d, log %q", code, p.logged())
	}
}
