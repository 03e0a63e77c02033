package main

import (
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
