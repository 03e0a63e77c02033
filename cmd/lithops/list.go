package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type listOptions struct {
	json bool
	most int
}

func (o *listOptions) addFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.json, "json", false, "as a JSON array")
	fs.IntVarP(&o.most, "number", "n", 0, "the newest `N` jobs only; 0 is all")
}

func newListCommand(a *app) *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:     "list [flags]",
		Aliases: []string{"ls"},
		Short:   "list the jobs in the store, the newest first",
		Long: `list shows the jobs in the store, the newest first. A job's state is running, done
(every task succeeded), failed (some task did not), cancelled, or broken off: its
host died. Wall is from its creation to its end, or to its host's last sign of life; of
a job that was resumed to the end of its last run, with the pauses between runs, which
lithops stats leaves out.`,
		Args: argCount(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return runList(a, cmd, o) },
	}
	o.addFlags(cmd.Flags())
	return cmd
}

func runList(a *app, cmd *cobra.Command, o listOptions) error {
	if o.most < 0 {
		return usage("-n wants a number of jobs, not %d", o.most)
	}
	c, err := a.config(cmd)
	if err != nil {
		return err
	}
	st, err := existingStore(c)
	if err != nil {
		return err
	}
	var jobs []store.Entry
	if st != nil {
		if jobs, err = st.List(); err != nil {
			return err
		}
	}
	if o.most > 0 && len(jobs) > o.most {
		jobs = jobs[:o.most]
	}
	switch {
	case o.json:
		err = writeListJSON(a, jobs, time.Now())
	case len(jobs) == 0:
		fmt.Fprintln(a.stderr, "no jobs in", c.get("store"))
	default:
		err = writeList(a, jobs, time.Now())
	}
	if err != nil {
		return err
	}
	return a.unreadable(jobs)
}

// unreadable tells of jobs that could not be read. They keep no others from being
// listed.
func (a *app) unreadable(jobs []store.Entry) error {
	n := 0
	for _, e := range jobs {
		if e.Err != nil {
			n++
			fmt.Fprintf(a.stderr, "lithops: job %s: %v\n", e.ID, e.Err)
		}
	}
	if n > 0 {
		return fmt.Errorf("%d of %s cannot be read", n, plural(len(jobs), "job", "jobs"))
	}
	return nil
}

func writeList(a *app, jobs []store.Entry, now time.Time) error {
	out := bufio.NewWriter(a.stdout) // tabwriter writes by the cell
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "id\tname\tstate\tcreated\twall\ttasks\tfailed")
	for _, e := range jobs {
		if e.Err != nil {
			fmt.Fprintf(w, "%s\t-\tunreadable\t-\t-\t-\t-\n", e.ID)
			continue
		}
		wall, failed := "-", "-"
		if d, ok := wallTime(e, now); ok {
			wall = stats.HumanDuration(int64(d))
		}
		if e.Counts != nil {
			failed = stats.HumanCount(int64(failedTasks(e)))
		}
		name := "-"
		if e.Name != "" {
			name = shorten(stats.OneLine(e.Name), 30)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.ID, name, e.State,
			e.Created.Local().Format(time.DateTime), wall, stats.HumanCount(int64(e.Tasks)), failed)
	}
	return errors.Join(w.Flush(), out.Flush())
}

// wallTime is how long a job took, or takes already.
func wallTime(e store.Entry, now time.Time) (time.Duration, bool) {
	switch {
	case !e.Ended.IsZero():
		return e.Ended.Sub(e.Created), true
	case e.State == store.JobRunning:
		return now.Sub(e.Created), true
	}
	return 0, false
}

func failedTasks(e store.Entry) int {
	return e.Counts[job.Error] + e.Counts[job.Timeout] + e.Counts[job.Lost]
}

func writeListJSON(a *app, jobs []store.Entry, now time.Time) error {
	type row struct {
		ID      string            `json:"job_id"`
		Name    *string           `json:"name"`
		State   *string           `json:"state"`
		Created *float64          `json:"created_tstamp"`
		Wall    *float64          `json:"wall_time"`
		Tasks   *int              `json:"tasks"`
		Counts  map[job.State]int `json:"states"` // null: not known
		Error   *string           `json:"error"`
	}
	rows := make([]row, 0, len(jobs))
	for _, e := range jobs {
		r := row{ID: e.ID}
		if e.Err != nil {
			text := e.Err.Error()
			r.Error = &text
			rows = append(rows, r)
			continue
		}
		created := float64(e.Created.UnixNano()) / 1e9
		r.State, r.Created, r.Tasks, r.Counts = &e.State, &created, &e.Tasks, e.Counts
		if e.Name != "" {
			r.Name = &e.Name
		}
		if d, ok := wallTime(e, now); ok {
			s := d.Seconds()
			r.Wall = &s
		}
		rows = append(rows, r)
	}
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(rows)
}

// completeJob offers the store's jobs to the shell.
func (a *app) completeJob(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, completeIDs
	}
	return a.offerJobs(cmd, toComplete, true, func(store.Entry) bool { return true })
}

// completeJobs offers the jobs whose state is wanted to the shell, each once.
func (a *app) completeJobs(wanted func(state string) bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		return a.offerJobs(cmd, toComplete, false, func(e store.Entry) bool { return wanted(e.State) && !slices.Contains(args, e.ID) })
	}
}

const completeIDs = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder

// offerJobs are those of the store that are wanted, with last before them.
func (a *app) offerJobs(cmd *cobra.Command, toComplete string, last bool, wanted func(store.Entry) bool) ([]string, cobra.ShellCompDirective) {
	c, err := a.config(cmd)
	if err != nil {
		return nil, completeIDs
	}
	st, err := existingStore(c)
	if err != nil || st == nil {
		return nil, completeIDs
	}
	jobs, err := st.List()
	if err != nil {
		return nil, completeIDs
	}
	if last {
		jobs = append([]store.Entry{{ID: store.Last, Name: "the newest job"}}, jobs...)
	}
	var offered []string
	for _, e := range jobs {
		if wanted(e) && strings.HasPrefix(e.ID, toComplete) {
			about := strings.TrimSpace(stats.OneLine(e.Name) + " " + e.State)
			offered = append(offered, cobra.CompletionWithDesc(e.ID, about))
		}
	}
	return offered, completeIDs
}
