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
	for _, want := range []string{"C floor", "lithops", "xargs", "make -j2", "parallel", "startup: fork until exec", "Python, pipe", "Python, lithops", "Python, multiprocessing.Pool",
		"Python, ProcessPoolExecutor", "JavaScript, pipe, 16 ahead", "JavaScript, lithops", "Go, pipe", "Go, lithops", "lithops stats", "lithops plot, both", "lithops stats --json", "lithops stats --csv of 1000 records", "lithops list of 20 jobs", "lithops run, one true"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no line about %s", want)
		}
	}
	t.Log("\n" + out.String())
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"-n", "0"}, {"-calls", "0"}, {"-rounds", "-1"}, {"-jobs", "0"}, {"-parts", "tasks,nonsense"}, {"more"}, {"-unknown"}} {
		var out, errs bytes.Buffer
		if err := run(args, &out, &errs); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}

func TestCheckedSum(t *testing.T) {
	b := &bench{options: options{calls: 4}}
	took, err := b.toldSum([]byte(`{"sum": 6, "ns": 12}`))
	if err != nil || took != 12 {
		t.Errorf("took %v, %v", took, err)
	}
	for _, printed := range []string{`{"sum": 5, "ns": 12}`, `{"sum": 7, "ns": 12}`, `{}`, ``} {
		if _, err := b.toldSum([]byte(printed)); err == nil {
			t.Errorf("%q is taken", printed)
		}
	}
}

// A language is compared with its own pipe, and what is not there is named.
func TestCallRows(t *testing.T) {
	took := func(name string, wall, alone time.Duration) *contestant {
		return &contestant{name: name, n: 1000, argv: []string{name}, costs: []cost{{wall: wall, cpu: 2 * wall, inside: alone}}}
	}
	b := &bench{options: options{calls: 1000, workers: 2}}
	rows := callRows([]*callers{
		{took("pipe", 20*time.Millisecond, 10*time.Millisecond), []*contestant{took("ahead", 10*time.Millisecond, 0), took("own", 30*time.Millisecond, 0)}},
		b.overPipes("Other", "callers", needed{missing: "other is not installed"}, "loop"),
	})
	for i, want := range []string{
		"pipe|0.02 s|20.0 µs|50000|40.0 µs|1.00|2.00|10.0 µs",
		"ahead|0.01 s|10.0 µs|100000|20.0 µs|0.50|1.00|0.0 µs",
		"own|0.03 s|30.0 µs|33333|60.0 µs|1.50|3.00|0.0 µs",
		"Other, pipe|skipped: other is not installed",
		"Other, pipe, 16 ahead|skipped: other is not installed",
	} {
		if got := strings.Join(rows[i+1], "|"); got != want {
			t.Errorf("row %d is %q, want %q", i+1, got, want)
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
