package main

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"unicode/utf8"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// resultSink takes the results of tasks in order. A Damage that reading one gives
// is returned as it is.
type resultSink interface {
	result(r *stats.Record, result io.Reader) error
	none(r *stats.Record) error // of a task that ended without a result
}

// resultText writes the results one after the other.
type resultText struct {
	lastByte
	raw bool
	buf []byte
}

func (t *resultText) result(_ *stats.Record, result io.Reader) error {
	n, err := io.CopyBuffer(&t.lastByte, result, t.buf)
	switch {
	case t.raw || n == 0 && err != nil:
		return err
	case n == 0:
		_, err = io.WriteString(t.w, "\n")
		return err
	}
	return cmp.Or(t.endLine(), err) // also behind what there was of a damaged one
}

func (t *resultText) none(*stats.Record) error { return nil }

// lastByte is a writer that knows how what was written ends.
type lastByte struct {
	w    io.Writer
	last byte
	any  bool // was written
}

func (l *lastByte) Write(b []byte) (int, error) {
	if len(b) > 0 {
		l.last, l.any = b[len(b)-1], true
	}
	return l.w.Write(b)
}

// endLine ends a line that has no end.
func (l *lastByte) endLine() error {
	if !l.any || l.last == '\n' {
		return nil
	}
	_, err := l.Write([]byte{'\n'})
	return err
}

// resultLines writes an object per task.
type resultLines struct {
	w    io.Writer
	spec *job.Spec
	in   bytes.Buffer
	out  bytes.Buffer
}

func (l *resultLines) result(r *stats.Record, result io.Reader) error {
	l.in.Reset()
	if _, err := l.in.ReadFrom(result); err != nil {
		return err
	}
	l.begin(r)
	switch {
	case !utf8.Valid(l.in.Bytes()):
		l.out.WriteString(`,"result_base64":"`)
		l.out.Write(base64.StdEncoding.AppendEncode(l.out.AvailableBuffer(), l.in.Bytes()))
		l.out.WriteByte('"')
	case isJSON(l.spec, r.Stage) && l.value():
	default:
		l.text("result", l.in.String())
	}
	return l.end()
}

// value writes the result as the JSON value it is, on one line.
func (l *resultLines) value() bool {
	mark := l.out.Len()
	l.out.WriteString(`,"result":`)
	value := l.out.Len()
	if json.Compact(&l.out, l.in.Bytes()) != nil || l.out.Len() == value {
		l.out.Truncate(mark)
		return false
	}
	return true
}

func (l *resultLines) none(r *stats.Record) error {
	l.begin(r)
	for _, kv := range [][2]string{{"error_type", r.ErrorType}, {"error", r.Error}} {
		if kv[1] != "" {
			l.text(kv[0], kv[1])
		}
	}
	return l.end()
}

func (l *resultLines) begin(r *stats.Record) {
	l.out.Reset()
	fmt.Fprintf(&l.out, `{"task":%d,"state":"%s"`, r.Task, r.State)
}

func (l *resultLines) text(key, value string) {
	fmt.Fprintf(&l.out, `,"%s":`, key)
	enc := json.NewEncoder(&l.out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value)           // a string always can be
	l.out.Truncate(l.out.Len() - 1) // the line end
}

func (l *resultLines) end() error {
	l.out.WriteString("}\n")
	_, err := l.w.Write(l.out.Bytes())
	return err
}

// resultFiles writes a file per task.
type resultFiles struct {
	dir  string
	spec *job.Spec
	wide int // digits of the largest number
	n    int
}

func writeResultFiles(a *app, dir string, j *store.Job, write func(resultSink) error) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return usage("output directory %s is a file", dir)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return badInput{fmt.Errorf("make output directory: %w", err)}
	}
	m := j.Manifest
	files := &resultFiles{dir: dir, spec: m.Spec, wide: len(strconv.Itoa(max(0, m.Tasks-1)))}
	if err := write(files); err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "%s in %s\n", plural(files.n, "file", "files"), dir)
	return nil
}

func (f *resultFiles) result(r *stats.Record, result io.Reader) error {
	ext := ".out"
	if isJSON(f.spec, r.Stage) {
		ext = ".json"
	}
	path := filepath.Join(f.dir, fmt.Sprintf("%0*d%s", f.wide, r.Task, ext))
	err := writeFile(path, func(file *os.File) error {
		_, err := io.Copy(file, result)
		return err
	})
	if err == nil {
		f.n++
	}
	return err
}

func (f *resultFiles) none(*stats.Record) error { return nil }

// isJSON says whether the results of a stage are JSON.
func isJSON(spec *job.Spec, stage string) bool {
	return stage == stats.StageReduce || spec.Function != (job.Function{}) || spec.Output == job.OutputJSON
}
