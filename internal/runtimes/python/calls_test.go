package python

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

func TestReadyTellsTheVersion(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "echo")
		want := fmt.Sprintf("Python %d.%d.", py.version[0], py.version[1])
		if !strings.HasPrefix(p.hello.Ready.Language, want) {
			t.Errorf("language %q, want %s…", p.hello.Ready.Language, want)
		}
		p.end()
	})
}

func TestValuesComeBackAsTheyWere(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "echo")
		for _, value := range []string{
			`null`, `true`, `0`, `-1`, `12345678901234567890123`, `1.5`, `1e+300`, `""`, `[]`, `{}`,
			`"ä😀\n\t\"\\"`, `[1,[2,{"a":null}]]`, `{"ü":[false]}`, "\"\u2028\"",
			`"` + strings.Repeat("x", 1<<20) + `"`,
		} {
			p.want(0, value, value)
		}
		p.want(0, `"\ud83d\u00e4\u0000"`, `"\ud83dä\u0000"`) // half a character
		p.end()
	})
}

func TestRequestsInPartsAndManyAtOnce(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "size", "count")
		// 1 MiB in parts of many sizes, with the next requests right behind it.
		line := p.request(0, `"`+strings.Repeat("ä", 1<<19)+`"`) + p.request(0, `"abc"`) + p.request(1, `0`)
		for i := 1; len(line) > 0; i = i*3 + 1 {
			n := min(i, len(line))
			p.send(line[:n])
			line = line[n:]
		}
		for i, want := range []string{strconv.Itoa(1 << 19), "3", "1"} {
			if r := p.receive(); r.ID != i+1 || string(r.Output) != want {
				t.Errorf("reply %d: %s to %d, want %s", i+1, r.Output, r.ID, want)
			}
		}
		const many = 2000
		var lines strings.Builder
		for range many {
			lines.WriteString(p.request(1, `"item"`))
		}
		go p.requests.WriteString(lines.String())
		for i := range many {
			if r := p.receive(); r.ID != p.next-many+1+i || string(r.Output) != strconv.Itoa(i+2) {
				t.Fatalf("reply %s to %d, want %d", r.Output, r.ID, i+2)
			}
		}
		p.send(`{"id":9,"inp`) // not a whole line when the end comes: no request
		p.end()
	})
}

func TestBigResult(t *testing.T) {
	py := usualPython(t)
	p := start(t, py, testdata(t, "behave.py"), "big")
	const limit = 134217728
	p.send(p.request(0, strconv.Itoa(limit-2)))
	line := p.line()
	if _, output, ok := bytes.Cut(line, []byte(`,"output":`)); !ok || len(output) != limit+len("}\n") {
		t.Errorf("%d bytes, which begin with %.300s", len(line), line)
	}
	r := p.try(0, strconv.Itoa(limit-1))
	want := errorOf{Type: "ValueError", Message: "result of big is 134217729 bytes as JSON, more than the 134217728 that are taken; " +
		"write it to a file and return its name"}
	if r.Error == nil || *r.Error != want {
		t.Errorf("error %+v, want %+v", r.Error, want)
	}
	p.end()
}

func TestResultThatIsNotJSON(t *testing.T) {
	cases := []struct{ kind, want string }{
		{"set", `!TypeError: result of not_json is not JSON: set at ["y"][2]["x"]`},
		{"top", `!TypeError: result of not_json is not JSON: type`},
		{"own", `!TypeError: result of not_json is not JSON: behave.Custom at [0]`},
		{"nan", `!ValueError: result of not_json is not JSON: nan at ["a"][0]`},
		{"inf", `!ValueError: result of not_json is not JSON: -inf`},
		{"key", `!TypeError: result of not_json is not JSON: tuple as a key at [0]`},
		{"number key", `!TypeError: result of not_json is not JSON: object at [1][2.5][null]`},
		{"circle", `!ValueError: result of not_json is not JSON: a circular reference at [1]`},
		{"deep", `!ValueError: result of not_json is not JSON: nested too deeply`},
		{"bytes", `!TypeError: result of not_json is not JSON: bytes`},
		{"map", `!TypeError: result of not_json is not JSON: map`},
		{"surrogate", `"half \ud83d\\"`},
		{"text", `"ä` + "\u2028" + `\n\"😀"`},
		{"keys", `{"1":true,"b":null}`},
		{"tuple", `[1,[2.0,1e+300],-0.0]`},
	}
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "not_json", "generate", "generate_async", "later_generator")
		for range 2 { // what one call meets must not show in the next
			for _, c := range cases {
				r := p.try(0, strconv.Quote(c.kind))
				got := string(r.Output)
				if r.Error != nil {
					got = "!" + r.Error.Type + ": " + r.Error.Message
				}
				if got != c.want {
					t.Errorf("%s: %s, want %s", c.kind, got, c.want)
				}
			}
		}
		for f, want := range []string{
			1: `result of generate is not JSON: generator; return a list`,
			2: `result of generate_async is not JSON: async_generator; return a list`,
			3: `result of later_generator is not JSON: generator; return a list`,
		} {
			if f == 0 {
				continue
			}
			r := p.try(f, `1`)
			if r.Error == nil || *r.Error != (errorOf{Type: "TypeError", Message: want}) {
				t.Errorf("error %+v, want %s", r.Error, want)
			}
		}
		p.end()
	})
}

