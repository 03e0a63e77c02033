package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// evaluator is a function that gives the value of an expression.
const evaluator = "export const f = (source) => (0, eval)('(' + source + ')')"

func TestResults(t *testing.T) {
	s := start(t, file("f.mjs", evaluator), "f")
	for expression, want := range map[string]string{
		"undefined":                         "null",
		"null":                              "null",
		"-0":                                "0",
		"0.1 + 0.2":                         "0.30000000000000004",
		"1e300":                             "1e+300",
		"'a\\u2028\"\\n\\ud800 €'":          "\"a\u2028\\\"\\n\\ud800 €\"",
		"[undefined, 1,, 2]":                "[null,1,null,2]",
		"({ a: undefined, b: { c: [] } })":  `{"b":{"c":[]}}`,
		"new Date(0)":                       `"1970-01-01T00:00:00.000Z"`,
		"[new Date(0), Buffer.from('a')]":   `["1970-01-01T00:00:00.000Z",{"type":"Buffer","data":[97]}]`,
		"new URL('http://a/b')":             `"http://a/b"`,
		"({ toJSON: () => undefined })":     "null",
		"({ toJSON: 5, a: [{}] })":          `{"toJSON":5,"a":[{}]}`,
		"({ toJSON: (k) => [k] })":          `[""]`,
		"new (class A { x = 1; #y = 2 })()": `{"x":1}`,
		"Object.create(null, { a: { value: 1, enumerable: true } })": `{"a":1}`,
		"[new Number(1), new String('a'), new Boolean(false)]":       `[1,"a",false]`,
		"((o) => [o, o, { o }])({ a: 1 })":                           `[{"a":1},{"a":1},{"o":{"a":1}}]`,
		"((o) => [o, new Date(0), o])({ a: [] })":                    `[{"a":[]},"1970-01-01T00:00:00.000Z",{"a":[]}]`,
		"[...Array(200)].reduce((a) => [a], [])":                     strings.Repeat("[", 201) + strings.Repeat("]", 201),
		"({ __proto__: null, ['__proto__']: 1 })":                    `{"__proto__":1}`,
	} {
		s.expect(0, fmt.Sprintf("%q", expression), want)
	}
	for expression, want := range map[string]string{
		"NaN":                               "NaN",
		"[1, 2, { x: Infinity }]":           `Infinity at [2]["x"]`,
		"[{ a: [] }, new Number(NaN)]":      "NaN at [1]",
		"12n":                               "BigInt",
		"() => 1":                           "function",
		"({ 'a b': Symbol('c') })":          `symbol at ["a b"]`,
		"[1, 2, { x: new Set([1]) }]":       `Set at [2]["x"]`,
		"new Map()":                         "Map",
		"[[], {}, new Date(0), { a: /x/ }]": `RegExp at [3]["a"]`,
		"({ a: Promise.resolve(1) })":       `Promise that was not awaited at ["a"]`,
		"[new Error('x')]":                  "Error at [0]",
		"(function* () {})()":               "Generator",
		"new Uint8Array(3)":                 "Uint8Array",
		"[new ArrayBuffer(3)]":              "ArrayBuffer at [0]",
		"new URLSearchParams('a=b')":        "URLSearchParams",
		"((o) => o.a = o)({})":              `circular reference at ["a"]`,
		"((o) => { o.a.push(o); return [o] })({ a: [0] })": `circular reference at [0]["a"][1]`,
		"({ a: { toJSON: () => [new Map()] } })":           `Map at ["a"][0]`,
		"[...Array(100)].reduce((a) => [a], () => 1)":      "function at " + strings.Repeat("[0]", 100),
		"[...Array(100000)].reduce((a) => [a], [])":        "nested too deeply",
	} {
		s.expect(0, fmt.Sprintf("%q", expression), "TypeError: result of f is not JSON: "+want)
	}
	s.expect(0, `"({ get a() { throw new RangeError('in the getter') } })"`, "RangeError: in the getter")
	s.expect(0, `"({ toJSON() { throw new RangeError('in toJSON') } })"`, "RangeError: in toJSON")
}

