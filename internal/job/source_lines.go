package job

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// lineReader reads a text file line by line, whatever the line ends are.
type lineReader struct {
	name string
	file io.Closer
	r    *bufio.Reader
	max  int    // bytes of a line; maxLine but in tests
	no   int    // of the line last read
	long []byte // for lines longer than r's buffer
}

func newLineReader(f io.ReadCloser, name string) *lineReader {
	return &lineReader{name: name, file: f, max: maxLine, r: bufio.NewReaderSize(f, 64<<10)}
}

// next gives a line without its end, valid until the next call. A last line
// without a newline counts. Lines that are not UTF-8 are an error: JSON cannot
// hold them, and replacing the bytes would name another file.
func (l *lineReader) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		l.long = append(l.long[:0], line...)
		for err == bufio.ErrBufferFull && len(l.long) <= l.max {
			line, err = l.r.ReadSlice('\n')
			l.long = append(l.long, line...)
		}
		line = l.long
	}
	if err == io.EOF && len(line) > 0 {
		err = nil
	}
	if err == io.EOF {
		return nil, err
	}
	l.no++
	if err != nil && err != bufio.ErrBufferFull {
		return nil, &SpecError{File: l.name, Line: l.no, Msg: cause(err).Error(), err: err}
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) > l.max || err != nil {
		return nil, l.fault(nil, 0, "line is longer than %d MiB", l.max>>20)
	}
	if l.no == 1 {
		line = bytes.TrimPrefix(line, []byte("\uFEFF"))
	}
	if !utf8.Valid(line) {
		at := invalidAt(string(line))
		return nil, l.fault(line, at, "line is not valid UTF-8: byte 0x%02x", line[at])
	}
	return line, nil
}

// fault is an error at byte off of the current line.
func (l *lineReader) fault(line []byte, off int, format string, args ...any) *SpecError {
	e := &SpecError{File: l.name, Line: l.no, Msg: fmt.Sprintf(format, args...)}
	if line != nil {
		off = min(max(off, 0), len(line))
		e.Col = utf8.RuneCount(line[:off]) + 1
		const window = 4096 // of a line that may have megabytes
		if len(line) <= window {
			e.Source = string(line)
		}
	}
	return e
}

func (l *lineReader) Close() error { return l.file.Close() }

// linesSource makes a text of each line. Empty lines are items too.
type linesSource struct {
	lines *lineReader
	buf   []byte
}

func (s *linesSource) Next() (json.RawMessage, error) {
	line, err := s.lines.next()
	if err != nil {
		return nil, err
	}
	s.buf = appendQuoted(s.buf[:0], line)
	return s.buf, nil
}

func (s *linesSource) Close() error { return s.lines.Close() }

// jsonlSource takes one JSON value from each line; blank lines are skipped.
type jsonlSource struct {
	lines *lineReader
	buf   bytes.Buffer
}

func (s *jsonlSource) Next() (json.RawMessage, error) {
	for {
		line, err := s.lines.next()
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		s.buf.Reset()
		if err := json.Compact(&s.buf, line); err != nil {
			return nil, s.lines.fault(line, jsonFault(line), "not valid JSON: %v", err)
		}
		return s.buf.Bytes(), nil
	}
}

// jsonFault gives the index of what makes line invalid; Compact does not tell.
func jsonFault(line []byte) int {
	var se *json.SyntaxError
	err := json.Unmarshal(line, new(json.RawMessage))
	if !errors.As(err, &se) || se.Error() == "unexpected end of JSON input" {
		return len(line)
	}
	return int(se.Offset) - 1
}

func (s *jsonlSource) Close() error { return s.lines.Close() }
