package stats

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lithops-go/lithops/internal/job"
)

const (
	labelWidth    = 13
	failuresShown = 10
	runsShown     = 10
)

// WriteTable writes the summary for people, in lines of at most width characters;
// 0 is no limit. What is unknown is "-".
func (s *Summary) WriteTable(w io.Writer, width int) error {
	p := newPage(width, labelWidth)
	s.head(p)
	s.runGrid(p)
	s.spreadGrid(p)
	s.totalLines(p)
	s.slowestGrid(p)
	s.failureLines(p)
	if len(s.Warnings) > 0 {
		p.line("")
	}
	for _, warning := range s.Warnings {
		p.flow("warning", warning)
	}
	return p.writeTo(w)
}

func (s *Summary) head(p *page) {
	p.flow("job", s.JobID, OneLine(string(s.Name)), OneLine(string(s.State)))
	if len(s.Machine) > 0 {
		p.flow("machine", oneLines(s.Machine)...)
	}
	created, pauses := "", ""
	if s.Created.OK {
		created = "created " + s.clock(s.Created) + s.Created.in(s.zone).Format(" MST")
	}
	if n := len(s.Runs); n > 1 {
		pauses = "in " + HumanCount(int64(n)) + " runs, without pauses"
	}
	p.flow("wall time", secText(s.Wall), pauses, created)

	tasks := []string{HumanCount(int64(s.Tasks))}
	if s.Reduce != nil {
		tasks[0] += " (" + HumanCount(int64(s.Maps)) + " map, " + HumanCount(int64(s.Reduce.Tasks)) + " reduce)"
	}
	if done := s.Done(); done < s.Tasks {
		tasks = append(tasks, "ended "+HumanCount(int64(done))+" ("+HumanPercent(100*float64(done)/float64(s.Tasks))+")")
	}
	p.flow("tasks", append(tasks, stateTexts(s.States)...)...)
	if s.Reason != "" {
		p.paragraph("ended early", OneLine(string(s.Reason)))
	}
	if s.Tasks == 0 {
		return
	}
	p.flow("attempts", append(append([]string{HumanCount(int64(s.Attempts)), "tasks retried " + HumanCount(int64(s.Retried))}, s.discardedTexts()...),
		"cold starts "+countText(s.ColdStarts))...)
	p.flow("speed", numberText(s.Throughput)+" tasks/s", "speed-up "+numberText(s.SpeedUp), "cores used "+numberText(s.Cores))
	p.flow("workers", append([]string{s.WorkersText(), "utilisation " + percentText(s.Utilisation)},
		s.timeParts()...)...)
	if s.Reduce != nil {
		p.flow("reduce", s.reduceTexts()...)
	}
}

// clock is a stamp as date and time.
func (s *Summary) clock(at Sec) string {
	if !at.OK {
		return dash
	}
	return at.in(s.zone).Format(time.DateTime)
}

func (s Sec) in(zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	return time.Unix(0, s.NS).In(zone)
}

// runGrid lists the runs of a job that was resumed, of many the last.
func (s *Summary) runGrid(p *page) {
	if len(s.Runs) < 2 {
		return
	}
	rows := [][]string{{"run", "began", "pause before", "took", "tasks", "attempts", "succeeded", "workers", "ended"}}
	more := max(0, len(s.Runs)-runsShown)
	for _, r := range s.Runs[more:] {
		ended := cmp.Or(OneLine(string(r.State)), dash)
		if r.Reason != "" {
			ended += ": " + OneLine(string(r.Reason))
		}
		rows = append(rows, []string{strconv.Itoa(r.Number), s.clock(r.Start), secText(r.Pause), secText(r.Wall), countText(r.Tasks),
			HumanCount(int64(r.Attempts)), HumanCount(int64(r.Succeeded)), countText(r.Workers), ended})
	}
	p.line("")
	p.grid(rows, "rlrrrrrrl", "succeeded", "tasks", "workers", "took")
	if more > 0 {
		p.line("and " + HumanCount(int64(more)) + " before")
	}
}

// discardedTexts say what became of the attempts that do not count, and what they
// took.
func (s *Summary) discardedTexts() []string {
	after := stateTexts(s.Discarded)
	if len(after) == 0 {
		return nil
	}
	lost := "time lost by them " + secText(s.WorkerTime.Discarded)
	if s.WorkerTime.Discarded.OK && s.Untimed > 0 {
		lost += " (of " + HumanCount(int64(s.Untimed)) + " not known)"
	}
	return []string{"after " + strings.Join(after, ", "), lost}
}

