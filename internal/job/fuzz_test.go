package job

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

// FuzzParse: whatever is in the file, an error has its place, and a job that is
// accepted survives its manifest.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		fullJob, "", "command: x\ndata: {range: 3}\n", "command: [a, '{}']\ndata: {list: [1, a, {b: 0x1F}]}\nretries: 1\n",
		"command: |\n  awk '{{print}}' {}\ndata: {matrix: {a: [1], b: [x]}}\n", "a: &a [*a]\n", "command: x\ncommand: y\n", "x: [\n", "- a\n---\nb",
		"command: x\ndata: {csv: {file: a, delimiter: ;}}\non_failure: {tolerate: 5%}\nenv: {A: b}\ntimeout: 1e3\n", "? {a: b}\n: c\n",
		"function: example.py:A.f\ndata: {range: 3}\nruntime: python3.11\nreduce: {function: r.mjs:$f, runtime: node}\nreduce_by: k\n",
		"command: x\ndata: {range: 3}\nreduce: ./a:b/c\n", "function: 'C:\\x.py:f()'\ndata: {list: [1]}\n", "a: \"\\q\"", "\xff\xfe",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<16 {
			return // the library is slow on large nonsense
		}
		s, err := Parse("/jobs/job.yaml", src)
		if err != nil {
			var e *SpecError
			if !errors.As(err, &e) || e.Msg == "" {
				t.Fatalf("%T %v", err, err)
			}
			e.Detail()
			return
		}
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Spec
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		s.from = origin{}
		if !reflect.DeepEqual(s, &back) {
			t.Fatalf("%s\ngot  %+v\nwant %+v", b, back, *s)
		}
		for _, f := range []Function{s.Function, reduceOf(s)} {
			if f == (Function{}) {
				continue
			}
			if as, msg, _ := parseFunction(f.String()); as != f || msg != "" {
				t.Fatalf("%+v is written %s, which is %+v, %q", f, f, as, msg)
			}
		}
		if s.Data.Kind() == "list" || s.Data.Kind() == "matrix" {
			src, err := s.Open(nil)
			if err != nil {
				t.Fatal(err)
			}
			for range 100 {
				item, err := src.Next()
				if err == io.EOF {
					break
				}
				if err != nil || !json.Valid(item) {
					t.Fatalf("%v: %s", err, item)
				}
			}
		}
	})
}

func reduceOf(s *Spec) Function {
	if s.Reduce == nil {
		return Function{}
	}
	return s.Reduce.Function
}

// FuzzTemplate: Expand agrees with Check, and a shell value between quotes is
// the value.
func FuzzTemplate(f *testing.F) {
	f.Add("{}", `"a"`)
	f.Add("x {a} {#} {a/.}{{}}", `{"a":"b/c.d","e":[1,{}]}`)
	f.Add("echo \"$(ls {})\" # it's\ncat <<E\nE\n{//}", `"it's"`)
	f.Add("${{x:-y}} $((1+2)) `a` {a}", `{"a":"\ud83d\ude00\u0000"}`)
	f.Add("{a", `{`)
	f.Fuzz(func(t *testing.T, text, item string) {
		for _, cmd := range []Command{{Argv: []string{text}}, {Shell: text}} {
			tpl, err := NewTemplate(&Spec{Command: cmd})
			if err != nil {
				continue
			}
			check := tpl.Check([]byte(item))
			argv, err := tpl.Expand(1, []byte(item), nil)
			if json.Valid([]byte(item)) && (check == nil) != (err == nil) {
				t.Fatalf("check %v, expand %v", check, err)
			}
			if err == nil && strings.ContainsRune(strings.Join(argv, ""), 0) && !strings.ContainsRune(item, 0) {
				t.Fatalf("NUL in %q", argv)
			}
		}
	})
}

// FuzzQuote: what stands between the quotes is the value, and the text scanner
// agrees with encoding/json.
func FuzzQuote(f *testing.F) {
	for _, v := range nasty {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		v = strings.ToValidUTF8(v, "")
		q := string(quoted([]byte("x"+v), 1))
		if q != "x'"+strings.ReplaceAll(v, "'", `'\''`)+"'" {
			t.Fatalf("%q quoted as %s", v, q)
		}
		for _, raw := range [][]byte{appendQuoted(nil, v), must(json.Marshal(v))} {
			var want string
			if err := json.Unmarshal(raw, &want); err != nil || want != v {
				t.Fatalf("%s: %v", raw, err)
			}
			if got, err := appendText(nil, raw); err != nil || string(got) != v {
				t.Fatalf("%s: got %q, %v", raw, got, err)
			}
		}
	})
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// FuzzSources: each item of a file is compact JSON, whatever is in the file.
func FuzzSources(f *testing.F) {
	for _, seed := range []string{"", "a\nb", "a,b\n1,2\n", "\uFEFFa,b\r\n\"x\n\",2", "{\"a\": 1}\n[1, 2]\n", "\"\\ud800\"", "a,a\n", "\xff", "1 2\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, d := range []Data{{Lines: "-"}, {JSONL: "-"}, {CSV: &CSV{File: "-"}}, {CSV: &CSV{File: "-", Delimiter: ";"}}} {
			items, err := drain(d.Open("", strings.NewReader(string(file))))
			var e *SpecError
			if err != nil && !errors.As(err, &e) {
				t.Fatalf("%T %v", err, err)
			}
			for _, it := range items {
				if !json.Valid([]byte(it)) || strings.ContainsAny(it, "\n\r") {
					t.Fatalf("%q of %q", it, file)
				}
			}
		}
	})
}

// FuzzFunction: what is taken for a function is written as it was read, and the
// schema takes it too; of ASCII, the schema takes nothing else.
func FuzzFunction(f *testing.F) {
	for _, seed := range []string{"a.py:A.f", "a.py", "./a.js:$f", "a.mjs:f()", "./a:b/p", "./a.py:b/c", `C:\x.cjs:f`, "a.py::f", "p:f", "./p\n", "ü.py:ü", "", "/:.pY:_"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fn, msg, such := parseFunction(text)
		if msg == "" && (fn.String() != text || fn.Name == "" && fn.interpreted() || fn.File == "") || msg != "" && such == "" {
			t.Fatalf("%q: %+v, %q, %q", text, fn, msg, such)
		}
		ascii := strings.IndexFunc(text, func(r rune) bool { return r > 0x7f }) < 0
		if fault := violates(callee{}.schema(), text); fault == "" && msg != "" && ascii || fault != "" && msg == "" {
			t.Fatalf("%q: %q, schema %q", text, msg, fault)
		}
	})
}
