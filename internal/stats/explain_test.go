package stats

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func explain(t *testing.T, key string) string {
	t.Helper()
	var b strings.Builder
	if err := ExplainKey(&b, key); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestExplainTellsOfEveryKey(t *testing.T) {
	var b strings.Builder
	if err := WriteExplain(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	from := 0
	for _, f := range fields {
		part := explain(t, f.Key)
		at := strings.Index(text[from:], part)
		if at < 0 {
			t.Fatalf("%s is missing or not in its place:\n%s", f.Key, part)
		}
		from += at + len(part)
		head, doc, _ := strings.Cut(part, "\n")
		if strings.HasPrefix(head, "* ") != f.Seed || !strings.Contains(head, " "+string(f.Unit)+" ") || !strings.HasSuffix(head, " "+string(f.Exact)) ||
			strings.Join(strings.Fields(doc), " ") != f.Doc {
			t.Errorf("%s", part)
		}
	}
	for _, c := range chapters {
		if strings.Count(text, "\n\n"+c.title+"\n") != 1 {
			t.Errorf("chapter %s is missing", c.title)
		}
	}
	for _, e := range exactnesses {
		if !strings.Contains(text, "  "+string(e.Exactness)+"  ") {
			t.Errorf("%s is not explained", e.Exactness)
		}
	}
	for line := range strings.Lines(text) {
		if utf8.RuneCountInString(line) > explainWidth+1 || strings.Contains(line, "…") {
			t.Errorf("line too long: %s", line)
		}
	}
}

func TestExplainKey(t *testing.T) {
	want := "* worker_cold_start             yes/no  exact\n" +
		"    true for the first task of a worker process, or of a runtime process when a function runs\n"
	if got := explain(t, "worker_cold_start"); got != want {
		t.Errorf("got %s", got)
	}
	for part, keys := range map[string]int{"task": 1, "log_": 2, "_net_io": 2, "loopback": 2} {
		if got := explain(t, part); strings.Count("\n"+got, "\n* ")+strings.Count("\n"+got, "\n  ")-strings.Count(got, "\n    ") != keys {
			t.Errorf("%s explained by\n%s", part, got)
		}
	}
	for _, key := range []string{"", "no such key"} {
		var b strings.Builder
		if err := ExplainKey(&b, key); err == nil || b.Len() > 0 {
			t.Errorf("%q explained by %s", key, b.String())
		}
	}
}

func TestFields(t *testing.T) {
	seed, seen := 0, map[string]bool{}
	for _, f := range Fields() {
		if f.Seed {
			seed++
		}
		if seen[f.Key] || f.Doc == "" || strings.HasSuffix(f.Doc, ".") {
			t.Errorf("key %s", f.Key)
		}
		seen[f.Key] = true
		if got, ok := FieldOf(f.Key); !ok || got.Key != f.Key {
			t.Errorf("FieldOf(%s) is %v", f.Key, got)
		}
	}
	if seed != 31 {
		t.Errorf("%d keys of Lithops", seed)
	}
}
