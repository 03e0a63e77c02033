package stats

import (
	"io"
	"strings"
)

// WriteCSVHeader writes the line of keys, in the order of Fields.
func WriteCSVHeader(w io.Writer) error {
	_, err := w.Write(appendCSVHeader(nil))
	return err
}

// WriteCSVRow writes r as a line of CSV (RFC 4180: lines end with CR LF, quotes
// inside a cell are doubled): null is the empty cell, numbers and stamps are as in
// JSON, a list is its JSON text.
//
// A text cell that a spreadsheet would take for a formula (it begins with = + - @,
// a tab or a carriage return) gets an apostrophe in front, because error texts can
// carry what strangers wrote into a task's input. Numbers are never touched, and
// the JSON forms hold every text as it is.
func WriteCSVRow(w io.Writer, r *Record) error {
	_, err := w.Write(appendCSVRow(nil, r))
	return err
}

func appendCSVHeader(b []byte) []byte {
	for i, f := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, f.Key...)
	}
	return append(b, "\r\n"...)
}

func appendCSVRow(b []byte, r *Record) []byte {
	for i := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = fields[i].appendCSV(b, r)
	}
	return append(b, "\r\n"...)
}

func (f *Field) appendCSV(b []byte, r *Record) []byte {
	switch at := f.kind.(type) {
	case textAt:
		return appendCSVText(b, *at(r))
	case stateAt:
		return append(b, r.State.String()...)
	case listAt:
		if *at(r) == nil {
			return b
		}
		return appendCSVCell(b, string(f.append(nil, r)))
	}
	mark := len(b)
	if b = f.append(b, r); b[mark] == 'n' {
		b = b[:mark]
	}
	return b
}

func appendCSVText(b []byte, s string) []byte {
	if s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0 {
		s = "'" + s
	}
	return appendCSVCell(b, s)
}

func appendCSVCell(b []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") && !strings.HasPrefix(s, " ") && !strings.HasSuffix(s, " ") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}
