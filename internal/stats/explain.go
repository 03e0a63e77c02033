package stats

import (
	"fmt"
	"io"
	"strings"
)

// chapters divides the table of fields: each begins with a key.
var chapters = []struct{ first, title string }{
	{"task", "The task and how it ended"},
	{"host_job_create_tstamp", "The host, before"},
	{"worker_start_tstamp", "The worker, start and run"},
	{"worker_func_cpu_user_time", "CPU"},
	{"worker_func_rss", "Memory and scheduling"},
	{"block_read_bytes", "Disk and network"},
	{"func_result_size", "Result, log and the worker's end"},
	{"host_status_done_tstamp", "The host, after"},
}

const explainWidth = 100

// WriteExplain writes for every key what it is, its unit, and how far it can be
// trusted.
func WriteExplain(w io.Writer) error {
	p := newPage(explainWidth, 4)
	p.line("Every key is in every record; what could not be measured is null. Stamps are Unix time in")
	p.line("seconds, all of one clock. Keys marked * are those of Lithops.")
	p.line("")
	var kinds [][]string
	for _, e := range exactnesses {
		kinds = append(kinds, []string{"  " + string(e.Exactness), e.doc})
	}
	p.grid(kinds, "ll")
	next := 0
	for i := range fields {
		if next < len(chapters) && fields[i].Key == chapters[next].first {
			p.line("")
			p.line(chapters[next].title)
			next++
		}
		fields[i].explain(p)
	}
	return p.writeTo(w)
}

// ExplainKey explains one key, or all keys that contain the text when none is
// named so. It is an error if there are none.
func ExplainKey(w io.Writer, key string) error {
	p := newPage(explainWidth, 4)
	if f, ok := FieldOf(key); ok {
		f.explain(p)
		return p.writeTo(w)
	}
	found := false
	for i := range fields {
		if key != "" && strings.Contains(fields[i].Key, key) {
			fields[i].explain(p)
			found = true
		}
	}
	if !found {
		return fmt.Errorf("unknown key %q", key)
	}
	return p.writeTo(w)
}

// exactnesses says what the words of Exactness mean.
var exactnesses = []struct {
	Exactness
	doc string
}{
	{Exact, "from the kernel's accounting or a clock, of this attempt alone"},
	{Noticed, "from a clock, when the worker got a processor to see it happen"},
	{PerJob, "the same, and the same in every record of the job"},
	{Derived, "computed from other keys"},
	{Sampled, "seen at moments; what lies between is missed"},
	{Machine, "of all processes while the task ran; tasks side by side count the same"},
}

func (f *Field) explain(p *page) {
	star := " "
	if f.Seed {
		star = "*"
	}
	p.line(star + " " + pad(f.Key, 29, false) + " " + pad(string(f.Unit), 7, false) + " " + string(f.Exact))
	p.paragraph("", f.Doc)
}
