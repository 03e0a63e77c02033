package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"syscall"
	"time"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// hostPatience is how long a host may take to end its job: what its tasks get between
// SIGTERM and SIGKILL, and 15 s to end everything else.
const hostPatience = 5*time.Second + 15*time.Second

type cancelOptions struct {
	all, now, wait, noWait bool
}

func (o *cancelOptions) addFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.all, "all", false, "all jobs of the store that are running")
	fs.BoolVar(&o.now, "now", false, "kill running tasks at once instead of asking them to end first")
	fs.BoolVar(&o.wait, "wait", true, "wait until the jobs have ended, and say how")
	fs.BoolVar(&o.noWait, "no-wait", false, "leave when the request is written")
}

func newCancelCommand(a *app) *cobra.Command {
	var o cancelOptions
	cmd := &cobra.Command{
		Use:   "cancel [flags] JOB...",
		Short: "end running jobs from outside",
		Long: `cancel ends running jobs: no more tasks are started, running ones get SIGTERM and,
five seconds later, SIGKILL, and what has finished stays recorded. It is what
Ctrl-C does in the terminal of lithops run, for a job that runs elsewhere: in
another terminal, in the background, below a Go program. lithops resume goes on
with it.

The request is written into the job's directory, where the job's host finds it
within a quarter of a second. A host that does not react is told of, with exit
code 1. A JOB that does not run is bad input; the others are cancelled all the same.`,
		Example: `  lithops cancel last
  lithops cancel last --now
  lithops cancel --all`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.all && len(args) > 0:
				return usage("--all and JOB cannot both be given")
			case o.noWait && cmd.Flags().Changed("wait") && o.wait:
				return usage("--wait and --no-wait cannot both be given")
			case !o.all:
				return argCount(1, len(args), "JOB")(cmd, args)
			}
			return nil
		},
		ValidArgsFunction: a.completeJobs(func(state string) bool { return state == store.JobRunning }),
		RunE:              func(cmd *cobra.Command, args []string) error { return runCancel(a, cmd, o, args) },
	}
	cmd.DisableFlagsInUseLine = true
	cmd.Flags().SortFlags = false
	o.addFlags(cmd.Flags())
	return cmd
}

