//go:build linux

package faults

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// sample is what the processes of a host use at a moment. Of workers it is the most
// that one of them has.
type sample struct {
	at                         time.Duration
	hostRSS, workerRSS         int // KiB
	hostFiles, workerFiles     int
	hostThreads, workerThreads int
}

// figures are what TestSoak looks at.
var figures = []struct {
	name string
	of   func(sample) int
	more float64 // what may be added between the second quarter and the last,
	part float64 // beside this share
}{
	{"host RSS KiB", func(s sample) int { return s.hostRSS }, 4096, 0.2},
	{"worker RSS KiB", func(s sample) int { return s.workerRSS }, 4096, 0.2},
	{"host descriptors", func(s sample) int { return s.hostFiles }, 0, 0},
	{"worker descriptors", func(s sample) int { return s.workerFiles }, 0, 0},
	{"host threads", func(s sample) int { return s.hostThreads }, 8, 0},
	{"worker threads", func(s sample) int { return s.workerThreads }, 8, 0},
}

// TestSoak runs a job of short commands and one of short calls side by side for a long
// time, kills a worker now and then, and looks whether memory or descriptors grow.
func TestSoak(t *testing.T) {
	long := *soakFlag > 0
	lasts, every := *soakFlag, time.Second
	if !long {
		if testing.Short() {
			t.Skip("takes some seconds")
		}
		lasts, every = 3*time.Second, 50*time.Millisecond
	}
	jobs := map[string][]string{"commands": {"--", "echo {#}"}}
	s := newSite(t)
	if path := interpreter("python3"); path != "" {
		s.file(t, "calls.py", "import time\n\ndef f(x):\n    time.sleep(0.002)\n    return x + 1\n")
		jobs["calls"] = []string{"--function", "calls.py:f", "--runtime", path}
	}
	for name, what := range jobs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := []string{"run", "-q", "--workers", "2", "--max-time", lasts.String(), "--range", strconv.Itoa(int(lasts.Seconds()) * 5000), "--retries-lost", "1000000"}
			h := s.start(t, append(args, what...)...)
			kills := 0
			samples := watch(h, every, func(n int, found map[string][]int) {
				if n%20 == 10 && len(found[aWorker]) > 0 && h.kill(found[aWorker][rand.IntN(len(found[aWorker])):][:1]) {
					kills++
				}
			})
			if code := h.wait(t, s); code != 1 {
				t.Fatalf("exit code %d, want 1\n%s", code, h.said())
			}
			holds(t, h.said(), "max_time")
			t.Logf("%s: %d samples, %d workers killed", name, len(samples), kills)
			if len(samples) < 8 {
				t.Fatalf("%d samples only", len(samples))
			}
			growth(t, samples, long)
		})
	}
}

// watch samples a host until it ends, leaving out its first moments.
func watch(h *host, every time.Duration, each func(n int, found map[string][]int)) (all []sample) {
	begun := time.Now()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-h.ended:
			return all
		case <-tick.C:
		}
		found := h.targets(false)
		if len(found[aWorker]) == 0 {
			continue
		}
		s := sample{at: time.Since(begun), hostRSS: status(h.pid(), "VmRSS:"), hostThreads: status(h.pid(), "Threads:"), hostFiles: descriptors(h.pid())}
		for _, pid := range found[aWorker] {
			s.workerRSS = max(s.workerRSS, status(pid, "VmRSS:"))
			s.workerThreads = max(s.workerThreads, status(pid, "Threads:"))
			s.workerFiles = max(s.workerFiles, descriptors(pid))
		}
		if s.hostRSS > 0 && s.workerRSS > 0 { // both lived to be looked at
			all = append(all, s)
		}
		each(n, found)
	}
}

// growth prints how the figures go, and with verdict fails the test where one grows.
func growth(t *testing.T, all []sample, verdict bool) {
	t.Helper()
	quarter := len(all) / 4
	for _, f := range figures {
		first, second, last := median(all[:quarter], f.of), median(all[quarter:2*quarter], f.of), median(all[len(all)-quarter:], f.of)
		t.Logf("%-20s first quarter %7d, second %7d, last %7d, slope %+.1f per minute", f.name, first, second, last, slope(all, f.of))
		if most := float64(second)*(1+f.part) + f.more; verdict && float64(last) > most {
			t.Errorf("%s has grown from %d to %d", f.name, second, last)
		}
	}
}

func median(all []sample, of func(sample) int) int {
	var values []int
	for _, s := range all {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// slope is that of the line of least squares, per minute.
func slope(all []sample, of func(sample) int) float64 {
	var n, x, y, xx, xy float64
	for _, s := range all {
		at, v := s.at.Minutes(), float64(of(s))
		n, x, y, xx, xy = n+1, x+at, y+v, xx+at*at, xy+at*v
	}
	return (n*xy - x*y) / (n*xx - x*x)
}

// status is a number in /proc/PID/status, 0 when the process is gone.
func status(pid int, key string) int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := bytes.Cut(b, []byte("\n"+key))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(string(fields[0]))
	return n
}

func descriptors(pid int) int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(entries)
}
