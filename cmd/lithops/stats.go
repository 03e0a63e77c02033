package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

type statsOptions struct {
	task, attempt int
	formats       map[string]*bool // of stats.Formats
	summaryJSON   bool
	explain       bool
	output        string
}

const noTask = -1

func (o *statsOptions) addFlags(fs *pflag.FlagSet) {
	fs.IntVar(&o.task, "task", noTask, "show all keys of task `N`, numbered from 0")
	fs.Lookup("task").DefValue = "0" // which help does not show
	fs.IntVar(&o.attempt, "attempt", 0, "with --task: of attempt `N`, numbered from 1, instead of the one that counts")
	o.formats = map[string]*bool{
		stats.JSON:  fs.Bool(stats.JSON, false, "export all records as a JSON array"),
		stats.JSONL: fs.Bool(stats.JSONL, false, "export all records, one JSON object per line"),
		stats.CSV:   fs.Bool(stats.CSV, false, "export all records as CSV"),
	}
	fs.BoolVar(&o.summaryJSON, "summary-json", false, "the summary as JSON")
	fs.BoolVar(&o.explain, "explain", false, "tell what each key means, its unit and how exact it is")
	fs.StringVarP(&o.output, "output", "o", "", "write to `FILE` instead of standard output")
}

// format is the export that is asked for, "" for none.
func (o *statsOptions) format() string {
	for _, name := range stats.Formats() {
		if *o.formats[name] {
			return name
		}
	}
	return ""
}

// check refuses flags that contradict each other.
func (o *statsOptions) check(fs *pflag.FlagSet) error {
	for _, group := range [][]string{
		{stats.JSON, stats.JSONL, stats.CSV, "summary-json", "explain"},
		{"task", "summary-json", "explain"},
	} {
		given := ""
		for _, name := range group {
			if !fs.Changed(name) {
				continue
			}
			if given != "" {
				return usage("--%s and --%s cannot both be given", given, name)
			}
			given = name
		}
	}
	if fs.Changed("attempt") && (!fs.Changed("task") || o.attempt < 1) {
		return usage("--attempt wants a number from 1 on, and --task")
	}
	return nil
}

func newStatsCommand(a *app) *cobra.Command {
	var o statsOptions
	cmd := &cobra.Command{
		Use:   "stats [flags] JOB",
		Short: "show a job's statistics",
		Long: `stats shows where the time of a job went: a summary, all keys of one task, or the
records of all attempts for other programs. The job may still run, or have broken
off. JOB is an id, a unique start of one, or last.

Of a task that was tried more than once, --task lists all attempts, with the run of
the job that each was made in, before the keys of the one that counts. Pauses between
the runs of a resumed job are in no figure of the summary.

Records are exported in the order of the tasks: one for each attempt, and one for
a task that no attempt was made at. What could not be measured is null (in CSV: an
empty cell). Damaged records are reported on standard error, with file and line;
all the rest is shown, and the exit code is 1.`,
		Example: `  lithops stats last
  lithops stats last --task 17
  lithops stats last --csv -o records.csv
  lithops stats --explain
  lithops stats --explain worker_func_rss`,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.explain {
				return argCount(0, 1, "")(cmd, args)
			}
			return argCount(1, 1, "JOB")(cmd, args)
		},
		ValidArgsFunction: a.completeJob,
		RunE:              func(cmd *cobra.Command, args []string) error { return runStats(a, cmd, o, args) },
	}
	o.addFlags(cmd.Flags())
	return cmd
}

func runStats(a *app, cmd *cobra.Command, o statsOptions, args []string) error {
	if err := o.check(cmd.Flags()); err != nil {
		return err
	}
	taskAsked := cmd.Flags().Changed("task")
	c, err := a.config(cmd)
	if err != nil {
		return err
	}
	if o.explain {
		return a.explain(c, o, args)
	}
	j, err := openJob(c, args[0])
	if err != nil {
		return err
	}
	var rep *store.Report
	err = a.writeTo(o.output, func(w io.Writer) (err error) {
		switch {
		case taskAsked:
			rep, err = writeTask(w, j, o)
		case o.format() != "":
			rep, err = export(w, j, o.format())
		default:
			rep, err = a.writeSummary(w, j, o)
		}
		return err
	})
	if err != nil {
		return err
	}
	a.warn(rep)
	return damaged(rep)
}

// explain explains all keys, or those that the argument names. An argument that
// is no key can be a job, to which the same keys apply.
func (a *app) explain(c *config, o statsOptions, args []string) error {
	return a.writeTo(o.output, func(w io.Writer) error {
		if len(args) == 0 {
			return stats.WriteExplain(w)
		}
		if err := stats.ExplainKey(w, args[0]); err == nil {
			return nil
		}
		if _, err := openJob(c, args[0]); err != nil {
			return usage("%q is neither a key nor a job", args[0])
		}
		return stats.WriteExplain(w)
	})
}

func (a *app) writeSummary(w io.Writer, j *store.Job, o statsOptions) (*store.Report, error) {
	s, rep, err := summarize(j)
	if err != nil {
		return nil, err
	}
	if e := j.Manifest.Ended; e != nil {
		s.Reason = stats.Nullable(e.Reason)
	}
	if o.summaryJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return rep, enc.Encode(s)
	}
	width := 0
	if o.output == "" {
		width = terminalWidth(a.stdout)
	}
	return rep, s.WriteTable(w, width)
}

// export writes the records of all attempts as they are read.
func export(w io.Writer, j *store.Job, format string) (*store.Report, error) {
	e, err := stats.NewExporter(w, format)
	if err != nil {
		return nil, err
	}
	if err := e.Begin(); err != nil {
		return nil, err
	}
	rep, err := j.Ordered(stats.AllKeys(), e.Record)
	if err != nil {
		return nil, err
	}
	return rep, e.End()
}

// writeTask writes the attempts at one task: those asked for, in an export
// format, or the one that counts.
func writeTask(w io.Writer, j *store.Job, o statsOptions) (*store.Report, error) {
	all, rep, err := j.Task(o.task)
	if err != nil {
		return nil, badInput{err}
	}
	if o.attempt > 0 {
		chosen := all[:0]
		for _, r := range all {
			if r.Attempt == o.attempt {
				chosen = append(chosen, r)
			}
		}
		if len(chosen) == 0 {
			return nil, usage("no attempt %d is recorded at task %d", o.attempt, o.task)
		}
		all = chosen
	}
	if o.format() == "" {
		if err := stats.WriteAttempts(w, all, counting(all)); err != nil {
			return nil, err
		}
		return rep, stats.WritePprint(w, counting(all))
	}
	e, err := stats.NewExporter(w, o.format())
	if err != nil {
		return nil, err
	}
	if err := e.Begin(); err != nil {
		return nil, err
	}
	for _, r := range all {
		if err := e.Record(r); err != nil {
			return nil, err
		}
	}
	return rep, e.End()
}

// counting is the attempt that counts: the last successful one, else the last.
func counting(all []*stats.Record) *stats.Record {
	for _, r := range slices.Backward(all) {
		if r.State == job.Success {
			return r
		}
	}
	return all[len(all)-1]
}

// writeTo lets write fill the file at path, or standard output when it is "" or "-".
func (a *app) writeTo(path string, write func(io.Writer) error) error {
	if path != "" && path != "-" {
		return writeFile(path, func(f *os.File) error {
			b := bufio.NewWriter(f)
			if err := write(b); err != nil {
				return err
			}
			return b.Flush()
		})
	}
	b := bufio.NewWriter(a.stdout)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// terminalWidth is the width of the terminal that w is, 0 when it is none.
func terminalWidth(w any) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}
