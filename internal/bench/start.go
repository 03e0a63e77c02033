package main

import "fmt"

// startPart measures what lithops costs where there is next to nothing to do.
func startPart(b *bench) error {
	spec, err := b.file("one.yaml", fmt.Sprintf("command: [%q]\ndata: {range: 1}\n", b.target))
	if err != nil {
		return err
	}
	alone := &contestant{name: "true", argv: []string{b.target}}
	all := []*contestant{
		alone,
		{name: "lithops --help", argv: []string{b.lithops, "--help"}},
		{name: "lithops run, one true", argv: []string{b.lithops, "run", "--quiet", spec}},
	}
	const more = 10 // these are short
	if err := b.contest(more*b.rounds, all); err != nil {
		return err
	}
	rows := [][]string{{"", "wall", "cpu", "peak memory (at least that of this program)"}}
	for _, c := range all {
		peak := median(c.costs, func(c cost) int64 { return c.peak })
		rows = append(rows, []string{c.name, millis(median(c.costs, wall)), millis(median(c.costs, cpu)), mib(peak)})
	}
	b.table(rows)
	return nil
}
