package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/executor"
)

func TestDescribe(t *testing.T) {
	tests := map[string]struct {
		p    executor.Progress
		want string
	}{
		"nothing done":   {executor.Progress{Tasks: 500, Running: 8, Elapsed: time.Second}, "0/500  8 running"},
		"half done":      {executor.Progress{Tasks: 1000, Success: 498, Failed: 2, Running: 8, Elapsed: 50 * time.Second}, "500/1,000  2 failed  8 running  10.0/s  50.0 s left"},
		"slow":           {executor.Progress{Tasks: 3, Success: 1, Running: 2, Elapsed: 10 * time.Second}, "1/3  2 running  6.00/min  20.0 s left"},
		"very slow":      {executor.Progress{Tasks: 3, Success: 1, Elapsed: 2 * time.Hour}, "1/3  0.5/h  4 h 00 min left"},
		"being stopped":  {executor.Progress{Tasks: 10, Success: 1, Running: 2, Ending: true, Elapsed: time.Second}, "1/10  2 running  stopping"},
		"hopelessly far": {executor.Progress{Tasks: 1e9, Success: 1, Elapsed: time.Hour}, "1/1,000,000,000  1.00/h"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var p pace
			p.add(tt.p)
			if got := describe(tt.p, &p); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A job whose tasks become ten times slower in the middle: the rate must follow.
func TestPaceFollows(t *testing.T) {
	var p pace
	done := 0
	for s := range 400 {
		if s < 100 {
			done += 100
		} else {
			done += 10
		}
		p.add(executor.Progress{Success: done, Elapsed: time.Duration(s+1) * time.Second})
	}
	if r := p.rate(); r < 9.9 || r > 10.1 {
		t.Errorf("rate %v after the change, want 10", r)
	}
}

func TestPlainPrintsEveryFewSeconds(t *testing.T) {
	var out strings.Builder
	l := newProgress(&out, progressAuto) // no terminal
	for ms := 0; ms <= 12_000; ms += 250 {
		l.update(executor.Progress{Tasks: 100, Success: ms / 250, Elapsed: time.Duration(ms) * time.Millisecond})
	}
	l.update(executor.Progress{Tasks: 100, Success: 100, Elapsed: time.Minute})
	l.done()
	want := " 20%  20/100  4.00/s  20.0 s left\n 40%  40/100  4.00/s  15.0 s left\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// A job with a reduce: its tasks are added when those of the map have ended, and
// what is shown from then on is about them.
func TestProgressOfReduce(t *testing.T) {
	var shown stage
	for _, tt := range []struct {
		p    executor.Progress
		want string
	}{
		{executor.Progress{Tasks: 500, Success: 250, Running: 8, Elapsed: 10 * time.Second}, "250/500  8 running  25.0/s  10.0 s left"},
		{executor.Progress{Tasks: 500, Success: 499, Failed: 1, Elapsed: 20 * time.Second}, "500/500  1 failed  25.0/s  0 s left"},
		{executor.Progress{Tasks: 504, Success: 499, Failed: 1, Running: 2, Elapsed: 21 * time.Second}, "reduce 0/4  2 running"},
		{executor.Progress{Tasks: 504, Success: 499, Failed: 1, Running: 2, Elapsed: 23 * time.Second}, "reduce 0/4  2 running"},
		{executor.Progress{Tasks: 504, Success: 500, Failed: 2, Running: 2, Elapsed: 25 * time.Second}, "reduce 2/4  1 failed  2 running  1.00/s  2.00 s left"},
	} {
		p, _ := shown.add(tt.p)
		if got := shown.describe(p); got != tt.want {
			t.Errorf("after %v: %q, want %q", tt.p.Elapsed, got, tt.want)
		}
	}
}

// A job that is resumed: what has ended before, or is not to be run, is not counted.
func TestProgressOfResume(t *testing.T) {
	type step struct {
		p    executor.Progress
		want string
	}
	for name, steps := range map[string][]step{
		"all that is missing": {
			{executor.Progress{Tasks: 500, Before: 463, Success: 463, Running: 2, Elapsed: time.Millisecond}, "0/37  2 running"},
			{executor.Progress{Tasks: 500, Before: 463, Success: 473, Failed: 1, Elapsed: 11 * time.Second}, "11/37  1 failed  1.00/s  26.0 s left"},
			{executor.Progress{Tasks: 502, Before: 463, Success: 499, Failed: 1, Elapsed: 40 * time.Second}, "reduce 0/2"},
		},
		"some of it": {
			{executor.Progress{Tasks: 500, Before: 499, Success: 100, Running: 1, Elapsed: time.Millisecond}, "0/1  1 running"},
			{executor.Progress{Tasks: 500, Before: 499, Success: 101, Elapsed: time.Second}, "1/1  1.00/s  0 s left"},
		},
	} {
		var shown stage
		for _, s := range steps {
			p, _ := shown.add(s.p)
			if got := shown.describe(p); got != s.want {
				t.Errorf("%s: after %v: %q, want %q", name, s.p.Elapsed, got, s.want)
			}
		}
	}
}

// Whoever presses Ctrl-C sees ^C where the cursor is. Neither that nor the bar is
// to stay.
func TestBarAfterInterrupt(t *testing.T) {
	var out strings.Builder
	b := newProgress(&out, progressBar)
	b.update(executor.Progress{Tasks: 500, Success: 250, Running: 2, Elapsed: time.Second})
	out.WriteString("^C")
	if s := screen(out.String(), 80); len(s) != 1 || !strings.Contains(s[0], "250/500") {
		t.Errorf("the bar is on %d lines: %q", len(s), s)
	}
	b.note("stopping")
	b.update(executor.Progress{Tasks: 500, Success: 251, Running: 1, Ending: true, Elapsed: time.Second})
	out.WriteString("^C")
	b.done()
	if s := screen(out.String(), 80); !slices.Equal(s, []string{"stopping"}) {
		t.Errorf("what stays is %q", s)
	}
}

// screen is what a terminal so many columns wide shows of text: lines without the
// blanks at their ends; an empty last one is left out.
func screen(text string, columns int) []string {
	lines, x := [][]rune{nil}, 0
	text = strings.ReplaceAll(text, "\x1b[2K", "\x00")
	for _, r := range text {
		line := &lines[len(lines)-1]
		switch r {
		case 0:
			*line = nil
		case '\r':
			x = 0
		case '\n':
			lines, x = append(lines, nil), 0
		default:
			if x == columns {
				lines, x = append(lines, nil), 0
				line = &lines[len(lines)-1]
			}
			for len(*line) <= x {
				*line = append(*line, ' ')
			}
			(*line)[x] = r
			x++
		}
	}
	var shown []string
	for _, line := range lines {
		shown = append(shown, strings.TrimRight(string(line), " "))
	}
	if last := len(shown) - 1; shown[last] == "" {
		shown = shown[:last]
	}
	return shown
}

// On a terminal the reduce gets a bar of its own.
func TestBarOfReduce(t *testing.T) {
	var out strings.Builder
	b := newProgress(&out, progressBar).(*bar)
	b.update(executor.Progress{Tasks: 500, Success: 500, Elapsed: 2 * time.Second})
	if b.bar.GetMax() != 500 {
		t.Errorf("a bar for %d tasks", b.bar.GetMax())
	}
	b.update(executor.Progress{Tasks: 510, Success: 501, Elapsed: 3 * time.Second})
	if b.bar.GetMax() != 10 || !strings.Contains(out.String(), "reduce 1/10") {
		t.Errorf("a bar for %d tasks: %q", b.bar.GetMax(), out.String())
	}
	b.done()
}
