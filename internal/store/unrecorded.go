package store

import (
	"fmt"
	"slices"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// later lists the attempts beyond the first that were made, by task.
func (rd *reading) later() []job.Attempt {
	all := make([]job.Attempt, 0, len(rd.log.later))
	for id, i := range rd.log.later {
		if rd.made(&rd.log.extra[i]) || rd.seenLater[id] {
			all = append(all, id)
		}
	}
	for id := range rd.seenLater {
		if _, also := rd.log.later[id]; !also {
			all = append(all, id)
		}
	}
	slices.SortFunc(all, compareAttempts)
	return all
}

// made says whether the host knows of an attempt that it was made. What a worker had in
// hand and had not begun when its run broke off was not.
func (rd *reading) made(row *hostRow) bool {
	return row.have&tried != 0 && !rd.waited(row)
}

// waited says whether a row is of what waited when its run broke off.
func (rd *reading) waited(row *hostRow) bool {
	if row.state != job.Queued {
		return false
	}
	worker := row.int(rowWorker)
	return rd.job.state != JobRunning || worker.OK && rd.job.over(int(worker.V))
}

// hostRecord makes an empty record what the host knows of an attempt that no worker
// has recorded.
func (rd *reading) hostRecord(id job.Attempt, r *stats.Record) {
	row := rd.log.row(id)
	if rd.waited(row) {
		back := *row
		back.add(&hostRow{state: job.New})
		row = &back
	}
	rd.log.record(id, row, r)
}

// unrecorded calls f with what is known of attempts and tasks that no worker has
// recorded: lost, under way, waiting, or new.
func (rd *reading) unrecorded(f func(*stats.Record) error) error {
	lost := map[int64]int{}
	later := rd.later()
	var r stats.Record
	emit := func(id job.Attempt) error {
		r = stats.Record{}
		rd.hostRecord(id, &r)
		if wasRead(&r) {
			lost[r.Worker.V]++
		}
		rd.job.complete(&r)
		return f(&r)
	}
	for i := range rd.log.rows {
		task := rd.log.first + i
		tries := 0
		for tries < len(later) && later[tries].Task == task {
			tries++
		}
		row := &rd.log.rows[i]
		if !rd.seen[i] && (rd.made(row) || tries == 0) {
			if err := emit(job.Attempt{Task: task, Try: 1}); err != nil {
				return err
			}
		}
		for _, id := range later[:tries] {
			if !rd.seenLater[id] {
				if err := emit(id); err != nil {
					return err
				}
			}
		}
		later = later[tries:]
	}
	rd.missing(lost)
	return nil
}

// wasRead says whether the host had a worker's record of an attempt it tells of.
func wasRead(r *stats.Record) bool {
	return r.StatusDone.OK && r.Worker.OK && (r.State == job.Success || r.State == job.Error || r.State == job.Timeout)
}

// missing reports records that the host has read and that are no longer there,
// unless damaged lines of the same segment account for them.
func (rd *reading) missing(lost map[int64]int) {
	workers := make([]int64, 0, len(lost))
	for n := range lost {
		workers = append(workers, n)
	}
	slices.Sort(workers)
	for _, n := range workers {
		path := SegmentPath(rd.job.dir, int(n), StatsSegment)
		if lost[n] > rd.damaged[path] {
			rd.add(Damage{Path: path, Msg: fmt.Sprintf("records that the host has read are missing: %d", lost[n])})
		}
	}
}
