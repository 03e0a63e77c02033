package stats

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lithops-go/lithops/internal/job"
)

func table(t *testing.T, s *Summary, width int) string {
	t.Helper()
	var b strings.Builder
	if err := s.WriteTable(&b, width); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// unstarted are records of commands that could not be started.
func unstarted() []*Record {
	var list []*Record
	for i := range 3 {
		list = append(list, &Record{Task: i, Attempt: 1, State: job.Error, ErrorType: "start", Error: "exec: no such file", HostSubmit: at(0),
			WorkerStart: at(i), WorkerEnd: at(i + 1), WorkerExec: ms(1), StatusDone: at(i + 2)})
	}
	return list
}

func TestTable(t *testing.T) {
	info, records := mixed()
	for _, c := range []struct {
		name    string
		summary *Summary
		width   int
		want    string
	}{
		{"mixed", summarize(info, 4, records), 0, `
job          4kx3m9d2q1w-0-M000   mixed   done
machine      alpha   2 cores
wall time    445 ms   created 2001-09-09 01:46:40 UTC
tasks        4   success 2   timeout 1   lost 1
attempts     5   tasks retried 1   after error 1   time lost by them 48.0 ms   cold starts 2
speed        6.74 tasks/s   speed-up 1.44   cores used 0.863
workers      2   utilisation 77.9 %   running 71.9 %   idle 23.8 %   overhead 2.2 %   uploading 1.1 %   starting 0.9 %

per task         min   median     mean      p95      p99      max    total   share  measured
waiting      8.00 ms  10.0 ms  49.3 ms   130 ms   130 ms   130 ms   160 ms            3 of 4
starting     2.00 ms  2.00 ms  2.00 ms  2.00 ms  2.00 ms  2.00 ms  8.00 ms   0.9 %    3 of 4
running       100 ms   200 ms   200 ms   300 ms   300 ms   300 ms   640 ms  71.9 %    3 of 4
uploading    3.00 ms  3.00 ms  3.00 ms  3.00 ms  3.00 ms  3.00 ms  10.0 ms   1.1 %    3 of 4
overhead     5.00 ms  5.00 ms  5.00 ms  5.00 ms  5.00 ms  5.00 ms  20.0 ms   2.2 %    3 of 4
fetching     1.00 ms  1.00 ms  2.33 ms  5.00 ms  5.00 ms  5.00 ms  9.00 ms            3 of 4
cpu user     50.0 ms   100 ms   100 ms   150 ms   150 ms   150 ms   320 ms            3 of 4
cpu system   10.0 ms  20.0 ms  20.0 ms  30.0 ms  30.0 ms  30.0 ms  64.0 ms            3 of 4
peak memory  100 KiB  100 KiB  150 KiB  200 KiB  200 KiB  200 KiB                     2 of 4
rss                -        -        -        -        -        -                     0 of 4

data         inputs -   results 28 B (4 of 5 measured)   logs -
disk         read -   written -
page faults  minor -   major -
switches     voluntary -   involuntary -
network      sent at least 400 B   received at least 2 B   (whole machine)

slowest task  attempt  state    worker  running      cpu  peak memory
           2        1  timeout       0   300 ms   180 ms            -
           1        2  success       1   200 ms   120 ms      200 KiB
           0        1  success       0   100 ms  60.0 ms      100 KiB

failed tasks  state    cause    example
           1  timeout  timeout  task 2, attempt 1
           1  lost     -        task 3, attempt 1
task 2: ended after 300 ms
task 2 log: log of 2/1
task 3: the worker died
task 3 log: log of 3/1
`},
		{"mixed, narrow", summarize(info, 4, records), 72, `
job          4kx3m9d2q1w-0-M000   mixed   done
machine      alpha   2 cores
wall time    445 ms   created 2001-09-09 01:46:40 UTC
tasks        4   success 2   timeout 1   lost 1
attempts     5   tasks retried 1   after error 1
             time lost by them 48.0 ms   cold starts 2
speed        6.74 tasks/s   speed-up 1.44   cores used 0.863
workers      2   utilisation 77.9 %   running 71.9 %   idle 23.8 %
             overhead 2.2 %   uploading 1.1 %   starting 0.9 %

per task      median      p95      max    total   share  measured
waiting      10.0 ms   130 ms   130 ms   160 ms            3 of 4
starting     2.00 ms  2.00 ms  2.00 ms  8.00 ms   0.9 %    3 of 4
running       200 ms   300 ms   300 ms   640 ms  71.9 %    3 of 4
uploading    3.00 ms  3.00 ms  3.00 ms  10.0 ms   1.1 %    3 of 4
overhead     5.00 ms  5.00 ms  5.00 ms  20.0 ms   2.2 %    3 of 4
fetching     1.00 ms  5.00 ms  5.00 ms  9.00 ms            3 of 4
cpu user      100 ms   150 ms   150 ms   320 ms            3 of 4
cpu system   20.0 ms  30.0 ms  30.0 ms  64.0 ms            3 of 4
peak memory  100 KiB  200 KiB  200 KiB                     2 of 4
rss                -        -        -                     0 of 4

data         inputs -   results 28 B (4 of 5 measured)   logs -
disk         read -   written -
page faults  minor -   major -
switches     voluntary -   involuntary -
network      sent at least 400 B   received at least 2 B
             (whole machine)

slowest task  attempt  state    worker  running      cpu  peak memory
           2        1  timeout       0   300 ms   180 ms            -
           1        2  success       1   200 ms   120 ms      200 KiB
           0        1  success       0   100 ms  60.0 ms      100 KiB

failed tasks  state    cause    example
           1  timeout  timeout  task 2, attempt 1
           1  lost     -        task 3, attempt 1
task 2: ended after 300 ms
task 2 log: log of 2/1
task 3: the worker died
task 3 log: log of 3/1
`},
		{"mixed, very narrow", summarize(info, 4, records), 40, `
job          4kx3m9d2q1w-0-M000   mixed
             done
machine      alpha   2 cores
wall time    445 ms
             created 2001-09-09 01:46:4…
tasks        4   success 2   timeout 1
             lost 1
attempts     5   tasks retried 1
             after error 1
             time lost by them 48.0 ms
             cold starts 2
speed        6.74 tasks/s
             speed-up 1.44
             cores used 0.863
workers      2   utilisation 77.9 %
             running 71.9 %
             idle 23.8 %
             overhead 2.2 %
             uploading 1.1 %
             starting 0.9 %

per task      median      p95      max
waiting      10.0 ms   130 ms   130 ms
starting     2.00 ms  2.00 ms  2.00 ms
running       200 ms   300 ms   300 ms
uploading    3.00 ms  3.00 ms  3.00 ms
overhead     5.00 ms  5.00 ms  5.00 ms
fetching     1.00 ms  5.00 ms  5.00 ms
cpu user      100 ms   150 ms   150 ms
cpu system   20.0 ms  30.0 ms  30.0 ms
peak memory  100 KiB  200 KiB  200 KiB
rss                -        -        -

data         inputs -
             results 28 B (4 of 5 measu…
             logs -
disk         read -   written -
page faults  minor -   major -
switches     voluntary -   involuntary -
network      sent at least 400 B
             received at least 2 B
             (whole machine)

slowest task  state    running
           2  timeout   300 ms
           1  success   200 ms
           0  success   100 ms

failed tasks  state    cause
           1  timeout  timeout
           1  lost     -
task 2: ended after 300 ms
task 2 log: log of 2/1
task 3: the worker died
task 3 log: log of 3/1
`},
		{"no task", summarize(JobInfo{ID: "j", State: "done", Created: created, Ended: created + 1000}, 0, nil), 80, `
job          j   done
wall time    1.00 µs   created 2001-09-09 01:46:40 UTC
tasks        0
`},
		{"one task", summarize(JobInfo{ID: "j", State: "done", Created: created, Workers: 1}, 1, records[:1]), 100, `
job          j   done
wall time    121 ms   created 2001-09-09 01:46:40 UTC
tasks        1   success 1
attempts     1   tasks retried 0   cold starts 1
speed        8.26 tasks/s   speed-up 0.826   cores used 0.496
workers      1   utilisation 99.1 %   running 82.6 %   idle 9.1 %   overhead 4.1 %   uploading 2.5 %
             starting 1.7 %

the task               share
waiting      10.0 ms
starting     2.00 ms   1.7 %
running       100 ms  82.6 %
uploading    3.00 ms   2.5 %
overhead     5.00 ms   4.1 %
fetching     1.00 ms
cpu user     50.0 ms
cpu system   10.0 ms
peak memory  100 KiB
rss                -

data         inputs -   results 7 B   logs -
disk         read -   written -
page faults  minor -   major -
switches     voluntary -   involuntary -
network      sent at least 100 B   received at least 1 B   (whole machine)
`},
		{"running", summarize(JobInfo{ID: "j", State: "running", Created: created, Now: created + 1_000_000_000, Workers: 2}, 10, records[:3]), 100, `
job          j   running
wall time    1.00 s   created 2001-09-09 01:46:40 UTC
tasks        10   ended 2 (20.0 %)   success 2   new 8
attempts     3   tasks retried 1   after error 1   time lost by them 48.0 ms   cold starts 2
speed        2.00 tasks/s   speed-up -   cores used -
workers      2   utilisation -   running 92.4 %   overhead 4.1 %   uploading 1.9 %   starting 1.6 %
             (of the time recorded so far)

per task         min   median     mean      p95      p99      max    total   share  measured
waiting      8.00 ms  8.00 ms  9.00 ms  10.0 ms  10.0 ms  10.0 ms  30.0 ms           2 of 10
starting     2.00 ms  2.00 ms  2.00 ms  2.00 ms  2.00 ms  2.00 ms  6.00 ms   1.6 %   2 of 10
running       100 ms   100 ms   150 ms   200 ms   200 ms   200 ms   340 ms  92.4 %   2 of 10
uploading    3.00 ms  3.00 ms  3.00 ms  3.00 ms  3.00 ms  3.00 ms  7.00 ms   1.9 %   2 of 10
overhead     5.00 ms  5.00 ms  5.00 ms  5.00 ms  5.00 ms  5.00 ms  15.0 ms   4.1 %   2 of 10
fetching     1.00 ms  1.00 ms  1.00 ms  1.00 ms  1.00 ms  1.00 ms  4.00 ms           2 of 10
cpu user     50.0 ms  50.0 ms  75.0 ms   100 ms   100 ms   100 ms   170 ms           2 of 10
cpu system   10.0 ms  10.0 ms  15.0 ms  20.0 ms  20.0 ms  20.0 ms  34.0 ms           2 of 10
peak memory  100 KiB  100 KiB  150 KiB  200 KiB  200 KiB  200 KiB                    2 of 10
rss                -        -        -        -        -        -                    0 of 10

data         inputs -   results 21 B   logs -
disk         read -   written -
page faults  minor -   major -
switches     voluntary -   involuntary -
network      sent at least 240 B   received at least 2 B   (whole machine)

slowest task  attempt  state    worker  running      cpu  peak memory
           1        2  success       1   200 ms   120 ms      200 KiB
           0        1  success       0   100 ms  60.0 ms      100 KiB
`},
		{"all failed", summarize(JobInfo{ID: "j", State: "done", Created: created, Workers: 1, Counts: map[job.State]int{job.Error: 4}}, 3, unstarted()), 100, `
job          j   done
wall time    4.00 ms   created 2001-09-09 01:46:40 UTC
tasks        3   error 3
attempts     3   tasks retried 0   cold starts -
speed        750 tasks/s   speed-up -   cores used -
workers      1   utilisation 75.0 %   overhead 75.0 %   idle 25.0 %

per task         min   median     mean      p95      p99      max    total   share  measured
waiting          0 s  1.00 ms  1.00 ms  2.00 ms  2.00 ms  2.00 ms  3.00 ms               all
starting           -        -        -        -        -        -        -       -    0 of 3
running            -        -        -        -        -        -        -       -    0 of 3
uploading          -        -        -        -        -        -        -       -    0 of 3
overhead     1.00 ms  1.00 ms  1.00 ms  1.00 ms  1.00 ms  1.00 ms  3.00 ms  75.0 %       all
fetching     1.00 ms  1.00 ms  1.00 ms  1.00 ms  1.00 ms  1.00 ms  3.00 ms               all
cpu user           -        -        -        -        -        -        -            0 of 3
cpu system         -        -        -        -        -        -        -            0 of 3
peak memory        -        -        -        -        -        -                     0 of 3
rss                -        -        -        -        -        -                     0 of 3

data         inputs -   results -   logs -
disk         read -   written -
page faults  minor -   major -
switches     voluntary -   involuntary -

failed tasks  state  cause  example
           3  error  start  task 0, attempt 1
task 0: exec: no such file
task 0 log: log of 0/1

warning      the host counted 4 tasks in state error, the records show 3
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := table(t, c.summary, c.width); got != c.want[1:] {
				t.Errorf("got\n%s\nwant%s", got, c.want)
			}
		})
	}
}

func TestTableIsSafeAndNarrow(t *testing.T) {
	bad := "\x1b[31mred\x1b[0m\nsecond\u202eline " + strings.Repeat("long ", 50)
	info := JobInfo{ID: "j", Name: bad, State: bad, Created: created, Workers: 3, Machine: []string{bad}, Zone: time.FixedZone("CET", 3600)}
	s := NewSummarizer(info, 30_000)
	s.LogLine = func(*Record) string { return bad }
	for i := range 30 {
		s.Add(&Record{Task: i * 1000, Attempt: 1, State: job.Error, Signal: bad, ErrorType: fmt.Sprint(bad[:9], i), Error: bad, FuncExec: SecOf(i),
			WorkerStart: at(i), WorkerEnd: at(i + 3), WorkerExec: ms(3)})
	}
	for _, width := range []int{-1, 1, 40, 60, 80, 132} {
		text := table(t, s.Summary(), width)
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\x1b\u202e\t") || !strings.Contains(text, "red second�line long") {
			t.Errorf("unsafe at width %d:\n%s", width, text)
		}
		for line := range strings.Lines(text) {
			if line = strings.TrimSuffix(line, "\n"); strings.HasSuffix(line, " ") || width > 0 && utf8.RuneCountInString(line) > max(width, minWidth) {
				t.Errorf("width %d: %q", width, line)
			}
		}
		if !strings.Contains(text, "and 20 more kinds\n") || width > 60 && !strings.Contains(text, "created 2001-09-09 02:46:40 CET\n") {
			t.Errorf("width %d:\n%s", width, text)
		}
	}
}

func TestTableLeavesOutMeasuredWhenAllIs(t *testing.T) {
	var records []*Record
	for i := range 2 {
		r := ran(i, 1, job.Success, 0, 0, i, 1, 1, 1, 1)
		r.RSS = IntOf(1)
		records = append(records, r)
	}
	if text := table(t, summarize(JobInfo{}, 2, records), 0); strings.Contains(text, "measured") || !strings.Contains(text, "p99") {
		t.Errorf("complete:\n%s", text)
	}
	records[1].RSS = Int{}
	if text := table(t, summarize(JobInfo{}, 2, records), 0); !strings.Contains(text, "measured\n") || !strings.Contains(text, "  1 of 2\n") || !strings.Contains(text, "  all\n") {
		t.Errorf("not complete:\n%s", text)
	}
}

func TestFailureCause(t *testing.T) {
	for want, f := range map[string]Failure{"-": {}, "SIGSEGV": {Signal: "SIGSEGV", ErrorType: "signal"}, "exit code 3": {ExitCode: IntOf(3), ErrorType: "exit"},
		"output": {ExitCode: IntOf(0), ErrorType: "output"}, "memory": {Signal: "SIGKILL", ErrorType: "memory"}} {
		if got := f.Cause(); got != want {
			t.Errorf("%+v: %s, want %s", f, got, want)
		}
	}
}
