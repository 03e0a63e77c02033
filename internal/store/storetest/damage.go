package storetest

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// A last line that is cut anywhere is dropped, and counted when nobody can end it.
func testTornTail(t *testing.T, s *store.Store) {
	j := done(t, s, 3, false)
	path := j.path(0, store.StatsSegment)
	whole := readFile(t, path)
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	delete(j.worker, job.Attempt{Task: 2, Try: 1})
	for cut := last; cut < len(whole); cut += 7 {
		writeFile(t, path, whole[:cut])
		j.check(0, 0)
	}
	j.close()
	for cut := last; cut < len(whole); cut++ {
		writeFile(t, path, whole[:cut])
		j.check(0, min(1, cut-last))
	}
}

// A line that is changed in any byte is reported with its place, and all others
// are shown.
func testDamagedByte(t *testing.T, s *store.Store) {
	j := done(t, s, 3, true)
	j.close()
	path := j.path(0, store.StatsSegment)
	whole := readFile(t, path)
	from := bytes.IndexByte(whole, '\n') + 1
	to := from + bytes.IndexByte(whole[from:], '\n')
	intact := j.records()
	delete(j.worker, job.Attempt{Task: 1, Try: 1})
	left := j.records()
	step := 1
	if testing.Short() {
		step = 7
	}
	for at := to; at >= from; at -= step {
		for _, c := range []byte{whole[at] ^ 1<<(at%8), '\n'} {
			if c == whole[at] {
				continue
			}
			changed := slices.Clone(whole)
			changed[at] = c
			writeFile(t, path, changed)
			got, rep := read(t, j.open())
			want, damages := left, 1
			switch {
			case at == to:
				want = intact // only the line's end is lost
			case c == '\n':
				damages = 2
			}
			same(t, fmt.Sprintf("byte %d as %q", at, c), got, want)
			if rep.Total < 1 || rep.Total > damages || rep.Damage[0].Path != path || rep.Damage[0].Line != 2 || rep.Damage[0].Offset != int64(from) {
				t.Fatalf("byte %d as %q: %+v", at, c, rep)
			}
		}
	}
}

func testDamagedHostLine(t *testing.T, s *store.Store) {
	j := done(t, s, 2, false)
	j.close()
	whole := readFile(t, j.hostPath())
	changed := bytes.Replace(whole, []byte("running"), []byte("Running"), 1)
	writeFile(t, j.hostPath(), changed)
	delete(j.host, job.Attempt{Task: 0, Try: 1})
	j.check(1, 0)
	if err := os.Remove(j.hostPath()); err != nil {
		t.Fatal(err)
	}
	delete(j.host, job.Attempt{Task: 1, Try: 1})
	j.check(1, 0)
}

