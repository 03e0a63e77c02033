package job

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func argvTemplate(t *testing.T, argv ...string) *Template {
	t.Helper()
	tpl, err := NewTemplate(&Spec{Command: Command{Argv: argv}})
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

func TestExpand(t *testing.T) {
	for _, test := range []struct{ arg, item, want string }{
		{"{}", `"a b"`, "a b"},
		{"x{}y", `""`, "xy"},
		{"{}", `"q\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"`, "q\"\\/\b\f\n\r\té😀"},
		{"{}", "1e3", "1e3"},
		{"{}", "10000000000000000000001", "10000000000000000000001"},
		{"{}", "-1.10", "-1.10"},
		{"{}", "true", "true"},
		{"{}", "null", "null"},
		{"{}", `[1,"a",{}]`, `[1,"a",{}]`},
		{"{}", `{"a":"<b>"}`, `{"a":"<b>"}`},
		{"{#}", `"a"`, "7"},
		{"{{}}", `"a"`, "{}"},
		{"{{{}}}", `"a"`, "{a}"},
		{"{{{{", `"a"`, "{{"},
		{"{{print $1}}", `"a"`, "{print $1}"},
		{"${}", `"a"`, "$a"},
		{"{a}-{b}-{a}", `{"a":"x","c":[{"a":"no"}],"b":2}`, "x-2-x"},
		{"{a-b_1}", `{"a-b_1":null}`, "null"},
		{"{größe}", `{"gr\u00f6\u00dfe":"L"}`, "L"},
		{"{a}", `{"a":1,"a":"last"}`, "last"},
		{"{a}", ` { "a" : "x" } `, "x"},
		{"{a}", `{"b":"}\"{","a":{"a":"[1,2]"}}`, `{"a":"[1,2]"}`},
		{"{.}", `"d.x/a.tar.gz"`, "d.x/a.tar"},
		{"{.}", `"d.x/a"`, "d.x/a"},
		{"{.}", `"d/.profile"`, "d/.profile"},
		{"{.}", `"d/.profile.bak"`, "d/.profile"},
		{"{.}", `"..x"`, "..x"},
		{"{.}", `"a."`, "a"},
		{"{/}", `"d/a.txt"`, "a.txt"},
		{"{/}", `"d/a/"`, "a"},
		{"{/}", `"/"`, "/"},
		{"{/}", `""`, ""},
		{"{//}", `"d/e/a.txt"`, "d/e"},
		{"{//}", `"a.txt"`, "."},
		{"{//}", `"/a.txt"`, "/"},
		{"{//}", `"//"`, "/"},
		{"{//}", `"d//a/"`, "d"},
		{"{/.}", `"d.x/a.tar.gz"`, "a.tar"},
		{"{/.}", "1.5", "1"},
		{"out/{p/.}-{p.}-{p/}-{p//}.png", `{"p":"i/x.jpg"}`, "out/x-i/x-x.jpg-i.png"},
	} {
		tpl := argvTemplate(t, "echo", test.arg)
		if err := tpl.Check([]byte(test.item)); err != nil {
			t.Errorf("check %s of %s: %v", test.arg, test.item, err)
		}
		got, err := tpl.Expand(7, []byte(test.item), nil)
		if err != nil || !slices.Equal(got, []string{"echo", test.want}) {
			t.Errorf("%s of %s: got %q, %v, want %q", test.arg, test.item, got, err, test.want)
		}
	}
}

func TestTemplateErrors(t *testing.T) {
	for _, test := range []struct{ arg, want string }{
		{"a{", "command[0]: { without } (character 2)"},
		{"ü}", "command[0]: } without { (character 2)"},
		{"{a{b}", "command[0]: { without } (character 1)"},
		{"{print $1}", "command[0]: {print $1} is not a replacement (character 1)"},
		{"{1}", "command[0]: {1} is not a replacement (character 1)"},
		{"{-a}", "command[0]: {-a} is not a replacement (character 1)"},
		{"{a.b}", "command[0]: {a.b} is not a replacement (character 1)"},
		{"{ }", "command[0]: { } is not a replacement (character 1)"},
		{"{a/..}", "command[0]: {a/..} is not a replacement (character 1)"},
		{"{a\xff}", "command[0]: {a\xff} is not a replacement (character 1)"},
		{"a\x00", "command[0]: NUL character in a command (character 2)"},
	} {
		_, err := NewTemplate(&Spec{Command: Command{Argv: []string{test.arg}}})
		if err == nil || err.Error() != test.want {
			t.Errorf("%s\ngot  %v\nwant %s", test.arg, err, test.want)
		}
	}
}

func TestTemplatePlaces(t *testing.T) {
	const data = "data: {range: 3}\n"
	for _, test := range []struct{ src, want string }{
		{data + "command: gzip {foo bar}\n", "job.yaml:2:15: command: {foo bar} is not a replacement"},
		{data + "command: [ö, 'ö{x']\n", "job.yaml:2:16: command[1]: { without }"},
		{data + "command: |\n  echo a\n  awk '{print $1}'\n", "job.yaml:4:8: command: {print $1} is not a replacement"},
		{data + "command: >-\n  echo a\n  b}\n", "job.yaml:2:10: command: } without { (character 9)"},
		{data + "command: \"\\t}\"\n", "job.yaml:2:10: command: } without { (character 2)"},
		{data + "command: x\nstdin: a}\n", "job.yaml:3:9: stdin: } without {"},
		{data + "command: echo ${HOME}\n", "job.yaml:2:16: command: {HOME} follows $"},
	} {
		if _, err := Parse("job.yaml", []byte(test.src)); err == nil || err.Error() != test.want {
			t.Errorf("%q\ngot  %v\nwant %s", test.src, err, test.want)
		}
	}
}

func TestCheckErrors(t *testing.T) {
	s := mustParse(t, "command: [convert, '{path}', '{/}']\ndata: {range: 3}\n")
	tpl, err := NewTemplate(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ item, want string }{
		{`{"paht":"a","size":1}`, `/jobs/job.yaml:1:21: command[1]: unknown field "path"; did you mean "paht"?; the item has paht, size`},
		{`{}`, `/jobs/job.yaml:1:21: command[1]: unknown field "path"; the item has no fields`},
		{`"a"`, `/jobs/job.yaml:1:21: command[1]: {path} asks for a field, but the item is a text and has none`},
		{`[1]`, `/jobs/job.yaml:1:21: command[1]: {path} asks for a field, but the item is a list and has none`},
		{`{"path":"a"}`, `/jobs/job.yaml:1:31: command[2]: {/}: asks for a path, but the value is an object`},
		{`{"path":"a\u0000"}`, `/jobs/job.yaml:1:21: command[1]: {path}: the value holds a NUL character, which no argument can`},
		{`{"path":"\udcff"}`, `/jobs/job.yaml:1:21: command[1]: {path}: the value holds half a surrogate pair, which is no character: \udcff`},
		{`{"path"}`, errNotJSON.Error()},
		{``, "the item is not a JSON value"},
	} {
		if err := tpl.Check(json.RawMessage(test.item)); err == nil || err.Error() != test.want {
			t.Errorf("%s\ngot  %v\nwant %s", test.item, err, test.want)
		}
	}
	var e *SpecError
	tpl = argvTemplate(t, "echo", "${HOME}")
	if err := tpl.Check([]byte(`{"a":1}`)); !errors.As(err, &e) || e.Hint != "a shell variable is written ${{HOME}}" {
		t.Errorf("%v, hint %q", err, e.Hint)
	}
}

func TestStdin(t *testing.T) {
	stdin := "{{{a}}}\n"
	tpl, err := NewTemplate(&Spec{Command: Command{Argv: []string{"cat"}}, Stdin: &stdin})
	if err != nil {
		t.Fatal(err)
	}
	got, ok, err := tpl.Stdin(0, []byte(`{"a":"it's\u0000"}`))
	if got != "{it's\x00}\n" || !ok || err != nil {
		t.Errorf("%q, %v, %v", got, ok, err)
	}
	if err := tpl.Check([]byte(`{"b":1}`)); err == nil {
		t.Error("a field that only stdin asks for is not checked")
	}
	if _, ok, err := argvTemplate(t, "cat").Stdin(0, []byte("1")); ok || err != nil {
		t.Errorf("no stdin: %v, %v", ok, err)
	}
}

func TestExpandReusesArgv(t *testing.T) {
	tpl := argvTemplate(t, "echo", "{}")
	buf := make([]string, 5)
	got, err := tpl.Expand(0, []byte(`"a"`), buf)
	if err != nil || !reflect.DeepEqual(got, []string{"echo", "a"}) || &got[0] != &buf[0] {
		t.Errorf("%q, %v", got, err)
	}
}

// TestCheckTakesNoMemory keeps the staging of very many items from filling memory with
// what has to be collected.
func TestCheckTakesNoMemory(t *testing.T) {
	for _, tpl := range []*Template{argvTemplate(t, "echo", "{}"), argvTemplate(t, "echo", "{a}", "{b}")} {
		item := json.RawMessage(`{"a": 1, "b": "two"}`)
		if n := testing.AllocsPerRun(100, func() {
			if err := tpl.Check(item); err != nil {
				t.Error(err)
			}
		}); n > 0 {
			t.Errorf("%v allocations per item", n)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	for name, c := range map[string][2]string{
		"whole": {"{}", `"logs/2024/a.txt"`}, "field": {"{path}", `{"path":"photos/a.jpg","size":"640"}`},
	} {
		tpl, _ := NewTemplate(&Spec{Command: Command{Argv: []string{"x", c[0]}}})
		item := json.RawMessage(c[1])
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := tpl.Check(item); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkExpand(b *testing.B) {
	for name, cmd := range map[string]Command{
		"argv":  {Argv: strings.Fields("convert {path} -resize {size} out/{path/.}-{size}.png")},
		"shell": {Shell: "convert {path} -resize {size} out/{path/.}-{size}.png"},
	} {
		tpl, err := NewTemplate(&Spec{Command: cmd})
		if err != nil {
			b.Fatal(err)
		}
		item := []byte(`{"path":"photos/a'b.jpg","size":"640"}`)
		var argv []string
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if argv, err = tpl.Expand(1, item, argv); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
