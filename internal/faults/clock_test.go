//go:build linux

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/stats"
)

// TestClockSteps resumes a job whose earlier run was, by the wall clock, an hour later
// or a year before: no duration suffers, and attempts follow each other.
func TestClockSteps(t *testing.T) {
	for name, step := range map[string]time.Duration{"back": time.Hour, "forward": -365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			out, said, code := s.run(t, "run", "-q", "--workers", "2", "--range", "20", "--", `sleep 0.01; test $LITHOPS_ATTEMPT = 1 && test $(({#}%3)) = 0 && exit 1; echo {#}`)
			if code != 1 {
				t.Fatalf("exit code %d\n%s", code, said)
			}
			id := strings.TrimSpace(out)
			before := s.attempts(t, id)
			dir := filepath.Join(s.store, "jobs", id)
			for _, pattern := range []string{"*.jsonl", "job.json"} {
				paths, _ := filepath.Glob(filepath.Join(dir, pattern))
				for _, path := range paths {
					shiftFile(t, path, step)
				}
			}
			shifted := s.attempts(t, id)
			for i, r := range shifted {
				for _, key := range inOrder {
					now, ok := r.number(key)
					if old, had := before[i].number(key); ok != had || ok && (now-old-step.Seconds() > 1e-3 || now-old-step.Seconds() < -1e-3) {
						t.Fatalf("task %d: %s is %v after the clock was set, %v before", r.int("task"), key, now, old)
					}
				}
			}
			s.must(t, "resume", "-q", id)
			k := kind{result: line(func(n int) int { return n })}
			if _, states := s.checkJob(t, k, 20, id); states["success"] != 20 || states["error"] != 7 {
				t.Errorf("states %v", states)
			}
			var latest float64
			for _, r := range s.attempts(t, id) {
				end, _ := r.number("worker_end_tstamp")
				if r.int("run") == 1 {
					latest = max(latest, end)
				}
			}
			for _, r := range s.attempts(t, id) {
				if submit, _ := r.number("host_submit_tstamp"); r.int("run") == 2 && submit < latest {
					t.Errorf("task %d, attempt %d was submitted %v s before the end of the run before", r.int("task"), r.int("attempt"), latest-submit)
				}
			}
			s.must(t, "stats", id)
			s.must(t, "plot", id, "-o", "plots")
		})
	}
}

var (
	stampInSeconds = regexp.MustCompile(`("\w+_tstamp":)(\d+)(\.\d+)?`)
	stampInNS      = regexp.MustCompile(`("\w+_ns": ?)(\d{19})\b`)
)

// shiftFile adds d to all stamps in a file of a job.
func shiftFile(t *testing.T, path string, d time.Duration) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	for line := range strings.Lines(string(text)) {
		body, _, sealed := strings.Cut(line, `,"crc":"`)
		body = stampInSeconds.ReplaceAllStringFunc(body, func(all string) string {
			m := stampInSeconds.FindStringSubmatch(all)
			n, _ := strconv.ParseInt(m[2], 10, 64)
			return fmt.Sprint(m[1], n+int64(d/time.Second), m[3])
		})
		body = stampInNS.ReplaceAllStringFunc(body, func(all string) string {
			m := stampInNS.FindStringSubmatch(all)
			n, _ := strconv.ParseInt(m[2], 10, 64)
			return fmt.Sprint(m[1], n+int64(d))
		})
		begin := len(b)
		b = append(b, body...)
		if sealed {
			b = stats.Seal(b, begin)
		}
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
