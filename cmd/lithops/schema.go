package main

import (
	"github.com/lithops-go/lithops/internal/job"
	"github.com/spf13/cobra"
)

func newSchemaCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "print the JSON Schema of job.yaml, for editors",
		Long: `schema prints the JSON Schema of job.yaml. An editor with YAML support completes
and checks job files with it:

  lithops schema > job.schema.json

and as the first line of job.yaml:

  # yaml-language-server: $schema=job.schema.json`,
		Args: argCount(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(job.Schema())
			return err
		},
	}
}
