package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type cleanOptions struct {
	older  age
	states []string
	dryRun bool
}

func (o *cleanOptions) addFlags(fs *pflag.FlagSet) {
	fs.Var(&o.older, "older-than", "jobs that ended longer ago than this, such as 7d or 12h")
	fs.StringSliceVar(&o.states, "state", nil, "of these only those in a `STATE`: done, failed, cancelled or \"broken off\"")
	fs.BoolVar(&o.dryRun, "dry-run", false, "say what would be removed, and remove nothing")
}

// removable are the states that a job can be removed in.
func removable() []string {
	return []string{store.JobDone, store.JobFailed, store.JobCancelled, store.JobBrokenOff}
}

// age is the value of --older-than.
type age struct {
	given bool
	time  time.Duration
}

var _ pflag.Value = (*age)(nil)

func (g *age) Type() string { return "age" }

func (g *age) String() string {
	if !g.given {
		return ""
	}
	return g.time.String()
}

// Set reads 7d, 1d12h, 90m. A number without a unit is refused: seconds or days?
func (g *age) Set(text string) error {
	days, rest, hasDays := strings.Cut(text, "d")
	if !hasDays {
		days, rest = "0", text
	}
	n, err := strconv.ParseUint(days, 10, 31)
	const most = 100_000 // days, beyond which there is no job
	if err == nil && n > most {
		return fmt.Errorf("want at most %dd", most)
	}
	if err == nil && (rest != "" || !hasDays) {
		g.time, err = time.ParseDuration(rest)
	}
	if err != nil || g.time < 0 {
		return errors.New("want a time such as 7d, 12h or 1d12h")
	}
	g.time += time.Duration(n) * 24 * time.Hour
	g.given = true
	return nil
}

func newCleanCommand(a *app) *cobra.Command {
	var o cleanOptions
	cmd := &cobra.Command{
		Use:   "clean [flags] JOB... | clean --older-than AGE [flags]",
		Short: "remove jobs from the store",
		Long: `clean removes jobs from the store: items, results, logs and records. JOB is an id,
the unique start of one, or last; with --older-than all jobs go that ended longer
ago (of one that broke off its creation counts). It asks nothing; --dry-run shows
what would go.

A running job is never touched. If a JOB is running, nothing is removed at all;
--older-than passes over it. What is left of jobs whose creation or removal broke
off is removed as well, and processes that a host that died has left behind are
ended.`,
		Example: `  lithops clean last
  lithops clean --older-than 30d --dry-run
  lithops clean --older-than 7d --state failed,cancelled`,
		Args:              func(cmd *cobra.Command, args []string) error { return o.check(cmd, args) },
		ValidArgsFunction: a.completeJobs(func(state string) bool { return state != store.JobRunning }),
		RunE:              func(cmd *cobra.Command, args []string) error { return runClean(a, cmd, o, args) },
	}
	cmd.DisableFlagsInUseLine = true
	cmd.Flags().SortFlags = false
	o.addFlags(cmd.Flags())
	offer(cmd, "state", removable()...)
	return cmd
}

func (o *cleanOptions) check(cmd *cobra.Command, args []string) error {
	for _, s := range o.states {
		switch {
		case s == store.JobRunning:
			return hint(usage("--state running: a running job is not removed"), "lithops cancel JOB ends it")
		case !slices.Contains(removable(), s):
			return usage("--state wants %s, not %q", strings.Join(removable(), ", "), s)
		}
	}
	switch {
	case o.older.given && len(args) > 0:
		return usage("--older-than and JOB cannot both be given")
	case o.older.given:
		return nil
	case len(o.states) > 0 && len(args) == 0:
		return hint(usage("--state goes with --older-than"), "lithops clean --older-than 0s --state %s", strconv.Quote(o.states[0]))
	case len(o.states) > 0:
		return usage("--state and JOB cannot both be given")
	}
	return argCount(1, len(args), "JOB")(cmd, args)
}

