package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type logsOptions struct {
	tasks            taskList
	failed, follow   bool
	headings, chosen bool // --headings: its value, and whether it was given
	lines            int
}

func (o *logsOptions) addFlags(fs *pflag.FlagSet) {
	fs.Var(&o.tasks, "task", "of tasks `N,M-K` only, numbered from 0: all attempts at them")
	fs.BoolVar(&o.failed, "failed", false, "of tasks that failed only")
	fs.BoolVarP(&o.follow, "follow", "f", false, "go on, with the logs of tasks as they end, until the job ends")
	fs.IntVar(&o.lines, "lines", 0, "the last `N` lines of each log only")
	fs.BoolVar(&o.headings, "headings", false, "a line above each log that says whose it is; the default where there is more than one")
}

func (o *logsOptions) check(fs *pflag.FlagSet) error {
	if fs.Changed("lines") && o.lines < 1 {
		return usage("--lines wants a number of lines from 1 on, not %d", o.lines)
	}
	o.chosen = fs.Changed("headings")
	return nil
}

func newLogsCommand(a *app) *cobra.Command {
	var o logsOptions
	cmd := &cobra.Command{
		Use:   "logs [flags] JOB",
		Short: "print what a job's tasks have logged",
		Long: `logs prints the logs of a job's tasks, in the order of the items: what a command
wrote to standard error, or what a function printed. Of each task it is the log of
the attempt that counts, the successful one or the last, also of one that was lost with
its worker; tasks that have logged nothing are left out, unless they failed. JOB is an id, a unique start of one, or
last.

With -f the logs of a job that runs are printed as its tasks end, those of each
attempt, and with --task N, of a command, what it writes while it runs.`,
		Example: `  lithops logs last
  lithops logs last --failed --lines 5
  lithops logs last --task 17
  lithops logs last -f`,
		Args:              argCount(1, 1, "JOB"),
		ValidArgsFunction: a.completeJob,
		RunE:              func(cmd *cobra.Command, args []string) error { return runLogs(a, cmd, o, args[0]) },
	}
	o.addFlags(cmd.Flags())
	return cmd
}

