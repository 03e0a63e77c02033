package main

import "testing"

func TestTellingLine(t *testing.T) {
	for log, want := range map[string]string{
		"": "", "\n\n": "", "only line": "only line", "first\nlast\n": "last",
		"sleep: invalid time interval 'x'\nTry 'sleep --help' for more information.\n":                 "sleep: invalid time interval 'x'",
		"Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: no number\n":         "ValueError: no number",
		"error: first\nmore\n  error: second  \nadvice\n":                                              "error: second",
		"panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:3\n": "panic: runtime error: index out of range",
	} {
		if got := tellingLine(log); got != want {
			t.Errorf("tellingLine(%q) = %q, want %q", log, got, want)
		}
	}
}
