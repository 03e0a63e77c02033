package job

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeFiles makes a directory of name → content; a name ending in / is a
// directory, content "-> x" a symbolic link.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch target, link := strings.CutPrefix(content, "-> "); {
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o755)
		case link:
			err = os.Symlink(target, path)
		default:
			err = os.WriteFile(path, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// drain gives the items of a source, and its error unless that is io.EOF.
func drain(src Source, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer src.Close()
	var items []string
	for {
		item, err := src.Next()
		if err == io.EOF {
			return items, nil
		}
		if err != nil {
			return items, err
		}
		items = append(items, string(item))
	}
}

func TestSources(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"unix": "a\n\nb c\n", "dos": "\uFEFFa\r\nb\r\n", "last": "a\nb", "empty": "",
		"long":  strings.Repeat("x", 200_000) + "\ny\n",
		"table": "\uFEFFname,n\r\n\"a \"\"q\"\"\nb\",1\r\n\r\nc,\n", "head": "a,b\n", "semi": "a;b\n1,5;2\n", "tab": "a\tb\n1\t2\n",
		"values": " {\"a\": [1, 2.0 ], \"b\":\"x y\"}\r\n\n  \n10000000000000000000001\nnull",
	})
	for _, test := range []struct {
		data string
		want []string
	}{
		{"list: [a, 1]", []string{`"a"`, "1"}},
		{"list: []", nil},
		{"range: 3", []string{"0", "1", "2"}},
		{"range: 0", nil},
		{"range: -3", nil},
		{"range: {start: 2, stop: 9, step: 3}", []string{"2", "5", "8"}},
		{"range: {start: 3, stop: 0, step: -1}", []string{"3", "2", "1"}},
		{"range: {start: 9223372036854775805, stop: 9223372036854775807, step: 9223372036854775807}", []string{"9223372036854775805"}},
		{"range: {start: -9223372036854775808, stop: 9223372036854775807, step: 9223372036854775807}",
			[]string{"-9223372036854775808", "-1", "9223372036854775806"}},
		{"range: {start: 9223372036854775807, stop: -9223372036854775808, step: -9223372036854775808}",
			[]string{"9223372036854775807", "-1"}},
		{"lines: unix", []string{`"a"`, `""`, `"b c"`}},
		{"lines: dos", []string{`"a"`, `"b"`}},
		{"lines: last", []string{`"a"`, `"b"`}},
		{"lines: empty", nil},
		{"lines: long", []string{`"` + strings.Repeat("x", 200_000) + `"`, `"y"`}},
		{"lines: '-'", []string{`"in"`}},
		{"jsonl: '-'", nil},
		{"jsonl: values", []string{`{"a":[1,2.0],"b":"x y"}`, "10000000000000000000001", "null"}},
		{"csv: table", []string{`{"name":"a \"q\"\nb","n":"1"}`, `{"name":"c","n":""}`}},
		{"csv: head", nil},
		{"csv: {file: semi, delimiter: ';'}", []string{`{"a":"1,5","b":"2"}`}},
		{`csv: {file: tab, delimiter: "\t"}`, []string{`{"a":"1","b":"2"}`}},
		{"matrix: {b: [1, 2], a: [x, {y: z}]}", []string{`{"b":1,"a":"x"}`, `{"b":1,"a":{"y":"z"}}`, `{"b":2,"a":"x"}`, `{"b":2,"a":{"y":"z"}}`}},
		{"matrix: {b: [1, 2], a: []}", nil},
	} {
		s, err := Parse(filepath.Join(dir, "job.yaml"), []byte("command: x\ndata: {"+test.data+"}\n"))
		if err != nil {
			t.Errorf("%s: %v", test.data, err)
			continue
		}
		stdin := "in"
		if test.want == nil {
			stdin = ""
		}
		got, err := drain(s.Open(strings.NewReader(stdin)))
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %.200q, %v\nwant %.200q", test.data, got, err, test.want)
		}
		if n, known := s.Data.Count(); known && n != int64(len(test.want)) {
			t.Errorf("%s: count %d", test.data, n)
		}
	}
}

