package stats

import (
	"math"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
)

func TestHumanDuration(t *testing.T) {
	const second, minute, hour = int64(time.Second), int64(time.Minute), int64(time.Hour)
	for _, c := range []struct {
		ns   int64
		want string
	}{
		{0, "0 s"}, {1, "1 ns"}, {999, "999 ns"}, {1000, "1.00 µs"}, {1910, "1.91 µs"}, {9_994, "9.99 µs"}, {9_996, "10.0 µs"},
		{99_960, "100 µs"}, {999_499, "999 µs"}, {999_500, "1.00 ms"}, {12_345_678, "12.3 ms"}, {999_500_000, "1.00 s"},
		{second, "1.00 s"}, {59*second + 940_000_000, "59.9 s"}, {59*second + 950_000_000, "1 min 00 s"}, {123 * second, "2 min 03 s"},
		{hour - second, "59 min 59 s"}, {hour - second/4, "1 h 00 min"}, {hour + 2*minute, "1 h 02 min"}, {24*hour - minute, "23 h 59 min"},
		{24*hour - second, "1 d 00 h"}, {76 * hour, "3 d 04 h"}, {-1500, "-1.50 µs"}, {-hour, "-1 h 00 min"}, {math.MinInt64, "-106752 d 00 h"},
	} {
		if got := HumanDuration(c.ns); got != c.want {
			t.Errorf("%d ns: %q, want %q", c.ns, got, c.want)
		}
	}
}

func TestHumanBytes(t *testing.T) {
	for _, c := range []struct {
		n    int64
		want string
	}{
		{0, "0 B"}, {1023, "1023 B"}, {1024, "1.00 KiB"}, {1536, "1.50 KiB"}, {10 << 10, "10.0 KiB"}, {1023 << 10, "1023 KiB"},
		{1<<20 - 1, "1.00 MiB"}, {200 << 20, "200 MiB"}, {5 << 30, "5.00 GiB"}, {3 << 40, "3.00 TiB"}, {math.MaxInt64, "8.00 EiB"},
		{-2048, "-2.00 KiB"}, {math.MinInt64, "-8.00 EiB"},
	} {
		if got := HumanBytes(c.n); got != c.want {
			t.Errorf("%d: %q, want %q", c.n, got, c.want)
		}
	}
}

func TestHumanNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123",
		math.MinInt64: "-9,223,372,036,854,775,808"} {
		if got := HumanCount(n); got != want {
			t.Errorf("count %d: %q, want %q", n, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0.0 %", 0.01: "<0.1 %", 0.05: "0.1 %", 96.14: "96.1 %", 100: "100.0 %", 999.96: "1,000 %", 1234.5: "1,235 %", -3: "-3.0 %"} {
		if got := HumanPercent(v); got != want {
			t.Errorf("percent %v: %q, want %q", v, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0", 0.01234: "0.0123", 1: "1.00", 1.919: "1.92", 12.34: "12.3", 812.6: "813", 999.5: "1,000", 2345678: "2,345,678", -1.5: "-1.50"} {
		if got := HumanNumber(v); got != want {
			t.Errorf("number %v: %q, want %q", v, got, want)
		}
	}
	if HumanPercent(math.NaN()) != "-" || HumanNumber(math.NaN()) != "-" {
		t.Error("NaN is not -")
	}
}

func TestFieldHuman(t *testing.T) {
	r := &Record{Task: 1234, State: job.Error, Error: "bad\n\x1b[1;31mred\x1b[0m \u202e", PID: IntOf(12345), HostJobCreate: SecOf(1500000000),
		WorkerStart: SecOf(1512300000), FuncExec: SecOf(2_000_000), TaskPeakMemory: IntOf(2048), MinorFaults: IntOf(5000),
		TaskCPUPercent: FloatOf(99.5), WorkerColdStart: BoolOf(false), CPUUsage: []float64{0, 25}}
	for key, want := range map[string]string{"task": "1,234", "state": "error", "error": "bad red �", "pid": "12345",
		"host_job_create_tstamp": "1970-01-01 00:00:01.500 UTC", "worker_start_tstamp": "+12.3 ms", "worker_func_exec_time": "2.00 ms",
		"task_peak_memory": "2.00 KiB", "minor_page_faults": "5,000", "task_cpu_percent": "99.5 %", "worker_cold_start": "no",
		"worker_func_cpu_usage": "0.0 %, 25.0 %", "signal": "-", "exit_code": "-", "fetch_time": "-"} {
		f, ok := FieldOf(key)
		if !ok {
			t.Fatalf("no key %s", key)
		}
		if got := f.Human(r); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	for i := range fields {
		if f := &fields[i]; f.Key != "task" && f.Key != "attempt" && f.Key != "state" && f.Human(&Record{}) != "-" {
			t.Errorf("%s of an empty record is %q", f.Key, f.Human(&Record{}))
		}
	}
}

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{"": "", "  a\t\tb\r\n": "a b", "\x1b[2Jx": "x", "\x1b[31": "", "\x1b[31\x1b[0mz": "z",
		"\x1b]0;title\x07": "�]0;title�", "\xff": "�", "größe 10 µs": "größe 10 µs", "\x1b[31é": "é"} {
		if got := OneLine(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
