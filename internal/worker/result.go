package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// outcome sets how the attempt ended.
func outcome(rec *stats.Record, status syscall.WaitStatus, why job.State, spec *job.Spec) {
	switch {
	case status.Signaled():
		rec.Signal = signalName(status.Signal())
	default:
		rec.ExitCode = stats.IntOf(status.ExitStatus())
	}
	switch {
	case why != 0:
		ended(rec, why, spec)
	case status.Signaled():
		rec.State, rec.ErrorType, rec.Error = job.Error, "signal", "ended by "+rec.Signal
		if status.CoreDump() {
			rec.Error += " (core dumped)"
		}
	case status.ExitStatus() != 0:
		rec.State, rec.ErrorType, rec.Error = job.Error, "exit", "exit code "+strconv.Itoa(status.ExitStatus())
	default:
		rec.State = job.Success
	}
}

const cancelledText = "ended because it was cancelled"

// ended sets how an attempt ended that we have ended.
func ended(rec *stats.Record, why job.State, spec *job.Spec) {
	rec.State, rec.ErrorType, rec.Error = job.Cancelled, "cancelled", cancelledText
	if why == job.Timeout {
		rec.State, rec.ErrorType = job.Timeout, "timeout"
		rec.Error = fmt.Sprintf("ended after its time limit of %v", spec.Timeout)
	}
}

// oneLine is a message without its line ends.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// collect moves result and log into the store.
func (r *runner) collect(rec *stats.Record) error {
	begun := r.clock.Now()
	if rec.State == job.Success && r.spec.Output == job.OutputJSON {
		if err := checkJSON(r.out.part); err != nil {
			rec.State, rec.ErrorType, rec.Error = job.Error, "output", err.Error()
			if r.oom != "" {
				rec.ErrorType, rec.Error = "memory", r.oom+": "+rec.Error
			}
		}
	}
	offset, size, sum, err := r.out.collect()
	if err != nil {
		return err
	}
	rec.ResultOffset, rec.ResultSize, rec.ResultCRC = stats.IntOf(offset), stats.IntOf(size), stats.IntOf(sum)
	if offset, size, _, err = r.log.collect(); err != nil {
		return err
	}
	rec.LogOffset, rec.LogSize = stats.IntOf(offset), stats.IntOf(size)
	rec.ResultUpload = stats.SecOf(r.clock.Now() - begun)
	return nil
}

// checkJSON says why the output is not one JSON value. It reads the output piece
// by piece: a worker that has been large hides the memory of small tasks.
func checkJSON(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	d := json.NewDecoder(io.NewSectionReader(f, 0, info.Size()))
	d.UseNumber()
	for depth, values := 0, 0; ; {
		token, err := d.Token()
		switch {
		case err == io.EOF && depth == 0 && values == 1:
			return nil
		case err == io.EOF && depth == 0 && values == 0:
			return errors.New("standard output is empty, not one JSON value")
		case err != nil:
			return fmt.Errorf("standard output is not one JSON value: %w", err)
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
		if depth == 0 {
			if values++; values > 1 {
				return errors.New("standard output is more than one JSON value")
			}
		}
	}
}

// stdin is the attempt's standard input: a file without a name that holds the
// text the job gives, or the null device.
func (r *runner) stdin(a assignment) (*os.File, error) {
	text, given, err := r.template.Stdin(a.Task, a.input)
	if err != nil || !given {
		return r.null, err
	}
	f, err := os.CreateTemp(r.job.Dir, "stdin-*")
	if err != nil {
		return nil, fed(err)
	}
	os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err == nil {
		_, err = f.Seek(0, 0)
	}
	if err != nil {
		f.Close()
		return nil, fed(err)
	}
	return f, nil
}

// fed is an error in making a standard input: of the store, and not of the attempt,
// unless it may pass.
func fed(err error) error {
	err = fmt.Errorf("feed standard input: %w", err)
	if shortage(err) {
		return err
	}
	return &haltError{err}
}
