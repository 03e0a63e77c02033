package stats

import (
	"io"
	"strconv"

	"github.com/lithops-go/lithops/internal/job"
)

// WriteAttempts lists the attempts at a task, the one that counts with an asterisk.
// The lines are comments to what reads the Python literal that WritePprint writes. Of a
// task with one attempt there is nothing to list.
func WriteAttempts(w io.Writer, all []*Record, counts *Record) error {
	if len(all) < 2 {
		return nil
	}
	rows := [][]string{{"# attempt", "run", "worker", "state", "cause", "began", "running", "error"}}
	for _, r := range all {
		number := "# " + strconv.Itoa(r.Attempt)
		if r == counts {
			number += " *"
		}
		began := dash
		if at := r.WorkerStart.Since(r.HostJobCreate); at.OK {
			began = "+" + HumanDuration(at.NS)
		}
		f := Failure{ErrorType: Nullable(r.ErrorType)}
		if r.State == job.Error {
			f.ExitCode, f.Signal = r.ExitCode, Nullable(r.Signal)
		}
		rows = append(rows, []string{number, countText(r.Run), countText(r.Worker), r.State.String(), f.Cause(), began, secText(r.FuncExec),
			OneLine(r.Error)})
	}
	p := newPage(0, 0)
	p.grid(rows, "lrrllrrl")
	return p.writeTo(w)
}
