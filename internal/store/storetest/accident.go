package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
)

// A disk that is full at any moment, for good or for that moment, loses nothing that was
// acknowledged and leaves nothing false.
func testFullDisk(t *testing.T, s *store.Store) {
	plenty := &Faults{}
	l := &life{t: t, s: s, id: "0-0-M000", open: plenty.Open}
	if err := l.live(); err != nil {
		t.Fatal(err)
	}
	begins := plenty.Begins()
	if len(begins) < 30 || len(l.results) != 5 {
		t.Fatalf("%d writes, results %v", len(begins), l.results)
	}
	n := 0
	for i, begin := range begins {
		end := plenty.written.Load()
		if i+1 < len(begins) {
			end = begins[i+1]
		}
		for k, room := range []int64{begin, (begin + end) / 2, end - 1} {
			for _, once := range []bool{false, true} {
				if once && (i+k)%3 > 0 {
					continue
				}
				n++
				t.Run(fmt.Sprintf("write %d, %d bytes, once %v", i, room, once), func(t *testing.T) {
					full := &Faults{FailAfter: room, FailOnce: once, Err: syscall.ENOSPC}
					l := &life{t: t, s: s, id: fmt.Sprintf("%d-0-M000", n), open: full.Open, goesOn: once}
					if err := l.live(); err == nil != once && !errors.Is(err, syscall.ENOSPC) {
						t.Fatalf("a full disk makes %v", err)
					}
					if full.Failed() == 0 {
						t.Fatal("the disk was not full")
					}
					l.checkFull()
				})
			}
		}
	}
}

// checkFull checks a job that the disk had no room for.
func (l *life) checkFull() {
	l.t.Helper()
	if l.tasks == 0 {
		_, _, err := l.s.Reopen(l.id, nil)
		_, none := errors.AsType[*store.NotFoundError](err)
		if none == l.made || !none && !errors.Is(err, store.ErrNotStaged) {
			l.t.Errorf("resuming a job that never began: %v", err)
		}
		return
	}
	l.checkFiles()
	j := l.job()
	if j.Manifest.Tasks != l.tasks {
		l.t.Errorf("the job has %d tasks, want %d", j.Manifest.Tasks, l.tasks)
	}
	if got := l.successes(j); !maps.Equal(got, l.results) {
		l.t.Errorf("results are %v, acknowledged were %v", got, l.results)
	}
	if _, rep := read(l.t, j); rep.Total != 0 || rep.Torn != 0 {
		l.t.Errorf("a full disk is read as damage: %+v", rep)
	}
	l.checkResume()
}

// A power cut at any moment loses, with durability sync, nothing that was announced; and
// whatever the durability, no success is believed whose result is not there.
func testPowerCut(t *testing.T, s *store.Store) {
	for i, durable := range []job.Durability{job.DurabilitySync, job.DurabilityProcess} {
		whole := &PowerCut{}
		open := func(n int) *store.Store {
			cut, err := store.Open(fmt.Sprintf("%s/%d-%d", s.Root(), i, n))
			if err != nil {
				t.Fatal(err)
			}
			return cut
		}
		l := &life{t: t, s: open(0), id: testID, open: whole.Open, durable: durable}
		if err := l.live(); err != nil || len(l.results) != 5 {
			t.Fatal(err, l.results)
		}
		n, step := 0, 1
		if testing.Short() || durable == job.DurabilityProcess {
			step = 5
		}
		for after := 1; after < whole.Ops(); after += step {
			for name, loss := range losses(uint64(after)) {
				n++
				t.Run(fmt.Sprintf("%s, %s after %d", durable, name, after), func(t *testing.T) {
					p := &PowerCut{After: after, Loss: loss}
					l := &life{t: t, s: open(n), id: testID, open: p.Open, durable: durable}
					if err := l.live(); err != nil && !errors.Is(err, errPower) || p.Ops() < after {
						t.Fatalf("a power cut makes %v", err)
					}
					if durable == job.DurabilityProcess {
						p.nameAll(t, l.s.Root()) // else nothing were left
					}
					if err := p.Cut(l.s.Root()); err != nil {
						t.Fatal(err)
					}
					l.checkCut()
				})
			}
		}
	}
}

// losses are two ways in which a power cut may go: all files alike, or each its own way.
func losses(seed uint64) map[string]func(string) Loss {
	alike := Loss(seed % 3)
	return map[string]func(string) Loss{
		[]string{"cut", "zeroed", "kept"}[alike]: func(string) Loss { return alike },
		"mixed": func(path string) Loss {
			for _, c := range []byte(path) {
				seed = seed*31 + uint64(c)
			}
			return Loss(seed >> 7 % 3)
		},
	}
}

// checkCut checks a job after a power cut.
func (l *life) checkCut() {
	l.t.Helper()
	j, err := l.s.Job(l.id)
	sure := l.durable == job.DurabilitySync
	if sure && l.tasks > 0 {
		if err != nil {
			l.t.Fatal(err)
		}
		l.checkFiles()
		if j.Manifest.Tasks < l.tasks {
			l.t.Errorf("the job has %d tasks, want %d", j.Manifest.Tasks, l.tasks)
		}
	}
	if err != nil {
		return
	}
	got := l.successes(j)
	if sure {
		for task, want := range l.results {
			if got[task] != want {
				l.t.Errorf("result of task %d is %q, announced was %q", task, got[task], want)
			}
		}
	}
	if _, rep := read(l.t, j); slices.ContainsFunc(rep.Damage, func(d store.Damage) bool { return d.Line > 8 }) {
		l.t.Errorf("damage is reported by lines that were never written: %+v", rep)
	}
	if sure && l.tasks > 0 {
		l.checkResume()
	}
}
