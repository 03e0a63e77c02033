package lithops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"

	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/worker"
)

const noInit = "call lithops.Init first thing in main (in tests: in TestMain)"

// errNoInit is for a program that could not start workers: they would be the same
// program, and run all of it again.
var errNoInit = errors.New("lithops.Init was not called: " + noInit)

// Function is a Go function that workers can call, made by Func.
type Function[I, O any] struct{ name string }

// Name is what the function was made with.
func (f *Function[I, O]) Name() string { return f.name }

// Func makes f a function that workers can call. It belongs into a variable of a
// package, so that the worker, which is the same program started again, makes it
// too:
//
//	var double = lithops.Func("double", func(ctx context.Context, x int) (int, error) {
//		return 2 * x, nil
//	})
//
// The name tells it from the program's others; it panics for one that is taken or
// empty, and when it is called after Init.
//
// Item and result cross between processes as JSON, by encoding/json and nothing
// else: fields that are not exported are lost, and a pointer to what the item
// shares with others becomes a copy. What JSON cannot hold is an error of Map, or
// of the call. What f prints is its log. The context ends with the call's time, and
// when it is cancelled. A panic of f is an error of the call.
//
// One process calls f for many items, one after the other: what it keeps in
// variables of the program stays from call to call.
func Func[I, O any](name string, f func(ctx context.Context, x I) (O, error)) *Function[I, O] {
	out := newEncoder() // one call at a time
	register("Func", name, f == nil, func(ctx context.Context, in worker.GoInput) ([]byte, error) {
		var x I
		if err := decode(in.JSON, &x); err != nil {
			return nil, fmt.Errorf("%s takes %v and not the item %s: %w", name, reflect.TypeFor[I](), short(in.JSON, 60), err)
		}
		y, err := f(withTask(ctx, in.Task), x)
		if err != nil {
			return nil, err
		}
		return out.result(name, y)
	})
	return &Function[I, O]{name}
}

// Reducer is a Go function that makes one value of many results, made by
// ReduceFunc.
type Reducer[I, O any] struct{ name string }

// Name is what the function was made with.
func (r *Reducer[I, O]) Name() string { return r.name }

// ReduceFunc makes f a function for the second stage of MapReduce, which a worker
// calls when the first has ended. It gets the results of the map in the order of
// the items. They are read and decoded one by one, so that they need not fit into
// memory; f may go over them several times, and need not go to their end.
//
// All else is as for Func, with which it shares the names.
func ReduceFunc[I, O any](name string, f func(ctx context.Context, results iter.Seq[I]) (O, error)) *Reducer[I, O] {
	register("ReduceFunc", name, f == nil, func(ctx context.Context, in worker.GoInput) ([]byte, error) {
		list := &lines{path: in.List, count: in.Count}
		y, err := f(withTask(ctx, in.Task), each[I](list))
		switch {
		case list.err != nil: // f did not see all there is
			return nil, fmt.Errorf("%s: read results: %w", name, list.err)
		case err != nil:
			return nil, err
		}
		return newEncoder().result(name, y)
	})
	return &Reducer[I, O]{name}
}

func register(by, name string, isNil bool, f worker.GoFunc) {
	fail := func(what string) { panic(fmt.Sprintf("lithops: %s(%q): %s", by, name, what)) }
	switch {
	case name == "":
		fail("the name is empty")
	case isNil:
		fail("the function is nil")
	case initialised.Load():
		fail("called after Init, so that workers would not know the function; make it in a variable of a package")
	case worker.Register(name, f) != nil:
		fail("the name is taken by another function")
	}
}

type taskKey struct{}

func withTask(ctx context.Context, n int) context.Context {
	return context.WithValue(ctx, taskKey{}, n)
}

// TaskNumber is the number, from 0, of the call that ctx was given to: the item's
// place in the input. It is -1 when ctx is not from a call.
func TaskNumber(ctx context.Context) int {
	if n, ok := ctx.Value(taskKey{}).(int); ok {
		return n
	}
	return -1
}

// encoder writes values as compact JSON without a line end.
type encoder struct {
	b bytes.Buffer
	e *json.Encoder
}

func newEncoder() *encoder {
	e := &encoder{}
	e.e = json.NewEncoder(&e.b)
	e.e.SetEscapeHTML(false)
	return e
}

// encode gives v as JSON, valid until the next call.
func (e *encoder) encode(v any) ([]byte, error) {
	const most = 1 << 20 // to be kept from call to call
	if e.b.Cap() > most {
		e.b = bytes.Buffer{}
	}
	e.b.Reset()
	if b, ok := appendPlain(e.b.AvailableBuffer(), v); ok {
		e.b.Write(b)
		return e.b.Bytes(), nil
	}
	err := e.e.Encode(v)
	e.b.Truncate(max(0, e.b.Len()-1))
	return e.b.Bytes(), err
}

func (e *encoder) result(name string, y any) ([]byte, error) {
	b, err := e.encode(y)
	if err != nil {
		return nil, fmt.Errorf("result of %s is not JSON: %w", name, err)
	}
	if len(b) > worker.MaxResult {
		return nil, fmt.Errorf("result of %s is %d bytes as JSON, more than the %d that are taken; write it to a file and return its name", name, len(b), worker.MaxResult)
	}
	return b, nil
}

// short is a JSON value, cut for a message.
func short(item []byte, most int) string {
	if len(item) > most {
		return string(bytes.ToValidUTF8(item[:most], nil)) + "…"
	}
	return string(item)
}

// lines is a file with one JSON value per line.
type lines struct {
	path  string
	count int
	err   error // the first one
}

// each decodes the values of l, from the first, each time it is gone over. After
// an error of l there are none.
func each[I any](l *lines) iter.Seq[I] {
	return func(yield func(I) bool) {
		if l.err != nil {
			return
		}
		l.err = l.read(func(line []byte) (more bool, err error) {
			var x I
			if err := decode(line, &x); err != nil {
				return false, fmt.Errorf("want %v and not %s: %w", reflect.TypeFor[I](), short(line, 60), err)
			}
			return yield(x), nil
		})
	}
}

func (l *lines) read(use func(line []byte) (more bool, err error)) error {
	r, err := store.OpenLines(l.path)
	if err != nil {
		return err
	}
	defer r.Close()
	for n := range l.count {
		line, err := r.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%s has %d values and should have %d: %w", l.path, n, l.count, io.ErrUnexpectedEOF)
		}
		if err != nil {
			return err
		}
		if more, err := use(line); err != nil {
			return fmt.Errorf("value %d: %w", n, err)
		} else if !more {
			return nil
		}
	}
	return nil
}