func TestSourceErrors(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"d/": "", "bad": "ok\nä\xffb\n", "bad.jsonl": "1\n{\"a\": tru}\n", "cut.jsonl": "[1,\n", "two.jsonl": "1 2\n", "utf.jsonl": "\"\xff\"\n",
		"empty": "", "ragged": "a,b\n1,2\n\"x\ny\",2,3\n", "dup": "a,b,a\n", "noname": "a,,b\n", "quote": "a,b\n1,x\"y\n", "open": "a,b\n1,2\n\"x,2\n", "utf": "a,b\n1,\xff\n",
	})
	for _, test := range []struct{ data, want string }{
		{"lines: none", "JOB:2:8: lines: cannot read none: no such file or directory"},
		{"lines: d", "JOB:2:8: lines: cannot read d: is a directory"},
		{"jsonl: d/none", "JOB:2:8: jsonl: cannot read d/none: no such file or directory"},
		{"csv: \"no\\nne\"", `JOB:2:8: csv: cannot read "no\nne": no such file or directory`},
		{"glob: none/*", "JOB:2:8: glob: cannot read none/: no such file or directory"},
		{"glob: bad/*", "JOB:2:8: glob: cannot read bad/: not a directory"},
		{"glob: none", "JOB:2:8: glob: cannot read none: no such file or directory"},
		{"glob: d", `JOB:2:8: glob: cannot read d: is a directory; its files are "d/*", itself is "d/"`},
		{"glob: bad/", `JOB:2:8: glob: cannot read bad/: not a directory`},
		{"lines: bad", "bad:2:2: line is not valid UTF-8: byte 0xff"},
		{"jsonl: bad.jsonl", "bad.jsonl:2:10: not valid JSON: invalid character '}' in literal true (expecting 'e')"},
		{"jsonl: cut.jsonl", "cut.jsonl:1:4: not valid JSON: unexpected end of JSON input"},
		{"jsonl: two.jsonl", "two.jsonl:1:3: not valid JSON: invalid character '2' after top-level value"},
		{"jsonl: utf.jsonl", "utf.jsonl:1:2: line is not valid UTF-8: byte 0xff"},
		{"csv: empty", "empty:1: the file is empty; it needs a header row"},
		{"csv: ragged", "ragged:3: row does not have 2 fields, as the header has"},
		{"csv: dup", `dup:1:5: two columns are named "a"`},
		{"csv: noname", "noname:1:3: header of column 2 is empty"},
		{"csv: quote", "quote:2:4: a quote in a field without quotes"},
		{"csv: open", "open:3: a quoted field does not end, or goes on behind its closing quote"},
		{"csv: utf", "utf:2:3: field is not valid UTF-8: byte 0xff"},
	} {
		file := filepath.Join(dir, "job.yaml")
		s, err := Parse(file, []byte("command: x\ndata: {"+test.data+"}\n"))
		if err != nil {
			t.Errorf("%s: %v", test.data, err)
			continue
		}
		_, err = drain(s.Open(nil))
		if want := strings.Replace(test.want, "JOB", file, 1); err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", test.data, err, want)
		}
		var e *SpecError
		if !errors.As(err, &e) {
			t.Errorf("%s: %T", test.data, err)
		}
		if strings.Contains(test.want, "no such file") && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the cause is lost", test.data)
		}
	}
	if _, err := (Data{Lines: "-"}).Open(dir, nil); err == nil {
		t.Error("standard input that is not there was opened")
	}
	if _, err := (Data{}).Open(dir, nil); err == nil {
		t.Error("no data were opened")
	}
}

