package python

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// reduce asks for a call with the list of the file's lines.
func (p *process) reduce(function int, path string, count int) reply {
	p.t.Helper()
	p.next++
	p.send(fmt.Sprintf(`{"id":%d,"list":%q,"count":%d,"f":%d}`+"\n", p.next, path, count, function))
	return p.checkID(p.receive())
}

// results writes lines to a file of results.
func results(t *testing.T, lines ...string) (path string, count int) {
	t.Helper()
	text := strings.Join(lines, "\n")
	if len(lines) > 0 {
		text += "\n"
	}
	return write(t, filepath.Join(t.TempDir(), "reduce-0.jsonl"), text), len(lines)
}

func TestReduceList(t *testing.T) {
	names := []string{"total", "spread", "pair", "same", "inside", "acts", "nothing", "too_far"}
	total, spread, pair, same, inside, acts, nothing, tooFar := 0, 1, 2, 3, 4, 5, 6, 7
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "reduce.py"), names...)
		mixed, n := results(t, `1`, `"ä\n"`, `{"a":[null]}`, `[]`, `2.5`, `1`)
		none, _ := results(t)
		numbers, _ := results(t, `1`, `2`)
		big, _ := results(t, `"`+strings.Repeat("x", 3<<20)+`"`, `1`)
		for _, c := range []struct {
			function int
			path     string
			count    int
			want     string
		}{
			{total, numbers, 2, `3`},
			{spread, mixed, n, `6`},
			{spread, none, 0, `0`},
			{pair, numbers, 2, `[1,2]`},
			{same, mixed, n, `[1,"ä\n",{"a":[null]},[],2.5,1]`},
			{same, none, 0, `[]`},
			{inside, numbers, 2, `{"all":[1,2],"n":2}`},
			{acts, mixed, n, `"as a list"`},
			{nothing, none, 0, `0`},
			{same, big, 2, `["` + strings.Repeat("x", 3<<20) + `",1]`},
		} {
			r := p.reduce(c.function, c.path, c.count)
			if r.Error != nil {
				t.Errorf("%s: %+v", names[c.function], *r.Error)
			} else if string(r.Output) != c.want {
				t.Errorf("%s: %.300s, want %.300s", names[c.function], r.Output, c.want)
			}
		}

		for _, c := range []struct {
			function int
			path     string
			count    int
			want     errorOf
		}{
			{pair, mixed, n, errorOf{Type: "TypeError", Message: "pair(a, b) cannot take the list of 6 results: it has 6 elements, not 2"}},
			{tooFar, numbers, 2, errorOf{Type: "IndexError", Message: "list index out of range"}},
			{total, numbers, 3, errorOf{Type: "RuntimeError", Message: numbers + " has 2 results, not 3"}},
			{total, numbers + ".no", 3, errorOf{Type: "FileNotFoundError", Message: "[Errno 2] No such file or directory: '" + numbers + ".no'"}},
		} {
			r := p.reduce(c.function, c.path, c.count)
			if r.Error == nil || r.Error.Type != c.want.Type || r.Error.Message != c.want.Message {
				t.Errorf("%s: %+v, want %+v", names[c.function], r.Error, c.want)
			} else if strings.Contains(r.Error.Stack, "runtime.py") {
				t.Errorf("our frames in the stack:\n%s", r.Error.Stack)
			}
		}
		p.want(total, `[1,2,3]`, `6`) // an ordinary list still comes as one
		p.end()
	})
}

func TestLongReduceListTakesNoMemory(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		const n = 100000
		lines := make([]string, n)
		for i := range lines {
			lines[i] = `{"number":` + strconv.Itoa(i) + `,"text":"` + strings.Repeat("x", 100) + `"}`
		}
		path, _ := results(t, lines...) // 12 MB, and far more as objects
		p := start(t, py, testdata(t, "reduce.py"), "flat")
		few, _ := results(t, lines[:10]...)
		p.reduce(0, few, 10)
		r := p.reduce(0, path, n)
		if r.Error != nil {
			t.Fatalf("%+v", *r.Error)
		}
		var got [2]int64
		if err := json.Unmarshal(r.Output, &got); err != nil {
			t.Fatal(err)
		}
		if got[0] != n || got[1] > 2<<20 {
			t.Errorf("%d elements read, the peak rose by %d bytes", got[0], got[1])
		}
		p.end()
	})
}
