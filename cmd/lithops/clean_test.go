package main

import (
	"testing"
	"time"
)

func TestAge(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0s": 0, "0d": 0, "7d": 7 * day, "12h": 12 * time.Hour, "1d12h": 36 * time.Hour, "1d90m30s": day + 90*time.Minute + 30*time.Second,
	} {
		var g age
		if err := g.Set(text); err != nil || g.time != want || !g.given {
			t.Errorf("%s: %v, %v", text, g.time, err)
		}
	}
	for _, text := range []string{"", "7", "d", "-1d", "1.5d", "-3h", "1d-1h", "1d1d", "1d ", "a week", "99999999d"} {
		var g age
		if err := g.Set(text); err == nil {
			t.Errorf("%q is taken for %v", text, g.time)
		}
	}
}
