package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type runOptions struct {
	quiet bool
	keys  []keyValue // of the job, in the order they were given in
}

// has says whether a key is set by its flag.
func (o *runOptions) has(key string) bool {
	return slices.ContainsFunc(o.keys, func(kv keyValue) bool { return kv.key == key })
}

type keyValue struct{ key, value string }

func (o *runOptions) addFlags(fs *pflag.FlagSet) {
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "print the job's id and errors only")
	fs.String("progress", progressAuto, "auto, bar, plain or none")
	bind(fs, "progress", "progress")
	for _, k := range job.Keys() {
		if k.Flag != "" {
			fs.Var(&keyFlag{Key: k, to: &o.keys}, k.Flag, k.Doc)
		}
	}
}

// keyFlag is a flag that sets a key of the job.
type keyFlag struct {
	job.Key
	to *[]keyValue
}

var _ pflag.Value = (*keyFlag)(nil)

func (f *keyFlag) String() string { return "" }
func (f *keyFlag) Type() string   { return f.Key.Type }

func (f *keyFlag) Set(value string) error {
	if !f.Repeat {
		*f.to = slices.DeleteFunc(*f.to, func(kv keyValue) bool { return kv.key == f.Name })
	}
	*f.to = append(*f.to, keyValue{f.Name, value})
	return nil
}

func newRunCommand(a *app) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [flags] JOB.yaml | run [flags] -- COMMAND [ARG...] ::: ITEM... | run [flags] --function FILE:NAME [::: ITEM...]",
		Short: "run a job and wait for its end",
		Long: `run runs a job: one task for each item of its data, on a pool of workers. The
job's id is printed first, and it alone goes to standard output; progress and the
closing summary go to standard error. Each flag that is also a key of job.yaml
wins over the file.

In the command, {} is the item and {field} a field of it; {.} is it without
extension, {/} its base name, {//} its directory, {/.} its base name without
extension, {#} the task's number. One argument that is a whole command line, as in
'wc -l {} | sort', is run by the shell.

With --function the item is the argument of a function, which each worker loads
once: FILE:NAME of a Python or JavaScript file, or a program with a slash in its
path. A parameter called id gets the task's number. With --reduce a function is
called with the list of all results when the tasks are done.

SIGINT or SIGTERM starts no more tasks and ends the running ones; what has
finished stays recorded, and lithops resume runs the rest. A second one leaves
at once.`,
		Example: `  lithops run job.yaml
  lithops run job.yaml --workers 4 --timeout 10m
  lithops run -- gzip -k {} ::: *.txt
  lithops run --glob '**/*.go' -- wc -l {}
  lithops run --function example.py:my_map_function --range 500
  lithops run job.yaml --reduce example.py:my_reduce_function
  id=$(lithops run -q job.yaml) && lithops plot $id`,
		Args:              func(cmd *cobra.Command, args []string) error { return runArgs(cmd, o, args) },
		ValidArgsFunction: completeJobFile,
		RunE:              func(cmd *cobra.Command, args []string) error { return runRun(a, cmd, o, args) },
	}
	cmd.DisableFlagsInUseLine = true
	cmd.Flags().SortFlags = false
	o.addFlags(cmd.Flags())
	offer(cmd, "progress", progressModes()...)
	return cmd
}

