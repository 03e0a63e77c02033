package main

import (
	"path/filepath"
	"strconv"
)

// recordsPart makes tables and pictures of a job with very many records.
func recordsPart(b *bench) error {
	// In a process of its own: a large one would hide the peaks of its children.
	generate, err := b.build("genstore", "github.com/lithops-go/lithops/internal/store/storetest/genstore")
	if err != nil {
		return err
	}
	dir := filepath.Join(b.dir, "large")
	made := &contestant{name: "generate the job", argv: []string{generate, "-store", dir, "-tasks", strconv.Itoa(b.records), "-kind", "fast", "-failed", "1%"}}
	if err := made.run(b); err != nil {
		return err
	}
	read := func(name string, args ...string) *contestant {
		return &contestant{name: name, argv: append([]string{b.lithops, "--store", dir}, args...)}
	}
	plots := filepath.Join(b.dir, "plots")
	all := []*contestant{
		read("lithops stats", "stats", "last"),
		read("lithops plot, timeline", "plot", "last", "--kind", "timeline", "-o", plots),
		read("lithops plot, histogram", "plot", "last", "--kind", "histogram", "-o", plots),
		read("lithops plot, both", "plot", "last", "--kind", "timeline,histogram", "-o", plots),
		read("lithops stats --task", "stats", "last", "--task", strconv.Itoa(b.records/2)),
		read("lithops list", "list"),
	}
	if err := b.contest(min(b.rounds, 3), all); err != nil {
		return err
	}
	b.printf("%d records\n", b.records)
	rows := [][]string{{"", "wall", "cpu", "peak memory"}}
	for _, c := range append(all, made) {
		peak := median(c.costs, func(c cost) int64 { return c.peak })
		rows = append(rows, []string{c.name, secs(median(c.costs, wall)), secs(median(c.costs, cpu)), mib(peak)})
	}
	b.table(rows)
	return nil
}