// stateTexts are the states that some tasks are in, with their numbers.
func stateTexts(states map[job.State]int) (texts []string) {
	for _, state := range []job.State{job.Success, job.Error, job.Timeout, job.Lost, job.Cancelled, job.Running, job.Queued, job.New} {
		if n := states[state]; n > 0 {
			texts = append(texts, state.String()+" "+HumanCount(int64(n)))
		}
	}
	return texts
}

// reduceTexts say what the reduce tasks took.
func (s *Summary) reduceTexts() []string {
	r := s.Reduce
	texts := []string{counted(r.Tasks, "task", "tasks")}
	switch {
	case r.NotRun() && s.running:
		return append(texts, "not begun")
	case r.NotRun():
		return append(texts, "not run")
	}
	texts = append(texts, stateTexts(r.States)...)
	if r.After.OK {
		texts = append(texts, "began after "+HumanDuration(r.After.NS))
	}
	run := "running " + secText(r.Phases.Running.Total)
	if r.Tasks > 1 {
		run += ", longest " + secText(r.Phases.Running.Max)
	}
	cpu := Sec{}
	if user, system := r.CPUUser.Total, r.CPUSystem.Total; user.OK && system.OK {
		cpu = SecOf(user.NS + system.NS)
	}
	peak := "peak memory " + bytesText(r.PeakMemory.Max)
	if !r.PeakMemory.Max.OK && r.PeakHidden.OK {
		peak = "peak memory at most " + HumanBytes(r.PeakHidden.V)
	}
	return append(texts, run, "share "+percentText(r.Phases.Running.Share), "cpu "+secText(cpu), peak)
}

// timeParts are the items of WhereTimeWent, and a word on what they are parts of.
func (s *Summary) timeParts() []string {
	line := s.WhereTimeWent()
	switch {
	case line == "" || s.WorkerTime.Available.OK:
	case s.running:
		line += ", (of the time recorded so far)"
	default:
		line += ", (of the time recorded)"
	}
	return strings.Split(line, ", ")
}

func oneLines(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = OneLine(t)
	}
	return out
}

// spread is a row of the table of spreads, as texts.
type spread struct {
	label                            string
	measured                         int
	min, median, mean, p95, p99, max string
	total, share                     string
}

func spreadOf[V Sec | Int](label string, d Dist[V], human func(V) string) spread {
	return spread{label: label, measured: d.Measured, min: human(d.Min), median: human(d.Median), mean: human(d.Mean),
		p95: human(d.P95), p99: human(d.P99), max: human(d.Max)}
}

func (s *Summary) spreadRows() []spread {
	phase := func(label string, p Phase, ofWorkers bool) spread {
		row := spreadOf(label, p.Dist, secText)
		row.total = secText(p.Total)
		if ofWorkers {
			row.share = percentText(p.Share)
		}
		return row
	}
	p := &s.Phases
	return []spread{phase("waiting", p.Waiting, false), phase("starting", p.Starting, true), phase("running", p.Running, true),
		phase("uploading", p.Uploading, true), phase("overhead", p.Overhead, true), phase("fetching", p.Fetching, false),
		phase("cpu user", s.CPUUser, false), phase("cpu system", s.CPUSystem, false),
		spreadOf("peak memory", s.PeakMemory, bytesText), spreadOf("rss", s.RSS, bytesText)}
}

// spreadGrid is the table of how durations and memory spread over the map's tasks.
// Of a single task all columns would be the same.
func (s *Summary) spreadGrid(p *page) {
	per, one := "per task", "the task"
	if s.Reduce != nil {
		per, one = "per map task", "the map task"
	}
	rows := [][]string{{per, "min", "median", "mean", "p95", "p99", "max", "total", "share", "measured"}}
	single := [][]string{{one, "", "share"}}
	some, complete := false, true
	for _, r := range s.spreadRows() {
		some, complete = some || r.measured > 0, complete && r.measured == s.Maps
		of := HumanCount(int64(r.measured)) + " of " + HumanCount(int64(s.Maps))
		if r.measured == s.Maps {
			of = "all"
		}
		rows = append(rows, []string{r.label, r.min, r.median, r.mean, r.p95, r.p99, r.max, r.total, r.share, of})
		single = append(single, []string{r.label, r.max, r.share})
	}
	if !some {
		return
	}
	p.line("")
	switch {
	case s.Maps == 1:
		p.grid(single, "lrr")
		return
	case complete:
		for i := range rows {
			rows[i] = rows[i][:len(rows[i])-1]
		}
	}
	p.grid(rows, "lrrrrrrrrr", "p99", "mean", "min", "total", "measured", "share", "p95")
	if s.PeakHidden.OK {
		p.line("peak memory where not measured: at most " + bytesText(s.PeakHidden))
	}
}

