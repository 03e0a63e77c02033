package job

import (
	"encoding/json"
	"path/filepath"
	"time"
)

// Spec is a job as its file, its flags or a program describes it. Resolved
// (after Parse or Validate) it is stored in the job's manifest and sent to the
// workers, both as JSON, and comes back equal but for the places of its keys,
// which only error messages need.
//
// Durations are nanoseconds in JSON, sizes are bytes.
type Spec struct {
	Name       string            `json:"name,omitempty"`
	Command    Command           `json:"command,omitzero"`    // or Function
	Function   Function          `json:"function,omitzero"`   // or Command
	Runtime    string            `json:"runtime,omitempty"`   // see Interpreter
	Reduce     *Reduce           `json:"reduce,omitempty"`    // called when the map is done
	ReduceBy   string            `json:"reduce_by,omitempty"` // field of the results; one reduce task for each of its values
	Data       Data              `json:"data"`
	Workers    int               `json:"workers,omitempty"`   // 0: number of usable CPUs
	Chunksize  int               `json:"chunksize,omitempty"` // 0: adapts to the tasks' length
	Retries    Retries           `json:"retries,omitzero"`
	Timeout    time.Duration     `json:"timeout,omitempty"`  // of one attempt; 0: none
	MaxTime    time.Duration     `json:"max_time,omitempty"` // of the whole run of the job; 0: none
	OnFailure  OnFailure         `json:"on_failure,omitzero"`
	Env        map[string]string `json:"env,omitempty"`
	Workdir    string            `json:"workdir,omitempty"` // absolute once resolved; default Dir
	Stdin      *string           `json:"stdin,omitempty"`   // of Command: template; nil: no input
	Files      []string          `json:"files,omitempty"`   // as written, relative to Dir: see Path
	Isolation  Isolation         `json:"isolation,omitempty"`
	Limits     Limits            `json:"limits,omitzero"`
	Output     Output            `json:"output,omitempty"` // of Command
	Durability Durability        `json:"durability,omitempty"`
	Dir        string            `json:"dir"` // absolute; everything relative is relative to it

	from     origin // where the keys stand; not part of the manifest
	appended bool   // the last argument is the {} that FromArgs added
}

// Command is what a task runs, in exactly one of two forms.
type Command struct {
	Argv  []string `json:"argv,omitempty"`  // executed directly, one template per argument
	Shell string   `json:"shell,omitempty"` // run by /bin/sh -c, replaced values quoted
}

// given says whether there is a command, if only an empty one.
func (c Command) given() bool { return c.Argv != nil || c.Shell != "" }

// Data is where the items come from: exactly one field is set, or none where the
// Go program whose function runs gives the items.
type Data struct {
	List   Items    `json:"list,omitzero"`
	Range  *Range   `json:"range,omitempty"`
	Lines  string   `json:"lines,omitempty"` // a file, or "-" for standard input
	Glob   []string `json:"glob,omitzero"`
	CSV    *CSV     `json:"csv,omitempty"`
	JSONL  string   `json:"jsonl,omitempty"` // a file, or "-" for standard input
	Matrix []Axis   `json:"matrix,omitzero"`
}

// Items are JSON values in compact form.
type Items []json.RawMessage

// Range is start, start+step, … up to but without stop, as in Python. A step
// of 0 counts as 1, the default.
type Range struct {
	Start int64 `json:"start"`
	Stop  int64 `json:"stop"`
	Step  int64 `json:"step"`
}

// CSV is a table with a header row; its rows become objects of strings.
type CSV struct {
	File      string `json:"file"`                // a file, or "-" for standard input
	Delimiter string `json:"delimiter,omitempty"` // one character; default ","
}

// Axis is one key of a matrix with its values.
type Axis struct {
	Name   string `json:"name"`
	Values Items  `json:"values"`
}

// Retries says when a failed attempt is repeated. The zero value: never. Lost
// attempts, whatever On says, are resubmitted as MaxLost tells, see docs/states.md.
type Retries struct {
	Limit      int           `json:"limit"` // further attempts after the first
	Backoff    time.Duration `json:"backoff"`
	MaxBackoff time.Duration `json:"max_backoff"`
	On         []State       `json:"on,omitempty"`
	Lost       *int          `json:"lost,omitempty"` // see MaxLost
}

// defaultLost is how often a task is resubmitted because its worker died, unless
// the job says otherwise.
const defaultLost = 5

// MaxLost is how often a task is resubmitted because its worker died; 0: never.
func (r Retries) MaxLost() int {
	if r.Lost == nil {
		return defaultLost
	}
	return *r.Lost
}

// The modes of OnFailure.
const (
	Continue = "continue" // run every task, report failures at the end; the default
	Stop     = "stop"     // the first task that fails for good ends the job
	Tolerate = "tolerate" // the job ends when more than Count, or Percent, have failed
)

// OnFailure says what a task that failed for good means for the job. An empty
// Mode is Continue. With Tolerate one of Count and Percent is the bound, both 0
// is none at all.
type OnFailure struct {
	Mode    string  `json:"mode,omitempty"`
	Count   int     `json:"count,omitempty"`
	Percent float64 `json:"percent,omitempty"`
}

// Isolation is how leftovers of a task are contained. Empty is IsolationAuto.
type Isolation string

// The ways of isolation.
const (
	IsolationAuto  Isolation = "auto"  // the best the machine grants
	IsolationGroup Isolation = "group" // a process group
	IsolationPID   Isolation = "pid"   // a PID namespace
)

// Limits are bounds on one task; 0 is no bound.
type Limits struct {
	Memory int64 `json:"memory,omitempty"` // bytes
}

// Output is how a command's standard output becomes the result. Empty is
// OutputBytes.
type Output string

// The kinds of output.
const (
	OutputBytes Output = "bytes" // kept byte for byte
	OutputJSON  Output = "json"  // one JSON value, an error otherwise
)

// Durability is what of a job outlives which accident. Empty is DurabilityProcess.
type Durability string

// The kinds of durability.
const (
	DurabilityProcess Durability = "process" // what was recorded survives the death of any process
	DurabilitySync    Durability = "sync"    // and of the system, as when the power fails
)

// Path resolves p, as written in the job, against the job file's directory.
func (s *Spec) Path(p string) string { return under(s.Dir, p) }

func under(dir, p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(dir, p)
}
