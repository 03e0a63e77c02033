//go:build linux

package calibrate

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// ending checks how a task ended and which of the worker's keys are null.
func ending(t *testing.T, r *stats.Record, state job.State, exit stats.Int, signal string, null ...string) {
	t.Helper()
	outcome(t, r, state, exit, signal)
	for _, f := range stats.Fields() {
		isNull := string(f.AppendValue(nil, r)) == "null"
		want := slices.Contains(null, f.Key)
		switch {
		case slices.Contains(mayBeNull, f.Key):
		case want && !isNull:
			t.Errorf("%s is %s, want null", f.Key, f.AppendValue(nil, r))
		case !want && isNull:
			t.Errorf("%s is null", f.Key)
		}
	}
}

func outcome(t *testing.T, r *stats.Record, state job.State, exit stats.Int, signal string) {
	t.Helper()
	equal(t, "state", state.String(), r.State.String())
	equal(t, "exit_code", value(exit), value(r.ExitCode))
	equal(t, "signal", signal, r.Signal)
	if (r.ErrorType == "" || r.Error == "") != (state == job.Success) {
		t.Errorf("error is %q: %q", r.ErrorType, r.Error)
	}
}

var (
	// mayBeNull are keys that hang on how long the task ran, how large it was, or
	// on what the user asked for.
	mayBeNull = []string{"exit_code", "signal", "error", "error_type", "worker_func_cpu_usage", "worker_func_rss", "worker_func_uss", "worker_func_vms",
		"worker_func_sent_net_io", "worker_func_recv_net_io", "worker_func_sent_loopback_io", "worker_func_recv_loopback_io",
		"task_peak_memory", "host_result_done_tstamp", "host_result_query_count"}
	// ofProcess are keys that only a process can have.
	ofProcess = []string{"pid", "worker_peak_memory_start", "worker_peak_memory_end", "worker_func_startup_time", "worker_func_start_tstamp", "worker_func_end_tstamp",
		"worker_func_exec_time", "worker_func_cpu_user_time", "worker_func_cpu_system_time", "task_cpu_percent", "minor_page_faults", "major_page_faults",
		"voluntary_context_switches", "involuntary_context_switches", "block_read_bytes", "block_write_bytes"}
	// ofWorker are further keys that only a worker that lives to tell can have.
	ofWorker = []string{"worker_hostname", "queue_time", "worker_start_tstamp", "worker_cold_start", "func_result_size",
		"result_offset", "result_crc32c", "log_offset", "log_size", "worker_result_upload_time", "worker_end_tstamp", "worker_exec_time", "fetch_time"}
)

func TestExitCode(t *testing.T) {
	r := measure(t, nil, "exit 3").one()
	ending(t, r, job.Error, stats.IntOf(3), "")
}

func TestSignals(t *testing.T) {
	for _, name := range []string{"SEGV", "KILL", "ABRT"} {
		r := measure(t, nil, "die "+name).one()
		ending(t, r, job.Error, stats.Int{}, "SIG"+name)
	}
}

// A task that is ended after its time limit has used what it has used.
func TestTimeout(t *testing.T) {
	r := measure(t, keys{"timeout": "400ms"}, "burn 60s user").one()
	ending(t, r, job.Timeout, stats.Int{}, "SIGTERM")
	atLeast(t, "worker_func_exec_time", seconds, 0.4e9, sum(r.FuncStartup, r.FuncExec))
	atLeast(t, "worker_func_cpu_user_time", seconds, 1, ofSec(r.CPUUser))
}

func TestCancelled(t *testing.T) {
	here := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if found, _ := os.ReadDir(here); len(found) > 0 {
				break
			}
		}
		cancel()
	}()
	r := measureUntil(t, ctx, nil, "meet "+here+" 1; sleep 60s").one()
	ending(t, r, job.Cancelled, stats.Int{}, "SIGTERM")
}

func TestNotStartable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "no program")
	if err := os.WriteFile(file, []byte("\x7fELF nothing"), 0o700); err != nil {
		t.Fatal(err)
	}
	m := measure(t, keys{"command": []string{"{}"}}, filepath.Join(dir, "missing"), dir)
	for _, r := range m.records {
		ending(t, r, job.Error, stats.Int{}, "", ofProcess...)
		equal(t, "error_type", "start", r.ErrorType)
	}
}

// The attempt of a worker that was killed knows only what the host knows; the
// next one is complete.
func TestKilledWorker(t *testing.T) {
	m := measure(t, nil, "murder "+filepath.Join(t.TempDir(), "done"))
	if len(m.records) != 2 {
		t.Fatalf("%d attempts, want 2", len(m.records))
	}
	ending(t, m.records[0], job.Lost, stats.Int{}, "", append(slices.Concat(ofProcess, ofWorker), "host_status_query_count")...)
	ending(t, m.records[1], job.Success, stats.IntOf(0), "")
}