func TestTooLargeResult(t *testing.T) {
	s := start(t, file("f.mjs", "export const f = (n) => '€'.repeat(n), g = (n) => ({ toJSON: () => 'x'.repeat(n) })"), "f", "g")
	const most = 128 << 20
	s.write(fmt.Sprintf(`{"id":1,"input":%d}`+"\n", (most-2)/3))
	line := s.line()
	if at := strings.Index(line, `"output":"€`); at < 0 || len(line) != at+len(`"output":`)+(most-2)/3*3+len(`""}`) {
		t.Errorf("%d bytes: %.200s", len(line), line)
	}
	s.expect(0, fmt.Sprint((most-2)/3+1), "RangeError: result of f is 134217731 bytes as JSON, more than the 134217728 that are taken; write it to a file and return its name")
	s.expect(1, "1e9", "RangeError: result of g is more than 500000000 bytes as JSON, more than the 134217728 that are taken; write it to a file and return its name")
	s.expect(0, "1", `"€"`)
}

func TestErrors(t *testing.T) {
	const text = `import vm from 'vm'
import fs from 'fs'
import assert from 'assert'
class MyError extends Error {}
class MyTypeError extends TypeError { constructor(m) { super(m); this.name = 'MyTypeError' } }
const cases = {
  plain() { throw new Error('plain\ntwo lines') },
  range() { return new Array(-1) },
  reference() { return nothing },
  mine() { throw new MyError('mine') },
  named() { throw new MyTypeError('named') },
  renamed() { throw Object.assign(new Error('renamed'), { name: 'ValidationError' }) },
  node() { fs.readFileSync('no such file') },
  argument() { fs.readFileSync({}) },
  assertion() { assert.ok(0, 'not equal') },
  abort() { throw AbortSignal.abort().reason },
  realm() { vm.runInNewContext('throw new RangeError("of another realm")') },
  overflow() { return cases.overflow() + 1 },
  text() { throw 'a text' },
  number() { throw 7 },
  nothing() { throw undefined },
  nil() { throw null },
  symbol() { throw Symbol('s') },
  object() { throw { code: 5 } },
  like() { throw { message: 'like an error' } },
  hostile() { throw { get message() { throw 1 } } },
  caused() { throw new Error('outer', { cause: new MyError('inner', { cause: 'innermost' }) }) },
  any() { return Promise.any([Promise.reject(new MyError('one')), Promise.reject(new Error('two'))]) },
  long() { throw new Error('x'.repeat(1e6)) },
  async later() { await null; cases.mine() },
}
export function f(x) { return cases[x]() }`
	s := start(t, file("f.mjs", text), "f")
	for name, want := range map[string]string{
		"plain": "Error: plain\ntwo lines", "range": "RangeError: Invalid array length", "reference": "ReferenceError: nothing is not defined",
		"mine": "MyError: mine", "named": "MyTypeError: named", "renamed": "ValidationError: renamed",
		"node": "Error: ENOENT: no such file or directory, open 'no such file'", "assertion": "AssertionError: not equal", "abort": "AbortError: This operation was aborted",
		"realm": "RangeError: of another realm", "overflow": "RangeError: Maximum call stack size exceeded",
		"text": "string: a text", "number": "number: 7", "nothing": "undefined: undefined", "nil": "null: null", "symbol": "symbol: Symbol(s)",
		"object": "object: { code: 5 }", "like": "object: like an error", "hostile": "Error: an error that cannot be shown",
		"caused": "Error: outer", "any": "AggregateError: All promises were rejected", "later": "MyError: mine",
	} {
		s.expect(0, fmt.Sprintf("%q", name), want)
	}
	if r := s.call(0, 1, `"argument"`); r.Error == nil || r.Error.Type != "TypeError" {
		t.Errorf("argument: %s", r.outcome())
	}
	if r := s.call(0, 1, `"long"`); r.Error == nil || len(r.Error.Message) != 64<<10 || !strings.HasSuffix(r.Error.Message, "x...") {
		t.Errorf("a message of %d bytes", len(r.outcome()))
	}

	for name, want := range map[string]string{
		"plain":  "Error: plain\ntwo lines\n    at Object.plain (URL:7:19)\n    at f (URL:32:39)",
		"text":   "",
		"caused": "Error: outer\n    at Object.caused (URL:27:20)\n    at f (URL:32:39)\nCaused by: Error: inner\n    at Object.caused (URL:27:48)\n    at f (URL:32:39)\nCaused by: innermost",
		"later":  "Error: mine\n    at Object.mine (URL:10:18)\n    at Object.later (URL:30:37)",
	} {
		r := s.call(0, 1, fmt.Sprintf("%q", name))
		dir, err := filepath.EvalSymlinks(s.dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.ReplaceAll(r.Error.Stack, "file://"+dir+"/f.mjs", "URL"); got != want {
			t.Errorf("%s: stack\n%s\nwant\n%s", name, got, want)
		}
	}
	if r := s.call(0, 1, `"any"`); !strings.Contains(r.Error.Stack, "\nOne of its errors: Error: one\n") || !strings.Contains(r.Error.Stack, "\nOne of its errors: Error: two\n") {
		t.Errorf("any: stack\n%s", r.Error.Stack)
	}
}

func TestList(t *testing.T) {
	const text = `export const sum = (list) => [Array.isArray(list), list.length, list.reduce((a, b) => a + (b.n ?? b), 0)]
export const whole = (list, id) => [list, id]
export const two = (a, b) => [b, a]
export const all = (...list) => list.length
export const none = () => 0`
	s := start(t, file("f.mjs", text), "sum", "whole", "two", "all", "none")
	list := func(f int, text string, count int) string {
		t.Helper()
		path := filepath.Join(s.dir, "list \"€\".jsonl")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.write(fmt.Sprintf(`{"id":500,"list":%q,"count":%d,"f":%d}`+"\n", path, count, f))
		r := s.read()
		return strings.ReplaceAll(r.outcome(), s.dir, "DIR")
	}
	var many strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&many, `{"n":%d,"s":"€uro"}`+"\n", i)
	}
	long := `"` + strings.Repeat("ä", 3_000_000) + `"`
	for i, c := range []struct {
		f     int
		text  string
		count int
		want  string
	}{
		{0, "1\n2\n3\n", 3, "[true,3,6]"},
		{0, "1\n2\n3", 3, "[true,3,6]"},
		{0, "", 0, "[true,0,0]"},
		{0, many.String(), 200_000, "[true,200000,19999900000]"},
		{1, "1\n" + long + "\n2\n", 3, "[[1," + long + ",2],500]"},
		{2, "1\n2\n", 2, "[2,1]"},
		{3, "1\n2\n3\n", 3, "3"},
		{0, "1\n2\n", 3, `Error: DIR/list "€".jsonl has 2 results instead of 3`},
		{2, "1\n2\n3\n", 3, "TypeError: two(a, b) cannot take the list of 3 results: it has 3 elements, not 2"},
		{4, "1\n2\n3\n", 3, "TypeError: none() cannot take the list of 3 results: it has no parameters"},
	} {
		if got := list(c.f, c.text, c.count); got != c.want {
			t.Errorf("%d: %.200s, want %.200s", i, got, c.want)
		}
	}
	if got := list(0, "1\n{\n", 2); !strings.HasPrefix(got, `Error: DIR/list "€".jsonl:2: `) {
		t.Errorf("%s", got)
	}
	s.write(`{"id":1,"list":"none.jsonl","count":1}` + "\n")
	if r := s.read(); !strings.HasPrefix(r.outcome(), "Error: cannot read the list of results: ENOENT") {
		t.Errorf("%s", r.outcome())
	}
}