func TestGlob(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"a.txt": "", "b.txt": "", "c.log": "", ".hidden.txt": "", "sub/a.txt": "", "sub/deep/z.txt": "", ".dot/a.txt": "", "we[ird/a.txt": "",
		"link": "-> sub", "gone.txt": "-> nowhere", "loop/back": "-> ..", "loop/a.txt": "",
	})
	for _, test := range []struct {
		glob string
		want string
	}{
		{"'*.txt'", "a.txt b.txt gone.txt"},
		{"'./*.txt'", "./a.txt ./b.txt ./gone.txt"},
		{"'[ab].txt'", "a.txt b.txt"},
		{"'{c,a}.*'", "a.txt c.log"},
		{"['b*', a.txt, 'a*']", "a.txt b.txt"},
		{"'.*.txt'", ".hidden.txt"},
		{"'.dot/*'", ".dot/a.txt"},
		{"'**/a.txt'", "a.txt loop/a.txt sub/a.txt we[ird/a.txt"},
		{"'sub/**'", "sub/a.txt sub/deep/z.txt"},
		{"'link/*'", "link/a.txt"},
		{"'l*/a.txt'", "link/a.txt loop/a.txt"},
		{"'*/'", "link/ loop/ sub/ we[ird/"},
		{"'sub/../sub/*'", "sub/../sub/a.txt"},
		{`'we\[ird/*'`, "we[ird/a.txt"},
		{"'*.none'", ""},
		{"DIR/s*/*", "DIR/sub/a.txt"},
	} {
		want := strings.ReplaceAll(test.want, "DIR", dir)
		s, err := Parse(filepath.Join(dir, "job.yaml"), []byte("command: x\ndata: {glob: "+strings.ReplaceAll(test.glob, "DIR", dir)+"}\n"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := drain(s.Open(nil))
		for i := range got {
			got[i] = strings.Trim(got[i], `"`)
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, %v, want %q", test.glob, got, err, want)
		}
	}
	s := mustParse(t, "command: x\ndata: {glob: 'sub/*'}\nworkdir: /tmp\n")
	s.Dir = dir
	if got, err := drain(s.Open(nil)); err != nil || !slices.Equal(got, []string{`"` + dir + `/sub/a.txt"`}) {
		t.Errorf("with another workdir: %q, %v", got, err)
	}
}

func TestGlobOddNames(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a\xff"), nil, 0o644); err != nil {
		t.Skip(err)
	}
	_, err := drain(Data{Glob: []string{"*"}}.Open(dir, nil))
	if want := `file name "a\xff" is not valid UTF-8`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// An endless line, and a row whose quote is never closed, end in an error long
// before memory does.
func TestSourceBounds(t *testing.T) {
	const limit = 1 << 20
	endless := io.NopCloser(zeros{})
	lines := newLineReader(endless, "in")
	lines.max = limit
	_, err := drain(&linesSource{lines: lines}, nil)
	if want := "in:1: line is longer than 1 MiB"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	head := strings.NewReader("a,b\n\"x")
	table, err := newCSVSource(io.NopCloser(io.MultiReader(head, endless)), "in", "")
	if err != nil {
		t.Fatal(err)
	}
	table.room.max = limit
	_, err = drain(table, nil)
	if want := "in: a row is longer than 1 MiB; is a closing quote missing?"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	lines = newLineReader(io.NopCloser(bytes.NewReader(append(bytes.Repeat([]byte("x"), limit), "\r\ny"...))), "in")
	lines.max = limit
	if got, err := drain(&linesSource{lines: lines}, nil); err != nil || len(got) != 2 {
		t.Errorf("a line as long as may be: %d items, %v", len(got), err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func BenchmarkRange(b *testing.B) {
	src, _ := Data{Range: &Range{Stop: 1 << 62}}.Open("", nil)
	b.ReportAllocs()
	for b.Loop() {
		if item, err := src.Next(); err != nil || !json.Valid(item) {
			b.Fatal(err)
		}
	}
}
