package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
)

// recordsPart makes tables, pictures and exports of a job with very many records, and lists
// a store of many jobs. What is read is in the page cache.
func recordsPart(b *bench) error {
	// In a process of its own: a large one would hide the peaks of its children.
	generate, err := b.build("genstore", "github.com/lithops-go/lithops/internal/store/storetest/genstore")
	if err != nil {
		return err
	}
	generated := func(store, what string, args ...string) *contestant {
		return &contestant{name: "generate " + what, argv: append([]string{generate, "-store", filepath.Join(b.dir, store), "-kind", "fast", "-failed", "1%"}, args...)}
	}
	made := []*contestant{
		generated("large", counted(b.records, "record"), "-tasks", strconv.Itoa(b.records)),
		generated("smaller", counted(tenth(b.records), "record"), "-tasks", strconv.Itoa(tenth(b.records))),
		generated("many", counted(b.jobs, "job"), "-jobs", strconv.Itoa(b.jobs), "-tasks", "10"),
	}
	if err := b.contest(1, made); err != nil {
		return err
	}
	read := func(store, name string, args ...string) *contestant {
		return &contestant{name: "lithops " + name, argv: append([]string{b.lithops, "--store", filepath.Join(b.dir, store)}, args...)}
	}
	plots := filepath.Join(b.dir, "plots")
	large := []*contestant{
		read("large", "stats", "stats", "last"),
		read("large", "plot, timeline", "plot", "last", "--kind", "timeline", "-o", plots),
		read("large", "plot, histogram", "plot", "last", "--kind", "histogram", "-o", plots),
		read("large", "plot, both", "plot", "last", "--kind", "timeline,histogram", "-o", plots),
		read("large", "stats --task", "stats", "last", "--task", strconv.Itoa(b.records/2)),
	}
	for _, format := range []string{"--json", "--csv"} {
		out := filepath.Join(b.dir, "exported")
		large = append(large, read("large", "stats "+format, "stats", "last", format, "-o", out))
		large = append(large, read("smaller", "stats "+format+" of "+counted(tenth(b.records), "record"), "stats", "last", format, "-o", out))
	}
	list := read("many", "list of "+counted(b.jobs, "job"), "list")
	all := slices.Concat(large, []*contestant{list})
	if err := b.contest(min(b.rounds, 3), all); err != nil {
		return err
	}
	b.printf("%s\n", counted(b.records, "record"))
	rows := [][]string{{"", "wall", "cpu", "peak memory"}}
	for _, c := range slices.Concat(all, made) {
		took := secs
		if c == list {
			took = millis
		}
		peak := median(c.costs, func(c cost) int64 { return c.peak })
		rows = append(rows, []string{c.name, took(median(c.costs, wall)), took(median(c.costs, cpu)), mib(peak)})
	}
	b.table(rows)
	return nil
}

func tenth(n int) int { return max(1, n/10) }

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
