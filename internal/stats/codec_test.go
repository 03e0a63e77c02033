package stats

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lithops-go/lithops/internal/job"
)

// full is a record with every key set, each to another value.
func full() *Record {
	r := &Record{JobID: "j-0-M000", Task: 17, Attempt: 2, State: job.Timeout, Stage: StageReduce, WorkerHostname: "höst \"a\"", Signal: "SIGKILL",
		ErrorType: "timeout", Error: "line\nbreak \x01", CPUUsage: []float64{0, 25.5}}
	n := int64(1)
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		n += 7
		switch f := v.Field(i).Addr().Interface().(type) {
		case *Int:
			*f = IntOf(n)
		case *Sec:
			*f = SecOf(1647526900752052001 + n)
		case *Float:
			*f = FloatOf(float64(n) + 0.25)
		case *Bool:
			*f = BoolOf(true)
		}
	}
	return r
}

func TestEveryKeyRoundTrips(t *testing.T) {
	for name, want := range map[string]*Record{"full": full(), "null": {State: job.New}} {
		t.Run(name, func(t *testing.T) {
			line := AppendJSON(nil, want)
			var keys map[string]any
			if err := json.Unmarshal(line, &keys); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			if len(keys) != len(fields) {
				t.Errorf("%d keys written, the table has %d", len(keys), len(fields))
			}
			got := new(Record)
			if err := Parse(line, got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("read back\n%+v\nwant\n%+v", got, want)
			}
		})
	}
}

func TestEveryFieldOfRecordIsInTheTable(t *testing.T) {
	for i := range reflect.TypeFor[Record]().NumField() {
		r := new(Record)
		before := string(AppendJSON(nil, r))
		switch f := reflect.ValueOf(r).Elem().Field(i).Addr().Interface().(type) {
		case *Int:
			*f = IntOf(5)
		case *Sec:
			*f = SecOf(5)
		case *Float:
			*f = FloatOf(5)
		case *Bool:
			*f = BoolOf(true)
		case *int:
			*f = 5
		case *string:
			*f = "x"
		case *[]float64:
			*f = []float64{1}
		case *job.State:
			*f = job.Lost
		}
		if string(AppendJSON(nil, r)) == before {
			t.Errorf("field %s has no key", reflect.TypeFor[Record]().Field(i).Name)
		}
	}
}

func TestSeal(t *testing.T) {
	line := AppendWorkerLine(nil, full())
	if line[len(line)-1] != '\n' || !json.Valid(line) {
		t.Fatalf("not a line of JSON: %q", line)
	}
	for i := range line {
		for bit := range 8 {
			bad := append([]byte(nil), line...)
			bad[i] ^= 1 << bit
			if _, err := Unseal(bad); err == nil {
				t.Fatalf("bit %d of byte %d flipped and not noticed", bit, i)
			}
		}
		if _, err := Unseal(append([]byte(nil), line[:i]...)); err == nil {
			t.Fatalf("cut at %d and not noticed", i)
		}
	}
	object, err := Unseal(line)
	if err != nil {
		t.Fatal(err)
	}
	got := new(Record)
	if err := Parse(object, got); err != nil || got.Task != 17 || got.ResultCRC != full().ResultCRC {
		t.Errorf("%v, %+v", err, got)
	}
}

func TestHostLineLeavesOutNull(t *testing.T) {
	line := AppendHostLine(nil, &Record{Task: 3, Attempt: 1, State: job.Running, HostSubmit: SecOf(1500000000)})
	want := `{"task":3,"attempt":1,"state":"running","host_submit_tstamp":1.5,"crc":"`
	if string(line[:len(want)]) != want {
		t.Errorf("got %s", line)
	}
}

func TestSeconds(t *testing.T) {
	for _, c := range []struct {
		text string
		ns   int64
	}{{"0.0", 0}, {"1.5", 1500000000}, {"1647526900.752052001", 1647526900752052001}, {"-0.000000001", -1}, {"9223372035.9", 9223372035900000000}} {
		ns, err := ParseSeconds([]byte(c.text))
		if err != nil || ns != c.ns || string(AppendSeconds(nil, c.ns)) != c.text {
			t.Errorf("%s: %d, %v, written %s", c.text, ns, err, AppendSeconds(nil, c.ns))
		}
	}
	for text, ns := range map[string]int64{"3": 3e9, "1e-3": 1e6, "1.0000000009": 1e9} {
		if got, err := ParseSeconds([]byte(text)); err != nil || got != ns {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-", ".", "x", "1x", "9223372036.9", "99999999999999999999", "1e30"} {
		if got, err := ParseSeconds([]byte(text)); err == nil {
			t.Errorf("%q read as %d", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(AppendJSON(nil, full()))
	f.Add(AppendHostLine(nil, full()))
	f.Add([]byte(`{"task":1,"unknown":[1,"a"],"state":"success"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := new(Record)
		if Parse(b, r) != nil {
			return
		}
		line := AppendJSON(nil, r)
		again := new(Record)
		if err := Parse(line, again); err != nil {
			t.Fatalf("%v in own line %s", err, line)
		}
		if second := AppendJSON(nil, again); string(second) != string(line) {
			t.Fatalf("written\n%s\nthen\n%s", line, second)
		}
		if !json.Valid(line) {
			t.Fatalf("no JSON: %s", line)
		}
		rows, err := csv.NewReader(bytes.NewReader(appendCSVRow(nil, r))).ReadAll()
		if err != nil || len(rows) != 1 || len(rows[0]) != len(fields) {
			t.Fatalf("%v, rows of CSV %q", err, rows)
		}
	})
}

// Whatever records say, a summary of them can be made, shown and written.
func FuzzSummary(f *testing.F) {
	_, records := mixed()
	var seed []byte
	for _, r := range records {
		seed = append(AppendJSON(seed, r), '\n')
	}
	f.Add(seed, created+1, uint8(2), uint8(80))
	f.Add([]byte(`{"task":1,"attempt":-9,"state":"lost","worker_func_exec_time":-9223372035.0,"task_peak_memory":-9223372036854775808}`), int64(0), uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, lines []byte, now int64, workers, width uint8) {
		s := NewSummarizer(JobInfo{Created: created, Now: now, Workers: int(workers)}, 4)
		for line := range bytes.Lines(lines) {
			r := new(Record)
			if Parse(bytes.TrimSuffix(line, []byte("\n")), r) == nil {
				s.Add(r)
			}
		}
		sum := s.Summary()
		n := 0
		for _, count := range sum.States {
			n += count
		}
		if b, err := json.Marshal(sum); err != nil || n != 4 {
			t.Errorf("%v, %d tasks, %s", err, n, b)
		}
		if text := table(t, sum, int(width)); !utf8.ValidString(text) || strings.ContainsRune(text, '\x1b') {
			t.Errorf("unsafe text %q", text)
		}
	})
}
