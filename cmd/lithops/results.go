package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type resultsOptions struct {
	tasks      taskList
	jsonl, raw bool
	dir        string
	stage      string
}

func (o *resultsOptions) addFlags(fs *pflag.FlagSet) {
	fs.Var(&o.tasks, "task", "of tasks `N,M-K` only, numbered from 0")
	fs.BoolVar(&o.jsonl, "jsonl", false, "a JSON object for each task, one per line")
	fs.BoolVar(&o.raw, "raw", false, "exactly the bytes of the results, with nothing between them")
	fs.StringVarP(&o.dir, "output", "o", "", "write a file for each task into `DIRECTORY`, made if it is missing")
	fs.StringVar(&o.stage, "stage", "", "of the `STAGE` map or reduce; the default is reduce where the job has one")
}

func (o *resultsOptions) check() error {
	switch {
	case o.jsonl && o.raw:
		return usage("--jsonl and --raw cannot both be given")
	case o.jsonl && o.dir != "":
		return hint(usage("--jsonl and --output cannot both be given"), "--jsonl > FILE puts all of it into one file")
	case o.stage != "" && o.stage != stats.StageMap && o.stage != stats.StageReduce:
		return usage("unknown stage %q: want map or reduce", o.stage)
	case o.stage != "" && o.tasks.given():
		return hint(usage("--task and --stage cannot both be given"), "the tasks of the reduce are numbered after all those of the map")
	}
	return nil
}

func newResultsCommand(a *app) *cobra.Command {
	var o resultsOptions
	cmd := &cobra.Command{
		Use:   "results [flags] JOB",
		Short: "print a job's results",
		Long: `results prints the results of a job's tasks, in the order of the items: what a
command wrote to standard output, or what a function returned, as JSON. A result
that does not end with a line end gets one. Of a job with a reduce, these are the
results of the reduce. The job may still run. JOB is an id, a unique start of one,
or last.

With --jsonl each task is an object with the keys task, state and result. A result
that is JSON stands there as it is, any other as a text, or, where it is not UTF-8,
as result_base64. A task that failed has error_type and error instead.

With -o each result is a file named by the number of its task, with the extension
.json or .out.

Tasks without a result are told of on standard error; the exit code is then 1.`,
		Example: `  lithops results last
  lithops results last --task 3,7-9
  lithops results last --jsonl | jq .result
  lithops results last -o out
  lithops results last --stage map`,
		Args:              argCount(1, 1, "JOB"),
		ValidArgsFunction: a.completeJob,
		RunE:              func(cmd *cobra.Command, args []string) error { return runResults(a, cmd, o, args[0]) },
	}
	o.addFlags(cmd.Flags())
	offer(cmd, "stage", stats.StageMap, stats.StageReduce)
	return cmd
}

func runResults(a *app, cmd *cobra.Command, o resultsOptions, ref string) error {
	if err := o.check(); err != nil {
		return err
	}
	c, err := a.config(cmd)
	if err != nil {
		return err
	}
	j, err := openJob(c, ref)
	if err != nil {
		return err
	}
	stage, err := o.stageOf(j)
	if err != nil {
		return err
	}
	first, n, err := o.tasks.within(j.Manifest, stage)
	if err != nil {
		return err
	}
	t := tally{job: j, stage: stage}
	var rep *store.Report
	write := func(sink resultSink) (err error) {
		rep, err = j.Results(first, n, func(r *stats.Record, result io.Reader) error {
			if !o.tasks.wants(r.Task) {
				return nil
			}
			return t.add(r, result, sink)
		})
		return err
	}
	if o.dir != "" {
		err = writeResultFiles(a, o.dir, j, write)
	} else {
		err = a.writeTo("", func(w io.Writer) error {
			if o.jsonl {
				return write(&resultLines{w: w, spec: j.Manifest.Spec})
			}
			return write(&resultText{lastByte: lastByte{w: w}, raw: o.raw, buf: make([]byte, 32<<10)})
		})
	}
	if err != nil {
		return err
	}
	t.tellRunning(a.stderr)
	a.warn(rep)
	return errors.Join(t.missing(), damaged(rep))
}

