package lithops

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/lithops-go/lithops/internal/job"
)

// FutureList is the tasks of a Map, in the order of its items. It takes a megabyte or
// two of memory, however many those are: of more than some ten thousand tasks, where
// their results are is kept in a file without a name, in the job's directory. It is
// safe for concurrent use.
type FutureList[O any] struct{ c *call }

// JobID is the id of the tasks' job.
func (l *FutureList[O]) JobID() string { return l.c.id }

// Len is the number of tasks.
func (l *FutureList[O]) Len() int { return l.c.maps }

// At is the future of the task with number i, from 0.
func (l *FutureList[O]) At(i int) *Future[O] {
	if i < 0 || i >= l.Len() {
		panic(fmt.Sprintf("lithops: future %d of %d", i, l.Len()))
	}
	return &Future[O]{l.c, i}
}

// Futures is the tasks one by one, with their numbers.
func (l *FutureList[O]) Futures() iter.Seq2[int, *Future[O]] {
	return func(yield func(int, *Future[O]) bool) {
		for i := range l.Len() {
			if !yield(i, l.At(i)) {
				return
			}
		}
	}
}

// Until says how many tasks Wait waits for. Any positive number will do.
type Until int

// What to wait for.
const (
	AllCompleted Until = -1 // all tasks
	AnyCompleted Until = 1  // any one
	Always       Until = 0  // none: to see how things stand
)

// Wait waits until as many tasks have ended as until says, well or not, and
// returns those that have and those that have not. When ctx ends before, the error
// is the cause of that, and the lists are as things stand.
func (l *FutureList[O]) Wait(ctx context.Context, until Until) (done, notDone []*Future[O], err error) {
	n := int(until)
	if n < 0 || n > l.Len() {
		n = l.Len()
	}
	err = l.c.waitFor(ctx, n)
	all := make([]Future[O], l.Len())
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	for i := range all {
		all[i] = Future[O]{l.c, i}
		if l.c.over.has(i) {
			done = append(done, &all[i])
		} else {
			notDone = append(notDone, &all[i])
		}
	}
	return done, notDone, err
}

// Done is closed when all tasks have ended.
func (l *FutureList[O]) Done() <-chan struct{} { return l.c.allDone() }

// shownErrors is how many failed tasks the error of Results names.
const shownErrors = 10

// Results waits for all tasks and returns what they have, in the order of the
// items. What a task that failed should have returned is the zero value; the
// error joins the *TaskError of the first few, see errors.As. When ctx ends before,
// there are no results, and the error is the cause of that.
func (l *FutureList[O]) Results(ctx context.Context) ([]O, error) {
	if err := l.c.waitFor(ctx, l.Len()); err != nil {
		return nil, err
	}
	all := make([]O, l.Len())
	var errs []error
	failed := 0
	r := newResults(l.c)
	for i := range all {
		if t, err := l.c.task(i); failed >= shownErrors && err == nil && t.state != job.Success {
			failed++
			continue
		}
		err := r.decode(i, &all[i])
		if err == nil {
			continue
		}
		if !isTaskError(err) {
			return all, err // the store cannot be read
		}
		failed++
		errs = append(errs, err)
	}
	if failed > len(errs) {
		errs = append(errs, fmt.Errorf("and %d more of %d tasks", failed-len(errs), len(all)))
	}
	return all, errors.Join(errs...)
}

// All goes over the results in the order of the items, each as soon as it is
// there. With a task that failed comes its *TaskError, and then the next one. When
// ctx ends before, its cause is the last error.
func (l *FutureList[O]) All(ctx context.Context) iter.Seq2[O, error] {
	return func(yield func(O, error) bool) {
		r := newResults(l.c)
		out := new(O)
		for i := range l.Len() {
			var none O
			if err := r.wait(ctx, i); err != nil {
				yield(none, err)
				return
			}
			*out = none
			err := r.decode(i, out)
			if !yield(*out, err) {
				return
			}
		}
	}
}

// Stats is the statistics of all tasks, as far as there are any yet. They take
// about a kilobyte per task; for very many tasks go over At and Future.Stats.
func (l *FutureList[O]) Stats() ([]*Stats, error) { return l.c.allStats() }

// Cancel ends the job: running tasks are ended as by Future.Cancel, those that have
// not begun are not run, nor is a reduce. It does not wait for the end.
func (l *FutureList[O]) Cancel() { l.c.cancel(errCancelled) }
