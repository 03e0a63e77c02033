package node

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Each function gives what it is called with plus one.
func TestExports(t *testing.T) {
	const isModule = `{"type": "module"}`
	for _, c := range []struct {
		files files
		name  string
	}{
		{file("f.mjs", "export function add(x) { return x + 1 }"), "add"},
		{file("f.mjs", "const add = (x) => x + 1; export { add as plus }"), "plus"},
		{file("f.mjs", "export default (x) => x + 1"), "default"},
		{file("f.mjs", "export default function add(x) { return x + 1 }"), "default"},
		{file("f.mjs", "export default function add(x) { return x + 1 }"), "add"},
		{file("f.mjs", "export default { one: 1, add(x) { return x + this.one } }"), "add"},
		{file("f.mjs", "export default class { static one = 1; static add(x) { return x + this.one } }"), "add"},
		{file("f.mjs", "class A { one = 1; add(x) { return x + this.one } }; export default new A()"), "add"},
		{file("f.mjs", "const one = await Promise.resolve(1); export const add = (x) => x + one"), "add"},
		{files{{"f.mjs", "import { one } from './one.mjs'; import two from './two.cjs'; export const add = (x) => x + one * two.one"},
			{"one.mjs", "export const one = 1"}, {"two.cjs", "exports.one = 1"}}, "add"},
		{file("f.cjs", "exports.add = (x) => x + 1"), "add"},
		{file("f.cjs", "module.exports = { one: 1, add(x) { return x + this.one } }"), "add"},
		{file("f.cjs", "const all = {}; for (const n of ['add']) all[n] = (x) => x + 1; module.exports = all"), "add"},
		{file("f.cjs", "module.exports = (x) => x + 1"), "default"},
		{file("f.cjs", "module.exports = function add(x) { return x + 1 }"), "add"},
		{file("f.cjs", "module.exports = (x) => x; module.exports.add = (x) => x + 1"), "add"},
		{file("f.cjs", "exports.__esModule = true; exports.default = (x) => x + 1"), "default"},
		{file("f.cjs", "exports.__esModule = true; exports.add = (x) => x + 1"), "add"},
		{file("f.js", "exports.add = (x) => x + 1"), "add"},
		{files{{"f.js", "export const add = (x) => x + 1"}, {"package.json", isModule}}, "add"},
		{files{{"f.js", "const { one } = require('./one'); exports.add = (x) => x + one"}, {"one.js", "exports.one = 1"}}, "add"},
		{files{{"f.mjs", "import { one } from 'one'; export const add = (x) => x + one"}, {"node_modules/one/package.json", isModule}, {"node_modules/one/index.js", "export const one = 1"}}, "add"},
		{file("with a blank, 100% & #1?.mjs", "export const add = (x) => x + 1"), "add"},
		{file("f.mjs", "export const add = (x) => x + 1; setInterval(() => {}, 1e6); process.on('SIGTERM', () => {})"), "add"},
	} {
		s := start(t, c.files, c.name)
		if r := s.call(0, 0, "41"); r.outcome() != "42" {
			t.Errorf("%s of %s: %s", c.name, c.files, r.outcome())
		}
		if state := s.end(); state.ExitCode() != 0 {
			t.Errorf("%s ended with %v; log:\n%s", c.files, state, s.said())
		}
	}
}

func TestSeveralFunctions(t *testing.T) {
	s := start(t, file("f.mjs", "let n = 0; export const f = (x) => [x, ++n], g = (x) => -x"), "f", "g", "f")
	s.expect(0, "1", "[1,1]")
	s.expect(1, "2", "-2")
	s.expect(2, "3", "[3,2]") // loaded once
	s.write(`{"id":4,"input":5}` + "\n")
	if r := s.read(); r.outcome() != "[5,3]" {
		t.Errorf("without f: %s", r.outcome())
	}
}

