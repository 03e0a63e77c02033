package stats

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
)

// members splits an object of AppendJSON into its `"key":value` texts.
func members(t testing.TB, line []byte) []string {
	t.Helper()
	var out []string
	d := json.NewDecoder(bytes.NewReader(line))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		from := d.InputOffset()
		if _, err := d.Token(); err != nil {
			t.Fatal(err)
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.TrimPrefix(string(line[from:d.InputOffset()]), ","))
	}
	return out
}

func TestParseKeysInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	parts := members(t, AppendJSON(nil, full()))
	if len(parts) != len(fields) {
		t.Fatalf("%d members", len(parts))
	}
	parts = append(parts, `"new_key":{"a":[1,{"b":"]}"}],"c":null}`, `"other":[]`, `"":"\\"`)
	for range 50 {
		rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		line := []byte("{" + strings.Join(parts, ",") + "}")
		got := new(Record)
		if err := Parse(line, got); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if !reflect.DeepEqual(got, full()) {
			t.Fatalf("read %+v from %s", got, line)
		}
	}
}

func TestParseKeysTakesOnlyWhatIsWanted(t *testing.T) {
	// The text of a key inside of a value is no key; an unwanted value is not read.
	line := []byte(`{"error":"x\",\"task\":99,\"","task":7,"attempt":"bad","state":"error","job_id":"task","error_type":",\"pid\":1"}`)
	got := new(Record)
	if err := ParseKeys(line, got, NewKeySet("task", "state")); err != nil {
		t.Fatal(err)
	}
	if want := (&Record{Task: 7, State: job.Error}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := Parse(line, got); err == nil || !strings.Contains(err.Error(), "key attempt") {
		t.Errorf("a bad value under a wanted key: %v", err)
	}
	last := new(Record)
	if err := ParseKeys([]byte(`{"task":1,"task":2}`), last, NewKeySet("task")); err != nil || last.Task != 2 {
		t.Errorf("of two values the last one counts: %d, %v", last.Task, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, line := range []string{
		"", "{", "x", "[1]", `{"task"}`, `{"task":}`, `{"task":1`, `{"task":1,}`, `{"task":1}x`, `{"task":1}}`, `{task:1}`, `{"task":1 }`,
		`{"unknown":[1}`, `{"unknown":"a}`, `{"unknown":"a\"}`, `{"unknown":}`, `{"unknown":1"x"}`, `{"unknown":[1]2}`,
		`{"task":null}`, `{"task":+5}`, `{"task":1.5}`, `{"task":1e3}`, `{"pid":"1"}`, `{"pid":99999999999999999999}`, `{"pid":0x10}`,
		`{"state":"done"}`, `{"state":null}`, `{"state":5}`, `{"error":5}`, `{"error":[]}`, `{"worker_cold_start":1}`, `{"worker_cold_start":T}`,
		`{"task_cpu_percent":inf}`, `{"task_cpu_percent":NaN}`, `{"task_cpu_percent":1e999}`, `{"task_cpu_percent":1_0}`,
		`{"worker_func_cpu_usage":[1,]}`, `{"worker_func_cpu_usage":[,1]}`, `{"worker_func_cpu_usage":[null]}`, `{"worker_func_cpu_usage":1}`,
		`{"worker_func_cpu_usage":["a,b"]}`, `{"queue_time":9223372036.854776e0}`, `{"queue_time":true}`,
	} {
		if r := new(Record); Parse([]byte(line), r) == nil {
			t.Errorf("%s read as %+v", line, r)
		}
	}
	for line, want := range map[string]*Record{
		"{}": {}, `{"unknown":-1.5e+3}`: {}, `{"worker_func_cpu_usage":[]}`: {CPUUsage: []float64{}}, `{"pid":-0012}`: {PID: IntOf(-12)},
		`{"state":"err\u006fr"}`: {State: job.Error}, `{"error":""}`: {}, `{"worker_cold_start":false}`: {WorkerColdStart: BoolOf(false)},
	} {
		if got := new(Record); Parse([]byte(line), got) != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s read as %+v", line, got)
		}
	}
}

func TestNullOverwrites(t *testing.T) {
	r := full()
	if err := Parse(AppendJSON(nil, &Record{}), r); err != nil || !reflect.DeepEqual(r, &Record{}) {
		t.Errorf("%v, left over %+v", err, r)
	}
}

func TestKeySet(t *testing.T) {
	some := NewKeySet("task", "fetch_time")
	both := some.Union(NewKeySet("state"))
	for _, f := range Fields() {
		want := f.Key == "task" || f.Key == "fetch_time"
		if some.Has(f.Key) != want || both.Has(f.Key) != (want || f.Key == "state") || !AllKeys().Has(f.Key) {
			t.Errorf("key %s", f.Key)
		}
	}
	if some.Has("no_such_key") || (KeySet{}).Has("task") {
		t.Error("a key that is not in the set")
	}
	defer func() {
		if recover() == nil {
			t.Error("an unknown key was taken")
		}
	}()
	NewKeySet("no_such_key")
}

// parseSlowly is Parse by way of encoding/json, for lines it understands.
func parseSlowly(line []byte, r *Record) error {
	d := json.NewDecoder(bytes.NewReader(line))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		if f, ok := FieldOf(key.(string)); ok {
			if err := f.parse(raw, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func FuzzParseKeys(f *testing.F) {
	line := AppendJSON(nil, full())
	f.Add(line, uint64(1<<3|1), uint64(0))
	f.Add(AppendWorkerLine(nil, full()), uint64(0xffff), uint64(0))
	f.Add([]byte(`{"error":"x\",\"task\":99,\"","task":7,"u":{"a":[1]},"task":8}`), uint64(1), uint64(0))
	f.Add([]byte(`{"worker_func_cpu_usage":[1,2.5e1],"error":"\\","pid":null}`), uint64(1<<10), uint64(7))
	f.Fuzz(func(t *testing.T, line []byte, lo, hi uint64) {
		want := KeySet{[2]uint64{lo, hi}}
		all := new(Record)
		err := ParseKeys(line, all, AllKeys())
		checkAgainstJSON(t, line, all, err)
		if err != nil {
			return
		}
		some := new(Record)
		if err := ParseKeys(line, some, want); err != nil {
			t.Fatalf("with fewer keys: %v", err)
		}
		for i := range fields {
			from := all
			if !want.has(i) {
				from = new(Record)
			}
			got, expected := fields[i].AppendValue(nil, some), fields[i].AppendValue(nil, from)
			if !bytes.Equal(got, expected) {
				t.Errorf("key %s is %s, want %s", fields[i].Key, got, expected)
			}
		}
	})
}

// checkAgainstJSON holds Parse's answer against that of encoding/json, where the
// line has the form that Parse asks for.
func checkAgainstJSON(t *testing.T, line []byte, got *Record, err error) {
	t.Helper()
	var compact bytes.Buffer
	if json.Compact(&compact, line) != nil || !bytes.Equal(compact.Bytes(), line) || line[0] != '{' {
		return
	}
	for _, m := range members(t, line) {
		if key, _, _ := strings.Cut(m[1:], `"`); strings.Contains(key, `\`) {
			return // Parse does not know keys spelled with escapes
		}
	}
	want := new(Record)
	if wantErr := parseSlowly(line, want); (wantErr == nil) != (err == nil) {
		t.Fatalf("error %v, by encoding/json %v", err, wantErr)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, by encoding/json %+v", got, want)
	}
}

// typical is a record of the size that commands of a few ms leave.
func typical() *Record {
	r := full()
	r.State, r.Signal, r.Error, r.ErrorType, r.WorkerHostname = job.Success, "", "", "", "node-17.cluster"
	return r
}

func BenchmarkParse(b *testing.B) {
	line := AppendWorkerLine(nil, typical())
	object, err := Unseal(bytes.Clone(line))
	if err != nil {
		b.Fatal(err)
	}
	long := AppendJSON(nil, typical())
	run := func(name string, object []byte, keys KeySet) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(object)))
			b.ReportAllocs()
			r := new(Record)
			for b.Loop() {
				if err := ParseKeys(object, r, keys); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	few := NewKeySet("task", "attempt", "state", "worker", "worker_start_tstamp", "worker_func_start_tstamp", "worker_func_end_tstamp")
	run("worker line, 7 keys", object, few)
	run("worker line, summary keys", object, SummaryKeys())
	run("worker line, all keys", object, AllKeys())
	run("all owners, 7 keys", long, few)
	run("all owners, all keys", long, AllKeys())
	// What the host reads of each call of a function while a job runs.
	r := typical()
	r.ExitCode, r.FuncStartup, r.CPUUsage, r.RSS, r.USS, r.VMS, r.PeakMemoryStart, r.PeakMemoryEnd, r.TaskPeakMemory = Int{}, Sec{}, nil, Int{}, Int{}, Int{}, Int{}, Int{}, Int{}
	r.NetSent, r.NetRecv, r.LoSent, r.LoRecv = Int{}, Int{}, Int{}, Int{}
	call, err := Unseal(AppendWorkerLine(nil, r))
	if err != nil {
		b.Fatal(err)
	}
	run("call, the host's keys", call, NewKeySet("task", "attempt", "state", "error_type", "worker_exec_time", "error", "func_result_size", "result_offset", "result_crc32c"))
	b.Run("unseal", func(b *testing.B) {
		b.SetBytes(int64(len(line)))
		end := len(line) - sealSize
		for b.Loop() {
			if _, err := Unseal(line); err != nil {
				b.Fatal(err)
			}
			line[end] = ','
		}
	})
}
