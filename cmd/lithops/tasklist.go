package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/spf13/pflag"
)

// taskList is the value of --task, such as 3,7-9; the zero value is all tasks.
type taskList struct{ ranges []taskRange }

type taskRange struct{ from, to int } // both included

var _ pflag.Value = (*taskList)(nil)

func (l *taskList) given() bool { return len(l.ranges) > 0 }

func (l *taskList) Type() string { return "tasks" }

func (l *taskList) String() string {
	var all []string
	for _, r := range l.ranges {
		text := strconv.Itoa(r.from)
		if r.to > r.from {
			text += "-" + strconv.Itoa(r.to)
		}
		all = append(all, text)
	}
	return strings.Join(all, ",")
}

// Set adds tasks.
func (l *taskList) Set(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			to = from
		}
		first, errFrom := strconv.ParseUint(from, 10, 31)
		last, errTo := strconv.ParseUint(to, 10, 31)
		if errFrom != nil || errTo != nil {
			return errors.New("want numbers of tasks and ranges of them, such as 3,7-9")
		}
		if last < first {
			return fmt.Errorf("the range %d-%d ends before it starts", first, last)
		}
		l.ranges = append(l.ranges, taskRange{int(first), int(last)})
	}
	slices.SortFunc(l.ranges, func(a, b taskRange) int { return cmp.Compare(a.from, b.from) })
	merged := l.ranges[:1]
	for _, r := range l.ranges[1:] {
		if last := &merged[len(merged)-1]; r.from <= last.to+1 {
			last.to = max(last.to, r.to)
		} else {
			merged = append(merged, r)
		}
	}
	l.ranges = merged
	return nil
}

// wants says whether the task was asked for.
func (l *taskList) wants(task int) bool {
	if !l.given() {
		return true
	}
	i, found := slices.BinarySearchFunc(l.ranges, task, func(r taskRange, task int) int { return cmp.Compare(r.from, task) })
	return found || i > 0 && task <= l.ranges[i-1].to
}

// one says whether a single task was asked for.
func (l *taskList) one() bool { return len(l.ranges) == 1 && l.ranges[0].from == l.ranges[0].to }

// within is the part of the job's tasks that has to be read: of a stage, or, with
// "", of both. A task that the job does not have is the user's mistake.
func (l *taskList) within(m *store.Manifest, stage string) (first, n int, err error) {
	if !l.given() {
		switch stage {
		case stats.StageMap:
			return 0, m.Maps(), nil
		case stats.StageReduce:
			return m.Maps(), m.Reduces, nil
		}
		return 0, m.Tasks, nil
	}
	first, last := l.ranges[0].from, l.ranges[len(l.ranges)-1].to
	if last >= m.Tasks {
		return 0, 0, badInput{&store.NoTaskError{Task: last, Tasks: m.Tasks}}
	}
	return first, last - first + 1, nil
}
