// Package wire is what host and worker say to each other, over two pipes: lines
// of text, a word, a few numbers, and JSON or nothing. A worker's messages are
// doorbells: they say up to where its segment in the store can be read.
//
//	host → worker                          worker → host
//	setup VERSION {json}                   ready VERSION {json}
//	task TASK ATTEMPT {input}              warm
//	recall                                 done OFFSET
//	drop TASK ATTEMPT                      back TASK ATTEMPT
//	cancel                                 fatal {json}
//	end
//
// The worker answers setup with ready, or fatal when it cannot work. It runs
// tasks in the order they came. warm says that the job's functions could be
// loaded. done says that its stats segment is complete up
// to OFFSET; one done may stand for many tasks. On recall it gives tasks it has
// not begun back, each with back; on cancel it ends the running task (whose
// record says so) as well; drop ends one attempt, begun or not. After end it works
// off what it has and exits; when its pipe closes without end, the host is gone,
// and it ends its task and exits.
package wire

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
)

// Version of the protocol; host and worker are the same program, so they only
// differ when it was replaced while a job ran.
const Version = 2

// WorkerEnv is the environment variable that makes the program a worker; its
// value is the worker's number. The worker unsets it before anything else.
const WorkerEnv = "LITHOPS_WORKER_NUMBER"

// Descriptors of a worker: its pipes, and the lock of the job, which is held until
// the host and the last worker are gone. There may be no lock.
const (
	FromHost = 3
	ToHost   = 4
	LockFile = 5
)

// MaxLine bounds a message: a larger one is an error, not a full memory.
const MaxLine = 128 << 20

// MaxInput bounds an input, so that the message it travels in is not too long.
const MaxInput = MaxLine - 64

// Kind is the word a message starts with.
type Kind string

// The kinds of messages.
const (
	Setup  Kind = "setup"
	Task   Kind = "task"
	Recall Kind = "recall"
	Drop   Kind = "drop"
	Cancel Kind = "cancel"
	End    Kind = "end"

	Ready Kind = "ready"
	Warm  Kind = "warm"
	Done  Kind = "done"
	Back  Kind = "back"
	Fatal Kind = "fatal"
)

// shape is how many numbers follow a kind's word, and whether JSON does.
type shape struct {
	numbers int
	json    bool
}

func (k Kind) shape() (s shape, known bool) {
	switch k {
	case Setup, Ready:
		return shape{1, true}, true
	case Task:
		return shape{2, true}, true
	case Back, Drop:
		return shape{2, false}, true
	case Done:
		return shape{1, false}, true
	case Fatal:
		return shape{0, true}, true
	case Recall, Cancel, End, Warm:
		return shape{}, true
	}
	return shape{}, false
}

// Message is one line.
type Message struct {
	Kind    Kind
	Numbers [2]int64 // see the package comment; unused ones are 0
	JSON    []byte   // unused: nil
}

// Attempt is the task and attempt of a task, drop or back message.
func (m *Message) Attempt() job.Attempt {
	return job.Attempt{Task: int(m.Numbers[0]), Try: int(m.Numbers[1])}
}

// Append adds the message's line to b. The message must have its kind's shape
// and its JSON no line end.
func (m *Message) Append(b []byte) []byte {
	s, _ := m.Kind.shape()
	b = append(b, m.Kind...)
	for _, n := range m.Numbers[:s.numbers] {
		b = append(b, ' ')
		b = strconv.AppendInt(b, n, 10)
	}
	if s.json {
		b = append(b, ' ')
		b = append(b, m.JSON...)
	}
	return append(b, '\n')
}

// ErrGarbage is a line that is no message.
var ErrGarbage = errors.New("not a message of the worker protocol")

