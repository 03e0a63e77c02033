package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lithops-go/lithops/internal/doctor"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type doctorOptions struct{ json bool }

func (o *doctorOptions) addFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.json, "json", false, "as a JSON array")
}

func newDoctorCommand(a *app) *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use:   "doctor [flags]",
		Short: "tell what this machine offers for jobs, and what to do about what is missing",
		Long: `doctor tries what jobs need: it starts a worker, makes a control group, writes and
locks a file in the store, and so on; nothing of it stays. A check's status is

  ok       all is there
  limited  jobs run, but with less than there could be
  missing  not there; what needs it does not work, all else does
  problem  no job can run: the exit code is 1`,
		Args: argCount(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(a, cmd, o) },
	}
	o.addFlags(cmd.Flags())
	return cmd
}

func runDoctor(a *app, cmd *cobra.Command, o doctorOptions) error {
	c, err := a.config(cmd)
	if err != nil {
		return err
	}
	findings := doctor.Examine(doctor.Options{Version: programVersion(), Store: c.get("store"), StoreFrom: c.source["store"]})
	if o.json {
		err = writeDoctorJSON(a.stdout, findings)
	} else {
		err = writeDoctor(a.stdout, findings)
	}
	if err != nil {
		return err
	}
	var failed []string
	for _, f := range findings {
		if f.Status == doctor.Problem {
			failed = append(failed, f.Name)
		}
	}
	if len(failed) > 0 {
		return errors.New("no job can run here: " + strings.Join(failed, ", "))
	}
	return nil
}

// writeDoctor writes a table in which what was found may have several lines; a hint
// stands below.
func writeDoctor(out io.Writer, findings []doctor.Finding) error {
	name, status := len("check"), len("status")
	for _, f := range findings {
		name, status = max(name, len(f.Name)), max(status, len(f.Status))
	}
	w := bufio.NewWriter(out)
	row := func(a, b, c string) { fmt.Fprintf(w, "%-*s  %-*s  %s\n", name, a, status, b, c) }
	row("check", "status", "found")
	for _, f := range findings {
		lines := strings.Split(f.Found, "\n")
		row(f.Name, string(f.Status), lines[0])
		for _, line := range lines[1:] {
			row("", "", line)
		}
		if f.Hint != "" {
			row("", "", "hint: "+f.Hint)
		}
	}
	return w.Flush()
}

func writeDoctorJSON(out io.Writer, findings []doctor.Finding) error {
	type row struct {
		Name   string        `json:"name"`
		Status doctor.Status `json:"status"`
		Found  string        `json:"found"`
		Hint   *string       `json:"hint"` // null: nothing is to be done
	}
	rows := make([]row, 0, len(findings))
	for _, f := range findings {
		r := row{Name: f.Name, Status: f.Status, Found: f.Found}
		if f.Hint != "" {
			r.Hint = &f.Hint
		}
		rows = append(rows, r)
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(rows)
}
