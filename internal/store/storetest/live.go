package storetest

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// A job that is being written is read without damage, every task at least once,
// and what was recorded once stays.
func testConcurrent(t *testing.T, s *store.Store) {
	const tasks, workers = 600, 3
	j := newJob(t, s, testID, tasks)
	j.slow = Slow(100 * time.Microsecond)
	byWriter := map[int][]line{}
	rnd, now := rand.New(rand.NewPCG(5, 6)), int64(1_750_000_000_000_000_000)
	tick := func() stats.Sec { now += 1e6; return stats.SecOf(now) }
	for task := range tasks {
		n := task % workers
		l := line{-1, stats.Record{Task: task, Attempt: 1, State: job.Running, Worker: stats.IntOf(n), HostSubmit: tick(), HostDispatch: tick()}}
		byWriter[-1] = append(byWriter[-1], l)
		byWriter[n] = append(byWriter[n], line{n, workerRecord(rnd, task, 1, n, job.Success, tick)})
	}
	var wg sync.WaitGroup
	for n, lines := range byWriter {
		if n < 0 {
			wg.Go(func() {
				for _, l := range lines {
					j.w.Task(&l.r)
					if err := j.w.Flush(); err != nil {
						t.Error(err)
					}
				}
			})
			continue
		}
		seg := j.segment(n)
		wg.Go(func() {
			for _, l := range lines {
				if err := appendInPieces(seg, stats.AppendSegmentLine(nil, &l.r, common(n)), 1+n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { wg.Wait(); close(written) }()
	ended := 0
	for end := false; !end; {
		select {
		case <-written:
			end = true
		default:
		}
		seen, now := map[int]int{}, 0
		rep, err := j.open().Scan(stats.AllKeys(), func(r *stats.Record) error {
			seen[r.Task]++
			if r.State.Final() {
				now++
			}
			return nil
		})
		if err != nil || rep.Total != 0 || len(seen) != tasks {
			t.Fatalf("scan of %d tasks: %v, %+v", len(seen), err, rep)
		}
		if now < ended {
			t.Fatalf("%d tasks have ended, but %d had before", now, ended)
		}
		ended = now
	}
	for _, lines := range byWriter {
		for _, l := range lines {
			if l.worker < 0 {
				j.addHost(l.r)
			} else {
				j.addWorker(l.r)
			}
		}
	}
	j.check(0, 0)
}

// appendInPieces writes one line with so many writes.
func appendInPieces(seg *store.Segment, b []byte, n int) error {
	_, err := seg.AppendFrom(func(w io.Writer) (int64, error) {
		for piece := range slices.Chunk(b, len(b)/n+1) {
			if _, err := w.Write(piece); err != nil {
				return 0, err
			}
		}
		return int64(len(b)), nil
	})
	return err
}

// A job that is removed while it is read is read to its end, and is not found
// afterwards.
func testRemoved(t *testing.T, s *store.Store) {
	for _, way := range []func(*store.Job, stats.KeySet, func(*stats.Record) error) (*store.Report, error){(*store.Job).Scan, (*store.Job).Ordered} {
		written := done(t, s, 100, true)
		written.close()
		j, n := written.open(), 0
		rep, err := way(j, stats.AllKeys(), func(*stats.Record) error {
			if n++; n == 1 {
				return s.Remove(testID)
			}
			return nil
		})
		if err != nil || n != 100 || rep.Total != 0 {
			t.Errorf("%d records of a removed job: %v, %+v", n, err, rep)
		}
		if _, err := way(j, stats.AllKeys(), func(*stats.Record) error { return nil }); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a removed job is read: %v", err)
		}
		var none *store.NotFoundError
		if _, err := s.Job(testID); !errors.As(err, &none) {
			t.Errorf("a removed job is opened: %v", err)
		}
	}
	j := mixed(t, s)
	j.close()
	n := 0
	_, err := j.open().Results(0, 8, func(_ *stats.Record, result io.Reader) error {
		if n++; n == 1 {
			return s.Remove(testID)
		}
		if result == nil {
			return nil
		}
		_, err := io.Copy(io.Discard, result)
		return err
	})
	if _, damaged := errors.AsType[store.Damage](err); !errors.Is(err, os.ErrNotExist) || damaged {
		t.Errorf("%d results of a removed job: %v", n, err)
	}
}
