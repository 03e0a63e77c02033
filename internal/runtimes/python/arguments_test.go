package python

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// argumentCases are calls of functions of testdata/arguments.py and what comes of
// them: "#" in an output is the number of the task. A refusal begins with "!".
var argumentCases = []struct{ function, item, want string }{
	{"one", `5`, `[5]`},
	{"one", `null`, `[null]`},
	{"one", `"a"`, `["a"]`},
	{"one", `[1,2]`, `[[1,2]]`},
	{"one", `{"x":1}`, `[1]`},
	{"one", `{"y":1}`, `[{"y":1}]`},
	{"one", `{"x":1,"y":2}`, `[{"x":1,"y":2}]`},
	{"one", `{}`, `[{}]`},
	{"default", `2`, `[2]`},
	{"default", `{"x":3}`, `[3]`},
	{"default", `{}`, `[1]`},

	{"two", `[1,2]`, `[1,2]`},
	{"two", `{"y":1,"x":2}`, `[2,1]`},
	{"two", `5`, `!two(x, y) cannot take the item 5: missing argument 'y'`},
	{"two", `{"x":1}`, `!two(x, y) cannot take the item {"x":1}: missing argument 'y'`},
	{"two", `{"a":1}`, `!two(x, y) cannot take the item {"a":1}: missing arguments 'x', 'y'; unexpected key 'a'`},
	{"two", `{"x":1,"y":2,"z":3}`, `!two(x, y) cannot take the item {"x":1,"y":2,"z":3}: unexpected key 'z'`},
	{"two", `[1,2,3]`, `!two(x, y) cannot take the item [1,2,3]: it has 3 elements, not 2`},
	{"three", `[1,2]`, `[1,2,3]`},
	{"three", `[1,2,4]`, `[1,2,4]`},
	{"three", `[1]`, `!three(x, y, z=3) cannot take the item [1]: it has 1 element, not 2 to 3`},
	{"three", `{"x":1,"y":2,"z":9}`, `[1,2,9]`},
	{"one_of_two", `[1,3]`, `[[1,3],2]`},
	{"one_of_two", `{"x":1,"y":3}`, `[1,3]`},
	{"one_of_two", `{"y":3}`, `[{"y":3},2]`},

	{"with_id", `"a"`, `["a",#]`},
	{"with_id", `[1,2]`, `[[1,2],#]`},
	{"with_id", `{"x":1}`, `[1,#]`},
	{"with_id", `{"x":1,"id":"own"}`, `[1,"own"]`},
	{"with_id", `{"id":"own"}`, `[{"id":"own"},#]`},
	{"id_first", `"a"`, `[#,"a"]`},
	{"id_first", `{"x":[]}`, `[#,[]]`},
	{"id_between", `[1,2]`, `[1,#,2]`},
	{"id_between", `{"x":1,"y":2}`, `[1,#,2]`},
	{"id_between", `1`, `!id_between(x, id, y) cannot take the item 1: missing argument 'y'`},
	{"id_behind", `[1,2]`, `[1,2,3,#]`},
	{"id_behind", `[1,2,4]`, `[1,2,4,#]`},
	{"id_by_name", `[1]`, `[[1],#]`},
	{"id_by_name", `{"x":1,"id":2}`, `[1,2]`},
	{"id_placed", `1`, `[#,1]`},
	{"id_placed", `{"x":1}`, `[#,1]`},
	{"id_placed", `{"x":1,"id":2}`, `[2,1]`},
	{"id_placed_behind", `1`, `[1,2,#]`},
	{"id_placed_behind", `{"x":1}`, `[{"x":1},2,#]`},
	{"only_id", `5`, `#`},
	{"only_id", `[1,2]`, `#`},
	{"only_id", `{"x":1}`, `#`},
	{"only_id", `{"id":7}`, `7`},

	{"star", `5`, `[5]`},
	{"star", `[]`, `[]`},
	{"star", `[1,2,3]`, `[1,2,3]`},
	{"star", `{"x":1}`, `[{"x":1}]`},
	{"one_star", `[1,2,3]`, `[1,[2,3]]`},
	{"one_star", `[]`, `[[],[]]`},
	{"id_star", `[1,2]`, `[#,[1,2]]`},
	{"id_star", `"a"`, `[#,["a"]]`},
	{"star_id", `[1,2]`, `[[1,2],#]`},
	{"keys", `{"a":1,"b c":2}`, `{"a":1,"b c":2}`},
	{"keys", `5`, `!keys(**rest) cannot take the item 5: its parameters are given by name only, by the keys of an object`},
	{"one_keys", `{"x":1,"z":2}`, `[1,{"z":2}]`},
	{"one_keys", `{"z":2}`, `[{"z":2},{}]`},
	{"id_keys", `{"z":2}`, `[#,{"z":2}]`},
	{"id_keys", `{"z":2,"id":3}`, `[3,{"z":2}]`},
	{"by_name", `{"x":1}`, `[1,2]`},
	{"by_name", `{"y":1}`, `!by_name(*, x, y=2) cannot take the item {"y":1}: missing argument 'x'`},
	{"by_name", `[1,2]`, `!by_name(*, x, y=2) cannot take the item [1,2]: its parameters are given by name only, by the keys of an object`},
	{"one_and_name", `5`, `!one_and_name(x, *, scale) cannot take the item 5: missing argument 'scale'`},
	{"one_and_name", `{"x":1,"scale":2}`, `[1,2]`},
	{"placed", `[1,2]`, `[1,2]`},
	{"placed", `{"x":1,"y":2}`, `!placed(x, y, /) cannot take the item {"x":1,"y":2}: missing argument 'y'`},
	{"annotated", `[1,"b",2]`, `[1,"b",[2]]`},
	{"none", `5`, `!none() cannot take the item 5: it has no parameters`},
	{"none", `{}`, `!none() cannot take the item {}: it has no parameters`},
	{"none", `null`, `!none() cannot take the item null: it has no parameters`},

	{"scale", `5`, `50`},
	{"scale.shift", `[5,1]`, `[15,1]`},
	{"bound", `{"x":5,"y":1}`, `[15,1]`},
	{"Scale.named", `1`, `["Scale",1]`},
	{"Scale.alone", `1`, `[1,#]`},
	{"Table", `[1,2]`, `{"x":1,"y":2}`},
	{"part", `1`, `[7,1]`},
	{"part_named", `1`, `[1,8]`},
	{"part_named", `{"x":1,"y":2}`, `[1,2]`},
	{"short", `[1,2]`, `[2,1]`},
	{"in_c", `[1,2]`, `2`},
	{"in_c", `{"a":1}`, `1`},
	{"cached", `"a"`, `["a"]`},
	{"wrapped", `[1,2]`, `["logged",[1,2]]`},
	{"wrapped", `{"x":1,"y":2}`, `["logged",[1,2]]`},
	{"wrapped", `1`, `!wrapped(x, y) cannot take the item 1: missing argument 'y'`},
}

