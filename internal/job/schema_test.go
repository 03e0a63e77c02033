package job

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// The schema and the decoder give the same verdict on each key. (What takes the
// whole job, such as a template, only the decoder can judge; these samples have
// none of it.)
func TestSchemaAgrees(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	values := []string{
		"x", "''", `"5"`, "5", "0", "-1", "1.5", "true", "~", "[]", "[x]", "['', x]", "[1, true]", "[~]", "[[x]]", "{}", "{a: b}", "{a: [1]}",
		"10m", "1h30m", "2d", "soon", "-5m", "2GiB", "500MB", "2G", "1.5", "5%", "101%", "continue", "stop", "auto", "pid", "json", "bytes",
		"{tolerate: 5%}", "{tolerate: 10}", "{tolerate: -1}", "{tolerate: 1.5}", "{tolerate: 100%}", "{tolerate: x}",
		"{limit: 2}", "{limit: -1}", "{limit: 2, backoff: 1s, max_backoff: 90}", "{backoff: 1s}", "{limit: 2, on: [error, lost]}",
		"{limit: 2, on: [success]}", "{limit: 2, on: []}", "{limit: 2, foo: 1}", "{lost: 0}", "{lost: -1}", "{lost: 1.5}", "{limit: 2, lost: 3}", "{lost: 1, on: [error]}", "{lost: 1, max_backoff: 1s}", "sync", "process", "{memory: 2GiB}", "{memory: 2G}", "{memory: 100}", "{memory: 1.5}", "{memory: -1}", "{mem: 1}",
		"{A: b}", "{A: 1}", "{A: true}", "{A: ~}", "{A: [1]}", "{'': x}", "{'A=': x}",
		"{list: [1]}", "{list: []}", "{list: x}", "{range: 5}", "{range: -5}", "{range: 1.5}", "{range: x}", "{range: {stop: 5}}", "{range: {start: 5}}",
		"{range: {stop: 5, step: 0}}", "{range: {stop: 5, step: -2, start: 9}}", "{range: 5, list: [1]}", "{lines: x}", "{lines: ''}", "{lines: 5}",
		"{glob: x}", "{glob: [x, y]}", "{glob: []}", "{glob: ['']}", "{csv: x}", "{csv: {file: x}}", "{csv: {file: x, delimiter: ';'}}",
		"{csv: {file: x, delimiter: 'ab'}}", `{csv: {file: x, delimiter: '"'}}`, "{csv: {delimiter: ';'}}", "{jsonl: x}", "{matrix: {a: [1]}}", "{matrix: {}}", "{matrix: {a: 1}}",
		"{matrix: [1]}", "{nothing: 1}", "a.py", "a.py:f", "a.PY:A.f", "d/a.py:größe", "a.py:$f", "a.py:1f", "a.py:f()", "a.py:A..f", "a.py:'f'", "a.py::f", "a.py:a/b",
		"./a.py:a/b", "a.js:$f", "a.mjs:f1", "a.cjs:f", "a.js:a.b", "./a.js", "/a.js:1", "./p", "/p", "p", "p:f", "./p:f", "./a:b/p", "./a:b/p.py", "a.ts:f", ":f",
		"a.py:f:g", "b:c/a.py:f", `'C:\a.py:f'`, `"./p\n"`, `"./p\ta.py:f"`, ".py:f", "./.js:f", "a.pyc:f", "./x.pyc",
		"{function: a.py:f}", "{function: ./p, runtime: x}", "{runtime: x}", "{function: [a]}", "{function: p}", "{function: a.js:f, runtime: 3.11}", "{function: a.js:f, by: x}", `"a\nb"`, "99999999999999999999",
	}
	keys := append(table().names(), "comand", "jobs")
	for _, key := range keys {
		base := map[string]string{"command": "x", "data": "{range: 3}"}
		switch key {
		case "function":
			delete(base, "command")
		case "reduce_by":
			base["reduce"] = "a.py:f"
		}
		yes := 0
		for _, v := range values {
			var b strings.Builder
			for k, w := range base {
				if k != key {
					fmt.Fprintf(&b, "%s: %s\n", k, w)
				}
			}
			fmt.Fprintf(&b, "%s: %s\n", key, v)
			doc := b.String()
			_, err := Read("job.yaml", []byte(doc))
			value := jsonOf(t, doc)
			if fault := violates(root, value); (fault == "") != (err == nil) {
				t.Errorf("%s: %s\nschema:  %q\ndecoder: %v", key, v, fault, err)
			}
			if err == nil {
				yes++
			}
		}
		if known := table().find(key); (known != nil) != (yes > 0) {
			t.Errorf("%s: %d values accepted", key, yes)
		}
	}
}

