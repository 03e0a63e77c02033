package worker

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// disk is the three segments of a worker on a disk that may lose, when the power fails,
// what was not synced. It checks that a record is written only when what it points to
// is safe, and that the host hears of it only when it is safe itself.
type disk struct {
	t    *testing.T
	mu   sync.Mutex
	has  map[string]int64 // bytes written, by file
	safe map[string]int64 // that are sure to be there after a power cut
	// syncs counts them, by file; sync is asked before each, if there is one.
	syncs   map[string]int
	sync    func(file string) error
	full    string // the file that takes nothing
	records int
	told    []int64 // doorbells
	rung    chan struct{}
}

// diskFile is one file of it.
type diskFile struct {
	*disk
	name string
	store.File
}

func (f diskFile) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.name == f.full {
		return 0, syscall.ENOSPC
	}
	n, err := f.File.Write(b)
	f.has[f.name] += int64(n)
	if f.name != "stats" {
		return n, err
	}
	for line := range bytes.Lines(b) {
		var r stats.Record
		if object, err := stats.Unseal(line); err != nil || stats.Parse(object, &r) != nil {
			f.t.Errorf("wrote %q: %v", line, err)
		}
		f.records++
		if end := r.ResultOffset.V + r.ResultSize.V; end > f.safe["out"] {
			f.t.Errorf("task %d was recorded with a result up to %d, of which %d bytes are safe", r.Task, end, f.safe["out"])
		}
		if end := r.LogOffset.V + r.LogSize.V; end > f.safe["log"] {
			f.t.Errorf("task %d was recorded with a log up to %d, of which %d bytes are safe", r.Task, end, f.safe["log"])
		}
	}
	return n, err
}

