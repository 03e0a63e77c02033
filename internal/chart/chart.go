// Package chart draws a job's pictures from its stamps: PNG or SVG, any number
// of tasks. It is the one package of ours that imports go-chart.
//
// A picture is made in three steps. The analysis (run.go, sweep.go, duration.go,
// worker.go) is pure and keeps int64 nanoseconds: with float seconds two
// back-to-back tasks seem to overlap. One file per kind (timeline.go, …) turns
// it into a figure: axes, facts, legend and layers. The figure (figure.go,
// header.go) is laid out by go-chart, whose canvas, text, axes and grid it
// uses; the layers draw the data themselves, so that the cost follows the
// pixels and not the tasks.
package chart

import (
	"fmt"
	"io"
	"strings"

	"github.com/lithops-go/lithops/internal/stats"
)

// Kind names one of the pictures of a job.
type Kind string

// The kinds.
const (
	Timeline  Kind = "timeline"  // a dot for each of a task's stamps
	Histogram Kind = "histogram" // a bar per task, and how many ran at a time
	Phases    Kind = "phases"    // where each task's time went
	Durations Kind = "durations" // how long tasks ran
	Workers   Kind = "workers"   // a lane per worker
)

// Kinds lists all kinds, the two main ones first.
func Kinds() []Kind { return []Kind{Timeline, Histogram, Phases, Durations, Workers} }

// ParseKind finds a kind by its name.
func ParseKind(name string) (Kind, error) {
	best, least := Kind(""), 3 // more than two slips of the finger is another word
	var names []string
	for _, k := range Kinds() {
		if string(k) == name {
			return k, nil
		}
		if d := distance(strings.ToLower(name), string(k)); d < least {
			best, least = k, d
		}
		names = append(names, string(k))
	}
	last := len(names) - 1
	err := fmt.Errorf("unknown kind of picture %q: want %s or %s", name, strings.Join(names[:last], ", "), names[last])
	if best != "" {
		err = fmt.Errorf("%w; did you mean %s?", err, best)
	}
	return "", err
}

// distance is Levenshtein's: how many bytes to insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, diag+1)
		}
	}
	return row[len(b)]
}

// Render draws the picture of the given kind into w. Stamps that are missing or
// beyond reason are left out; a task that has not ended runs to the picture's
// right edge. c is only read, so pictures of one job may be drawn side by side.
func Render(w io.Writer, kind Kind, c *stats.Columns, o Options) error {
	f, err := newFigure(kind, c, o)
	if err != nil {
		return fmt.Errorf("draw %s: %w", kind, err)
	}
	if err := f.render(w); err != nil {
		return fmt.Errorf("draw %s: %w", kind, err)
	}
	return nil
}

func newFigure(kind Kind, c *stats.Columns, o Options) (*figure, error) {
	f, err := blank(c, o)
	if err != nil {
		return nil, err
	}
	switch kind {
	case Timeline:
		f.timeline()
	case Histogram:
		f.histogram()
	case Phases:
		f.phases()
	case Durations:
		f.durations()
	case Workers:
		f.workers()
	default:
		_, err = ParseKind(string(kind))
	}
	return f, err
}
