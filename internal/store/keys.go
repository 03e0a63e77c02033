package store

import "github.com/lithops-go/lithops/internal/stats"

// readKeys is what has to be read for a record to have keys: those themselves,
// what derived ones follow from, and what records are merged and checked by.
func readKeys(keys stats.KeySet) stats.KeySet {
	all := keys.Union(stats.NewKeySet("task", "attempt", "state", "worker",
		"func_result_size", "result_offset", "log_offset", "log_size"))
	for key, from := range map[string][]string{
		"queue_time":            {"worker_start_tstamp"},
		"fetch_time":            {"worker_end_tstamp"},
		"worker_exec_time":      {"worker_start_tstamp", "worker_end_tstamp"},
		"worker_func_exec_time": {"worker_func_start_tstamp", "worker_func_end_tstamp"},
		"task_cpu_percent": {"exit_code", "signal", "worker_func_startup_time", "worker_func_start_tstamp", "worker_func_end_tstamp",
			"worker_func_cpu_user_time", "worker_func_cpu_system_time"},
	} {
		if keys.Has(key) {
			all = all.Union(stats.NewKeySet(from...))
		}
	}
	return all
}
