package store

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/lithops-go/lithops/internal/stats"
)

// NoTaskError is a task number that a job does not have.
type NoTaskError struct{ Task, Tasks int }

func (e *NoTaskError) Error() string {
	return fmt.Sprintf("no task %d: the job has %d tasks, from 0", e.Task, e.Tasks)
}

// Task reads the records of all attempts at one task, in order; a task that none
// was made at has one record, without attempt. The error is a *NoTaskError when
// the job has no such task.
func (j *Job) Task(n int) ([]*stats.Record, *Report, error) {
	if n < 0 || n >= j.Manifest.Tasks {
		return nil, nil, &NoTaskError{n, j.Manifest.Tasks}
	}
	prefix := []byte(`{"task":` + strconv.Itoa(n) + `,`)
	var all []*stats.Record
	rep, err := j.scan(n, 1, func(obj []byte) bool { return bytes.HasPrefix(obj, prefix) }, stats.AllKeys(), func(r *stats.Record) error {
		own := *r
		all = append(all, &own)
		return nil
	})
	slices.SortFunc(all, func(a, b *stats.Record) int { return a.Attempt - b.Attempt })
	return all, rep, err
}
