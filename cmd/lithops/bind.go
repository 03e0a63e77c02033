package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// settingOf is the annotation of a flag that sets a key of the configuration.
const settingOf = "lithops-setting"

// bind makes the flag name set the configuration's key.
func bind(fs *pflag.FlagSet, name, key string) {
	if err := fs.SetAnnotation(name, settingOf, []string{key}); err != nil {
		panic(err) // no such flag
	}
}

// boundFlags are cmd's flags by the key of the configuration they set.
func boundFlags(cmd *cobra.Command) map[string]*pflag.Flag {
	bound := map[string]*pflag.Flag{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		for _, key := range f.Annotations[settingOf] {
			bound[key] = f
		}
	})
	return bound
}

// offer makes the shell complete the values of a flag.
func offer(cmd *cobra.Command, flag string, values ...string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // no such flag
	}
}
