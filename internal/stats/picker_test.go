package stats

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
)

// lines makes lines of a worker, or of the host, of which one rarely has the keys of the one before.
func lines(rng *rand.Rand, n int, appendLine func([]byte, *Record) []byte) (objects [][]byte) {
	for i := range n {
		r := full()
		r.Task, r.Attempt, r.State = i*7919, 1+rng.IntN(12), job.State(rng.IntN(int(job.Lost)+1))
		for _, f := range fields {
			switch at := f.kind.(type) {
			case func(*Record) *Int:
				if *at(r) = (Int{}); rng.IntN(4) > 0 {
					*at(r) = IntOf(rng.Int64() >> rng.IntN(64))
				}
			case func(*Record) *Sec:
				if *at(r) = (Sec{}); rng.IntN(4) > 0 {
					*at(r) = SecOf(rng.Int64()>>rng.IntN(64) - int64(rng.IntN(2)))
				}
			case func(*Record) *Bool:
				*at(r) = Bool{V: rng.IntN(2) > 0, OK: true}
			case textAt:
				*at(r) = []string{"", "plain", `,"worker_end_tstamp":1`, "\\\"\n", "é"}[rng.IntN(5)]
			}
		}
		object, err := Unseal(appendLine(nil, r))
		if err != nil {
			panic(err)
		}
		objects = append(objects, bytes.Clone(object))
	}
	return objects
}

// idEnd is where task and attempt end in a line, which r gets.
func idEnd(t testing.TB, object []byte, r *Record) (at int) {
	t.Helper()
	if _, err := fmt.Sscanf(string(object), `{"task":%d,"attempt":%d`, &r.Task, &r.Attempt); err != nil {
		t.Fatalf("%v in %s", err, object)
	}
	return len(`{"task":,"attempt":`) + len(strconv.Itoa(r.Task)) + len(strconv.Itoa(r.Attempt))
}

// A picker reads what ParseKeys reads, whatever the line before was like.
func TestPicker(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	few := NewKeySet("task", "attempt", "state", "worker_start_tstamp", "worker_func_startup_time", "log_size", "error")
	for name, c := range map[string]struct {
		p          *Picker
		appendLine func([]byte, *Record) []byte
	}{
		"few":     {NewPicker(few), AppendWorkerLine},
		"columns": {NewPicker(ColumnKeys()), AppendWorkerLine},
		"summary": {NewPicker(SummaryKeys()), AppendWorkerLine},
		"all":     {NewPicker(AllKeys()), AppendWorkerLine},
		"host":    {NewHostPicker(), AppendHostLine},
	} {
		var l Layout
		for _, object := range lines(rng, 3000, c.appendLine) {
			got, want := new(Record), new(Record)
			if err := c.p.Parse(object, idEnd(t, object, got), &l, got); err != nil {
				t.Fatalf("%s: %v in %s", name, err, object)
			}
			if err := ParseKeys(object, want, c.p.want.Union(NewKeySet("task", "attempt"))); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %+v, want %+v from %s", name, got, want, object)
			}
		}
	}
}

// What is wrong with a line is wrong after a good one, too.
func TestPickerRefuses(t *testing.T) {
	good := `{"task":1,"attempt":1,"state":"success","worker":0,"worker_hostname":"n","worker_start_tstamp":1795373723.931146633,"worker_func_startup_time":0.5}`
	few := NewPicker(NewKeySet("task", "attempt", "state", "worker", "worker_func_startup_time"))
	all := NewPicker(AllKeys())
	for _, c := range []struct {
		line string
		few  bool // it is seen where few keys are looked for
	}{
		{`{"task":1,"attempt":1x,"state":"success","worker":0}`, true},
		{`{"task":1,"attempt":1,"state":"done","worker":0}`, true},
		{`{"task":1,"attempt":1,"state":"success"x,"worker":0}`, true},
		{`{"task":1,"attempt":1,"state":"success","worker":0x1}`, true},
		{`{"task":1,"attempt":1,"state":"success","worker":"0"}`, true},
		{`{"task":1,"attempt":1,"state":"success","worker":1.5}`, true},
		{`{"task":1,"attempt":1,"state":"success","worker":0,"worker_func_startup_time":1.5.5}`, true},
		{`{"task":1,"attempt":1,"state":"success","worker":0,"worker_func_startup_time":9223372036.854776}`, true},
		{`{"task":1,"attempt":1,"state":"success","worker":0,"worker_start_tstamp":x}`, false},
		{`{"task":1,"attempt":1,"state":"success","worker":0,"new":1 }`, false},
		{`{"task":1,"attempt":1,"state":"success","worker":0}}`, false},
		{`{"task":1,"attempt":1,"state":"success","worker":0`, true},
	} {
		for _, p := range []*Picker{few, all} {
			var l Layout
			for _, line := range []string{good, c.line, good, c.line} {
				err := p.Parse([]byte(line), len(`{"task":1,"attempt":1`), &l, &Record{Task: 1, Attempt: 1})
				if bad := line == c.line && (p == all || c.few); (err != nil) != bad {
					t.Errorf("%s: %v", line, err)
				}
			}
		}
	}
}

