package store

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/lithops-go/lithops/internal/job"
)

// Last names the newest job.
const Last = "last"

// NotFoundError is a reference to a job that no job answers to.
type NotFoundError struct {
	Ref  string
	Near []string // ids that look like it, newest first, a few
}

func (e *NotFoundError) Error() string {
	if e.Ref == Last {
		return "the store holds no job"
	}
	return fmt.Sprintf("unknown job %q", e.Ref)
}

// Hint tells what to do about it.
func (e *NotFoundError) Hint() string {
	if e.Ref == Last {
		return "`lithops run` starts one"
	}
	if len(e.Near) > 0 {
		return "did you mean " + strings.Join(e.Near, " or ") + "?"
	}
	return "`lithops list` shows the jobs of the store"
}

// AmbiguousError is an abbreviation that several jobs answer to.
type AmbiguousError struct {
	Ref        string
	Candidates []string // newest first
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("ambiguous job %q: %d jobs start with it", e.Ref, len(e.Candidates))
}

// Hint names some of the jobs.
func (e *AmbiguousError) Hint() string {
	const most = 5
	names := strings.Join(e.Candidates[:min(most, len(e.Candidates))], ", ")
	if len(e.Candidates) > most {
		names += ", …"
	}
	return "it could be " + names
}

// newest is the newest of ids, which are in order. What ids tell of the time is no
// finer than 1/32 s: among those of one moment their directories tell.
func (s *Store) newest(ids []string) string {
	const moment = 8 // characters
	best := ids[0]
	for _, id := range ids[1:] {
		if len(id) < moment || len(best) < moment || id[:moment] != best[:moment] {
			break
		}
		executor, _, _ := strings.Cut(id, "-")
		if !strings.HasPrefix(best, executor+"-") && born(s.JobDir(id)) > born(s.JobDir(best)) {
			best = id
		}
	}
	return best
}

// Resolve finds the job that ref names: its id, an unambiguous start of it, or
// Last. The errors are *NotFoundError, *AmbiguousError and what the file system
// says.
func (s *Store) Resolve(ref string) (id string, err error) {
	ids, err := s.ids()
	if err != nil {
		return "", err
	}
	if ref == Last && len(ids) > 0 {
		return s.newest(ids), nil
	}
	var found []string
	for _, id := range ids {
		if id == ref {
			return id, nil
		}
		if ref != "" && strings.HasPrefix(id, ref) {
			found = append(found, id)
		}
	}
	switch len(found) {
	case 0:
		return "", &NotFoundError{Ref: ref, Near: near(ref, ids)}
	case 1:
		return found[0], nil
	default:
		return "", &AmbiguousError{Ref: ref, Candidates: found}
	}
}

// ids lists the jobs, newest first. What else lies in the directory is left out.
func (s *Store) ids() ([]string, error) {
	dir, err := os.Open(filepath.Join(s.root, "jobs"))
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	ids := slices.DeleteFunc(names, func(name string) bool { return !job.ValidID(name) })
	slices.SortFunc(ids, func(a, b string) int { return compareIDs(b, a) })
	return ids, nil
}

// compareIDs orders ids by time: by executor, and the jobs of one executor by
// their number.
func compareIDs(a, b string) int {
	execA, restA, _ := strings.Cut(a, "-")
	execB, restB, _ := strings.Cut(b, "-")
	return cmp.Or(cmp.Compare(execA, execB), cmp.Compare(number(restA), number(restB)), cmp.Compare(a, b))
}

func number(rest string) int {
	digits, _, _ := strings.Cut(rest, "-")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return -1
	}
	return n
}

// near picks ids that ref may have meant: those that share the longest start with
// it, if that is most of what was typed.
func near(ref string, ids []string) []string {
	const most = 3
	best, found := max(3, len(ref)*2/3), []string(nil)
	for _, id := range ids {
		n := 0
		for n < min(len(ref), len(id)) && ref[n] == id[n] {
			n++
		}
		if n > best {
			best, found = n, nil
		}
		if n == best && len(found) < most {
			found = append(found, id)
		}
	}
	return found
}