func TestItemThatPythonCannotRead(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "echo")
		r := p.try(0, strings.Repeat("[", 200000)+strings.Repeat("]", 200000))
		if r.Error == nil || r.Error.Type != "RecursionError" {
			t.Fatalf("%+v", r)
		}
		contains(t, "message", r.Error.Message, "the item cannot be read: ")
		p.want(0, `1`, `1`)
		p.want(0, "\"\xff\"", `"`+"\ufffd"+`"`)
		p.end()
	})
}

func TestAsynchronousFunctions(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"),
			"later", "later_fail", "returns_awaitable", "own_loop", "leaves_task", "exits_later")
		p.want(0, `"a"`, `["a",1]`)
		p.want(0, `"b"`, `["b",1]`)
		r := p.try(1, `1`)
		if r.Error == nil || r.Error.Type != "ValueError" || r.Error.Message != "later" {
			t.Fatalf("error %+v", r.Error)
		}
		contains(t, "stack", r.Error.Stack, "in later_fail")
		if strings.Contains(r.Error.Stack, "asyncio") || strings.Contains(r.Error.Stack, "runtime.py") {
			t.Errorf("stack with frames that are not the user's:\n%s", r.Error.Stack)
		}
		p.want(2, `"c"`, `["c"]`)
		p.want(3, `"d"`, `"d"`)
		p.want(0, `"e"`, `["e",1]`)
		p.want(4, `0`, `null`)
		p.end()
		contains(t, "log", p.logged(), "task ended\n")
		if strings.Contains(p.logged(), "Task was destroyed") {
			t.Error(p.logged())
		}

		p = start(t, py, testdata(t, "behave.py"), "exits_later")
		p.send(p.request(0, `7`))
		if code := p.exit(); code != 7 {
			t.Errorf("exit code %d, want 7", code)
		}
	})
}

func TestErrors(t *testing.T) {
	cases := []struct {
		kind, typ, message string
		stack              []string
	}{
		{"value", "ValueError", "bad\nvalue", []string{"Traceback (most recent call last):\n", "in fail\n", `raise ValueError("bad\nvalue")`, "ValueError: bad\nvalue\n"}},
		{"key", "KeyError", "'x'", []string{`return {}["x"]`}},
		{"custom", "behave.Custom", "('a', 1)", []string{"behave.Custom: ('a', 1)"}},
		{"inner", "behave.Custom.Inner", "", nil},
		{"elsewhere", "LookupError", "in the sibling", []string{"behave.py", "sibling.py", "in fail"}},
		{"cause", "ValueError", "caused", []string{"LookupError: in the sibling", "direct cause", "ValueError: caused"}},
		{"context", "ValueError", "in handling", []string{"LookupError: in the sibling", "another exception occurred"}},
		{"unprintable", "behave.Unprintable", "(its message could not be made: RuntimeError)", []string{"in fail"}},
		{"recursion", "RecursionError", "", []string{"Previous line repeated"}},
		{"memory", "MemoryError", "", []string{"bytearray"}},
		{"interrupt", "KeyboardInterrupt", "", []string{"in fail"}},
		{"generator exit", "GeneratorExit", "", []string{"in fail"}},
		{"surrogate", "ValueError", "half \ufffd", []string{"in fail"}},
		{"long", "ValueError", "xxx", []string{"in fail", "characters left out"}},
	}
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "fail")
		for _, c := range cases {
			r := p.try(0, strconv.Quote(c.kind))
			if r.Error == nil {
				t.Errorf("%s: output %s", c.kind, r.Output)
				continue
			}
			exact := c.message != "" && c.kind != "long"
			if r.Error.Type != c.typ || exact && r.Error.Message != c.message {
				t.Errorf("%s: %+v", c.kind, *r.Error)
			}
			contains(t, c.kind, r.Error.Stack, c.stack...)
			if strings.Contains(r.Error.Stack, "runtime.py") {
				t.Errorf("%s: our frames in the stack:\n%s", c.kind, r.Error.Stack)
			}
			if n := len(r.Error.Message) + len(r.Error.Stack); n > 1<<18 {
				t.Errorf("%s: %d bytes", c.kind, n)
			}
		}
		p.want(0, `"none"`, `"fine"`)
		p.end()
	})
}

func TestModuleIsAsUsual(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "where", "pool", "collects", "warned")
		got, _ := p.call(0, `0`)
		var want [6]any
		if err := json.Unmarshal([]byte(got), &want); err != nil {
			t.Fatal(err)
		}
		if want != [6]any{"behave", "behave.py", true, true, "def echo(x):\n    return x\n", true} {
			t.Errorf("module: %s", got)
		}
		for _, method := range []string{"fork", "spawn", "forkserver"} {
			p.want(1, strconv.Quote(method), `[2,4,6]`)
		}
		p.want(2, `0`, `[true,true]`)
		contains(t, "log", p.printed(p.want(3, `0`, `null`)), "behave.py", "careful")
		p.end()
	})
}
