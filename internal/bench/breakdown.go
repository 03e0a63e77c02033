package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// phases is where a worker's time goes, by its own records.
var phases = []struct {
	name string
	of   func(r *stats.Record) int64
}{
	{"spawn: fork until exec", func(r *stats.Record) int64 { return r.FuncStartup.NS }},
	{"wait: the command runs", func(r *stats.Record) int64 { return r.FuncExec.NS }},
	{"upload: result and log", func(r *stats.Record) int64 { return r.ResultUpload.NS }},
	{"overhead: rest of the task on the worker", func(r *stats.Record) int64 {
		return r.WorkerExec.NS - r.FuncStartup.NS - r.FuncExec.NS - r.ResultUpload.NS
	}},
	{"cpu of the command", func(r *stats.Record) int64 { return r.CPUUser.NS + r.CPUSystem.NS }},
	{"fetch: until the host has it", func(r *stats.Record) int64 { return r.FetchTime.NS }},
}

// What of phases is the worker's own: all that the steps are about.
const upload, overhead, ofCommand = 2, 3, 4

// steps are too short to be seen in a record. Go benchmarks of the code that takes them
// measure each by itself, BenchmarkTask and its name.
var steps = []struct {
	name, doc string
	host      bool
}{
	{"Prepare", "arguments, environment, program", false},
	{"Measure", "all readings for the figures", false},
	{"Reap", "from the command's exit until nothing is left of it", false},
	{"Record", "result, log and line into their segments", false},
	{"Doorbell", "its part of a message to the host", false},
	{"Host", "input, dispatch, reading and noting the record", true},
}

// stepBenchmarks are run in this module, and ought not to be cached.
var stepBenchmarks = []string{"test", "-count", "1", "-run", "^$", "-bench", "^BenchmarkTask",
	"github.com/lithops-go/lithops/internal/worker", "github.com/lithops-go/lithops/internal/executor"}

// newest is the job that was run last.
func (b *bench) newest() (*store.Job, error) {
	s, err := store.Open(filepath.Join(b.dir, "store"))
	if err != nil {
		return nil, err
	}
	id, err := s.Resolve(store.Last)
	if err != nil {
		return nil, err
	}
	return s.Job(id)
}

// breakdown shows where the time of the newest job went, own's last run.
func (b *bench) breakdown(own *contestant) error {
	j, err := b.newest()
	if err != nil {
		return err
	}
	all := make([][]int64, len(phases))
	peaks, sampled, first, last, busy := 0, 0, int64(0), int64(0), int64(0)
	for r, err := range j.Records() {
		if err != nil {
			return err
		}
		for i, p := range phases {
			all[i] = append(all[i], p.of(r))
		}
		if r.TaskPeakMemory.OK {
			peaks++
		}
		if r.RSS.OK {
			sampled++
		}
		if first == 0 || r.WorkerStart.NS < first {
			first = r.WorkerStart.NS
		}
		last, busy = max(last, r.WorkerEnd.NS), busy+r.WorkerExec.NS
	}
	n := time.Duration(len(all[0]))
	means := make([]time.Duration, len(phases))
	rows := [][]string{{"lithops, last round, per task, by the records", "median", "mean"}}
	for i, p := range phases {
		sum := int64(0)
		for _, v := range all[i] {
			sum += v
		}
		means[i] = time.Duration(sum) / n
		mid := median(all[i], func(v int64) int64 { return v })
		rows = append(rows, []string{p.name, tenths(time.Duration(mid)), tenths(means[i])})
	}
	between := time.Duration((last-first)*int64(b.workers)-busy) / n
	rows = append(rows, []string{"between tasks", "", tenths(between)})
	b.table(rows)
	b.printf("records with a sample of memory: %d, with a peak of their own: %d, of %d\n", sampled, peaks, n)

	costs, err := b.stepCosts()
	if err != nil {
		return err
	}
	b.table(stepRows(costs, means[upload]+means[overhead]+between))
	spent := own.costs[len(own.costs)-1]
	b.table(processorRows(spent.cpu/n, spent.alone/n, means[ofCommand]))
	return nil
}

// stepCosts runs the benchmarks, one after the other.
func (b *bench) stepCosts() (map[string]time.Duration, error) {
	times := strconv.Itoa(max(1, b.tasks/2)) + "x"
	out, err := exec.Command("go", append(stepBenchmarks, "-benchtime", times)...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("benchmarks of the steps: %w\n%s", err, out)
	}
	costs := parseSteps(string(out))
	for _, s := range steps {
		if _, ok := costs[s.name]; !ok {
			return nil, fmt.Errorf("no BenchmarkTask%s in\n%s", s.name, out)
		}
	}
	return costs, nil
}

// parseSteps reads what go test says: name, rounds, time, unit.
func parseSteps(text string) map[string]time.Duration {
	costs := map[string]time.Duration{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 4 || f[3] != "ns/op" {
			continue
		}
		name, ok := strings.CutPrefix(f[0], "BenchmarkTask")
		if ns, err := strconv.ParseFloat(f[2], 64); ok && err == nil {
			name, _, _ = strings.Cut(name, "-")
			costs[name] = time.Duration(ns)
		}
	}
	return costs
}

// stepRows compares the steps' sum with what the records tell of them all.
func stepRows(costs map[string]time.Duration, recorded time.Duration) [][]string {
	rows := [][]string{{"steps of a task, by benchmarks of each alone", ""}}
	sum := time.Duration(0)
	for _, s := range steps {
		if s.host {
			rows = append(rows, []string{"sum", tenths(sum)}, []string{"by the records: upload, overhead, between tasks", tenths(recorded)})
		}
		sum += costs[s.name]
		rows = append(rows, []string{strings.ToLower(s.name) + ": " + s.doc, tenths(costs[s.name])})
	}
	return rows
}

// processorRows splits a task's processor time. alone is the host's, 0 when it is not
// known.
func processorRows(all, alone, command time.Duration) [][]string {
	host, workers := tenths(alone), tenths(all-alone-command)
	if alone == 0 {
		host, workers = "-", "-"
	}
	return [][]string{{"processor time per task, start and end of lithops included", ""},
		{"host", host}, {"workers, without the commands", workers}, {"commands, by the records", tenths(command)}}
}
