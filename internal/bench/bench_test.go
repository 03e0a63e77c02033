package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// All parts must go on to work; what they measure here means nothing.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	var out, errs bytes.Buffer
	if err := run([]string{"-smoke"}, &out, &errs); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	for _, want := range []string{"C floor", "lithops", "xargs", "make -j2", "parallel", "startup: fork until exec", "lithops stats", "lithops plot, both", "lithops run, one true"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no line about %s", want)
		}
	}
	t.Log("\n" + out.String())
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"-n", "0"}, {"-rounds", "-1"}, {"-parts", "tasks,nonsense"}, {"more"}, {"-unknown"}} {
		var out, errs bytes.Buffer
		if err := run(args, &out, &errs); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}

func TestMedianAndRatio(t *testing.T) {
	a := &contestant{n: 10, costs: []cost{{wall: 30 * time.Second}, {wall: 10 * time.Second}, {wall: 20 * time.Second}}}
	b := &contestant{n: 5, costs: []cost{{wall: 10 * time.Second}, {wall: 10 * time.Second}, {wall: 5 * time.Second}}}
	if got := a.each(wall); got != 2*time.Second {
		t.Errorf("each is %v", got)
	}
	// Of the rounds' ratios 1.5, 0.5 and 2, not of the medians.
	if got := a.ratio(b); got != 1.5 {
		t.Errorf("ratio is %v", got)
	}
	if got := a.ratio(&contestant{}); got != 0 {
		t.Errorf("ratio to nothing is %v", got)
	}
	if got := median([]int64{4, 1, 3, 2}, func(v int64) int64 { return v }); got != 2 {
		t.Errorf("median is %v", got)
	}
}
