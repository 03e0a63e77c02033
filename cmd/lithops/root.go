package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// app is what the commands share: the streams and the global flags.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	configFile string
}

func (a *app) addFlags(fs *pflag.FlagSet) {
	fs.StringVar(&a.configFile, "config", "", "read settings from `FILE` instead of the usual places")
	fs.String("store", "", "keep jobs in `DIRECTORY`")
	bind(fs, "store", "store")
}

func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "lithops",
		Short: "map a command or a function over many inputs and see where the time went",
		Long: `lithops runs a command, or calls a function, once for every input, on a pool of
worker processes, and keeps exact statistics of every task.

  lithops run -- gzip -k {} ::: *.txt              no file needed
  lithops run --function example.py:f --range 500  a function of a Python file
  lithops run job.yaml                             all there is to say, in a file
  lithops results last                             what the tasks returned or printed
  lithops stats last                               where the time went
  lithops plot last                                pictures in plots/
  lithops resume last                              run what has not succeeded`,
		Version: programVersion(),
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SilenceErrors: true,
		SilenceUsage:  true,
	}
	a.addFlags(root.PersistentFlags())
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		newRunCommand(a), newResumeCommand(a), newCancelCommand(a), newCleanCommand(a),
		newStatsCommand(a), newPlotCommand(a), newListCommand(a),
		newResultsCommand(a), newLogsCommand(a),
		newConfigCommand(a), newDoctorCommand(a), newSchemaCommand(a), newVersionCommand(a),
	)
	root.SetUsageTemplate(strings.TrimRight(root.UsageTemplate(), "\n") + "\n\n" + exitHelp + "\n")
	return root
}

// unknownCommand names the command that was probably meant.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	err := usage("unknown command %q", args[0])
	if best := nearest(args[0], names); best != "" {
		return hint(err, "did you mean lithops %s?", best)
	}
	if strings.HasSuffix(args[0], ".yaml") || strings.HasSuffix(args[0], ".yml") {
		return hint(err, "lithops run %s", args[0])
	}
	return hint(err, "commands: %s", strings.Join(names, ", "))
}

// printf writes to standard output; a full disk is an error, a closed pipe ends
// the program by its signal.
func (a *app) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(a.stdout, format, args...)
	return err
}