// Parse reads a line without its end. m.JSON points into line.
func (m *Message) Parse(line []byte) error {
	garbage := func() error { return fmt.Errorf("%w: %.80q", ErrGarbage, line) }
	word, rest := cut(line)
	*m = Message{Kind: Kind(word)}
	s, known := m.Kind.shape()
	if !known {
		return garbage()
	}
	for i := range s.numbers {
		var digits []byte
		if digits, rest = cut(rest); len(digits) == 0 || len(digits) > 18 {
			return garbage()
		}
		for _, c := range digits {
			if c-'0' > 9 {
				return garbage()
			}
			m.Numbers[i] = m.Numbers[i]*10 + int64(c-'0')
		}
	}
	if s.json {
		if len(rest) == 0 {
			return garbage()
		}
		m.JSON, rest = rest, nil
	}
	if len(rest) > 0 {
		return garbage()
	}
	return nil
}

// cut splits b at its first space.
func cut(b []byte) (word, rest []byte) {
	for i, c := range b {
		if c == ' ' {
			return b[:i], b[i+1:]
		}
	}
	return b, nil
}

// Reader reads messages.
type Reader struct {
	r   *bufio.Reader
	big []byte
}

// NewReader reads from r.
func NewReader(r io.Reader) *Reader { return &Reader{r: bufio.NewReaderSize(r, 1<<16)} }

// Read returns the next message, valid until the next call; io.EOF when the
// stream ended between messages, io.ErrUnexpectedEOF when within one.
func (r *Reader) Read(m *Message) error {
	line, err := r.line()
	if err != nil {
		return err
	}
	return m.Parse(line)
}

func (r *Reader) line() ([]byte, error) {
	r.big = r.big[:0]
	for {
		part, err := r.r.ReadSlice('\n')
		switch {
		case err == nil && len(r.big) == 0:
			return part[:len(part)-1], nil
		case err == nil:
			r.big = append(r.big, part[:len(part)-1]...)
			return r.big, nil
		case errors.Is(err, bufio.ErrBufferFull):
			if r.big = append(r.big, part...); len(r.big) > MaxLine {
				return nil, fmt.Errorf("message of more than %d bytes", MaxLine)
			}
		case err == io.EOF && len(r.big)+len(part) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

// Job is what a worker must know of its job: the JSON of setup.
type Job struct {
	JobID     string        `json:"job_id"`
	Dir       string        `json:"dir"` // the job's directory
	Worker    int           `json:"worker"`
	Workers   int           `json:"workers"` // of the job: they share the machine
	Clock     clock.Base    `json:"clock"`
	Spec      *job.Spec     `json:"spec"`
	Maps      int           `json:"maps"`            // tasks from this number on are of the reduce
	Check     bool          `json:"check,omitempty"` // load the reduce's function before the first task, to see that it can be
	Isolation job.Isolation `json:"isolation"`       // the one in force, not auto
	GraceNS   int64         `json:"grace_ns"`        // between SIGTERM and SIGKILL
	Memory    *MemoryLimit  `json:"memory,omitempty"`
}

// MemoryLimit is how the limit on a task's memory is enforced.
type MemoryLimit struct {
	By    string `json:"by"`            // one of those below
	Dir   string `json:"dir,omitempty"` // cgroup of the job, below which each worker has its own
	Bytes int64  `json:"bytes"`
}

// What a MemoryLimit can be enforced by.
const (
	ByCgroup2      = "cgroup2"
	ByCgroup1      = "cgroup1"
	ByAddressSpace = "address space" // of each process alone
)

// List is the input of a reduce task: the results it gets.
type List struct {
	File  string          `json:"list"`  // in the job's directory: one JSON value per line
	Count int             `json:"count"` // of lines
	Group json.RawMessage `json:"group,omitempty"`
}

// Hello is the JSON of ready.
type Hello struct {
	Hostname string `json:"hostname"`
}

// Failure is the JSON of fatal: why the worker cannot go on.
type Failure struct {
	Type   string `json:"error_type"`
	Error  string `json:"error"`
	Detail string `json:"detail,omitempty"` // such as a traceback, lines
}

// FunctionFailure is the type of a Failure to load the job's function: it is the
// user's, and no task was run.
const FunctionFailure = "function"