func completeJobFile(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

func runArgs(cmd *cobra.Command, o runOptions, args []string) error {
	switch dash := cmd.ArgsLenAtDash(); {
	case o.has("function") && (len(args) == 0 || args[0] == ":::"):
		return nil
	case dash == 0 && len(args) > 0:
		return nil
	case dash > 0:
		return hint(usage("a job file and a command cannot both be given"), "lithops run %s, or lithops run -- COMMAND", args[0])
	case len(args) == 0:
		return hint(usage("job file is missing"), "lithops run job.yaml, lithops run -- COMMAND {} ::: ITEM..., or lithops run --function FILE:NAME --range N")
	case len(args) > 1:
		return hint(usage("unexpected argument %q", args[1]), "a command stands after --, as in lithops run -- gzip {} ::: *.txt")
	}
	return nil
}

func runRun(a *app, cmd *cobra.Command, o runOptions, args []string) error {
	c, err := a.config(cmd)
	if err != nil {
		return err
	}
	spec, source, err := readSpec(cmd.ArgsLenAtDash() == 0, args, o)
	if err != nil {
		return err
	}
	if spec.Workers == 0 {
		spec.Workers = c.workers()
	}
	st, err := openStore(c)
	if err != nil {
		return err
	}
	f := newForeground(a, c, st, o.quiet)
	return f.attend(cmd.Context(), spec, func(ctx context.Context) (*lithops.Outcome, error) {
		r := f.run()
		r.Spec, r.Source, r.Stdin = spec, source, readerUntil(ctx, a.stdin)
		return r.Do(ctx)
	})
}

// readSpec reads the job that args name, or hold when inline.
func readSpec(inline bool, args []string, o runOptions) (*job.Spec, []byte, error) {
	cwd, err := os.Getwd()
	if err != nil {
		return nil, nil, fmt.Errorf("find working directory: %w", err)
	}
	var spec *job.Spec
	var source []byte
	switch {
	case o.has("function") && (len(args) == 0 || args[0] == ":::"):
		inline = true
		spec, err = functionSpec(args, cwd)
	case inline:
		spec, err = inlineSpec(args, cwd)
	default:
		if isFunction(args[0]) {
			return nil, nil, hint(usage("%s is not a job file", args[0]), "to call a function: lithops run --function FILE:NAME --range N")
		}
		if source, err = os.ReadFile(args[0]); err != nil {
			return nil, nil, jobFileError(args[0], err)
		}
		spec, err = job.Read(args[0], source)
	}
	if err != nil {
		return nil, nil, badInput{err}
	}
	if err := oneSource(spec, inline, o.keys); err != nil {
		return nil, nil, err
	}
	for _, kv := range o.keys {
		if err := spec.SetFrom(cwd, kv.key, kv.value); err != nil {
			return nil, nil, badInput{err}
		}
	}
	switch {
	case !inline || spec.Data.Kind() != "":
	case o.has("function"):
		return nil, nil, hint(usage("there are no items to call the function for"), "::: ITEM... at the end, or --range N, --list '[1, 2]', --lines FILE, --glob PATTERN")
	default:
		return nil, nil, hint(usage("there are no items to run the command for"), "::: ITEM... at the end, or --lines FILE, --glob PATTERN, --range N before --")
	}
	if err := spec.Validate(); err != nil {
		return nil, nil, badInput{err}
	}
	return spec, source, nil
}

// oneSource refuses a second source of items on the command line, which would
// silently take the place of the first. (A flag may replace the job file's.)
func oneSource(spec *job.Spec, inline bool, keys []keyValue) error {
	first := ""
	if inline && spec.Data.Kind() != "" {
		first = ":::"
	}
	for _, kv := range keys {
		source, isData := strings.CutPrefix(kv.key, "data.")
		if source, _, _ = strings.Cut(source, "."); !isData || first == "--"+source {
			continue
		}
		if first != "" {
			return usage("the items come from two sources, %s and --%s: keep one", first, source)
		}
		first = "--" + source
	}
	return nil
}

// functionSpec reads [::: ITEM...] for a function that is named by a flag.
func functionSpec(args []string, cwd string) (*job.Spec, error) {
	spec := &job.Spec{Dir: cwd}
	if len(args) == 0 {
		return spec, nil
	}
	if slices.Contains(args[1:], ":::") {
		return nil, errSecondItems
	}
	var err error
	spec.Data.List, err = job.Texts(args[1:])
	return spec, err
}

var errSecondItems = hint(usage("a second ::: is not supported"), "--matrix '{a: [1, 2], b: [x, y]}' runs every combination")

// inlineSpec reads COMMAND [ARG...] [::: ITEM...]. A command of one argument with
// blanks in it is a command line for the shell.
func inlineSpec(args []string, cwd string) (*job.Spec, error) {
	command, items := args, []string(nil)
	if i := slices.Index(args, ":::"); i >= 0 {
		command, items = args[:i], append([]string{}, args[i+1:]...)
	}
	switch {
	case len(command) == 0:
		return nil, usage("there is no command before :::")
	case slices.Contains(items, ":::"):
		return nil, errSecondItems
	case slices.Contains(command, "::::"):
		return nil, hint(usage(":::: is not supported"), "--lines FILE before -- takes the items from a file")
	}
	spec, err := job.FromArgs(command, items, cwd)
	if err != nil || len(command) != 1 || !strings.ContainsAny(command[0], " \t\n") {
		return spec, err
	}
	if len(spec.Command.Argv) > 1 { // FromArgs has added {}; at the end of a command line that can go anywhere
		return nil, hint(usage("the command line has no {} for the items"), "put {} where the item belongs; --range N repeats a command without items")
	}
	spec.Command = job.Command{Shell: command[0]}
	return spec, nil
}

// isFunction says whether an argument looks like FILE:NAME of a function, or its file.
func isFunction(arg string) bool {
	file, _, _ := strings.Cut(arg, ":")
	return slices.Contains([]string{".py", ".js", ".mjs", ".cjs"}, filepath.Ext(file))
}

func jobFileError(path string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	err = badInput{fmt.Errorf("read job file %s: %w", path, err)}
	if _, found := exec.LookPath(path); found == nil {
		return hint(err, "to run the command %s: lithops run -- %s {} ::: ITEM...", path, path)
	}
	return err
}
