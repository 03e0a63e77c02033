package job

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// csvSource makes an object of texts of each row, keyed by the header. Blank
// lines are skipped; a \r\n inside a quoted field becomes \n (see encoding/csv).
type csvSource struct {
	name string
	file io.Closer
	r    *csv.Reader
	room *guard
	keys [][]byte // `"name":`
	buf  []byte
}

func newCSVSource(f io.ReadCloser, name, delimiter string) (*csvSource, error) {
	s := &csvSource{name: name, file: f, room: &guard{r: f, max: maxLine}}
	s.room.reset()
	r := bufio.NewReaderSize(s.room, 64<<10)
	if c, _, err := r.ReadRune(); err == nil && c != '\uFEFF' {
		r.UnreadRune()
	}
	s.r = csv.NewReader(r)
	s.r.ReuseRecord = true
	if delimiter != "" {
		s.r.Comma, _ = utf8.DecodeRuneInString(delimiter)
		if len(delimiter) != utf8.RuneLen(s.r.Comma) {
			return nil, fmt.Errorf("delimiter must be one character, not %q", delimiter)
		}
	}
	header, err := s.r.Read()
	if err == io.EOF {
		return nil, &SpecError{File: name, Line: 1, Msg: "the file is empty; it needs a header row"}
	}
	if err != nil {
		return nil, s.fault(err)
	}
	seen := map[string]bool{}
	for i, h := range header {
		line, col := s.r.FieldPos(i)
		at := func(format string, args ...any) error {
			return &SpecError{File: name, Line: line, Col: col, Msg: fmt.Sprintf(format, args...)}
		}
		switch {
		case !utf8.ValidString(h):
			return nil, at("header %q is not valid UTF-8", h)
		case h == "":
			return nil, at("header of column %d is empty", i+1)
		case seen[h]:
			return nil, at("two columns are named %q", short(h))
		}
		seen[h] = true
		s.keys = append(s.keys, append(appendQuoted(nil, h), ':'))
	}
	return s, nil
}

func (s *csvSource) Next() (json.RawMessage, error) {
	s.room.reset()
	row, err := s.r.Read()
	if err == io.EOF {
		return nil, err
	}
	if err != nil {
		return nil, s.fault(err)
	}
	s.buf = append(s.buf[:0], '{')
	for i, v := range row {
		if at := invalidAt(v); at < len(v) {
			line, col := s.r.FieldPos(i)
			return nil, &SpecError{File: s.name, Line: line, Col: col, Msg: fmt.Sprintf("field is not valid UTF-8: byte 0x%02x", v[at])}
		}
		if i > 0 {
			s.buf = append(s.buf, ',')
		}
		s.buf = appendQuoted(append(s.buf, s.keys[i]...), v)
	}
	s.buf = append(s.buf, '}')
	return s.buf, nil
}

func (s *csvSource) fault(err error) error {
	var pe *csv.ParseError
	if !errors.As(err, &pe) {
		return &SpecError{File: s.name, Msg: cause(err).Error(), err: err}
	}
	e := &SpecError{File: s.name, Line: pe.Line, Col: pe.Column, err: err}
	switch {
	case errors.Is(err, csv.ErrFieldCount):
		// The reader still hands over the row, and FieldPos tells where it begins.
		e.Line, e.Col = pe.StartLine, 0
		e.Msg = fmt.Sprintf("row does not have %d fields, as the header has", len(s.keys))
	case errors.Is(err, csv.ErrQuote):
		e.Line, e.Col = pe.StartLine, 0
		e.Msg = "a quoted field does not end, or goes on behind its closing quote"
	case errors.Is(err, csv.ErrBareQuote):
		e.Msg = "a quote in a field without quotes"
		e.Hint = `a field with a quote in it is written "so: "" is one quote"`
	default:
		e.Msg = pe.Err.Error()
	}
	return e
}

func (s *csvSource) Close() error { return s.file.Close() }

// guard ends a row that does not end: a lost closing quote would otherwise
// draw the rest of the file into memory.
type guard struct {
	r    io.Reader
	max  int // bytes of a row; maxLine but in tests
	left int
}

// reset allows for one row, and for what the buffers ahead of it take.
func (g *guard) reset() { g.left = g.max + 256<<10 }

func (g *guard) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, fmt.Errorf("a row is longer than %d MiB; is a closing quote missing?", g.max>>20)
	}
	n, err := g.r.Read(p[:min(len(p), g.left)])
	g.left -= n
	return n, err
}
