package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type resumeOptions struct {
	quiet      bool
	failedOnly bool
	tasks      taskList
	keys       []keyValue // of the job that are changed, in the order they were given in
}

func (o *resumeOptions) addFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.failedOnly, "failed-only", false, "only tasks that were tried and ended in error, timeout or lost")
	fs.Var(&o.tasks, "tasks", "only these, such as 3,7-9; those that have succeeded are left alone")
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "print the job's id and errors only")
	fs.String("progress", progressAuto, "auto, bar, plain or none")
	bind(fs, "progress", "progress")
	for _, k := range job.Keys() {
		if k.Resume {
			fs.Var(&keyFlag{Key: k, to: &o.keys}, k.Flag, k.Doc)
		}
	}
}

func newResumeCommand(a *app) *cobra.Command {
	var o resumeOptions
	cmd := &cobra.Command{
		Use:   "resume [flags] JOB",
		Short: "run what has not succeeded of a job that has ended",
		Long: `resume runs the tasks of a job that have no successful record: those that failed,
were cancelled or lost, and those that were never begun. It does so in the job
itself, which keeps its id, its directory and the record of each attempt. JOB is
an id, the unique start of one, or last; it must not be running.

The job runs with the specification and items it was submitted with, and with its
function or program as the file is now; one that has changed is told of. Flags that are keys of job.yaml change it from here on. A success counts
only if its result is still there and fits its checksum.

Output, signals and exit codes are those of run. They tell of the whole job: with
--tasks or --failed-only the exit code is 0 only when no other task is left.`,
		Example: `  lithops resume last
  lithops resume last --failed-only --timeout 1h
  lithops resume last --tasks 3,7-9 --workers 2`,
		Args:              argCount(1, 1, "JOB"),
		ValidArgsFunction: a.completeJob,
		RunE:              func(cmd *cobra.Command, args []string) error { return runResume(a, cmd, o, args[0]) },
	}
	cmd.DisableFlagsInUseLine = true
	cmd.Flags().SortFlags = false
	o.addFlags(cmd.Flags())
	offer(cmd, "progress", progressModes()...)
	return cmd
}

func runResume(a *app, cmd *cobra.Command, o resumeOptions, ref string) error {
	c, err := a.config(cmd)
	if err != nil {
		return err
	}
	j, err := openJob(c, ref)
	if err != nil {
		return err
	}
	if _, _, err := o.tasks.within(j.Manifest, ""); err != nil {
		return err
	}
	st, err := openStore(c)
	if err != nil {
		return err
	}
	f := newForeground(a, c, st, o.quiet)
	return f.attend(cmd.Context(), j.Manifest.Spec, func(ctx context.Context) (*lithops.Outcome, error) {
		var p *lithops.Prepared
		err := released(ctx, st, j.ID(), func() (err error) {
			p, err = f.run().PrepareResume(ctx, j.ID(), o.selection())
			return err
		})
		if err != nil {
			return nil, resumeError(j.ID(), err)
		}
		r := p.Resumption()
		if r.Todo == 0 {
			p.Abandon()
			f.say(nothingToResume(r))
			if r.Left > 0 {
				return nil, hint(incomplete{r.Left, r.Done + r.Left, "succeeded"}, "lithops resume %s runs all that have not succeeded", j.ID())
			}
			return nil, nil
		}
		f.say(resuming(j.ID(), r))
		return p.Execute(ctx)
	})
}

// selection is what the flags ask for.
func (o *resumeOptions) selection() lithops.Selection {
	s := lithops.Selection{FailedOnly: o.failedOnly}
	for _, r := range o.tasks.ranges {
		s.Tasks = append(s.Tasks, lithops.Range{First: r.from, Last: r.to})
	}
	if len(o.keys) > 0 {
		s.Change = o.change
	}
	return s
}

// change puts the keys that flags give into a job's specification.
func (o *resumeOptions) change(spec *job.Spec) error {
	cwd, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find working directory: %w", err)
	}
	for _, kv := range o.keys {
		if err := spec.SetFrom(cwd, kv.key, kv.value); err != nil {
			return err
		}
	}
	return nil
}

// resumeError adds what to do about a job that cannot be resumed.
func resumeError(id string, err error) error {
	_, running := errors.AsType[*store.RunningError](err)
	switch {
	case running:
		return hint(usage("job %s is running", id), "lithops cancel %s ends it", id)
	case errors.Is(err, store.ErrNotStaged):
		return hint(err, "lithops clean %s removes what is left of it", id)
	case errors.Is(err, lithops.ErrGoProgram):
		return hint(err, "that program alone can call them")
	}
	return err
}

// resuming tells what a resumed job begins with.
func resuming(id string, r *lithops.Resumption) []string {
	line := fmt.Sprintf("resuming %s: %s of %s to run, %s succeeded before", id,
		stats.HumanCount(int64(r.Todo)), plural(r.Todo+r.Done+r.Left, "task", "tasks"), stats.HumanCount(int64(r.Done)))
	if r.Left > 0 {
		line += fmt.Sprintf(", %s left as they are", stats.HumanCount(int64(r.Left)))
	}
	return append([]string{line}, found(r)...)
}

// nothingToResume tells why nothing is run.
func nothingToResume(r *lithops.Resumption) []string {
	line := fmt.Sprintf("all %s have succeeded: nothing to resume", plural(r.Done, "task", "tasks"))
	switch {
	case r.Left > 0:
		line = "none of the tasks asked for is to be run"
	case r.Done == 0:
		line = "the job has no tasks: nothing to resume"
	case r.Done == 1:
		line = "the job's task has succeeded: nothing to resume"
	}
	return append([]string{line}, found(r)...)
}

// found tells what looking through the job has brought to light.
func found(r *lithops.Resumption) []string {
	var lines []string
	if r.AlreadyDone > 0 {
		lines = append(lines, plural(r.AlreadyDone, "task of --tasks has succeeded and is not run again", "tasks of --tasks have succeeded and are not run again"))
	}
	if r.Unsound > 0 {
		lines = append(lines, plural(r.Unsound, "result is missing or does not fit its checksum: that task counts as lost",
			"results are missing or do not fit their checksums: those tasks count as lost"))
	}
	return append(lines, r.Notes...)
}
