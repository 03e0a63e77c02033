package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// closing writes the few lines that end a run. They come from the store, as
// those of the stats command do.
func closing(a *app, st *store.Store, out *lithops.Outcome) error {
	j, err := st.Job(out.JobID)
	if err != nil {
		return err
	}
	s, rep, err := summarize(j)
	if err != nil {
		return err
	}
	a.warn(rep)
	reason := out.Reason
	if out.Interrupted {
		reason = "" // whoever interrupted knows
	}
	writeClosing(a.stderr, s, reason)
	return damaged(rep)
}

const failuresShown = 3

func writeClosing(w io.Writer, s *stats.Summary, reason string) {
	if s.Tasks == 0 {
		fmt.Fprintln(w, "0 tasks: the data is empty, there was nothing to do")
		return
	}
	fmt.Fprintln(w, headline(s))
	if where := s.WhereTimeWent(); where != "" {
		fmt.Fprintln(w, "time of the workers:", where)
	}
	for i, f := range s.Failures {
		if i == failuresShown {
			fmt.Fprintf(w, "  and %s of failure\n", plural(len(s.Failures)-i, "more kind", "more kinds"))
			break
		}
		writeFailure(w, f)
	}
	if reason != "" {
		fmt.Fprintln(w, "ended early:", reason)
	}
	if s.Failed() == 0 && s.States[job.Cancelled] == 0 {
		fmt.Fprintf(w, "more: lithops stats %s, lithops plot %s\n", s.JobID, s.JobID)
	}
}

// headline is 500 tasks in 1 min 15 s: 498 succeeded, 2 failed; speed-up 48.9 on 50 workers.
// Or 500 map tasks and 1 reduce task in 1 min 15 s: 498 succeeded, 2 failed, reduce not run.
func headline(s *stats.Summary) string {
	line := plural(s.Tasks, "task", "tasks")
	if s.Reduce != nil {
		line = plural(s.Maps, "map task", "map tasks") + " and " + plural(s.Reduce.Tasks, "reduce task", "reduce tasks")
	}
	if s.Wall.OK {
		line += " in " + stats.HumanDuration(s.Wall.NS)
	}
	if len(s.Runs) > 1 {
		line += fmt.Sprintf(" (%d runs)", len(s.Runs))
	}
	var counts []string
	add := func(n int, what string) {
		if n > 0 {
			counts = append(counts, stats.HumanCount(int64(n))+" "+what)
		}
	}
	add(s.States[job.Success], "succeeded")
	add(s.Failed(), "failed")
	add(s.States[job.Cancelled], "cancelled")
	notRun := s.States[job.New] + s.States[job.Queued]
	if s.Reduce != nil && s.Reduce.NotRun() {
		add(notRun-s.Reduce.Tasks, "not run")
		counts = append(counts, "reduce not run")
	} else {
		add(notRun, "not run")
	}
	line += ": " + strings.Join(counts, ", ")
	if s.SpeedUp.OK && s.Workers.OK {
		line += "; speed-up " + stats.HumanNumber(s.SpeedUp.V) + " on " + s.WorkersText() + " worker"
		if s.Workers.V != 1 {
			line += "s"
		}
	}
	return line
}

// writeFailure is a line such as
//
//	2 × exit code 1, first task 17: cp: cannot stat 'x': No such file or directory
//
// or, of tasks whose worker died at each attempt,
//
//	task 17 killed its worker 6 times and was given up
func writeFailure(w io.Writer, f stats.Failure) {
	if f.ErrorType == "poison" {
		writePoison(w, f)
		return
	}
	cause := f.Cause()
	if cause == "-" {
		cause = f.State.String()
	}
	// What a process said before it exited tells more than its exit code; every other
	// error says more itself.
	say := f.Error
	if f.ErrorType == "exit" && f.LogLine != "" {
		say = f.LogLine
	}
	line := fmt.Sprintf("  %s × %s, such as %s", stats.HumanCount(int64(f.Count)), cause, f.Example())
	if say != "" {
		line += ": " + shorten(stats.OneLine(string(say)), 120)
	}
	fmt.Fprintln(w, line)
}

func writePoison(w io.Writer, f stats.Failure) {
	switch times := plural(f.Lost, "time", "times"); f.Count {
	case 1:
		fmt.Fprintf(w, "  %s killed its worker %s and was given up\n", f.Example(), times)
	default:
		fmt.Fprintf(w, "  %s killed their workers and were given up, such as %s, %s\n", plural(f.Count, "task", "tasks"), f.Example(), times)
	}
	if f.Error != "" {
		fmt.Fprintf(w, "    %s\n", shorten(stats.OneLine(string(f.Error)), 150))
	}
}

func shorten(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