// jsonOf is a YAML document as a JSON Schema sees it.
func jsonOf(t *testing.T, doc string) (value any) {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(doc), &n); err != nil {
		t.Fatal(err)
	}
	text, err := (&decoder{budget: 1 << 20}).appendValue(nil, n.Content[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	if err := dec.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// Which keys a job needs, and which go together, the schema and Parse tell alike.
func TestSchemaAgreesOnWholeJobs(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	const data = "data: {range: 3}\n"
	for doc, good := range map[string]bool{
		"command: x\n" + data:                   true,
		"function: a.py:f\n" + data:             true,
		"command: x\nfunction: a.py:f\n" + data: false,
		data:                                    false,
		"command: x\n":                          false,
		"function: a.py:f\n":                    false,
		"command: x\nstdin: '{}'\noutput: json\n" + data:                true,
		"function: a.py:f\nstdin: '{}'\n" + data:                        false,
		"function: a.py:f\noutput: bytes\n" + data:                      false,
		"function: a.py:f\nreduce: a.py:f\nreduce_by: k\n" + data:       true,
		"command: x\nreduce: {function: a.py:f}\nreduce_by: k\n" + data: true,
		"command: x\nreduce_by: k\n" + data:                             false,
	} {
		_, err := Parse("job.yaml", []byte(doc))
		fault := violates(root, jsonOf(t, doc))
		if (err == nil) != good || (fault == "") != good {
			t.Errorf("%q\nschema: %q\nParse:  %v", doc, fault, err)
		}
	}
	with, _ := root["dependentRequired"].(map[string]any)
	if len(with) != len(table().with) || len(with) == 0 {
		t.Errorf("dependentRequired is %v", with)
	}
}

func TestSchemaDescribesEveryKey(t *testing.T) {
	s := string(Schema())
	for _, k := range Keys() {
		if k.Doc == "" || k.Type == "" || !strings.Contains(s, k.Doc) {
			t.Errorf("%s: doc %q, type %q", k.Name, k.Doc, k.Type)
		}
	}
}

// Each word of another tool leads to a key that there is, and is none itself.
func TestForeignWords(t *testing.T) {
	find := func(path string) bool {
		var o shape = table()
		for name := range strings.SplitSeq(path, ".") {
			if e, ok := o.(either); ok {
				o = e[len(e)-1] // the mapping stands last
			}
			f := (*field)(nil)
			if fields, ok := o.(object); ok {
				f = fields.find(name)
			}
			if f == nil {
				return false
			}
			o = f.shape
		}
		return true
	}
	for word, ours := range foreign {
		last := word[strings.LastIndexByte(word, '.')+1:]
		if !find(ours) || find(word) || normalize(last) != last {
			t.Errorf("%s leads to %s", word, ours)
		}
	}
}

// violates is as much of JSON Schema as our schema uses. It fails on a word it
// does not know.
func violates(s map[string]any, v any) string {
	for word, arg := range s {
		if fault := check(s, word, arg, v); fault != "" {
			return fault
		}
	}
	return ""
}

func check(s map[string]any, word string, arg, v any) string {
	obj, isObj := v.(map[string]any)
	arr, isArr := v.([]any)
	str, isStr := v.(string)
	num, isNum := v.(json.Number)
	f, _ := num.Float64()
	bad := func(is bool) string {
		if is {
			return fmt.Sprintf("%v against %s %v", v, word, arg)
		}
		return ""
	}
	switch word {
	case "$schema", "title", "description":
	case "type":
		types, ok := arg.([]any)
		if !ok {
			types = []any{arg}
		}
		for _, t := range types {
			_, isBool := v.(bool)
			whole := isNum && !strings.ContainsAny(num.String(), ".eE")
			if map[string]bool{"object": isObj, "array": isArr, "string": isStr, "number": isNum, "integer": whole, "boolean": isBool}[t.(string)] {
				return ""
			}
		}
		return bad(true)
	case "enum":
		for _, e := range arg.([]any) {
			if reflect.DeepEqual(e, v) {
				return ""
			}
		}
		return bad(true)
	case "const":
		return bad(!isNum || f != arg.(float64))
	case "pattern":
		return bad(isStr && !regexp.MustCompile(arg.(string)).MatchString(str))
	case "minLength":
		return bad(isStr && utf8.RuneCountInString(str) < int(arg.(float64)))
	case "minimum":
		return bad(isNum && f < arg.(float64))
	case "maximum":
		return bad(isNum && f > arg.(float64))
	case "minItems":
		return bad(isArr && len(arr) < int(arg.(float64)))
	case "items":
		for _, e := range arr {
			if fault := violates(arg.(map[string]any), e); fault != "" {
				return fault
			}
		}
	case "minProperties":
		return bad(isObj && len(obj) < int(arg.(float64)))
	case "maxProperties":
		return bad(isObj && len(obj) > int(arg.(float64)))
	case "required":
		for _, k := range arg.([]any) {
			if _, ok := obj[k.(string)]; isObj && !ok {
				return bad(true)
			}
		}
	case "properties":
		for k, sub := range arg.(map[string]any) {
			if e, ok := obj[k]; ok {
				if fault := violates(sub.(map[string]any), e); fault != "" {
					return k + ": " + fault
				}
			}
		}
	case "propertyNames":
		for k := range obj {
			if fault := violates(arg.(map[string]any), k); fault != "" {
				return fault
			}
		}
	case "additionalProperties":
		props, _ := s["properties"].(map[string]any)
		for k, e := range obj {
			if _, ok := props[k]; ok {
				continue
			}
			sub, ok := arg.(map[string]any)
			if !ok {
				return "unknown key " + k
			}
			if fault := violates(sub, e); fault != "" {
				return fault
			}
		}
	case "anyOf":
		for _, alt := range arg.([]any) {
			if violates(alt.(map[string]any), v) == "" {
				return ""
			}
		}
		return bad(true)
	case "oneOf":
		n := 0
		for _, alt := range arg.([]any) {
			if violates(alt.(map[string]any), v) == "" {
				n++
			}
		}
		return bad(n != 1)
	case "dependentRequired":
		for k, others := range arg.(map[string]any) {
			if _, ok := obj[k]; !ok {
				continue
			}
			for _, other := range others.([]any) {
				if _, ok := obj[other.(string)]; !ok {
					return bad(true)
				}
			}
		}
	case "not":
		return bad(violates(arg.(map[string]any), v) == "")
	default:
		panic("schema word not known to the test: " + word)
	}
	return ""
}
