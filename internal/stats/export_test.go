package stats

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
)

func export(t *testing.T, format string, records ...*Record) string {
	t.Helper()
	var b strings.Builder
	e, err := NewExporter(&b, format)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Begin(); err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := e.Record(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.End(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestExporterJSON(t *testing.T) {
	if got := export(t, JSON); got != "[]\n" {
		t.Errorf("no records: %q", got)
	}
	one, two := string(AppendJSON(nil, full())), string(AppendJSON(nil, &Record{Task: 1}))
	if got := export(t, JSON, full(), &Record{Task: 1}); got != "[\n"+one+",\n"+two+"\n]\n" || !json.Valid([]byte(got)) {
		t.Errorf("two records: %s", got)
	}
	if got := export(t, JSONL, full(), &Record{Task: 1}); got != one+"\n"+two+"\n" {
		t.Errorf("lines: %s", got)
	}
	if got := export(t, JSONL); got != "" {
		t.Errorf("no lines: %q", got)
	}
}

func TestExporterWritesInPieces(t *testing.T) {
	records := make([]*Record, 300)
	for i := range records {
		records[i] = &Record{Task: i}
	}
	var back []map[string]any
	if err := json.Unmarshal([]byte(export(t, JSON, records...)), &back); err != nil || len(back) != 300 || back[299]["task"] != 299.0 {
		t.Errorf("%v, %d records", err, len(back))
	}
}

func TestExporterCSV(t *testing.T) {
	r := &Record{Task: 3, State: job.Error, Error: "a \"b\",\r\nc", Signal: "-x", ErrorType: "=1+1", WorkerHostname: " h ",
		ExitCode: IntOf(-1), QueueTime: SecOf(-1500), CPUUsage: []float64{0, 25.5}, WorkerColdStart: BoolOf(true)}
	text := export(t, CSV, full(), r)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 3 || strings.Count(text, "\r\n") != 4 {
		t.Fatalf("%v in %q", err, text)
	}
	cells := map[string]string{}
	for i, f := range fields {
		if rows[0][i] != f.Key || rows[1][i] == "" {
			t.Errorf("column %d is %s with %q, want %s", i, rows[0][i], rows[1][i], f.Key)
		}
		if rows[2][i] != "" {
			cells[f.Key] = rows[2][i]
		}
	}
	want := map[string]string{"task": "3", "attempt": "0", "state": "error", "error": "a \"b\",\nc", "signal": "'-x", "error_type": "'=1+1",
		"worker_hostname": " h ", "exit_code": "-1", "queue_time": "-0.0000015", "worker_func_cpu_usage": "[0.0,25.5]", "worker_cold_start": "true"}
	if !reflect.DeepEqual(cells, want) { // csv.Reader reads CR LF in a cell as LF
		t.Errorf("cells %q, want %q", cells, want)
	}
	var row, header strings.Builder
	if WriteCSVHeader(&header) != nil || WriteCSVRow(&row, r) != nil || export(t, CSV, r) != header.String()+row.String() {
		t.Errorf("header %q, row %q", header.String(), row.String())
	}
}

func TestCSVGuardsFormulas(t *testing.T) {
	for in, want := range map[string]string{"": "", "a=b": "a=b", "=a": "'=a", "+a": "'+a", "-a": "'-a", "@a": "'@a", "\ta": "'\ta",
		"\ra": "\"'\ra\"", "=a,b": "\"'=a,b\"", "'a'": "'a'", `"`: `""""`} {
		if got := string(appendCSVText(nil, in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestExporterKeepsItsError(t *testing.T) {
	full := errors.New("disk full")
	e, err := NewExporter(failing{full}, JSONL)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		err = e.Record(&Record{})
	}
	if !errors.Is(err, full) || !errors.Is(e.End(), full) || !errors.Is(e.Begin(), full) {
		t.Errorf("error %v, then %v", err, e.End())
	}
	if _, err := NewExporter(nil, "xml"); err == nil || err.Error() != `unknown format "xml", known are json, jsonl, csv` {
		t.Errorf("error %v", err)
	}
	if !errors.Is(WriteCSVHeader(failing{full}), full) || !errors.Is(WriteCSVRow(failing{full}, &Record{}), full) ||
		!errors.Is(WritePprint(failing{full}, &Record{}), full) || !errors.Is(WriteExplain(failing{full}), full) ||
		!errors.Is(ExplainKey(failing{full}, "task"), full) || !errors.Is((&Summary{}).WriteTable(failing{full}, 0), full) {
		t.Error("an error of the writer is lost")
	}
}

func BenchmarkExporter(b *testing.B) {
	for _, format := range Formats() {
		b.Run(format, func(b *testing.B) {
			r := typical()
			b.SetBytes(int64(len(AppendJSON(nil, r))))
			e, err := NewExporter(discard{}, format)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if err := e.Record(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// failing is a writer that cannot write.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