// Keys that this program does not know are skipped, wherever they stand.
func TestPickerSkipsNewKeys(t *testing.T) {
	line := []byte(`{"task":1,"attempt":1,"new":[{"a":",\"worker\":7"}],"state":"success","x":null,"worker":3,"y":1}`)
	for _, keys := range []KeySet{NewKeySet("state", "worker"), AllKeys()} {
		p, l := NewPicker(keys), Layout{}
		for range 3 {
			r := &Record{Task: 1, Attempt: 1}
			if err := p.Parse(line, len(`{"task":1,"attempt":1`), &l, r); err != nil || r.State != job.Success || r.Worker != IntOf(3) {
				t.Fatalf("%v, %+v", err, r)
			}
		}
	}
}

func TestPlainNumbers(t *testing.T) {
	for _, c := range []struct {
		text    string
		v, secs int64 // -1: none of its kind
	}{
		{"", -1, -1}, {"x", -1, -1}, {"-1", -1, -1}, {".5", -1, -1}, {"7", 7, -1}, {"0.5", 0, 500_000_000}, {"1.", 1, -1}, {"12345678", 12345678, -1},
		{"123456789.123456789", 123456789, 123456789_123456789}, {"1795373723.000000001", 1795373723, 1795373723_000000001},
		{"1795373723.9", 1795373723, 1795373723_900000000}, {"9223372036.8", 9223372036, -1}, {"9999999999.5", 9999999999, -1},
		{"17x5373723.9", 17, -1}, {"179537372x.9", 179537372, -1}, {"12.3456789012", 12, 12_345678901}, {"1234567890123456", 1234567890123456, -1},
		{"5/", 5, -1}, {"5:", 5, -1}, {"0.00000000\xb5", 0, 0}, {"1234567\xff", 1234567, -1},
	} {
		for _, tail := range []string{"", ",\"more\":123456789.123456789"} {
			b := []byte(c.text + tail)
			if v, end := plainInt(b, 0); end > 0 != (c.v >= 0) || end > 0 && v != c.v {
				t.Errorf("%q as a number: %d to %d", b, v, end)
			}
			if ns, end := plainSeconds(b, 0); end > 0 != (c.secs >= 0) || end > 0 && ns != c.secs {
				t.Errorf("%q as seconds: %d to %d", b, ns, end)
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		ns := rng.Int64N(math.MaxInt64-2e9) >> rng.IntN(63)
		text := append(AppendSeconds(nil, ns), ',')
		if got, end := plainSeconds(text, 0); got != ns || end != len(text)-1 {
			t.Fatalf("%s read as %d to %d", text, got, end)
		}
	}
}

func TestHexOf(t *testing.T) {
	for _, sum := range []uint32{0, 1, 0xffffffff, 0x0123abcd, 0x9a9a9a9a, 0xdeadbeef} {
		if got := string(binary.BigEndian.AppendUint64(nil, hexOf(sum))); got != fmt.Sprintf("%08x", sum) {
			t.Errorf("%08x is %s", sum, got)
		}
	}
}

func BenchmarkPicker(b *testing.B) {
	object, err := Unseal(AppendWorkerLine(nil, typical()))
	if err != nil {
		b.Fatal(err)
	}
	for name, keys := range map[string]KeySet{"columns": ColumnKeys(), "summary": SummaryKeys(), "all": AllKeys(),
		"host": NewKeySet("task", "attempt", "state", "error_type", "worker_exec_time", "error", "func_result_size", "result_offset", "result_crc32c")} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(object)))
			b.ReportAllocs()
			r, l, p := new(Record), Layout{}, NewPicker(keys)
			at := idEnd(b, object, r)
			for b.Loop() {
				if err := p.Parse(object, at, &l, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// keysOf is what follows task and attempt in a line.
func keysOf(object []byte) []byte { return object[bytes.Index(object, []byte(`"state"`)):] }

// FuzzPicker reads one line after another: with all keys a picker sees what ParseKeys sees.
func FuzzPicker(f *testing.F) {
	rng := rand.New(rand.NewPCG(8, 9))
	some := lines(rng, 8, AppendWorkerLine)
	for i := range some[1:] {
		f.Add(keysOf(some[i]), keysOf(some[i+1]))
	}
	f.Add([]byte(`"state":"success","worker":1}`), []byte(`"state":"success","worker":1x}`))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		all, host := NewPicker(AllKeys()), NewHostPicker()
		for _, p := range []*Picker{all, host} {
			var l Layout
			for _, rest := range [][]byte{first, second, first} {
				const id = `{"task":1,"attempt":1`
				object := append([]byte(id+","), rest...)
				got, want := &Record{Task: 1, Attempt: 1}, new(Record)
				err, wantErr := p.Parse(object, len(id), &l, got), Parse(object, want)
				if (err == nil) != (wantErr == nil) {
					t.Fatalf("%v, want %v of %s", err, wantErr, object)
				}
				if err == nil && !bytes.Equal(AppendJSON(nil, got), AppendJSON(nil, want)) {
					t.Fatalf("%+v, want %+v from %s", got, want, object)
				}
			}
		}
	})
}
