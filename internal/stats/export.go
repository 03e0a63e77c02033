package stats

import (
	"fmt"
	"io"
	"strings"
)

// The formats of an Exporter.
const (
	JSON  = "json"  // one array
	JSONL = "jsonl" // one object per line
	CSV   = "csv"   // see WriteCSVRow
)

// Formats lists the formats an Exporter knows.
func Formats() []string { return []string{JSON, JSONL, CSV} }

// Exporter writes records one after the other, all keys of each, without keeping
// them: Begin, Record for each, End. It collects what it writes into large
// pieces; End writes the last one and does not close the writer. After the first
// error every call returns it.
type Exporter struct {
	w      io.Writer
	format string
	b      []byte
	n      int
	err    error
}

// NewExporter makes an exporter that writes to w.
func NewExporter(w io.Writer, format string) (*Exporter, error) {
	switch format {
	case JSON, JSONL, CSV:
		return &Exporter{w: w, format: format}, nil
	}
	return nil, fmt.Errorf("unknown format %q, known are %s", format, strings.Join(Formats(), ", "))
}

// Begin writes what stands before the first record.
func (e *Exporter) Begin() error {
	switch e.format {
	case JSON:
		e.b = append(e.b, '[')
	case CSV:
		e.b = appendCSVHeader(e.b)
	}
	return e.err
}

// Record writes one record.
func (e *Exporter) Record(r *Record) error {
	switch e.format {
	case JSON:
		if e.n > 0 {
			e.b = append(e.b, ',')
		}
		e.b = AppendJSON(append(e.b, '\n'), r)
	case JSONL:
		e.b = append(AppendJSON(e.b, r), '\n')
	case CSV:
		e.b = appendCSVRow(e.b, r)
	}
	e.n++
	if len(e.b) >= 64<<10 {
		e.flush()
	}
	return e.err
}

// End writes what stands after the last record.
func (e *Exporter) End() error {
	if e.format == JSON {
		if e.n > 0 {
			e.b = append(e.b, '\n')
		}
		e.b = append(e.b, "]\n"...)
	}
	e.flush()
	return e.err
}

func (e *Exporter) flush() {
	if e.err == nil {
		if _, err := e.w.Write(e.b); err != nil {
			e.err = fmt.Errorf("write records: %w", err)
		}
	}
	e.b = e.b[:0]
}
