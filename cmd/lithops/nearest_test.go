package main

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"run", "stats", "plot", "list", "config", "schema", "version", "plot.dir", "workers"}
	for given, want := range map[string]string{
		"stat": "stats", "sttas": "stats", "plto": "plot", "worker": "workers", "wrokers": "workers",
		"conf": "config", "ver": "version", "plot.dri": "plot.dir", "STATS": "stats", "banana": "", "x": "", "": "",
	} {
		if got := nearest(given, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", given, got, want)
		}
	}
}