// fatal starts a runtime that cannot work and gives its only line.
func fatal(t *testing.T, with files, env []string, names ...string) failure {
	t.Helper()
	s := launch(t, with, env, names...)
	line := s.line()
	var said struct{ Fatal *failure }
	if err := json.Unmarshal([]byte(line), &said); err != nil || said.Fatal == nil || !strings.HasPrefix(line, `{"fatal":{"type":"`) {
		t.Fatalf("it said %s, %v", line, err)
	}
	if state := s.wait(); state.ExitCode() != 1 {
		t.Errorf("%s: ended with %v", said.Fatal, state)
	}
	// DIR stands for the directory, as the process sees it.
	dir, err := filepath.EvalSymlinks(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	f := *said.Fatal
	f.Message, f.Stack = strings.ReplaceAll(f.Message, dir, "DIR"), strings.ReplaceAll(f.Stack, dir, "DIR")
	return f
}

func TestUnknownFunction(t *testing.T) {
	for _, c := range []struct{ file, text, name, want string }{
		{"f.mjs", "export function name() {} export const other = () => {}, limit = 1", "nam", `f.mjs has no function "nam"; did you mean "name"?; it has: name, other`},
		{"f.mjs", "export const myMapFunction = () => {}, b = () => {}", "my_map_function", `f.mjs has no function "my_map_function"; did you mean "myMapFunction"?; it has: b, myMapFunction`},
		{"f.mjs", "export const add = () => {}", "dad", `f.mjs has no function "dad"; did you mean "add"?; it has: add`},
		{"f.mjs", "export const add = () => {}", "somethingElse", `f.mjs has no function "somethingElse"; it has: add`},
		{"f.mjs", "export const limit = 1; export const f = () => {}", "limit", `"limit" in f.mjs is not a function: it is of type number`},
		{"f.mjs", "export const f = null", "f", `"f" in f.mjs is not a function: it is null`},
		{"f.mjs", "export class Adder {} export default class {}", "Adder", `"Adder" in f.mjs is not a function: it is a class`},
		{"f.mjs", "function f() {}", "f", `f.mjs has no function "f"; it exports none: write "export" before the function, or in CommonJS module.exports = { f }`},
		{"f.cjs", "function f() {}", "f", `f.cjs has no function "f"; it exports none: write "export" before the function, or in CommonJS module.exports = { f }`},
		{"f.cjs", "exports.f = (x) => x", "default", `f.cjs has no function "default"; it has: f`},
		{"f.cjs", "exports.f = (x) => x", "toString", `f.cjs has no function "toString"; it has: f`},
		{"f.cjs", "module.exports = function f(x) { return x }", "call", `f.cjs has no function "call"; it has: default, f`},
		{"f.mjs", "class A { g() {} }; class B extends A { f() {} }; export default new B()", "h", `f.mjs has no function "h"; it has: f, g`},
	} {
		if got := fatal(t, file(c.file, c.text), nil, c.name); got.Type != "UnknownFunction" || got.Message != c.want || got.Stack != "" {
			t.Errorf("%s: %+v, want %s", c.text, got, c.want)
		}
	}
	if got := fatal(t, file("f.mjs", "export const f = (x) => x"), nil, "f", "g"); !strings.Contains(got.Message, `no function "g"`) {
		t.Errorf("the second name: %+v", got)
	}
}

func TestLoadingFails(t *testing.T) {
	const syntax = "export function f(x) {\n  return x +;\n}\n"
	for name, c := range map[string]struct {
		files      files
		kind, text string
		stack      []string // what stands in it
	}{
		"syntax":                 {file("f.mjs", syntax), "SyntaxError", "Unexpected token ';'", []string{"file://DIR/f.mjs:2\n  return x +;\n            ^\n\nSyntaxError: Unexpected token ';'"}},
		"syntax, CommonJS":       {file("f.cjs", strings.Replace(syntax, "export ", "", 1)), "SyntaxError", "Unexpected token ';'", []string{"DIR/f.cjs:2\n  return x +;\n            ^\n\nSyntaxError: "}},
		"syntax of an import":    {files{{"f.mjs", "import './g.mjs'; console.log('ran')"}, {"g.mjs", "console.log('ran'); import './h.mjs'"}, {"h.mjs", syntax}}, "SyntaxError", "Unexpected token ';'", []string{"file://DIR/h.mjs:2\n"}},
		"syntax, import of CJS":  {files{{"f.mjs", "import './g.cjs'"}, {"g.cjs", "a +;"}}, "SyntaxError", "Unexpected token ';'", []string{"DIR/g.cjs:1\n"}},
		"no such export":         {files{{"f.mjs", "import { a } from './g.mjs'"}, {"g.mjs", ""}}, "SyntaxError", "The requested module './g.mjs' does not provide an export named 'a'", []string{"file://DIR/f.mjs:1\nimport { a } from './g.mjs'\n"}},
		"JSON is no syntax":      {file("f.mjs", "\nJSON.parse('{')"), "SyntaxError", "", []string{"SyntaxError: ", "f.mjs:2:6"}},
		"no such module":         {file("f.mjs", "import './g.mjs'"), "Error", "Cannot find module 'DIR/g.mjs' imported from DIR/f.mjs", []string{"ERR_MODULE_NOT_FOUND"}},
		"no such module, CJS":    {file("f.cjs", "\nrequire('no-such-package')"), "Error", "Cannot find module 'no-such-package'\nRequire stack:\n- DIR/f.cjs", []string{"DIR/f.cjs:2:1"}},
		"exception":              {file("f.mjs", "function g() { throw new RangeError('at load') }\ng()"), "RangeError", "at load", []string{"RangeError: at load\n    at g (file://DIR/f.mjs:1:22)\n    at file://DIR/f.mjs:2:1"}},
		"exception, CommonJS":    {file("f.cjs", "throw 'text'"), "string", "text", nil},
		"what never settles":     {file("f.mjs", "await new Promise(() => {})"), "Error", "f.mjs awaits a promise that can never settle", nil},
		"error in what it waits": {file("f.mjs", "await new Promise(() => setTimeout(() => { throw new Error('in the timer') }, 1))"), "Error", "in the timer", []string{"f.mjs:1:"}},
	} {
		got := fatal(t, c.files, nil, "f")
		if got.Type != c.kind || !strings.HasPrefix(got.Message, c.text) {
			t.Errorf("%s: %s: %q, want %s: %q", name, got.Type, got.Message, c.kind, c.text)
		}
		for _, want := range c.stack {
			if !strings.Contains(got.Stack, want) {
				t.Errorf("%s: no %q in the stack:\n%s", name, want, got.Stack)
			}
		}
		if strings.Contains(got.Stack, "node:internal") || strings.Contains(got.Stack, "runtime.mjs") {
			t.Errorf("%s: what is not the user's is in the stack:\n%s", name, got.Stack)
		}
	}
}

// To look for the place of a syntax error runs nothing of the user's.
func TestLoadingAgainRunsNothing(t *testing.T) {
	s := launch(t, files{{"f.mjs", "import './g.mjs'; import './h.cjs'\nJSON.parse('{')"}, {"g.mjs", "console.log('ran g')"}, {"h.cjs", "console.log('ran h')"}}, nil, "f")
	s.line()
	s.wait()
	if s.said() != "ran g\nran h\n" {
		t.Errorf("log: %s", s.said())
	}
}

// An old Node, or one that is told so, does not see that a .js file is an ES module.
func TestModuleSyntaxInCommonJS(t *testing.T) {
	flags := "--no-experimental-detect-module --no-experimental-require-module"
	if exec.Command("node", append(strings.Fields(flags), "--eval", "")...).Run() != nil {
		flags = "" // so old that it need not be told
	}
	got := fatal(t, files{{"f.js", "export const f = (x) => x"}, {"package.json", "{}"}}, []string{"NODE_OPTIONS=" + flags}, "f")
	if want := `Unexpected token 'export'; name the file f.mjs, or have a package.json next to it with "type": "module"`; got.Message != want {
		t.Errorf("%s, want %s", got.Message, want)
	}
}

func TestOldNode(t *testing.T) {
	dir := t.TempDir()
	pretend := filepath.Join(dir, "old.cjs")
	if err := os.WriteFile(pretend, []byte(`Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '16.20.2' } })`), 0o600); err != nil {
		t.Fatal(err)
	}
	got := fatal(t, file("f.mjs", "console.log('loaded')"), []string{"NODE_OPTIONS=--require=" + pretend}, "f")
	if got.Type != "Error" || !strings.HasPrefix(got.Message, "Node.js 16.20.2 (") || !strings.HasSuffix(got.Message, "is too old: version 18 or newer is needed; name another one by runtime:") {
		t.Errorf("%+v", got)
	}
}

// To say that it is too old, an old Node has to be able to parse the whole file.
func TestNothingNewerThanNode12(t *testing.T) {
	for _, newer := range []string{"?.", "??", "||=", "&&=", "static ", "from 'node:", "\nawait ", "\nexport "} {
		if i := strings.Index(string(Source), newer); i >= 0 {
			t.Errorf("runtime.mjs:%d has %q", 1+strings.Count(string(Source[:i]), "\n"), newer)
		}
	}
}
