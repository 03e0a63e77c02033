package main

import (
	"path/filepath"
	"time"

	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// phases is where a worker's time goes, by its own records.
var phases = []struct {
	name string
	of   func(r *stats.Record) int64
}{
	{"startup: fork until exec", func(r *stats.Record) int64 { return r.FuncStartup.NS }},
	{"exec: the command runs", func(r *stats.Record) int64 { return r.FuncExec.NS }},
	{"upload: result and log", func(r *stats.Record) int64 { return r.ResultUpload.NS }},
	{"overhead: rest of the worker", func(r *stats.Record) int64 {
		return r.WorkerExec.NS - r.FuncStartup.NS - r.FuncExec.NS - r.ResultUpload.NS
	}},
	{"cpu of the command", func(r *stats.Record) int64 { return r.CPUUser.NS + r.CPUSystem.NS }},
	{"fetch: until the host has it", func(r *stats.Record) int64 { return r.FetchTime.NS }},
}

// breakdown shows where the time of the newest job went.
func (b *bench) breakdown() error {
	s, err := store.Open(filepath.Join(b.dir, "store"))
	if err != nil {
		return err
	}
	id, err := s.Resolve(store.Last)
	if err != nil {
		return err
	}
	j, err := s.Job(id)
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
	rows := [][]string{{"lithops, last round, per task", "median", "mean"}}
	for i, p := range phases {
		sum := int64(0)
		for _, v := range all[i] {
			sum += v
		}
		mid := median(all[i], func(v int64) int64 { return v })
		rows = append(rows, []string{p.name, micros(time.Duration(mid)), micros(time.Duration(sum / int64(len(all[i]))))})
	}
	idle := (last-first)*int64(b.workers) - busy
	rows = append(rows, []string{"between tasks", "", micros(time.Duration(idle / int64(len(all[0]))))})
	b.table(rows)
	b.printf("records with a sample of memory: %d, with a peak of their own: %d, of %d\n", sampled, peaks, len(all[0]))
	return nil
}
