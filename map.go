package lithops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
)

// CallAsync calls f once, on a worker, and does not wait for the end. (Only beyond a
// thousand jobs of the executor under way does it wait for one of them.)
//
// The context is the call's as long as it takes: when it ends, so does the call.
//
// To call a function for many items use Map: a job of its own for each call is
// dear.
func CallAsync[I, O any](ctx context.Context, exec *Executor, f *Function[I, O], item I) (*Future[O], error) {
	c, err := start[I](ctx, exec, 'A', f.named(), "", []I{item})
	if err != nil {
		return nil, err
	}
	return &Future[O]{c, 0}, nil
}

// Items are what Map takes: a slice, or a sequence, which is gone through once.
type Items[I any] interface {
	~[]I | ~func(yield func(I) bool)
}

// Map calls f for each item, on workers, as one job. It returns when all items are
// in the store, with the futures of the calls, in the order of the items. An item
// that JSON cannot hold is an error, and then nothing is run.
//
// The context is the job's as long as it takes: when it ends, running calls are
// ended, and no further ones are made.
func Map[I, O any, S Items[I]](ctx context.Context, exec *Executor, f *Function[I, O], items S) (*FutureList[O], error) {
	c, err := start[I](ctx, exec, 'M', f.named(), "", items)
	if err != nil {
		return nil, err
	}
	return &FutureList[O]{c}, nil
}

// MapReduce calls f for each item, as Map does, and then r, once, with all
// results. When a call of f fails for good, r is not called; an executor that
// tolerates failures gives it the results there are.
func MapReduce[I, M, O any, S Items[I]](ctx context.Context, exec *Executor, f *Function[I, M], items S, r *Reducer[M, O]) (*ReduceFuture[M, O], error) {
	if r == nil {
		return nil, errNoFunction
	}
	c, err := start[I](ctx, exec, 'M', f.named(), r.name, items)
	if err != nil {
		return nil, err
	}
	return &ReduceFuture[M, O]{Future[O]{c, c.maps}}, nil
}

var errNoFunction = errors.New("the function is nil: make it by lithops.Func or lithops.ReduceFunc")

func (f *Function[I, O]) named() string {
	if f == nil {
		return ""
	}
	return f.name
}

// start checks what a call was given and makes a job of it.
func start[I any, S Items[I]](ctx context.Context, e *Executor, kind byte, f, reduce string, items S) (*call, error) {
	switch {
	case !initialised.Load():
		return nil, errNoInit
	case e == nil:
		return nil, errors.New("the executor is nil: make one by lithops.New")
	case f == "":
		return nil, errNoFunction
	}
	seq := sequence[I](items)
	if seq == nil {
		return nil, errors.New("the sequence of items is nil")
	}
	src := &source[I]{out: newEncoder()}
	src.next, src.stop = iter.Pull(seq)
	defer src.Close()
	c, err := e.start(ctx, kind, f, reduce, src)
	if src.panicked != nil {
		panic(src.panicked)
	}
	return c, err
}

// sequence is items as one; nil when they are a nil function.
func sequence[I any, S Items[I]](items S) iter.Seq[I] {
	v := reflect.ValueOf(items)
	if v.Kind() == reflect.Slice {
		return slices.Values(v.Convert(reflect.TypeFor[[]I]()).Interface().([]I))
	}
	return v.Convert(reflect.TypeFor[iter.Seq[I]]()).Interface().(iter.Seq[I])
}

// source encodes items.
type source[I any] struct {
	next     func() (I, bool)
	stop     func()
	n        int
	out      *encoder
	panicked any // what the caller's own code did: it is for the caller
}

func (s *source[I]) Next() (item json.RawMessage, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.panicked, err = v, fmt.Errorf("panic: %v", v)
		}
	}()
	x, ok := s.next()
	if !ok {
		return nil, io.EOF
	}
	if item, err = s.out.encode(x); err != nil {
		return nil, fmt.Errorf("item %d is not JSON: %w", s.n, err)
	}
	s.n++
	return item, nil
}

func (s *source[I]) Close() error {
	s.stop()
	return nil
}
