package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/lithops-go/lithops/internal/stats"
)

// hello is the first line of a runtime.
type hello struct {
	Ready *json.RawMessage `json:"ready"`
	Fatal *callError       `json:"fatal"`
}

// callError is how a function failed.
type callError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Stack   string `json:"stack"`
}

// reply is a runtime's answer to one request.
type reply struct {
	id       int64
	measured bool
	m        [measures]int64
	output   []byte // JSON; part of the line it was read from
	err      *callError
}

// What a runtime measures of a call, in the order of its list.
const (
	mStart = iota // CLOCK_MONOTONIC, ns
	mEnd
	mUser // microseconds
	mSystem
	mMinorFaults
	mMajorFaults
	mBlockRead // blocks of 512 bytes
	mBlockWrite
	mVoluntary
	mInvoluntary
	mPeak   // bytes, 0: not known
	mLogEnd // offset in the log
	measures
)

// parse reads a line. Of a runtime of ours, which trusted tells, the frame is as we
// made it and the output is not looked at.
func (r *reply) parse(line []byte, trusted bool) error {
	if trusted && r.parseFrame(line) {
		return nil
	}
	var said struct {
		ID     *int64          `json:"id"`
		Output json.RawMessage `json:"output"`
		Error  *callError      `json:"error"`
	}
	*r = reply{}
	if err := json.Unmarshal(line, &said); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			return fmt.Errorf("not a reply: its %s must not be a %s: %s", wrong.Field, wrong.Value, shorten(line))
		}
		return fmt.Errorf("not a reply: %w: %s", err, shorten(line))
	}
	switch {
	case !utf8.Valid(line):
		return fmt.Errorf("not a reply: it is not UTF-8: %s", shorten(line))
	case said.ID == nil:
		return fmt.Errorf("reply without id: %s", shorten(line))
	case (said.Output == nil) == (said.Error == nil):
		return fmt.Errorf("reply has not one of output and error: %s", shorten(line))
	}
	r.id, r.output, r.err = *said.ID, said.Output, said.Error
	return nil
}

func shorten(line []byte) string {
	const most = 80
	if len(line) > most {
		return fmt.Sprintf("%q…", line[:most])
	}
	return fmt.Sprintf("%q", line)
}

// parseFrame reads {"id":1,"m":[...],"output":...}.
func (r *reply) parseFrame(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte(`{"id":`))
	if !ok {
		return false
	}
	if r.id, rest, ok = number(rest); !ok {
		return false
	}
	if rest, ok = bytes.CutPrefix(rest, []byte(`,"m":[`)); !ok {
		return false
	}
	for i := range r.m {
		if r.m[i], rest, ok = number(rest); !ok || len(rest) == 0 {
			return false
		}
		end := byte(',')
		if i == measures-1 {
			end = ']'
		}
		if rest[0] != end {
			return false
		}
		rest = rest[1:]
	}
	r.measured = true
	if len(rest) == 0 || rest[len(rest)-1] != '}' {
		return false
	}
	if output, ok := bytes.CutPrefix(rest, []byte(`,"output":`)); ok && len(output) > 1 {
		r.output, r.err = output[:len(output)-1], nil
		return true
	}
	said, ok := bytes.CutPrefix(rest, []byte(`,"error":`))
	r.output, r.err = nil, new(callError)
	return ok && json.Unmarshal(said[:len(said)-1], r.err) == nil
}

func number(b []byte) (n int64, rest []byte, ok bool) {
	i := 0
	for i < len(b) && i < 19 && b[i]-'0' <= 9 {
		n = n*10 + int64(b[i]-'0')
		i++
	}
	return n, b[i:], i > 0 && n >= 0
}

// fill sets what the runtime has measured; stamps are given apart.
func (r *reply) fill(rec *stats.Record) {
	const block = 512
	rec.CPUUser = stats.SecOf(r.m[mUser] * 1000)
	rec.CPUSystem = stats.SecOf(r.m[mSystem] * 1000)
	rec.MinorFaults, rec.MajorFaults = stats.IntOf(r.m[mMinorFaults]), stats.IntOf(r.m[mMajorFaults])
	rec.BlockRead, rec.BlockWrite = stats.IntOf(r.m[mBlockRead]*block), stats.IntOf(r.m[mBlockWrite]*block)
	rec.VoluntarySwitch, rec.InvoluntSwitch = stats.IntOf(r.m[mVoluntary]), stats.IntOf(r.m[mInvoluntary])
}

// errProtocol is a runtime that does not keep to the protocol.
var errProtocol = errors.New("protocol")
