package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// hinted is an error with a second line: what to do about it.
type hinted struct {
	error
	hint string
}

func (e hinted) Unwrap() error { return e.error }
func (e hinted) Hint() string  { return e.hint }

// hinter is an error that knows what to do about it.
type hinter interface {
	error
	Hint() string
}

// hint adds a line of advice to err.
func hint(err error, format string, args ...any) error {
	return hinted{err, fmt.Sprintf(format, args...)}
}

// usage is a badInput error with the given text.
func usage(format string, args ...any) error { return badInput{fmt.Errorf(format, args...)} }

// report writes err for people: the message, for job.yaml the offending line with
// a caret, and the hint.
func report(w io.Writer, err error) {
	if err == nil {
		return
	}
	said := map[string]bool{}
	for line := range strings.Lines(err.Error() + "\n") { // joined errors are several, and some the same
		if !said[line] {
			fmt.Fprint(w, "lithops: ", line)
		}
		said[line] = true
	}
	advice := ""
	if spec, ok := errors.AsType[*job.SpecError](err); ok {
		fmt.Fprint(w, spec.Detail())
		advice = spec.Hint
	}
	if f, ok := errors.AsType[*executor.FunctionError](err); ok && f.Trace != "" {
		fmt.Fprintln(w, strings.TrimRight(f.Trace, "\n"))
	}
	var h hinter
	if errors.As(err, &h) {
		advice = h.Hint()
	}
	if advice != "" {
		fmt.Fprintln(w, "hint:", advice)
	}
}

// flagError replaces pflag's wording.
func flagError(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return unknownFlag(cmd, unknown)
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		cause := invalid.Unwrap()
		for errors.Unwrap(cause) != nil { // strconv's function names help nobody
			cause = errors.Unwrap(cause)
		}
		return usage("bad value %q for --%s: %w", invalid.GetValue(), invalid.GetFlag().Name, cause)
	}
	return hint(badInput{err}, "%s --help", cmd.CommandPath())
}

func unknownFlag(cmd *cobra.Command, e *pflag.NotExistError) error {
	name := e.GetSpecifiedName()
	if e.GetSpecifiedShortnames() != "" {
		return hint(usage("unknown flag -%s", name), "%s --help lists the flags", cmd.CommandPath())
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if best := nearest(name, names); best != "" {
		return hint(usage("unknown flag --%s", name), "did you mean --%s?", best)
	}
	if cmd.Name() == "run" { // other tools' words for the keys of a job
		return badInput{new(job.Spec).Set("--"+name, "")}
	}
	return hint(usage("unknown flag --%s", name), "%s --help lists the flags", cmd.CommandPath())
}

// argCount accepts min to max arguments; what names them.
func argCount(min, max int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < min:
			return hint(usage("%s is missing", what), "%s", cmd.UseLine())
		case len(args) > max:
			return hint(usage("unexpected argument %q", args[max]), "%s", cmd.UseLine())
		}
		return nil
	}
}