func runLogs(a *app, cmd *cobra.Command, o logsOptions, ref string) error {
	if err := o.check(cmd.Flags()); err != nil {
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
	if _, _, err := o.tasks.within(j.Manifest, ""); err != nil {
		return err
	}
	p := &logPrinter{logsOptions: o, lastByte: lastByte{w: bufio.NewWriterSize(a.stdout, 64<<10)}}
	rep, err := p.print(cmd.Context(), c, j)
	if err != nil {
		return err
	}
	if p.shown == 0 {
		fmt.Fprintln(a.stderr, p.nothing(j))
	}
	a.warn(rep)
	return damaged(rep)
}

// nothing says that there is nothing to show.
func (p *logPrinter) nothing(j *store.Job) string {
	who, did := "no task", "written to its log"
	if p.failed && !p.met {
		did = "failed"
	}
	switch {
	case p.tasks.one() && p.failed && !p.met:
		who, did = "task "+p.tasks.String(), "not failed"
	case p.tasks.one():
		who, did = "task "+p.tasks.String(), "written nothing to its log"
	case p.tasks.given():
		who = "none of these tasks"
	}
	line := fmt.Sprintf("%s of job %s has %s", who, j.ID(), did)
	if j.State() == store.JobRunning && !p.follow {
		line += " so far; -f shows what comes"
	}
	return line
}

// logPrinter prints the logs of attempts.
type logPrinter struct {
	logsOptions
	lastByte
	outputs *store.Outputs
	one     bool // task is asked for, and needs no heading
	met     bool // a task of those asked for, though it may have no log
	shown   int
	buf     []byte
}

// logKeys are what has to be known of an attempt to print its log.
var logKeys = stats.NewKeySet("state", "worker", "exit_code", "signal", "error_type", "error", "log_offset", "log_size")

// print prints what is asked for, and flushes it.
func (p *logPrinter) print(ctx context.Context, c *config, j *store.Job) (*store.Report, error) {
	if !p.follow || j.State() != store.JobRunning {
		p.outputs = j.Outputs()
		defer p.outputs.Close()
		rep, err := p.counting(j)
		if err != nil {
			return nil, err
		}
		return rep, p.flush()
	}
	st, err := openStore(c)
	if err != nil {
		return nil, err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	type outcome struct {
		rep *store.Report
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		f := logFollower{logPrinter: p, store: st, shownBefore: map[job.Attempt]bool{}}
		rep, err := f.run(ctx, j)
		if err == nil {
			err = p.flush()
		}
		done <- outcome{rep, err}
	}()
	select { // a signal ends us also while our reader does not read
	case o := <-done:
		return o.rep, o.err
	case <-ctx.Done():
		return nil, errInterrupted
	}
}

func (p *logPrinter) flush() error {
	if err := p.w.(*bufio.Writer).Flush(); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// counting prints the logs of the attempts that count, or of all attempts at the
// tasks that were asked for by number.
func (p *logPrinter) counting(j *store.Job) (*store.Report, error) {
	return p.each(j, func(attempts []stats.Record) error {
		counts := store.Counting(attempts)
		if p.failed && !hasFailed(counts.State) {
			return nil
		}
		p.met = true
		if !p.tasks.given() {
			return p.show(counts, false, 0)
		}
		for i := range attempts {
			if err := p.show(&attempts[i], len(attempts) > 1, 0); err != nil {
				return err
			}
		}
		return nil
	})
}

// each calls f with the attempts at each task that was asked for.
func (p *logPrinter) each(j *store.Job, f func([]stats.Record) error) (*store.Report, error) {
	first, n, err := p.tasks.within(j.Manifest, "")
	if err != nil {
		return nil, err
	}
	p.one = n == 1
	return j.Tasks(first, n, logKeys, func(attempts []stats.Record) error {
		if !p.tasks.wants(attempts[0].Task) {
			return nil
		}
		return f(attempts)
	})
}

// show prints the log of an attempt, without its first skip bytes. several says
// that it is one of several at its task.
func (p *logPrinter) show(r *stats.Record, several bool, skip int64) error {
	if !r.State.Final() {
		return nil
	}
	log, err := p.outputs.Log(r)
	if _, missing := errors.AsType[store.Damage](err); missing || errors.Is(err, store.ErrNoOutput) {
		log, err = new(io.SectionReader), nil // what is missing was reported with the record
	}
	if err != nil {
		return err
	}
	heading := skip == 0 && p.wantsHeading(several)
	if log.Size() <= skip && !(heading && hasFailed(r.State)) {
		return nil
	}
	p.shown++
	if heading {
		how := r.State.String()
		if why := cause(r); why != "" {
			how += ", " + why
		}
		if err := p.heading(r.Task, r.Attempt, several, how); err != nil {
			return err
		}
	}
	if p.lines > 0 && skip == 0 {
		if skip, err = lastLines(log, p.lines); err != nil {
			return err
		}
	}
	if _, err := log.Seek(skip, io.SeekStart); err != nil {
		return err
	}
	if p.buf == nil {
		p.buf = make([]byte, 32<<10)
	}
	_, err = io.CopyBuffer(&p.lastByte, struct{ io.Reader }{log}, p.buf)
	if heading {
		err = cmp.Or(err, p.endLine())
	}
	return err
}

func (p *logPrinter) wantsHeading(several bool) bool {
	if p.chosen {
		return p.headings
	}
	return several || !p.one
}

func (p *logPrinter) heading(task, attempt int, several bool, how string) error {
	which := ""
	if several || attempt > 1 {
		which = fmt.Sprintf(", attempt %d", attempt)
	}
	if err := p.endLine(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(&p.lastByte, "==> task %d%s: %s <==\n", task, which, how)
	return err
}

// lastLines is where the last n lines of a log begin.
func lastLines(log *io.SectionReader, n int) (int64, error) {
	var buf [4 << 10]byte
	end := log.Size() - 1 // a line end there is that of the last line
	for at := log.Size(); at > 0; {
		b := buf[:min(int64(len(buf)), at)]
		at -= int64(len(b))
		got, err := log.ReadAt(b, at)
		if err != nil && err != io.EOF {
			return 0, err
		}
		for b = b[:got]; ; {
			i := bytes.LastIndexByte(b, '\n')
			if i < 0 {
				break
			}
			if b = b[:i]; at+int64(i) < end {
				if n--; n == 0 {
					return at + int64(i) + 1, nil
				}
			}
		}
	}
	return 0, nil
}