func (s *Summary) totalLines(p *page) {
	if s.Attempts == 0 {
		return
	}
	text := func(name string, t Total, human func(Int) string) string {
		out := name + " " + human(t.Sum)
		if t.Measured > 0 && t.Measured < s.Attempts {
			out += " (" + HumanCount(int64(t.Measured)) + " of " + HumanCount(int64(s.Attempts)) + " measured)"
		}
		return out
	}
	t := &s.Totals
	p.line("")
	p.flow("data", text("inputs", t.InputBytes, bytesText), text("results", t.ResultBytes, bytesText), text("logs", t.LogBytes, bytesText))
	p.flow("disk", text("read", t.BlockRead, bytesText), text("written", t.BlockWrite, bytesText))
	p.flow("page faults", text("minor", t.MinorFaults, countText), text("major", t.MajorFaults, countText))
	p.flow("switches", text("voluntary", t.VoluntarySwitch, countText), text("involuntary", t.InvoluntSwitch, countText))
	if t.NetSent.OK || t.NetRecv.OK {
		p.flow("network", "sent at least "+bytesText(t.NetSent), "received at least "+bytesText(t.NetRecv), "(whole machine)")
	}
}

func (s *Summary) slowestGrid(p *page) {
	if len(s.Slowest) == 0 || s.Tasks < 2 {
		return
	}
	rows := [][]string{{"slowest task", "stage", "attempt", "state", "worker", "running", "cpu", "peak memory", "item"}}
	named, align := false, "rlrlrrrrl"
	for _, t := range s.Slowest {
		named = named || t.Item != ""
		rows = append(rows, []string{strconv.Itoa(t.Task), t.Stage, strconv.Itoa(t.Attempt), t.State.String(), countText(t.Worker),
			secText(t.Exec), secText(t.CPU), bytesText(t.PeakMemory), shortItem(t.Item)})
	}
	for i := range rows {
		if !named {
			rows[i] = rows[i][:len(rows[i])-1]
		}
		if s.Reduce == nil {
			rows[i] = slices.Delete(rows[i], 1, 2)
		}
	}
	if s.Reduce == nil {
		align = align[:1] + align[2:]
	}
	p.line("")
	p.grid(rows, align, "worker", "attempt", "cpu", "peak memory", "item")
}

func (s *Summary) failureLines(p *page) {
	if len(s.Failures) == 0 {
		return
	}
	p.line("")
	rows := [][]string{{"failed tasks", "state", "cause", "example"}}
	shown := s.Failures[:min(len(s.Failures), failuresShown)]
	for _, f := range shown {
		rows = append(rows, []string{HumanCount(int64(f.Count)), f.State.String(), f.Cause(),
			f.Example() + ", attempt " + strconv.Itoa(f.Attempt)})
	}
	p.grid(rows, "rlll", "example", "state")
	if more := len(s.Failures) - failuresShown; more > 0 {
		p.line("and " + counted(more, "more kind", "more kinds"))
	}
	for _, f := range shown {
		if f.Item != "" {
			p.line(f.Example() + " item: " + shortItem(f.Item))
		}
		if f.Error != "" {
			p.line(f.Example() + ": " + OneLine(string(f.Error)))
		}
		if f.LogLine != "" {
			p.line(f.Example() + " log: " + OneLine(string(f.LogLine)))
		}
	}
}

// shortItem is the end of an item, which says most of a path, if it is long.
func shortItem(item Nullable) string {
	const most = 50
	r := []rune(OneLine(string(item)))
	if len(r) > most {
		r = append([]rune("…"), r[len(r)-most+1:]...)
	}
	return string(r)
}

// Cause tells in a few words what the tasks of the group have in common; "-" if that
// is no more than their state. Of a task that had no memory left it is not the signal
// which ended it.
func (f *Failure) Cause() string {
	switch {
	case f.ErrorType == "memory":
		return "memory"
	case f.Signal != "":
		return OneLine(string(f.Signal))
	case f.ExitCode.OK && f.ExitCode.V != 0:
		return "exit code " + strconv.FormatInt(f.ExitCode.V, 10)
	case f.ErrorType != "":
		return OneLine(string(f.ErrorType))
	}
	return dash
}
