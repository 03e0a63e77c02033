package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type configOptions struct{ json bool }

func (o *configOptions) addFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.json, "json", false, "as a JSON array")
}

func newConfigCommand(a *app) *cobra.Command {
	var o configOptions
	cmd := &cobra.Command{
		Use:   "config",
		Short: "show each setting and where it comes from",
		Long: `config shows each setting, its value and where it comes from. A flag wins over an
environment variable, that over the configuration file, that over the default.

The configuration file is YAML. The first of these is read, and no other:
  --config FILE, $LITHOPS_CONFIG_FILE,
  ./.lithops_config, ~/.lithops/config, /etc/lithops/config

` + settingsHelp(),
		Args: argCount(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return runConfig(a, cmd, o) },
	}
	o.addFlags(cmd.Flags())
	return cmd
}

func settingsHelp() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "Keys:")
	for _, s := range settings() {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", s.key, s.env, s.doc)
	}
	w.Flush()
	return strings.TrimRight(b.String(), "\n") + `

A store in a file is relative to that file. workers is for jobs that do not say
how many they want: job.yaml and run's flag win over it.`
}

func runConfig(a *app, cmd *cobra.Command, o configOptions) error {
	c, err := a.config(cmd)
	if err != nil {
		return err
	}
	if o.json {
		return writeConfigJSON(a, c)
	}
	if c.file == "" {
		err = a.printf("no configuration file (looked for %s)\n\n", strings.Join(configPlaces(), ", "))
	} else {
		err = a.printf("configuration file: %s\n\n", c.file)
	}
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "key\tvalue\tfrom")
	for _, s := range settings() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.key, c.get(s.key), c.source[s.key])
	}
	return w.Flush()
}

func writeConfigJSON(a *app, c *config) error {
	type row struct {
		Key   string `json:"key"`
		Value string `json:"value"`
		From  string `json:"from"`
		Env   string `json:"env"`
		Doc   string `json:"doc"`
	}
	var rows []row
	for _, s := range settings() {
		rows = append(rows, row{s.key, c.get(s.key), c.source[s.key], s.env, s.doc})
	}
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(rows)
}
