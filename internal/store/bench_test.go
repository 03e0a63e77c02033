package store_test

import (
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/store/storetest"
)

// BenchmarkRead reads a job of 100,000 tasks, or of as many as the environment
// variable STORE_BENCH_TASKS says, in all ways.
func BenchmarkRead(b *testing.B) {
	tasks := 100_000
	if s := os.Getenv("STORE_BENCH_TASKS"); s != "" {
		var err error
		if tasks, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	s := openIn("")(b)
	id, err := storetest.Synthesize(s, storetest.Synthetic{Tasks: tasks, Workers: 8, Failed: 0.01, Median: time.Millisecond, Spread: 0.3})
	if err != nil {
		b.Fatal(err)
	}
	j, err := s.Job(id)
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	count := func(*stats.Record) error { n++; return nil }
	for _, c := range []struct {
		name string
		read func() (*store.Report, error)
	}{
		{"Scan/summary", func() (*store.Report, error) { return j.Scan(stats.SummaryKeys(), count) }},
		{"Scan/all", func() (*store.Report, error) { return j.Scan(stats.AllKeys(), count) }},
		{"Ordered", func() (*store.Report, error) { return j.Ordered(stats.AllKeys(), count) }},
		{"Columns", func() (*store.Report, error) { c, rep, err := j.Columns(); n += c.Len(); return rep, err }},
		{"Results", func() (*store.Report, error) {
			return j.Results(0, tasks, func(_ *stats.Record, result io.Reader) error {
				n++
				if result == nil {
					return nil
				}
				_, err := io.Copy(io.Discard, result)
				return err
			})
		}},
		{"Standings", func() (*store.Report, error) { st, rep, err := j.Standings(); n += len(st.Tasks); return rep, err }},
		{"Task", func() (*store.Report, error) { _, rep, err := j.Task(tasks / 2); n += tasks; return rep, err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				runtime.GC()
				n = 0
				rep, err := c.read()
				if err != nil || rep.Total > 0 || n != tasks {
					b.Fatal(err, rep, n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(tasks), "ns/task")
		})
	}
}

// BenchmarkList lists a store of 1,000 jobs.
func BenchmarkList(b *testing.B) {
	s := openIn("")(b)
	for i := range 1000 {
		o := storetest.Synthetic{Tasks: 10, Created: time.Date(2025, 1, 1, 0, i, 0, 0, time.UTC)}
		if _, err := storetest.Synthesize(s, o); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if all, err := s.List(); err != nil || len(all) != 1000 || all[0].Err != nil {
			b.Fatal(err, len(all))
		}
	}
}
