package job

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// Each key that may be given anew is in the table, with the parts that have a flag.
func TestResumeKeys(t *testing.T) {
	var got []string
	for _, k := range Keys() {
		if k.Resume {
			got = append(got, k.Name)
		}
	}
	want := strings.Fields("name workers chunksize retries retries.backoff retries.max_backoff retries.on retries.lost timeout max_time " +
		"on_failure on_failure.tolerate limits.memory durability")
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for _, key := range resumable {
		if !slices.Contains(got, key) {
			t.Errorf("%q is no key with a flag", key)
		}
	}
}

// fromManifest is s as the manifest of its job gives it back.
func fromManifest(t *testing.T, s *Spec) *Spec {
	t.Helper()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	back := new(Spec)
	if err := json.Unmarshal(b, back); err != nil {
		t.Fatal(err)
	}
	return back
}

// A job of any kind takes the keys that may be given anew from its manifest, and
// nothing else of it changes.
func TestSetOnAJobFromItsManifest(t *testing.T) {
	args, err := FromArgs([]string{"gzip", "-k"}, []string{"a", "<b>"}, "/here")
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := FromArgs([]string{"cat"}, []string{"a"}, "/here")
	if err != nil {
		t.Fatal(err)
	}
	if err := stdin.Set("stdin", "{}"); err != nil {
		t.Fatal(err)
	}
	jobs := []*Spec{args, stdin,
		{Function: Function{Go: "main.f"}, Dir: "/here"},
		{Function: Function{Go: "main.f"}, Reduce: &Reduce{Function: Function{Go: "main.g"}}, Dir: "/here", Env: map[string]string{"A": "b"}},
	}
	for _, src := range []string{
		fullJob,
		"command: x {}\ndata: {list: []}\n",
		"command: x\ndata: {list: [a, {b: 1}]}\nretries: 1\n",
		"command: x\ndata: {range: 3}\nretries: {limit: 9, backoff: 1m, max_backoff: 1h, on: [timeout], lost: 0}\non_failure: {tolerate: 3}\nmax_time: 1m\n",
		"command: x\ndata: {lines: '-'}\non_failure: stop\n",
		"command: x\ndata: {glob: ['**/a*', 'b/{c,d}']}\n",
		"command: x\ndata: {csv: {file: '-', delimiter: ;}}\n",
		"command: x {a.}\ndata: {jsonl: in.jsonl}\nlimits: {memory: 1GiB}\n",
		"command: x\ndata: {matrix: {z: [1], a: [x, y]}}\n",
		"function: a.py:A.f\ndata: {range: 3}\nruntime: ./venv\nreduce: {function: b.mjs:g, runtime: node20}\nreduce_by: k\n",
		"function: ./program\ndata: {range: 3}\nreduce: ./program\n",
		"command: x\ndata: {range: 3}\noutput: json\nreduce: a.js:g\n",
	} {
		jobs = append(jobs, mustParse(t, src))
	}
	values := map[string]string{
		"name": "again", "workers": "3", "chunksize": "7", "retries": "4", "retries.backoff": "2s", "retries.max_backoff": "5s", "retries.on": "[error]",
		"retries.lost": "1", "timeout": "1h", "max_time": "2h", "on_failure": "continue", "on_failure.tolerate": "5%", "limits.memory": "3GiB", "durability": "sync",
	}
	lost := 1
	for _, s := range jobs {
		back := fromManifest(t, s)
		want := *fromManifest(t, s)
		for _, k := range Keys() {
			if !k.Resume {
				continue
			}
			if values[k.Name] == "" {
				t.Fatalf("%s is not tried", k.Name)
			}
			// One alone is as good as all.
			alone := fromManifest(t, s)
			if err := errors.Join(alone.SetFrom("/home", k.Name, values[k.Name]), alone.Validate(), back.SetFrom("/home", k.Flag, values[k.Name])); err != nil {
				t.Errorf("%v %v: --%s: %v", s.Command, s.Function, k.Flag, err)
			}
		}
		if err := back.Validate(); err != nil {
			t.Errorf("%v %v: %v", s.Command, s.Function, err)
		}
		want.Name, want.Workers, want.Chunksize = "again", 3, 7
		want.Retries = Retries{4, 2 * time.Second, 5 * time.Second, []State{Error}, &lost}
		want.Timeout, want.MaxTime = time.Hour, 2*time.Hour
		want.OnFailure = OnFailure{Mode: Tolerate, Percent: 5}
		want.Limits.Memory, want.Durability = 3<<30, DurabilitySync
		back.from = origin{}
		if !reflect.DeepEqual(*back, want) {
			t.Errorf("got  %+v\nwant %+v", *back, want)
		}
	}
}

// What is wrong with a value is reported in the flag's name.
func TestSetOnAJobFromItsManifestErrors(t *testing.T) {
	s := fromManifest(t, mustParse(t, "command: x\ndata: {range: 3}\nretries: {limit: 1, backoff: 1m, max_backoff: 1h}\n"))
	for _, test := range [][3]string{
		{"workers", "-1", "--workers: workers must not be negative"},
		{"max_time", "x", `--max-time: max_time must be a duration such as 90 (seconds), 10m, 1h30m or 2d, not "x"`},
	} {
		if err := s.SetFrom("/home", test[0], test[1]); err == nil || err.Error() != test[2] {
			t.Errorf("got %v, want %s", err, test[2])
		}
	}
	if err := errors.Join(s.Set("retries-backoff", "9s"), s.Set("retries-max-backoff", "3s")); err != nil {
		t.Fatal(err)
	}
	if err, want := s.Validate(), "--retries-max-backoff: retries.max_backoff (3s) is shorter than retries.backoff (9s)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