func (f diskFile) Sync() error {
	f.mu.Lock()
	has, ask := f.has[f.name], f.sync
	f.syncs[f.name]++
	f.mu.Unlock()
	if ask != nil {
		if err := ask(f.name); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.safe[f.name] = has
	return nil
}

// Write is the host's end of the worker's pipe.
func (d *disk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var m wire.Message
	if err := wire.NewReader(bytes.NewReader(p)).Read(&m); err != nil || m.Kind != wire.Done {
		d.t.Errorf("told the host %q: %v", p, err)
	}
	if m.Numbers[0] > d.safe["stats"] {
		d.t.Errorf("told of records up to %d, of which %d bytes are safe", m.Numbers[0], d.safe["stats"])
	}
	d.told = append(d.told, m.Numbers[0])
	select {
	case d.rung <- struct{}{}:
	default:
	}
	return len(p), nil
}

// heard waits until the host knows of n records.
func (d *disk) heard(n int) {
	d.t.Helper()
	for {
		d.mu.Lock()
		all := d.records == n && len(d.told) > 0 && d.told[len(d.told)-1] == d.has["stats"]
		d.mu.Unlock()
		if all {
			return
		}
		if _, ok := <-d.rung; !ok {
			d.t.FailNow()
		}
	}
}

// newDurable makes a durable recorder over a disk.
func newDurable(t *testing.T) (r *recorder, d *disk) {
	t.Helper()
	d = &disk{t: t, has: map[string]int64{}, safe: map[string]int64{}, syncs: map[string]int{}, rung: make(chan struct{}, 1)}
	dir := t.TempDir()
	segment := func(name string) *store.Segment {
		s, err := store.CreateSegment(filepath.Join(dir, name), func(path string) (store.File, error) {
			if path == dir {
				f, err := store.OpenExisting(path)
				return diskFile{d, "dir", f}, err
			}
			f, err := store.OpenAppend(path)
			return diskFile{d, name, f}, err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	out := &output{seg: segment("out"), file: filepath.Join(dir, "out")}
	log := &output{seg: segment("log"), file: filepath.Join(dir, "log")}
	r = newRecorder(out.seg, segment("stats"), &sender{w: d})
	r.fail = func(err error) {
		t.Errorf("worker failed: %v", err)
		close(d.rung)
	}
	if err := r.durable(out, log); err != nil {
		t.Fatal(err)
	}
	for _, o := range r.files { // what is synced is the file, by whatever descriptor
		real := o.disk
		t.Cleanup(func() { real.Close() })
		o.disk = diskFile{d, filepath.Base(o.file), real}
	}
	return r, d
}

// run does what a command does, whose result and log are text.
func run(t *testing.T, r *recorder, task int, text string, now bool) error {
	t.Helper()
	if err := r.place(); err != nil {
		return err
	}
	rec := stats.Record{Task: task, Attempt: 1, State: job.Success}
	offset, err1 := r.out.Append([]byte(text))
	rec.ResultOffset, rec.ResultSize = stats.IntOf(offset), stats.IntOf(len(text))
	offset, err2 := r.files[1].seg.Append([]byte(text))
	rec.LogOffset, rec.LogSize = stats.IntOf(offset), stats.IntOf(len(text))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return r.record(stats.AppendWorkerLine(nil, &rec), now)
}

func TestTheHostHearsOfNothingThatIsNotOnTheDisk(t *testing.T) {
	r, d := newDurable(t)
	r.delay = time.Hour
	for i := range 20 { // with nothing behind it, each is told at once
		if err := run(t, r, i, "text", true); err != nil {
			t.Fatal(err)
		}
		d.heard(i + 1)
	}
	rec := stats.Record{Attempt: 1, State: job.Success}
	for i := range 20 {
		rec.Task = 20 + i
		if _, err := r.add(&rec, []byte("called"), true); err != nil {
			t.Fatal(err)
		}
		d.heard(21 + i)
	}
	if d.syncs["dir"] == 0 || d.syncs["out"] != 40 || d.syncs["log"] != 20 || d.syncs["stats"] != 40 { // calls had no log
		t.Errorf("synced %v times", d.syncs)
	}
	if err := r.close(); err != nil || len(d.told) != 40 {
		t.Errorf("%v, told %d times", err, len(d.told))
	}
}

// While one group is on its way to the disk, the records behind it become one group,
// however urgent each is.
func TestShortTasksGoToTheDiskTogether(t *testing.T) {
	for name, record := range map[string]func(r *recorder, task int) error{
		"commands": func(r *recorder, task int) error { return run(t, r, task, "text", true) },
		"calls": func(r *recorder, task int) error {
			_, err := r.add(&stats.Record{Task: task, Attempt: 1, State: job.Success}, []byte("called"), true)
			return err
		},
		"large": func(r *recorder, task int) error {
			_, err := r.add(&stats.Record{Task: task, Attempt: 1, State: job.Success}, make([]byte, groupBytes+1), true)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, d := newDurable(t)
			r.delay = time.Hour
			begun, gate := make(chan struct{}, 1), make(chan struct{})
			d.sync = func(file string) error {
				select {
				case begun <- struct{}{}:
				default:
				}
				<-gate
				return nil
			}
			if err := record(r, 0); err != nil {
				t.Fatal(err)
			}
			<-begun
			tasks := 3*groupCalls + 5
			if name == "large" {
				tasks = 10
			}
			for i := 1; i < tasks; i++ {
				if err := record(r, i); err != nil {
					t.Fatal(err)
				}
			}
			close(gate)
			d.heard(tasks)
			if d.syncs["out"] != 2 || d.syncs["stats"] != 2 || len(d.told) != 2 {
				t.Errorf("%d records: synced %v, told %d times", tasks, d.syncs, len(d.told))
			}
		})
	}
}

// Records that nobody hurries go to the disk after a while, and when the worker ends.
func TestNoRecordIsHeldBack(t *testing.T) {
	r, d := newDurable(t)
	for i := range 100 {
		if err := run(t, r, i, "text", false); err != nil {
			t.Fatal(err)
		}
	}
	d.heard(100)
	rec := stats.Record{Attempt: 1, State: job.Success}
	for i := range 100 {
		rec.Task = 100 + i
		if _, err := r.add(&rec, []byte("called"), false); err != nil {
			t.Fatal(err)
		}
	}
	d.heard(200)
	if n := d.syncs["out"] + d.syncs["log"] + d.syncs["stats"]; n >= 200 {
		t.Errorf("%d syncs for 200 records", n)
	}
	for i := range 10 {
		rec.Task = 200 + i
		if _, err := r.add(&rec, []byte("called"), false); err != nil {
			t.Fatal(err)
		}
		if err := run(t, r, 210+i, "text", false); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	if d.records != 220 || d.told[len(d.told)-1] != d.has["stats"] {
		t.Errorf("%d records, told up to %v of %d", d.records, d.told[len(d.told)-1], d.has["stats"])
	}
}

func TestASyncThatFailsEndsTheWorker(t *testing.T) {
	for _, file := range []string{"out", "log", "stats"} {
		t.Run(file, func(t *testing.T) {
			r, d := newDurable(t)
			if err := run(t, r, 0, "text", true); err != nil {
				t.Fatal(err)
			}
			d.heard(1)
			begun, behind := make(chan struct{}), make(chan struct{})
			d.sync = func(name string) error {
				if name != file {
					return nil
				}
				close(begun)
				<-behind
				return syscall.EIO
			}
			failed := make(chan error, 1)
			r.fail = func(err error) { failed <- err }
			if err := run(t, r, 1, "text", true); err != nil {
				t.Fatal(err)
			}
			<-begun
			if err := run(t, r, 2, "text", false); err != nil {
				t.Fatal(err)
			}
			close(behind)
			if err := <-failed; !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), file) {
				t.Errorf("failed with %v", err)
			}
			d.mu.Lock()
			d.sync = nil // the next would seem to succeed
			d.mu.Unlock()
			if err := run(t, r, 3, "text", true); !errors.Is(err, syscall.EIO) {
				t.Errorf("next: %v", err)
			}
			if err := r.close(); !errors.Is(err, syscall.EIO) {
				t.Errorf("close: %v", err)
			}
			if len(d.told) != 1 {
				t.Errorf("told %d times", len(d.told))
			}
		})
	}
}

// A result that finds the disk full takes nothing with it that was complete before.
func TestWhatIsCompleteGoesToAFullDisk(t *testing.T) {
	r, d := newDurable(t)
	if err := run(t, r, 0, "text", false); err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	d.full = "out"
	d.mu.Unlock()
	rec := stats.Record{Task: 1, Attempt: 1, State: job.Success}
	if _, err := r.add(&rec, make([]byte, groupBytes+1), true); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v", err)
	}
	if err := r.close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("close: %v", err)
	}
	if d.records != 1 || len(d.told) != 1 {
		t.Errorf("%d records, told %v", d.records, d.told)
	}
}