func runCancel(a *app, cmd *cobra.Command, o cancelOptions, refs []string) error {
	c, err := a.config(cmd)
	if err != nil {
		return err
	}
	st, ids, err := resolveJobs(c, refs)
	if err != nil {
		return err
	}
	if o.all {
		if ids, err = jobsIn(st, store.JobRunning); err != nil {
			return err
		}
		if len(ids) == 0 {
			fmt.Fprintln(a.stderr, "no job is running")
		}
	}
	request := store.CancelRequest{TimeNS: time.Now().UnixNano(), PID: os.Getpid(), User: userName(), Now: o.now}
	if request.Hostname, err = os.Hostname(); err != nil {
		request.Hostname = "" // it is told, no more
	}
	var errs []error
	var asked []string
	for _, id := range ids {
		err := st.RequestCancel(id, request)
		idle, isIdle := errors.AsType[*store.NotRunningError](err)
		switch {
		case err == nil:
			asked = append(asked, id)
		case !isIdle:
			errs = append(errs, err)
		case !o.all: // has ended meanwhile
			errs = append(errs, usage("job %s is not running: its state is %s", id, idle.State))
		}
	}
	w := wait{ctx: cmd.Context(), st: st, patience: hostPatience, every: 50 * time.Millisecond, kill: lithops.KillLeft}
	for _, id := range asked {
		if o.noWait || !o.wait {
			continue
		}
		j, err := w.ended(id)
		if _, gone := errors.AsType[*store.NotFoundError](err); gone {
			err = a.printf("%s: ended before its first task, and is not in the store any more\n", id)
		} else if err == nil {
			err = a.printf("%s\n", cancelled(j))
			if len(asked) == 1 && j.State() != store.JobDone {
				fmt.Fprintf(a.stderr, "hint: lithops resume %s goes on\n", id)
			}
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// userName is who runs this program.
func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}

// cancelled is how a job has ended: ID: cancelled, 12 tasks done, 1 cancelled, 487 not run.
func cancelled(j *store.Job) string {
	line := j.ID() + ": " + j.State()
	end := j.Manifest.Ended
	if end == nil {
		return line
	}
	add := func(n int, what string) {
		if n > 0 {
			line += ", " + stats.HumanCount(int64(n)) + " " + what
		}
	}
	line += ", " + plural(end.Counts[job.Success], "task", "tasks") + " done"
	add(end.Counts[job.Error]+end.Counts[job.Timeout]+end.Counts[job.Lost], "failed")
	add(end.Counts[job.Cancelled], "cancelled")
	add(end.Counts[job.New]+end.Counts[job.Queued], "not run")
	return line
}

// wait awaits the ends of jobs whose hosts were asked to end them. All were asked at
// the same time, so their time runs out together.
type wait struct {
	ctx      context.Context
	st       *store.Store
	patience time.Duration
	every    time.Duration
	kill     func(jobID string) (killed int) // what a job's host has left behind
	until    time.Time
}

// ended waits until the job has ended.
func (w *wait) ended(id string) (*store.Job, error) {
	if w.until.IsZero() {
		w.until = time.Now().Add(w.patience)
	}
	until := w.until
	for killed := false; ; {
		j, err := w.st.Job(id)
		if err != nil {
			return nil, err
		}
		if j.State() != store.JobRunning {
			return j, nil
		}
		if time.Now().After(until) {
			if killed || !hostGone(j.Manifest) {
				return nil, stuck(j.ID(), j.Manifest)
			}
			// Workers that outlived their host, stopped ones for example, keep the job.
			w.kill(id)
			killed, until = true, time.Now().Add(w.patience)
		}
		select {
		case <-w.ctx.Done():
			return nil, w.ctx.Err()
		case <-time.After(w.every):
		}
	}
}

// stuck tells of a host that does not end its job.
func stuck(id string, m *store.Manifest) error {
	host, pid := hostOf(m)
	if pid == 0 {
		return hint(fmt.Errorf("job %s has not ended: its host does not react", id), "it may be reading its items still")
	}
	return hint(fmt.Errorf("job %s has not ended: its host, process %d on %s, does not react", id, pid, host),
		"kill -9 %d on %s ends it and loses nothing that was recorded", pid, host)
}

// hostGone says whether the job's host was a process of this machine that is no more.
func hostGone(m *store.Manifest) bool {
	host, pid := hostOf(m)
	here, err := os.Hostname()
	return err == nil && here == host && pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

// released calls f, which wants the lock of a job, again while the job has ended, or its
// host has died, and workers that end what they were at hold the lock still. That
// takes a few seconds if their tasks do not want to end.
func released(ctx context.Context, st *store.Store, id string, f func() error) error {
	for until := time.Now().Add(hostPatience); ; time.Sleep(20 * time.Millisecond) {
		err := f()
		_, held := errors.AsType[*store.RunningError](err)
		if !held || ctx.Err() != nil || time.Now().After(until) || runs(st, id) {
			return err
		}
	}
}

// runs says whether there is a host that runs the job, as far as is known here.
func runs(st *store.Store, id string) bool {
	j, err := st.Job(id)
	return err == nil && j.State() == store.JobRunning && !hostGone(j.Manifest)
}

// hostOf is the process that runs the job, or did last.
func hostOf(m *store.Manifest) (hostname string, pid int) {
	if n := len(m.Runs); n > 0 {
		return m.Runs[n-1].Hostname, m.Runs[n-1].PID
	}
	return m.Hostname, m.PID
}

// leastRef is how much of an id has to be typed where a slip would be a pity.
const leastRef = 4

// resolveJobs opens the store and finds the jobs that refs name, each once.
func resolveJobs(c *config, refs []string) (*store.Store, []string, error) {
	st, err := existingStore(c)
	if err != nil {
		return nil, nil, err
	}
	var ids []string
	seen := map[string]bool{}
	for _, ref := range refs {
		if st == nil {
			return nil, nil, hint(usage("unknown job %q: there is no store at %s", ref, c.get("store")), storeAdvice)
		}
		id, err := st.Resolve(ref)
		if err != nil {
			return nil, nil, badInput{err}
		}
		if len(ref) < leastRef && ref != id {
			return nil, nil, hint(usage("%q is too short for a job that is to be ended or removed", ref), "it would be %s", id)
		}
		if !seen[id] {
			ids = append(ids, id)
		}
		seen[id] = true
	}
	return st, ids, nil
}

// jobsIn lists the jobs of the store that are in a state. There may be no store.
func jobsIn(st *store.Store, state string) ([]string, error) {
	if st == nil {
		return nil, nil
	}
	jobs, err := st.List()
	var ids []string
	for _, e := range jobs {
		if e.State == state {
			ids = append(ids, e.ID)
		}
	}
	return ids, err
}