// stageOf is the stage whose results are asked for, "" for both.
func (o *resultsOptions) stageOf(j *store.Job) (string, error) {
	hasReduce := j.Manifest.Reduces > 0 || j.Manifest.Spec.Reduce != nil
	switch {
	case o.tasks.given():
		return "", nil
	case o.stage == stats.StageReduce && !hasReduce:
		return "", usage("job %s has no reduce", j.ID())
	case o.stage == "" && hasReduce:
		return stats.StageReduce, nil
	}
	return cmp.Or(o.stage, stats.StageMap), nil
}

// tally counts the tasks that were asked for.
type tally struct {
	job     *store.Job
	stage   string
	asked   int
	found   int
	without int // those a running job has not ended yet left out
	example struct {
		task   int
		failed bool
		why    string
	}
}

// add takes in one task and gives sink its result.
func (t *tally) add(r *stats.Record, result io.Reader, sink resultSink) error {
	t.asked++
	switch {
	case result != nil:
		err := sink.result(r, result)
		if err == nil {
			t.found++
		}
		return err
	case !r.State.Final() && t.job.State() == store.JobRunning:
		return nil
	}
	if t.without++; t.without == 1 || !t.example.failed && hasFailed(r.State) {
		t.example.task, t.example.failed, t.example.why = r.Task, hasFailed(r.State), ending(r)
	}
	if r.State == job.Success { // its record was damaged
		return nil
	}
	return sink.none(r)
}

// tellRunning notes that what was written is not all.
func (t *tally) tellRunning(w io.Writer) {
	m := t.job.Manifest
	switch {
	case t.job.State() != store.JobRunning:
	case t.stage == stats.StageReduce && m.Reduces == 0:
		fmt.Fprintf(w, "job %s still runs: its reduce has not begun; --stage map shows the results of the map\n", t.job.ID())
	default:
		fmt.Fprintf(w, "job %s still runs: results of %s of %s %s so far\n", t.job.ID(),
			stats.HumanCount(int64(t.found)), stats.HumanCount(int64(t.asked)), t.tasks())
	}
}

func (t *tally) tasks() string {
	if t.stage == stats.StageReduce {
		return "reduce tasks"
	}
	return "tasks"
}

// missing is the error that tasks without a result mean.
func (t *tally) missing() error {
	id := t.job.ID()
	state := t.job.State()
	if t.stage == stats.StageReduce && t.job.Manifest.Reduces == 0 && state != store.JobRunning && state != store.JobDone {
		why := ""
		if end := t.job.Manifest.Ended; end != nil && end.Reason != "" {
			why = ": " + end.Reason
		}
		return hint(fmt.Errorf("the reduce of job %s has not begun%s", id, why), "lithops results %s --stage map shows the results of the map", id)
	}
	if t.without == 0 {
		return nil
	}
	more := "lithops stats " + id
	if t.example.failed {
		more = "lithops logs " + id + " --failed"
	}
	have, such := "have", ", such as"
	if t.without == 1 {
		have, such = "has", ":"
	}
	return fmt.Errorf("%s of %s %s %s no result%s task %d (%s); %s tells more", stats.HumanCount(int64(t.without)),
		stats.HumanCount(int64(t.asked)), t.tasks(), have, such, t.example.task, t.example.why, more)
}

// ending says in a few words how an attempt ended.
func ending(r *stats.Record) string {
	switch {
	case r.State == job.New:
		return "it was not run"
	case r.State == job.Success:
		return "its record is damaged"
	}
	if why := cause(r); why != "" {
		return r.State.String() + ": " + why
	}
	return r.State.String()
}

// cause is why an attempt failed, in one line; "" when that is not known.
func cause(r *stats.Record) string {
	why := stats.OneLine(r.Error)
	switch r.ErrorType {
	case "", "exit", "signal", "start", "output", "timeout", "cancelled", "lost":
	default: // a function's own
		why = strings.TrimSuffix(stats.OneLine(r.ErrorType)+": "+why, ": ")
	}
	return shorten(why, 120)
}

// hasFailed is what counts as failed: not what was cancelled.
func hasFailed(s job.State) bool { return s.Failed() && s != job.Cancelled }
