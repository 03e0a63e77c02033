package node

import (
	"fmt"
	"strings"
	"testing"
)

// TestArguments has functions that return what they got; the task's number is 17.
// In what is wanted, F is the function's name.
func TestArguments(t *testing.T) {
	type calls map[string]string // outcome by item
	cases := []struct {
		function string
		calls    calls
	}{
		{"function (x) { return x }", calls{"5": "5", "null": "null", `"a b"`: `"a b"`, "[1,2]": "[1,2]", "[1]": "[1]", "[]": "[]",
			`{"x":3}`: "3", `{"y":3}`: `{"y":3}`, `{"x":3,"y":4}`: `{"x":3,"y":4}`, "{}": "{}", `{"__proto__":1}`: `{"__proto__":1}`, "true": "true"}},
		{"x => [x]", calls{"5": "[5]", "[1,2]": "[[1,2]]", `{"x":3}`: "[3]"}},
		{"async x => [x]", calls{"5": "[5]", "[1,2]": "[[1,2]]", `{"x":3}`: "[3]"}},
		{"async (x, y) => [x, y]", calls{"[1,2]": "[1,2]"}},
		{"async function named(x, y) { return [x, y] }", calls{"[1,2]": "[1,2]"}},
		{"{ F(x, y) { return [x, y] } }.F", calls{"[1,2]": "[1,2]", `{"y":1,"x":2}`: "[2,1]"}},
		{"{ async F(x, y) { return [x, y] } }.F", calls{"[1,2]": "[1,2]", `{"y":1,"x":2}`: "[2,1]"}},
		{"{ ['a(b' + '('](x, y) { return [x, y] } }['a(b(']", calls{"[1,2]": "[1,2]", `{"y":1,"x":2}`: "[2,1]"}},
		{"{ 'it is (this)'(x, y) { return [x, y] } }['it is (this)']", calls{`{"y":1,"x":2}`: "[2,1]"}},
		{"class { static F(x, y) { return [x, y] } }.F", calls{"[1,2]": "[1,2]", `{"y":1,"x":2}`: "[2,1]"}},

		{"(x, y) => [x, y]", calls{"[1,2]": "[1,2]", "[[1],null]": "[[1],null]", `{"x":1,"y":2}`: "[1,2]", `{"y":1,"x":2}`: "[2,1]",
			"5":                   "TypeError: F(x, y) cannot take the item 5: missing argument 'y'",
			"null":                "TypeError: F(x, y) cannot take the item null: missing argument 'y'",
			"[1]":                 "TypeError: F(x, y) cannot take the item [1]: it has 1 element, not 2",
			"[]":                  "TypeError: F(x, y) cannot take the item []: it has 0 elements, not 2",
			"[1,2,3]":             "TypeError: F(x, y) cannot take the item [1,2,3]: it has 3 elements, not 2",
			`{"x":1}`:             `TypeError: F(x, y) cannot take the item {"x":1}: missing argument 'y'`,
			`{"a":1}`:             `TypeError: F(x, y) cannot take the item {"a":1}: missing arguments 'x', 'y'; unexpected key 'a'`,
			`{"x":1,"y":2,"z":3}`: `TypeError: F(x, y) cannot take the item {"x":1,"y":2,"z":3}: unexpected key 'z'`,
			fmt.Sprintf("%q", strings.Repeat("a", 100)): `TypeError: F(x, y) cannot take the item "` + strings.Repeat("a", 56) + "...: missing argument 'y'"}},
		{"(x, y, z = 3) => [x, y, z]", calls{"[1,2]": "[1,2,3]", "[1,2,4]": "[1,2,4]", `{"x":1,"y":2}`: "[1,2,3]", `{"x":1,"y":2,"z":5}`: "[1,2,5]",
			"[1]": "TypeError: F(x, y, z = 3) cannot take the item [1]: it has 1 element, not 2 to 3"}},
		{"(x, y = 2) => [x, y]", calls{"5": "[5,2]", "[5,6]": "[[5,6],2]", `{"x":1}`: "[1,2]", `{"x":1,"y":3}`: "[1,3]", `{"y":3}`: `[{"y":3},2]`}},
		{"(x = 1) => [x]", calls{"5": "[5]", "{}": "[1]", "[]": "[[]]", "null": "[null]"}},
		{"(...all) => all", calls{"5": "[5]", "[1,2,3]": "[1,2,3]", "[]": "[]", `{"all":1}`: `[{"all":1}]`, "{}": "[]"}},
		{"(x, ...all) => [x, all]", calls{"5": "[5,[]]", "[1,2,3]": "[1,[2,3]]", "[1]": "[1,[]]", "[]": "[[],[]]", `{"x":1}`: "[1,[]]"}},
		{"(x, y, ...all) => [x, y, all]", calls{"[1,2,3]": "[1,2,[3]]", "[1]": "TypeError: F(x, y, ...all) cannot take the item [1]: it has 1 element, not at least 2"}},

		{"({ path, size = 3 }) => [path, size]", calls{`{"path":"p"}`: `["p",3]`, `{"path":"p","size":4,"id":2}`: `["p",4]`}},
		{"({ size } = {}, id) => [size, id]", calls{`{"size":1}`: "[1,17]", `{"id":1}`: "[null,17]"}},
		{"([a, b]) => [b, a]", calls{"[1,2]": "[2,1]"}},
		{"({ a }, { b }) => [a, b]", calls{`[{"a":1},{"b":2}]`: "[1,2]", `{"a":1}`: `TypeError: F({ a }, { b }) cannot take the item {"a":1}: missing argument '2'`}},

		{"(id) => id", calls{"5": "17", "[1,2]": "17", `{"x":1}`: "17", `{"id":3}`: "3", "null": "17"}},
		{"(x, id) => [x, id]", calls{"5": "[5,17]", "[1,2]": "[[1,2],17]", `{"x":1}`: "[1,17]", `{"x":1,"id":2}`: "[1,2]", `{"id":2}`: `[{"id":2},17]`}},
		{"(id, x) => [x, id]", calls{"5": "[5,17]", `{"x":1}`: "[1,17]", `{"x":1,"id":2}`: "[1,2]"}},
		{"(x, id, y) => [x, y, id]", calls{"[1,2]": "[1,2,17]", `{"x":1,"y":2}`: "[1,2,17]", `{"x":1,"y":2,"id":null}`: "[1,2,null]",
			"5": "TypeError: F(x, id, y) cannot take the item 5: missing argument 'y'"}},
		{"(x, id = 0, y = 1) => [x, y, id]", calls{"5": "[5,1,17]", `{"x":2}`: "[2,1,17]"}},
		{"(x, y = 1, id = 0) => [x, y, id]", calls{"5": "[5,1,17]", `{"x":2,"y":3,"id":4}`: "[2,3,4]"}},
		{"(id, ...all) => [id, all]", calls{"5": "[17,[5]]", "[1,2]": "[17,[1,2]]"}},

		{"() => 1", calls{"5": "TypeError: F() cannot take the item 5: it has no parameters", "{}": "TypeError: F() cannot take the item {}: it has no parameters"}},
		{"Math.sqrt", calls{"9": "3"}},
		{"Math.max", calls{"9": "9", `{"a":1}`: "TypeError: result of F is not JSON: NaN"}},
		{"((x, y) => [x, y]).bind(null, 1)", calls{"[2]": "[1,[2]]"}},
		{"Object.assign((x, y) => [x, y], { toString: () => 'nothing' })", calls{"[1,2]": "[1,2]"}},
		{"Object.defineProperty((x, y) => [x, y], 'length', { value: 7 })", calls{"[1,2]": "[[1,2],null]"}},

		// what parameter lists may hold
		{"(x /* , a */, // b, c\n y) => [x, y]", calls{"[1,2]": "[1,2]"}},
		{"(x, y = ')', z = \"}'\") => [x, y, z]", calls{`{"x":1,"z":2}`: `[1,")",2]`}},
		{"(x, y = `,${[1, `}${2}`].length})`, z = 3) => [x, y, z]", calls{`{"x":1,"z":2}`: `[1,",2)",2]`}},
		{"(x, y = /[,)/\\]]\\//.source, z = 6 / 2 / 3) => [x, y, z]", calls{`{"x":1,"z":2}`: `[1,"[,)/\\]]\\/",2]`}},
		{"(x, y = ((a, b) => [a, b])(1, 2), z = function (q) { return '}' }) => [x, y, z]", calls{`{"x":1,"z":2}`: "[1,[1,2],2]"}},
		{"(x, y = { a: [1, { b: 2 }] }, z,) => [x, y, z]", calls{`{"x":1,"z":2}`: `[1,{"a":[1,{"b":2}]},2]`}},
		{"function /* (a) */ F /* (b) */ (x, y) { return [x, y] }", calls{`{"x":1,"y":2}`: "[1,2]"}},
		{"($, größe, _2) => [$, größe, _2]", calls{`{"$":1,"größe":2,"_2":3}`: "[1,2,3]"}},
		{"(async, of) => [async, of]", calls{`{"async":1,"of":2}`: "[1,2]"}},
		{"async => [async]", calls{`{"async":1}`: "[1]"}},
	}
	var text strings.Builder
	var names []string
	for i, c := range cases {
		names = append(names, fmt.Sprintf("f%d", i))
		fmt.Fprintf(&text, "exports.f%d = %s\n", i, c.function)
	}
	s := start(t, file("f.cjs", text.String()), names...)
	for i, c := range cases {
		for item, want := range c.calls {
			r := s.call(i, 17, item)
			got := strings.Replace(r.outcome(), names[i], "F", 1)
			if got != want {
				t.Errorf("%s with %s: %s, want %s", c.function, item, got, want)
			}
			if strings.Contains(got, "cannot take") && (r.M[mStart] != r.M[mEnd] || r.M[mUser] != 0 || r.M[mPeak] != 0 || r.Error.Stack != "") {
				t.Errorf("what was not called is measured: %v %+v", r.M, r.Error)
			}
		}
	}
}

func TestMoreArgumentsThanThereCanBe(t *testing.T) {
	s := start(t, file("f.mjs", "export const f = (...all) => all.length"), "f")
	s.expect(0, "["+strings.Repeat("1,", 49_999)+"1]", "50000")
	if r := s.call(0, 1, "["+strings.Repeat("1,", 50_000)+"1]"); r.Error == nil || !strings.HasSuffix(r.Error.Message, "it has 50001 elements, more than there can be arguments; take it as one") {
		t.Errorf("%s", r.outcome())
	}
}
