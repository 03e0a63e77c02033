// Package job holds the words that the whole program shares (job, task,
// attempt, state) and the job's specification: job.yaml, its data sources and
// its command template. It imports nothing of ours.
package job

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"
)

// State is where a task, or one attempt at it, stands. docs/states.md tells how
// each state is entered and left.
type State uint8

// The states, in the order a task goes through them.
const (
	New       State = iota // known, not yet handed to a backend
	Queued                 // handed to a backend, no worker has it
	Running                // a worker has it
	Success                // ended well
	Error                  // the user's code failed: exit code, signal, unusable output
	Timeout                // ended by us after its time limit
	Cancelled              // ended or withdrawn because the job was told to stop
	Lost                   // its worker or node died; resubmitted, a bounded number of times
)

var stateNames = [...]string{"new", "queued", "running", "success", "error", "timeout", "cancelled", "lost"}

// States lists all states in order.
func States() []State {
	return []State{New, Queued, Running, Success, Error, Timeout, Cancelled, Lost}
}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// ParseState is the inverse of String.
func ParseState(name string) (State, error) {
	for i, n := range stateNames {
		if n == name {
			return State(i), nil
		}
	}
	return 0, fmt.Errorf("unknown state %q", name)
}

// Final says whether an attempt in state s has ended.
func (s State) Final() bool { return s >= Success }

// Failed says whether an attempt in state s ended without success.
func (s State) Failed() bool { return s > Success }

// MarshalText writes the state's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the state's name.
func (s *State) UnmarshalText(b []byte) (err error) {
	*s, err = ParseState(string(b))
	return err
}

// Attempt names one try at one task.
type Attempt struct {
	Task int // from 0, the item's place in the input
	Try  int // from 1
}

// idAlphabet sorts like its values; vowels and look-alikes are left out.
const idAlphabet = "0123456789bcdfghjkmnpqrstvwxyz"

// NewID makes a job id in Lithops' form, <executor>-<n>-M000. The executor part
// starts with the time in 1/32 s, so that ids sort by time and a prefix of a
// few characters is enough to name a job; three random characters keep hosts
// apart. n numbers the jobs of one executor.
func NewID(now time.Time, n int) string { return JobID(NewExecutorID(now), n, 'M') }

// JobID is the id of an executor's n-th job; kind is M for a map, A for a single
// call.
func JobID(executor string, n int, kind byte) string {
	return fmt.Sprintf("%s-%d-%c000", executor, n, kind)
}

// NewExecutorID makes the part of its jobs' ids that is an executor's own.
func NewExecutorID(now time.Time) string {
	const base = uint64(len(idAlphabet))
	var b [11]byte
	v := uint64(now.UnixNano()) / (uint64(time.Second) / 32)
	for i := 7; i >= 0; i-- {
		b[i] = idAlphabet[v%base]
		v /= base
	}
	var r [3]byte
	rand.Read(r[:]) // never fails, see crypto/rand
	for i, c := range r {
		b[8+i] = idAlphabet[uint64(c)%base]
	}
	return string(b[:])
}

// ValidID says whether s can be a job id, so that it can be a file name and
// cannot lead out of the store.
func ValidID(s string) bool {
	executor, rest, _ := strings.Cut(s, "-")
	n, kind, _ := strings.Cut(rest, "-")
	const digits, letters = "0123456789", "abcdefghijklmnopqrstuvwxyz"
	of := func(s, alphabet string) bool { return s != "" && strings.Trim(s, alphabet) == "" }
	return len(s) <= 64 && of(executor, digits+letters) && of(n, digits) &&
		len(kind) > 1 && of(kind[:1], strings.ToUpper(letters)) && of(kind[1:], digits)
}
