package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/lithops-go/lithops/internal/chart"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type plotOptions struct {
	dir    string
	kinds  []chart.Kind
	format string
	size   chart.Options
}

func (o *plotOptions) addFlags(fs *pflag.FlagSet) {
	fs.StringP("output", "o", "plots", "write the pictures to `DIRECTORY`, made if it is missing")
	bind(fs, "output", "plot.dir")
	fs.String("kind", "timeline,histogram", "pictures to draw: "+strings.Join(kindNames(), ", ")+", or all")
	bind(fs, "kind", "plot.kind")
	fs.String("format", "png", "png or svg")
	bind(fs, "format", "plot.format")
	fs.String("size", "1200x720", "`WIDTHxHEIGHT` in pixels")
	bind(fs, "size", "plot.size")
}

// fromConfig takes the options as flags, environment and configuration file give
// them; all were checked when the configuration was read.
func (o *plotOptions) fromConfig(c *config) (err error) {
	o.dir = c.get("plot.dir")
	if o.kinds, err = parseKinds(c.get("plot.kind")); err != nil {
		return err
	}
	if o.format, err = parseFormat(c.get("plot.format")); err != nil {
		return err
	}
	o.size.SVG = o.format == "svg"
	o.size.Width, o.size.Height, err = chart.ParseSize(c.get("plot.size"))
	return err
}

func newPlotCommand(a *app) *cobra.Command {
	var o plotOptions
	cmd := &cobra.Command{
		Use:   "plot [flags] JOB",
		Short: "draw a job's pictures",
		Long: `plot draws pictures of a job, which may still run, and prints their paths:

  <job>_timeline.png   when each task was submitted, started, done, and fetched
  <job>_histogram.png  each task as a line, and how many ran at a time

Further kinds are phases (where each task's time went), durations (how long tasks
ran) and workers (a lane per worker). When the reduce of a job ran is marked above
the data, and where each further run of a resumed job begins. JOB is an id, a unique start of one, or last.`,
		Example: `  lithops plot last
  lithops plot last -o report --kind all --format svg
  lithops plot last --size 2400x1440`,
		Args:              argCount(1, 1, "JOB"),
		ValidArgsFunction: a.completeJob,
		RunE:              func(cmd *cobra.Command, args []string) error { return runPlot(a, cmd, o, args[0]) },
	}
	o.addFlags(cmd.Flags())
	offer(cmd, "format", "png", "svg")
	offer(cmd, "kind", append(kindNames(), "all")...)
	return cmd
}

func runPlot(a *app, cmd *cobra.Command, o plotOptions, ref string) error {
	c, err := a.config(cmd)
	if err != nil {
		return err
	}
	if err := o.fromConfig(c); err != nil {
		return badInput{err}
	}
	if err := checkDir(o.dir); err != nil {
		return err
	}
	j, err := openJob(c, ref)
	if err != nil {
		return err
	}
	cols, rep, err := j.Columns()
	if err != nil {
		return fmt.Errorf("read job %s: %w", j.ID(), err)
	}
	a.warn(rep)
	if !anyFinished(cols) {
		return nothingToDraw(j.ID(), j.State(), cols.Len())
	}
	if err := os.MkdirAll(o.dir, 0o777); err != nil {
		return badInput{fmt.Errorf("make output directory: %w", err)}
	}
	pictures := make([]picture, len(o.kinds))
	for i, kind := range o.kinds {
		pictures[i] = picture{kind: kind, path: filepath.Join(o.dir, fmt.Sprintf("%s_%s.%s", j.ID(), kind, o.format))}
	}
	runtime.GC() // drawing has the memory that reading needed
	drawAll(pictures, cols, o.size)
	for _, p := range pictures {
		if p.err != nil {
			return p.err
		}
		if err := a.printf("%s\n", p.path); err != nil {
			return err
		}
	}
	return damaged(rep)
}

// checkDir refuses an output directory that cannot be one, before any work.
func checkDir(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return usage("output directory %s is a file", dir)
	case errors.Is(err, syscall.ENOTDIR):
		return usage("output directory %s: %w", dir, syscall.ENOTDIR)
	case errors.Is(err, fs.ErrNotExist) && (filepath.Ext(dir) == ".png" || filepath.Ext(dir) == ".svg"):
		return hint(usage("output directory %s looks like a picture", dir), "-o names a directory, the pictures are named after the job; --format chooses png or svg")
	}
	return nil
}

func anyFinished(c *stats.Columns) bool {
	for _, s := range c.State {
		if s.Final() && s != job.Cancelled {
			return true
		}
	}
	return false
}

func nothingToDraw(id, state string, tasks int) error {
	if tasks == 0 {
		return usage("job %s has no tasks to draw", id)
	}
	return hint(usage("no task of job %s has finished, so there is nothing to draw", id), "the job is %s; lithops stats %s tells more", state, id)
}

type picture struct {
	kind chart.Kind
	path string
	err  error
}

// drawAll draws pictures, each complete or not at all: two at a time, since each needs memory
// by the task.
func drawAll(pictures []picture, c *stats.Columns, o chart.Options) {
	next := make(chan *picture)
	var wg sync.WaitGroup
	for range min(2, runtime.GOMAXPROCS(0), len(pictures)) {
		wg.Go(func() {
			for p := range next {
				p.err = writeFile(p.path, func(f *os.File) error { return chart.Render(f, p.kind, c, o) })
			}
		})
	}
	for i := range pictures {
		next <- &pictures[i]
	}
	close(next)
	wg.Wait()
}

func kindNames() []string {
	var names []string
	for _, k := range chart.Kinds() {
		names = append(names, string(k))
	}
	return names
}

// parseKinds reads a list such as timeline,workers; each kind is drawn once.
func parseKinds(list string) ([]chart.Kind, error) {
	if strings.TrimSpace(list) == "all" {
		return chart.Kinds(), nil
	}
	var kinds []chart.Kind
	seen := map[chart.Kind]bool{}
	for name := range strings.SplitSeq(list, ",") {
		k, err := chart.ParseKind(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		if !seen[k] {
			kinds = append(kinds, k)
		}
		seen[k] = true
	}
	return kinds, nil
}

func parseFormat(s string) (string, error) {
	if s != "png" && s != "svg" {
		return "", fmt.Errorf("unknown picture format %q: want png or svg", s)
	}
	return s, nil
}
