package stats

import (
	"slices"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
)

// The figures are those of the example in Lithops' documentation.
func TestPprintLooksLikeLithops(t *testing.T) {
	r := &Record{State: job.Success, FuncDataSize: IntOf(21), HostFuncUpload: SecOf(610_441_000), HostJobCreate: SecOf(int64(1647526900_752052000)),
		HostSerialize: SecOf(1_555_000), HostDataUpload: SecOf(0), StatusDone: SecOf(int64(1647526903_685830600)), WorkerColdStart: BoolOf(true),
		CPUUsage: []float64{0, 25}, FuncExec: SecOf(1910), ResultUpload: SecOf(70_013_520), RSS: IntOf(60678144), TaskCPUPercent: FloatOf(1e16),
		Error: "it's"}
	want := map[string]string{"func_data_size_bytes": "21", "host_func_upload_time": "0.610441", "host_job_create_tstamp": "1647526900.752052",
		"host_job_serialize_time": "0.001555", "host_data_upload_time": "0.0", "host_status_done_tstamp": "1647526903.6858306",
		"worker_cold_start": "True", "worker_func_cpu_usage": "[0.0, 25.0]", "worker_func_exec_time": "1.91e-06",
		"worker_result_upload_time": "0.07001352", "worker_func_rss": "60678144", "task_cpu_percent": "1e+16", "error": `"it's"`,
		"state": "'success'", "task": "0", "attempt": "0"}
	for key, got := range pprintLines(t, r) {
		expected := want[key]
		if expected == "" {
			expected = "None"
		}
		if got != expected {
			t.Errorf("%s: %s, want %s", key, got, expected)
		}
	}
	if got := pprintLines(t, &Record{WorkerColdStart: BoolOf(false)})["worker_cold_start"]; got != "False" {
		t.Errorf("false is %s", got)
	}
}

func TestPythonText(t *testing.T) {
	for in, want := range map[string]string{"": `''`, "a": `'a'`, "it's": `"it's"`, `say "x"`: `'say "x"'`, `it's "x"`: `'it\'s "x"'`,
		"a\\b\n\r\t": `'a\\b\n\r\t'`, "\x00\x1b\x7f\u00a0": `'\x00\x1b\x7f\xa0'`, "größe": `'größe'`, "\u2028": `'\u2028'`,
		"\U000e0001": `'\U000e0001'`, "🎉": `'🎉'`, "\xff": `'�'`} {
		if got := string(appendPython(nil, in)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestPythonFloat(t *testing.T) {
	for want, v := range map[string]float64{"0.0": 0, "1.0": 1, "-2.5": -2.5, "0.0001": 1e-4, "9.9e-05": 9.9e-5, "1e-09": 1e-9,
		"1e+16": 1e16, "9999999999999998.0": 9999999999999998, "1.5e+300": 1.5e300, "1647526900.752052": 1647526900.752052} {
		if got := string(appendPythonFloat(nil, v)); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func pprintLines(t *testing.T, r *Record) map[string]string {
	t.Helper()
	var b strings.Builder
	if err := WritePprint(&b, r); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if text[0] != '{' || !strings.HasSuffix(text, "}\n") {
		t.Fatalf("no dict: %s", text)
	}
	lines := strings.Split(text[:len(text)-2], "\n")
	values := map[string]string{}
	var keys []string
	for i, line := range lines {
		key, value, ok := strings.Cut(line[1:], ": ")
		if !ok || i > 0 && line[0] != ' ' || (i < len(lines)-1) != strings.HasSuffix(value, ",") {
			t.Errorf("line %q", line)
		}
		key = strings.Trim(key, "'")
		keys = append(keys, key)
		values[key] = strings.TrimSuffix(value, ",")
	}
	if len(keys) != len(fields) || !slices.IsSorted(keys) {
		t.Errorf("%d keys, sorted %v", len(keys), slices.IsSorted(keys))
	}
	return values
}
