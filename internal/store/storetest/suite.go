// Package storetest checks that a store keeps what it promises, and makes stores
// to try readers on: synthetic jobs, and files that fail.
package storetest

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// Run checks all of it. open makes a new, empty store for each test. The test's
// TestMain must be Main.
func Run(t *testing.T, open func(testing.TB) *store.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *store.Store)
	}{
		{"OpenTogether", testOpenTogether},
		{"Create", testCreate},
		{"LockDiesWithItsHolder", testLock},
		{"LockSurvivesReaders", testLockProbe},
		{"LockIsInherited", testInheritedLock},
		{"ReopenedByOne", testReopenRace},
		{"Reopen", testReopenErrors},
		{"ReopenCuts", testReopenCuts},
		{"ReopenReduce", testReopenReduce},
		{"ReopenSweeps", testReopenSweeps},
		{"SupersededReduce", testSuperseded},
		{"Runs", testRuns},
		{"StatesOfRuns", testStatesOfRuns},
		{"Cancel", testCancel},
		{"Remove", testRemove},
		{"RemovedOrReopened", testRemoveRace},
		{"Leftovers", testLeftovers},
		{"LeftoversWhileCreating", testLeftoversRace},
		{"Permissions", testPermissions},
		{"NewerStore", testNewerStore},
		{"NewerJob", testNewerJob},
		{"SegmentsHaveOneWriter", testOneWriter},
		{"Offsets", testOffsets},
		{"Inputs", testInputs},
		{"MoreInputs", testMoreInputs},
		{"Lists", testLists},
		{"FailedAppendLeavesNothing", testFailedAppend},
		{"NothingFollowsAFailedCut", testFailedCut},
		{"NothingFollowsAFailedSync", testFailedSync},
		{"FullDisk", testFullDisk},
		{"PowerCut", testPowerCut},
		{"Merge", testMerge},
		{"Keys", testKeys},
		{"Columns", testColumns},
		{"Resolve", testResolve},
		{"List", testList},
		{"NoManifest", testNoManifest},
		{"Outputs", testOutputs},
		{"Results", testResults},
		{"DamagedResults", testDamagedResults},
		{"GrowingJob", testGrowing},
		{"Follow", testFollow},
		{"LogTail", testLogTail},
		{"Died", testDied},
		{"LeftLogs", testLeftLogs},
		{"LeftLogsOfCalls", testLeftLogsOfCalls},
		{"LastSeen", testLastSeen},
		{"MadeAgain", testMadeAgain},
		{"TornTail", testTornTail},
		{"DamagedByte", testDamagedByte},
		{"DamagedCommon", testDamagedCommon},
		{"DamagedHostLine", testDamagedHostLine},
		{"ForeignLines", testForeignLines},
		{"LongLine", testLongLine},
		{"PointsBeyondSegment", testPointsBeyond},
		{"LostSegment", testLostSegment},
		{"UnreadableSegment", testUnreadable},
		{"ManyDamages", testManyDamages},
		{"ZeroTail", testZeroTail},
		{"Standings", testStandings},
		{"StandingsOfDamagedJob", testDamagedStandings},
		{"ReadWhileWritten", testConcurrent},
		{"RemovedWhileRead", testRemoved},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// written is a job under test: its files, and what they must be read as.
type written struct {
	*model
	t    testing.TB
	s    *store.Store
	id   string
	w    *store.Writer
	segs map[int]*store.Segment
	slow store.OpenFunc // of worker 0's segment, if not nil
}

const testID = "0123456789b-0-M000"

// newJob begins a job of so many tasks.
func newJob(t testing.TB, s *store.Store, id string, tasks int) *written {
	t.Helper()
	w, err := s.Create(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &store.Manifest{JobID: id, Program: "test", Spec: &job.Spec{Name: "test"}, Tasks: tasks, Workers: 3,
		Clock: clock.Base{Wall: 1_750_000_000_000_000_000}, SerializeNS: 1000, FuncUploadNS: 2000, FuncSize: 30, DataUploadNS: 4000, JobCreatedNS: 50_000}
	if err := w.WriteManifest(m); err != nil {
		t.Fatal(err)
	}
	j := &written{model: newModel(m), t: t, s: s, id: id, w: w, segs: map[int]*store.Segment{}}
	t.Cleanup(j.close)
	return j
}

// close ends the writers, as the death of their processes would.
func (j *written) close() {
	if j.w == nil {
		return
	}
	for _, seg := range j.segs {
		seg.Close()
	}
	if err := j.w.Close(); err != nil {
		j.t.Error(err)
	}
	j.w, j.over = nil, true
}

// write appends one line where it belongs.
func (j *written) write(l line) {
	j.t.Helper()
	if l.worker < 0 {
		j.w.Task(&l.r)
		if err := j.w.Flush(); err != nil {
			j.t.Fatal(err)
		}
		j.addHost(l.r)
		return
	}
	if _, err := j.segment(l.worker).Append(stats.AppendSegmentLine(nil, &l.r, common(l.worker))); err != nil {
		j.t.Fatal(err)
	}
	j.addWorker(l.r)
}

func (j *written) segment(worker int) *store.Segment {
	j.t.Helper()
	if j.segs[worker] == nil {
		var open store.OpenFunc
		if worker == 0 {
			open = j.slow
		}
		seg, err := store.CreateSegment(j.path(worker, store.StatsSegment), open)
		if err != nil {
			j.t.Fatal(err)
		}
		j.segs[worker] = seg
		if worker%2 == 1 {
			if _, err := seg.Append(stats.AppendCommonLine(nil, common(worker))); err != nil {
				j.t.Fatal(err)
			}
		}
	}
	return j.segs[worker]
}

// common is what lines of a worker's segment leave out: every second segment is as it was
// in layout 1, where that was nothing.
func common(worker int) *stats.Record {
	if worker%2 == 0 {
		return &stats.Record{}
	}
	zero := stats.IntOf(0)
	return &stats.Record{Worker: stats.IntOf(worker), WorkerHostname: "node-1", WorkerColdStart: stats.BoolOf(false), ExitCode: zero,
		MinorFaults: zero, MajorFaults: zero, BlockRead: zero, LogOffset: zero, LogSize: zero}
}

func (j *written) path(worker int, kind string) string {
	return store.SegmentPath(j.s.JobDir(j.id), worker, kind)
}

func (j *written) hostPath() string { return filepath.Join(j.s.JobDir(j.id), "host.jsonl") }

// done is a job of so many tasks that all ended well on worker 0; the host has
// read all records, or with read false none.
func done(t testing.TB, s *store.Store, tasks int, read bool) *written {
	t.Helper()
	j := newJob(t, s, testID, tasks)
	rnd, now := rand.New(rand.NewPCG(1, 2)), int64(1_750_000_000_000_000_000)
	tick := func() stats.Sec { now += 1e6; return stats.SecOf(now) }
	for task := range tasks {
		j.write(line{-1, stats.Record{Task: task, Attempt: 1, State: job.Running, Worker: stats.IntOf(0), HostSubmit: tick(), HostDispatch: tick()}})
		j.write(line{0, workerRecord(rnd, task, 1, 0, job.Success, tick)})
		if read {
			j.write(line{-1, stats.Record{Task: task, Attempt: 1, State: job.Success, Worker: stats.IntOf(0), StatusDone: tick(), StatusCount: stats.IntOf(1)}})
		}
	}
	return j
}

// open opens the job for reading.
func (j *written) open() *store.Job {
	j.t.Helper()
	got, err := j.s.Job(j.id)
	if err != nil {
		j.t.Fatal(err)
	}
	return got
}

// read reads the job in all ways there are, checks that they agree, and returns
// the records, by task and attempt, as JSON.
func read(t testing.TB, j *store.Job) ([]string, *store.Report) {
	t.Helper()
	var scanned []stats.Record
	rep, err := j.Scan(stats.AllKeys(), func(r *stats.Record) error {
		scanned = append(scanned, *r)
		return nil
	})
	if err != nil {
		t.Fatalf("scan: %v", err)
	}
	slices.SortFunc(scanned, func(a, b stats.Record) int { return (a.Task-b.Task)*1000 + a.Attempt - b.Attempt })
	var all []string
	for i := range scanned {
		all = append(all, string(stats.AppendJSON(nil, &scanned[i])))
	}
	var ordered []string
	again, err := j.Ordered(stats.AllKeys(), func(r *stats.Record) error {
		ordered = append(ordered, string(stats.AppendJSON(nil, r)))
		return nil
	})
	if err != nil {
		t.Fatalf("read in order: %v", err)
	}
	same(t, "Ordered and Scan", ordered, all)
	if again.Torn != rep.Torn || again.Total != rep.Total || !slices.Equal(sorted(again.Damage), sorted(rep.Damage)) {
		t.Errorf("Ordered reports %+v, Scan %+v", again, rep)
	}
	return all, rep
}

func sorted(all []store.Damage) (s []string) {
	for _, d := range all {
		s = append(s, d.String())
	}
	slices.Sort(s)
	return s
}

// check reads the job and compares it with the model.
func (j *written) check(damage, torn int) {
	j.t.Helper()
	got, rep := read(j.t, j.open())
	same(j.t, "job and model", got, j.records())
	if rep.Total != damage || rep.Torn != torn {
		j.t.Errorf("%d damages, %d torn lines, want %d and %d: %v", rep.Total, rep.Torn, damage, torn, rep.Damage)
	}
}

// same compares two lists and shows where they part.
func same(t testing.TB, what string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("%s differ at %d (of %d and %d):\n%s\n%s", what, i, len(got), len(want), g, w)
		}
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// writeFile replaces a file. One that is overwritten in place is brought to disk by
// some file systems when it is closed, which takes its time.
func writeFile(t testing.TB, path string, b []byte) {
	t.Helper()
	os.Remove(path)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