func runClean(a *app, cmd *cobra.Command, o cleanOptions, refs []string) error {
	c, err := a.config(cmd)
	if err != nil {
		return err
	}
	st, ids, err := resolveJobs(c, refs)
	switch {
	case err != nil:
		return err
	case st == nil:
		fmt.Fprintln(a.stderr, "no jobs in", c.get("store"))
		return nil
	case o.older.given:
		if ids, err = a.outdated(st, o, time.Now()); err != nil {
			return err
		}
	default:
		if err := noneRunning(st, ids); err != nil {
			return err
		}
	}
	cl := cleaning{ctx: cmd.Context(), app: a, st: st, named: !o.older.given}
	if o.dryRun {
		return cl.show(ids)
	}
	return cl.remove(ids)
}

// noneRunning refuses running jobs.
func noneRunning(st *store.Store, ids []string) error {
	for _, id := range ids {
		if runs(st, id) {
			return hint(usage("job %s is running: nothing was removed", id), "lithops cancel %s ends it", id)
		}
	}
	return nil
}

// outdated lists the jobs that ended long enough ago, the newest first.
func (a *app) outdated(st *store.Store, o cleanOptions, now time.Time) ([]string, error) {
	jobs, err := st.List()
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range jobs {
		when := e.Ended
		if when.IsZero() {
			when = e.Created
		}
		switch {
		case e.Err != nil:
			fmt.Fprintf(a.stderr, "lithops: job %s cannot be read and stays; lithops clean %s removes it\n", e.ID, e.ID)
		case e.State == store.JobRunning, len(o.states) > 0 && !slices.Contains(o.states, e.State):
		case now.Sub(when) >= o.older.time:
			ids = append(ids, e.ID)
		}
	}
	return ids, nil
}

// cleaning removes jobs.
type cleaning struct {
	ctx   context.Context
	app   *app
	st    *store.Store
	named bool // by the user: one that is running or not there is his mistake
	jobs  int
	bytes int64
}

// show lists what remove would remove.
func (c *cleaning) show(ids []string) error {
	for _, id := range ids {
		size, state := sizeOf(c.st.JobDir(id)), "unreadable"
		if j, err := c.st.Job(id); err == nil {
			state = j.State()
		}
		if err := c.app.printf("%s  %s  %s\n", id, state, stats.HumanBytes(size)); err != nil {
			return err
		}
		c.jobs++
		c.bytes += size
	}
	return c.app.printf("would remove %s\n", c.sum())
}

func (c *cleaning) remove(ids []string) error {
	var failed []error
	for _, id := range ids {
		size := sizeOf(c.st.JobDir(id))
		err := released(c.ctx, c.st, id, func() error { return c.st.Remove(id) })
		_, running := errors.AsType[*store.RunningError](err)
		_, gone := errors.AsType[*store.NotFoundError](err)
		switch {
		case err == nil:
			c.jobs++
			c.bytes += size
			// Not before: now nobody resumes the job, and all its processes are left ones.
			lithops.KillLeft(id)
		case gone && !c.named: // somebody else was faster
		case running && !c.named:
			fmt.Fprintf(c.app.stderr, "lithops: job %s is running again and stays\n", id)
		case running:
			failed = append(failed, hint(usage("job %s is running and stays", id), "lithops cancel %s ends it", id))
		default:
			failed = append(failed, fmt.Errorf("remove job %s: %w", id, err))
		}
	}
	left, err := c.st.RemoveLeftovers()
	if err != nil {
		failed = append(failed, err)
	}
	line := "removed " + c.sum()
	if left > 0 {
		line += ", and what was left of " + plural(left, "job that was never made or not removed whole", "jobs that were never made or not removed whole")
	}
	return errors.Join(append(failed, c.app.printf("%s\n", line))...)
}

func (c *cleaning) sum() string {
	return plural(c.jobs, "job", "jobs") + ", " + stats.HumanBytes(c.bytes)
}

// sizeOf is what the files below dir hold. What cannot be looked at is left out.
func sizeOf(dir string) int64 {
	var sum int64
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return nil
	})
	return sum
}