func TestArguments(t *testing.T) {
	var names []string
	for _, c := range argumentCases {
		if !slices.Contains(names, c.function) {
			names = append(names, c.function)
		}
	}
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "arguments.py"), names...)
		for _, c := range argumentCases {
			r := p.try(slices.Index(names, c.function), c.item)
			refusal, refused := strings.CutPrefix(c.want, "!")
			switch {
			case refused && r.Error == nil:
				t.Errorf("%s with %s: output %s, want an error", c.function, c.item, r.Output)
			case refused:
				if r.Error.Type != "TypeError" || r.Error.Message != refusal || r.Error.Stack != "" {
					t.Errorf("%s with %s: %+v, want TypeError %s", c.function, c.item, *r.Error, refusal)
				}
				if r.M != [measures]int64{mStart: r.M[mEnd], mEnd: r.M[mEnd]} {
					t.Errorf("%s with %s: measured %v of a call that was none", c.function, c.item, r.M)
				}
			case r.Error != nil:
				t.Errorf("%s with %s: %+v", c.function, c.item, *r.Error)
			default:
				want := strings.ReplaceAll(c.want, "#", strconv.Itoa(r.ID))
				if string(r.Output) != want {
					t.Errorf("%s with %s: %s, want %s", c.function, c.item, r.Output, want)
				}
			}
		}
		p.end()
	})
}

// TestLongItemIsShortened is about the message of an item that does not fit.
func TestLongItemIsShortened(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "arguments.py"), "two")
		r := p.try(0, `"`+strings.Repeat("x", 1<<20)+`"`)
		if r.Error == nil || len(r.Error.Message) > 300 {
			t.Fatalf("error %.400v", r.Error)
		}
		contains(t, "message", r.Error.Message, `two(x, y) cannot take the item "xxx`, `: missing argument 'y'`)
		p.end()
	})
}
