package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

const storeAdvice = "--store, LITHOPS_STORE or store in a configuration file name the directory"

// openStore opens the configured store and makes it where it is missing.
func openStore(c *config) (*store.Store, error) {
	root := c.get("store")
	if root == "" {
		return nil, hint(usage("there is no home directory to keep jobs in"), storeAdvice)
	}
	st, err := store.Open(root)
	if err != nil {
		return nil, hint(badInput{err}, storeAdvice)
	}
	return st, nil
}

// existingStore opens the configured store for reading; nil when there is none.
func existingStore(c *config) (*store.Store, error) {
	if _, err := os.Stat(c.get("store")); c.get("store") != "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return openStore(c)
}

// openJob opens the job that ref names: an id, a unique start of one, or last.
func openJob(c *config, ref string) (*store.Job, error) {
	st, err := existingStore(c)
	if err != nil {
		return nil, err
	}
	if st == nil {
		return nil, hint(usage("unknown job %q: there is no store at %s", ref, c.get("store")), storeAdvice)
	}
	id, err := st.Resolve(ref)
	if err != nil {
		return nil, badInput{err}
	}
	j, err := st.Job(id)
	if err != nil {
		return nil, badInput{err}
	}
	return j, nil
}

// warn tells what of a job could not be read. Exit code 1 comes from damage.
func (a *app) warn(rep *store.Report) {
	for _, d := range rep.Damage {
		fmt.Fprintln(a.stderr, "lithops: damaged:", d)
	}
	if more := rep.Total - len(rep.Damage); more > 0 {
		fmt.Fprintf(a.stderr, "lithops: damaged: and %d more\n", more)
	}
	if rep.Torn > 0 {
		fmt.Fprintf(a.stderr, "lithops: %s cut short when the writer died; what was not written whole counts as not done\n",
			plural(rep.Torn, "record was", "records were"))
	}
}

// damaged is the error for a report of damage: what was shown lacks something.
func damaged(rep *store.Report) error {
	if rep.Total == 0 {
		return nil
	}
	return fmt.Errorf("%s damaged; all that could be read was", plural(rep.Total, "place in the store is", "places in the store are"))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return stats.HumanCount(int64(n)) + " " + many
}

// summarize reads a job and sums it up.
func summarize(j *store.Job) (*stats.Summary, *store.Report, error) {
	info := jobInfo(j)
	s := stats.NewSummarizer(info, j.Manifest.Tasks)
	s.LogLine = func(r *stats.Record) string {
		tail, err := j.LogTail(r, 2000)
		if err != nil {
			return "" // the log is damage of its own kind; the record stands
		}
		return tellingLine(tail)
	}
	rep, err := j.Scan(stats.SummaryKeys(), func(r *stats.Record) error {
		stats.Align(info.Runs, r)
		s.Add(r)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read job %s: %w", j.ID(), err)
	}
	sum := s.Summary()
	items := itemsOf(j, sum.Examples())
	sum.NameItems(func(task int) string { return items[task] })
	return sum, rep, nil
}

// itemsOf reads the inputs of some tasks, given in order, in one go. What cannot
// be read is left out: it only makes the summary easier to read.
func itemsOf(j *store.Job, tasks []int) map[int]string {
	items := map[int]string{}
	in, err := j.Inputs()
	if err != nil {
		return items
	}
	defer in.Close()
	for task := 0; len(tasks) > 0; task++ {
		item, err := in.Next()
		if err != nil {
			break
		}
		if task == tasks[0] {
			items[task], tasks = string(item[:min(len(item), 1000)]), tasks[1:]
		}
	}
	return items
}

// tellingLine is the line of a log's end that says best what went wrong: the last
// one that sounds like it, else the last.
func tellingLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for _, line := range slices.Backward(lines) {
		lower := strings.ToLower(line)
		for _, word := range []string{"error", "fail", "cannot", "can't", "no such", "invalid", "denied", "not found", "exception", "panic", "fatal", "killed"} {
			if strings.Contains(lower, word) {
				return strings.TrimSpace(line)
			}
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}

func jobInfo(j *store.Job) stats.JobInfo {
	m := j.Manifest
	info := stats.JobInfo{ID: j.ID(), Name: m.Name, State: j.State(), Created: m.Clock.Wall, Workers: m.Workers,
		Machine: machineFacts(m.Machine), Zone: time.Local, Runs: j.Runs()}
	switch {
	case m.Ended != nil:
		info.Ended, info.Counts = m.Ended.TimeNS, m.Ended.Counts
	case j.State() == store.JobRunning:
		info.Now = time.Now().UnixNano()
	}
	return info
}

func machineFacts(m store.Machine) []string {
	if m.Hostname == "" {
		return nil
	}
	facts := []string{m.Hostname, m.OS + "/" + m.Arch}
	if m.CPUModel != "" {
		facts = append(facts, m.CPUModel)
	}
	cpus := plural(m.CPUs, "CPU", "CPUs")
	if m.UsableCPUs != m.CPUs {
		cpus += fmt.Sprintf(" (%d usable)", m.UsableCPUs)
	}
	facts = append(facts, cpus)
	if m.MemoryBytes > 0 {
		facts = append(facts, stats.HumanBytes(int64(m.MemoryBytes)))
	}
	return facts
}
