package lithops_test

import (
	"encoding/json"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/stats"
)

// shortCallsLack are the seed's keys that a call of microseconds is without: those of
// the whole machine, and on other systems than Linux the memory.
var shortCallsLack = []string{"worker_func_cpu_usage", "worker_func_sent_net_io", "worker_func_recv_net_io"}

func init() {
	if runtime.GOOS != "linux" {
		shortCallsLack = append(shortCallsLack, "worker_func_rss", "worker_func_uss", "worker_func_vms", "worker_peak_memory_start", "worker_peak_memory_end")
	}
}

// TestStatsOfTheSeed checks the statistics of the second example of Lithops' page,
// right after the result, as there.
func TestStatsOfTheSeed(t *testing.T) {
	exec, ctx := setup(t)
	fut := must[*lithops.Future[int]](t)(lithops.CallAsync(ctx, exec, double, 3))
	<-fut.Done()
	unread := must[*lithops.Stats](t)(fut.Stats())
	if unread.Get("host_result_done_tstamp") != nil || unread.Get("host_result_query_count") != nil {
		t.Error("the result was not read yet, and there is a time of it")
	}
	must[int](t)(fut.Result(ctx))
	s := must[*lithops.Stats](t)(fut.Stats())
	for _, f := range stats.Fields() {
		if f.Seed && s.Get(f.Key) == nil && !slices.Contains(shortCallsLack, f.Key) {
			t.Errorf("%s is nil", f.Key)
		}
	}
	created, ok := s.Time("host_job_create_tstamp")
	read, ok2 := s.Time("host_result_done_tstamp")
	ended, ok3 := s.Time("worker_func_end_tstamp")
	if !ok || !ok2 || !ok3 || !created.Before(ended) || !ended.Before(read) || time.Since(created).Abs() > patience {
		t.Errorf("created %v, ended %v, read %v", created, ended, read)
	}
	must[int](t)(fut.Result(ctx))
	if n, ok := must[*lithops.Stats](t)(fut.Stats()).Int("host_result_query_count"); n != 2 || !ok {
		t.Errorf("the result was read twice, the count is %d", n)
	}
}

func TestStatsHaveTypes(t *testing.T) {
	exec, ctx := setup(t, lithops.WithWorkers(1))
	fs := must[*lithops.FutureList[int]](t)(lithops.Map(ctx, exec, fails, []string{"four", "plain"}))
	fs.Wait(ctx, lithops.AllCompleted)
	s := must[*lithops.Stats](t)(fs.At(0).Stats())
	for key, want := range map[string]any{"task": int64(0), "state": "success", "worker_cold_start": true, "func_data_size_bytes": int64(6),
		"worker_func_exec_time": 0.0, "error": nil, "exit_code": nil, "host_job_create_tstamp": 0.0, "no such key": nil, "job_id": fs.JobID()} {
		got := s.Get(key)
		if reflect.TypeOf(got) != reflect.TypeOf(want) {
			t.Errorf("%s is a %T, want %T", key, got, want)
		}
		if _, isFloat := want.(float64); !isFloat && got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	d, ok := s.Duration("worker_func_exec_time")
	if seconds := s.Get("worker_func_exec_time").(float64); !ok || d <= 0 || (d.Seconds()-seconds) > 1e-9 || d.Seconds()-seconds < -1e-9 {
		t.Errorf("%v and %v", d, seconds)
	}
	for _, key := range []string{"state", "error", "task", "host_submit_tstamp", "no such key"} {
		if d, ok := s.Duration(key); ok || d != 0 {
			t.Errorf("%s is the duration %v", key, d)
		}
		if _, ok := s.Time(key); ok != (key == "host_submit_tstamp") {
			t.Errorf("%s as a time: %v", key, ok)
		}
		if _, ok := s.Int(key); ok != (key == "task") {
			t.Errorf("%s as a number: %v", key, ok)
		}
	}

	failed := must[*lithops.Stats](t)(fs.At(1).Stats())
	if got := failed.Get("error"); got != "this went wrong" {
		t.Errorf("error %v", got)
	}
	m, keys := s.Map(), s.Keys()
	if len(keys) != len(stats.Fields()) || len(m) != len(keys) || keys[0] != "task" {
		t.Errorf("%d keys, %d in the map, the first is %s", len(keys), len(m), keys[0])
	}
	for _, key := range keys {
		if v, ok := m[key]; !ok || !reflect.DeepEqual(v, s.Get(key)) {
			t.Errorf("%s is %v in the map, %v by itself", key, v, s.Get(key))
		}
	}
	var back map[string]any
	b := must[[]byte](t)(json.Marshal(s))
	if err := json.Unmarshal(b, &back); err != nil || len(back) != len(keys) || back["state"] != "success" {
		t.Errorf("%s: %v", b, err)
	}
	if got := s.String(); !strings.HasPrefix(got, "{'attempt': 1,\n 'block_read_bytes': ") || !strings.Contains(got, " 'worker_cold_start': True,\n") {
		t.Errorf("got %s", got)
	}
}

func TestStatsOfManyTasks(t *testing.T) {
	exec, ctx := setup(t)
	fs := must[*lithops.FutureList[int]](t)(lithops.Map(ctx, exec, double, make([]int, 1000)))
	must[[]int](t)(fs.Results(ctx))
	all := must[[]*lithops.Stats](t)(fs.Stats())
	if len(all) != 1000 {
		t.Fatalf("statistics of %d tasks", len(all))
	}
	for i, s := range all {
		own := must[*lithops.Stats](t)(fs.At(i).Stats())
		if !reflect.DeepEqual(s, own) {
			t.Fatalf("task %d: %v\nand by itself %v", i, s, own)
		}
		if n, ok := s.Int("task"); !ok || n != int64(i) || s.Get("host_status_done_tstamp") == nil || s.Get("host_result_done_tstamp") == nil {
			t.Fatalf("task %d: %v", i, s)
		}
	}
}

func TestStatsBeforeTheEnd(t *testing.T) {
	exec, ctx := setup(t, lithops.WithWorkers(1))
	all := gates(t, 2)
	fs := must[*lithops.FutureList[string]](t)(lithops.Map(ctx, exec, hold, all))
	all[0].began(t, ctx)
	if got := must[[]*lithops.Stats](t)(fs.Stats()); len(got) != 2 || got[1].Get("state") != "new" || got[1].Get("worker") != nil {
		t.Errorf("%v", got)
	}
	if got := fs.At(1).State(); got != lithops.StateNew {
		t.Errorf("state %v", got)
	}
	all[0].open(t)
	all[1].open(t)
	must[[]string](t)(fs.Results(ctx))
	for i := range fs.Len() {
		if got := must[*lithops.Stats](t)(fs.At(i).Stats()).Get("state"); got != "success" {
			t.Errorf("state %v at the end", got)
		}
	}
}