// Unless it is asked for, nothing waits for the disk.
func TestNothingIsSyncedUnlessAskedFor(t *testing.T) {
	d := &disk{t: t, has: map[string]int64{}, safe: map[string]int64{"out": 1 << 40, "stats": 1 << 40}, syncs: map[string]int{}, rung: make(chan struct{}, 1)}
	r, _, _ := newGroups(t, func(path string) (store.File, error) {
		f, err := store.OpenAppend(path)
		return diskFile{d, filepath.Base(path), f}, err
	})
	r.send.w = d
	rec := stats.Record{Attempt: 1, State: job.Success}
	for i := range 2 * groupCalls {
		rec.Task = i
		if _, err := r.add(&rec, []byte("called"), false); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(r.place(), r.record(stats.AppendWorkerLine(nil, &rec), true), r.close()); err != nil {
		t.Fatal(err)
	}
	if len(d.syncs) != 0 || d.records != 2*groupCalls+1 || d.told[len(d.told)-1] != d.has["stats"] {
		t.Errorf("synced %v, %d records, told %v of %d", d.syncs, d.records, d.told, d.has["stats"])
	}
}

// A worker tells of each of its tasks, of whatever kind.
func TestServeDurably(t *testing.T) {
	for name, spec := range map[string]*job.Spec{"commands": shell("echo {}; echo at {} >&2"), "functions": squarer(t, "")} {
		t.Run(name, func(t *testing.T) {
			spec.Durability = job.DurabilitySync
			h := newPeer(t, spec)
			h.expect(wire.Ready)
			const tasks = 10
			for i := range int64(tasks) {
				h.task(i, fmt.Sprint(i))
			}
			if name == "functions" {
				h.expect(wire.Warm)
			}
			for i, r := range h.until(tasks) {
				want := fmt.Sprintln(i)
				if name == "functions" {
					want = fmt.Sprint(i * i)
				}
				if got := h.output(store.OutSegment, r.ResultOffset, r.ResultSize); r.Task != i || r.State != job.Success || got != want {
					t.Errorf("record %d: task %d %s, result %q", i, r.Task, r.State, got)
				}
				if got := h.output(store.LogSegment, r.LogOffset, r.LogSize); got != fmt.Sprintf("at %d\n", i) {
					t.Errorf("log %q", got)
				}
			}
			h.end(exitDone)
		})
	}
}
