package job

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"strconv"
)

// Source yields the items of a job one by one, as JSON values in compact form.
type Source interface {
	// Next gives the next item, valid until the next call; io.EOF at the end.
	// Any other error is final.
	Next() (json.RawMessage, error)
	Close() error
}

// maxLine bounds one line, one row or one JSON value of a data file.
const maxLine = 64 << 20

// Open opens the job's data. Errors are *SpecError with the place of the source
// in the job file. Where the tasks run in a directory other than the job file's,
// a relative glob gives absolute paths, so that the tasks find them; otherwise
// paths are as the pattern writes them.
func (s *Spec) Open(stdin io.Reader) (Source, error) {
	src, err := s.Data.open(s.Dir, stdin, s.Workdir != "" && s.Workdir != s.Dir)
	if err == nil {
		return src, nil
	}
	kind := s.Data.Kind()
	if kind == "" {
		return nil, s.from.fault("", "%v", err)
	}
	e := s.from.fault("data."+kind, "%s: %v", kind, err)
	var at *SpecError
	if errors.As(err, &at) && at.File != "" {
		return nil, at // in the data file, which says more
	}
	e.err = err
	return nil, e
}

// Open opens the source. Relative paths are relative to dir; stdin is what "-"
// reads, and is not closed.
func (d Data) Open(dir string, stdin io.Reader) (Source, error) { return d.open(dir, stdin, false) }

func (d Data) open(dir string, stdin io.Reader, absolute bool) (Source, error) {
	kinds := d.kinds()
	if len(kinds) != 1 {
		return nil, errors.New("data must have exactly one source")
	}
	switch kinds[0] {
	case "list":
		return &listSource{d.List}, nil
	case "range":
		r := *d.Range
		return &rangeSource{next: r.Start, step: r.step(), left: r.count()}, nil
	case "glob":
		return openGlob(d.Glob, dir, absolute)
	case "matrix":
		return newMatrixSource(d.Matrix), nil
	}
	name := d.Lines + d.JSONL // one of them is empty
	if d.CSV != nil {
		name = d.CSV.File
	}
	f, err := openFile(dir, name, stdin)
	if err != nil {
		return nil, err
	}
	var src Source
	switch {
	case d.CSV != nil:
		src, err = newCSVSource(f, name, d.CSV.Delimiter)
	case d.JSONL != "":
		src = &jsonlSource{lines: newLineReader(f, name)}
	default:
		src = &linesSource{lines: newLineReader(f, name)}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return src, nil
}

// openFile opens a data file for reading; its errors name the file as written.
func openFile(dir, name string, stdin io.Reader) (io.ReadCloser, error) {
	if name == "-" {
		if stdin == nil {
			return nil, errors.New("there is no standard input to read")
		}
		return io.NopCloser(stdin), nil
	}
	f, err := os.Open(under(dir, name))
	if err != nil {
		return nil, readError(name, err)
	}
	if st, err := f.Stat(); err != nil || st.IsDir() {
		f.Close()
		if err == nil {
			err = errors.New("is a directory")
		}
		return nil, readError(name, err)
	}
	return f, nil
}

// readError says cannot read NAME: why, without the path a second time.
func readError(name string, err error) *SpecError {
	return &SpecError{Msg: "cannot read " + printable(name) + ": " + cause(err).Error(), err: err}
}

// cause is a file system's error without its path, which the message has.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// printable is name as it is, or quoted where it would garble a message.
func printable(name string) string {
	if q := strconv.QuoteToGraphic(name); q[1:len(q)-1] != name {
		return q
	}
	return name
}

// Count gives the number of items where it is known without reading: of a
// list, a range and a matrix. It is capped at the largest int64.
func (d Data) Count() (n int64, known bool) {
	switch d.Kind() {
	case "list":
		return int64(len(d.List)), true
	case "range":
		return int64(min(d.Range.count(), math.MaxInt64)), true
	case "matrix":
		n = 1
		for _, a := range d.Matrix {
			if k := int64(len(a.Values)); k == 0 {
				return 0, true
			} else if n > math.MaxInt64/k {
				n = math.MaxInt64
			} else {
				n *= k
			}
		}
		return n, true
	}
	return 0, false
}

// Step 0, which the job file refuses, is what a program leaves out.
func (r Range) step() int64 {
	if r.Step == 0 {
		return 1
	}
	return r.Step
}

// count cannot overflow: the distance of two int64 fits a uint64.
func (r Range) count() uint64 {
	switch step := r.step(); {
	case step > 0 && r.Start < r.Stop:
		return (uint64(r.Stop)-uint64(r.Start)-1)/uint64(step) + 1
	case step < 0 && r.Start > r.Stop:
		return (uint64(r.Start)-uint64(r.Stop)-1)/(-uint64(step)) + 1
	}
	return 0
}

type rangeSource struct {
	next, step int64
	left       uint64
	buf        [24]byte
}

func (s *rangeSource) Next() (json.RawMessage, error) {
	if s.left == 0 {
		return nil, io.EOF
	}
	b := strconv.AppendInt(s.buf[:0], s.next, 10)
	s.left--
	s.next += s.step // may wrap after the last one, which nobody sees
	return b, nil
}

func (s *rangeSource) Close() error { return nil }

type listSource struct{ left Items }

func (s *listSource) Next() (json.RawMessage, error) {
	if len(s.left) == 0 {
		return nil, io.EOF
	}
	item := s.left[0]
	s.left = s.left[1:]
	return item, nil
}

func (s *listSource) Close() error { return nil }

// matrixSource counts through the axes like an odometer, the last one fastest.
type matrixSource struct {
	axes []Axis
	keys [][]byte // `"name":`
	at   []int
	done bool
	buf  []byte
}

func newMatrixSource(axes []Axis) *matrixSource {
	s := &matrixSource{axes: axes, at: make([]int, len(axes)), done: len(axes) == 0}
	for _, a := range axes {
		s.keys = append(s.keys, append(appendQuoted(nil, a.Name), ':'))
		s.done = s.done || len(a.Values) == 0
	}
	return s
}

func (s *matrixSource) Next() (json.RawMessage, error) {
	if s.done {
		return nil, io.EOF
	}
	s.buf = append(s.buf[:0], '{')
	for i, a := range s.axes {
		if i > 0 {
			s.buf = append(s.buf, ',')
		}
		s.buf = append(append(s.buf, s.keys[i]...), a.Values[s.at[i]]...)
	}
	s.buf = append(s.buf, '}')
	i := len(s.at) - 1
	for ; i >= 0; i-- {
		if s.at[i]++; s.at[i] < len(s.axes[i].Values) {
			break
		}
		s.at[i] = 0
	}
	s.done = i < 0
	return s.buf, nil
}

func (s *matrixSource) Close() error { return nil }