// Lines that are whole but cannot be of this job are damage, and change nothing.
func testForeignLines(t *testing.T, s *store.Store) {
	j := done(t, s, 2, true)
	records := []stats.Record{
		{Task: 2, Attempt: 1, Worker: stats.IntOf(0)},             // no such task
		{Task: 1, Attempt: 0, Worker: stats.IntOf(0)},             // no attempt
		{Task: 1, Attempt: 1, Worker: stats.IntOf(0)},             // a second time
		{Task: 1, Attempt: 2, Worker: stats.IntOf(7)},             // of another worker
		{Task: 1 << 50, Attempt: 1 << 50, Worker: stats.IntOf(0)}, // nonsense
	}
	for _, r := range records {
		if _, err := j.segment(0).Append(stats.AppendWorkerLine(nil, &r)); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{`{"tisk":1`, `{"task":1`, `{"task":-1,"attempt":1`, `{"task":"1","attempt":1`} {
		if _, err := j.segment(0).Append(stats.Seal([]byte(text), 0)); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"\n", "garbage\n", "{}\n"} {
		if _, err := j.segment(0).Append([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	j.close()
	got, rep := read(t, j.open())
	same(t, "job and model", got, j.records())
	if want := len(records) + 7; rep.Total != want {
		t.Errorf("%d damages, want %d: %v", rep.Total, want, rep.Damage)
	}
}

// Lines may be longer than what is read at once; what is longer than any line of
// ours is passed over.
func testLongLine(t *testing.T, s *store.Store) {
	j := done(t, s, 1, true)
	j.manifest.Tasks = 4
	if err := j.w.WriteManifest(j.manifest); err != nil {
		t.Fatal(err)
	}
	for task := 1; task < 3; task++ {
		j.write(line{0, stats.Record{Task: task, Attempt: 1, State: job.Error, Worker: stats.IntOf(0), Error: strings.Repeat("long ", 300_000)}})
	}
	if _, err := j.segment(0).Append(append(bytes.Repeat([]byte("x"), 20<<20), '\n')); err != nil {
		t.Fatal(err)
	}
	j.write(line{0, stats.Record{Task: 3, Attempt: 1, State: job.Success, Worker: stats.IntOf(0)}})
	j.check(1, 0)
	j.checkTasks()
}

// A record whose result or log is not there is shown, and reported.
func testPointsBeyond(t *testing.T, s *store.Store) {
	j := newJob(t, s, testID, 4)
	writeFile(t, j.path(0, store.OutSegment), make([]byte, 100))
	for task, end := range []int{100, 101, 50, 0} {
		r := stats.Record{Task: task, Attempt: 1, State: job.Success, Worker: stats.IntOf(0), ResultOffset: stats.IntOf(end - 10), ResultSize: stats.IntOf(10),
			LogOffset: stats.IntOf(0), LogSize: stats.IntOf(0)}
		if end == 50 {
			r.LogSize = stats.IntOf(1) // there is no log
		}
		j.write(line{0, r})
	}
	j.check(3, 0)
	_, rep := read(t, j.open())
	for i, line := range []int{2, 3, 4} {
		if d := rep.Damage[i]; d.Line != line || d.Path != j.path(0, store.StatsSegment) {
			t.Errorf("damage is %v, want in line %d", d, line)
		}
	}
}

// Records that the host has read and that are no longer there are reported, once
// for each segment; what the host knows of them is shown.
func testLostSegment(t *testing.T, s *store.Store) {
	j := done(t, s, 5, true)
	j.close()
	path := j.path(0, store.StatsSegment)
	whole := readFile(t, path)
	writeFile(t, path, whole[:bytes.IndexByte(whole, '\n')+1])
	clear(j.worker)
	want := j.records()
	for cut := range 2 {
		if cut == 1 {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		got, rep := read(t, j.open())
		same(t, "what is left", got[1:], want[1:])
		if rep.Total != 1 || rep.Damage[0].Path != path || rep.Damage[0].Line != 0 {
			t.Errorf("report on a lost segment: %+v", rep)
		}
	}
}

func testUnreadable(t *testing.T, s *store.Store) {
	j := done(t, s, 5, false)
	for worker := 1; worker < 3; worker++ {
		if err := os.Mkdir(j.path(worker, store.StatsSegment), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	j.check(2, 0)
}

// Much damage is counted in full, and told in part.
func testManyDamages(t *testing.T, s *store.Store) {
	j := done(t, s, 1, true)
	for range 1000 {
		if _, err := j.segment(0).Append([]byte("garbage\n")); err != nil {
			t.Fatal(err)
		}
	}
	j.check(1000, 0)
	_, rep := read(t, j.open())
	if len(rep.Damage) > 100 || rep.Damage[len(rep.Damage)-1].Line != len(rep.Damage)+1 {
		t.Errorf("%d damages are told of, the last is %v", len(rep.Damage), rep.Damage[len(rep.Damage)-1])
	}
}

// A segment whose first line is damaged is shown without what stood there, and that is
// reported.
func testDamagedCommon(t *testing.T, s *store.Store) {
	j := mixed(t, s)
	path := j.path(1, store.StatsSegment)
	whole := readFile(t, path)
	for _, at := range []int{2, bytes.IndexByte(whole, ':') + 8, bytes.IndexByte(whole, '\n') - 4} {
		changed := slices.Clone(whole)
		changed[at] ^= 4
		writeFile(t, path, changed)
		found := 0
		rep, err := j.open().Scan(stats.AllKeys(), func(r *stats.Record) error {
			if r.Worker.V == 1 && r.ResultSize.OK {
				found++
				if r.WorkerHostname != "" || r.LogSize.OK && r.LogSize.V == 0 {
					t.Errorf("byte %d: %+v", at, r)
				}
			}
			return nil
		})
		if err != nil || rep.Total != 1 || rep.Damage[0].Path != path || rep.Damage[0].Line != 1 {
			t.Errorf("byte %d: %+v, %v", at, rep, err)
		}
		if found != 4 {
			t.Errorf("%d records of worker 1", found)
		}
	}
}
