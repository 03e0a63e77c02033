package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lithops-go/lithops/internal/chart"
	"github.com/lithops-go/lithops/internal/store"
)

// setting is one key of the configuration.
type setting struct {
	key     string
	env     string
	doc     string
	check   func(string) error // nil: any text
	isPath  bool               // ~/ is the home directory
	fromDir bool               // in a file, relative to that file's directory
	initial func() string
}

// settings is every key of the configuration, in the order it is shown in.
func settings() []setting {
	fixed := func(s string) func() string { return func() string { return s } }
	return []setting{
		{key: "store", env: "LITHOPS_STORE", doc: "directory that jobs are kept in",
			isPath: true, fromDir: true, initial: store.DefaultRoot},
		{key: "workers", env: "LITHOPS_WORKERS", doc: "worker processes of a job that does not say; 0: usable CPUs",
			check: checkWorkers, initial: fixed("0")},
		{key: "progress", env: "LITHOPS_PROGRESS", doc: strings.Join(progressModes(), ", "),
			check: checkProgress, initial: fixed(progressAuto)},
		{key: "plot.dir", env: "LITHOPS_PLOT_DIR", doc: "directory for pictures, relative to where you are",
			isPath: true, initial: fixed("plots")},
		{key: "plot.kind", env: "LITHOPS_PLOT_KIND", doc: "pictures to draw, or all",
			check: func(s string) error { _, err := parseKinds(s); return err }, initial: fixed("timeline,histogram")},
		{key: "plot.format", env: "LITHOPS_PLOT_FORMAT", doc: "png or svg",
			check: func(s string) error { _, err := parseFormat(s); return err }, initial: fixed("png")},
		{key: "plot.size", env: "LITHOPS_PLOT_SIZE", doc: "width x height of a picture in pixels",
			check: func(s string) error { _, _, err := chart.ParseSize(s); return err }, initial: fixed("1200x720")},
	}
}

func settingKeys() []string {
	var keys []string
	for _, s := range settings() {
		keys = append(keys, s.key)
	}
	return keys
}

func checkWorkers(s string) error {
	if n, err := strconv.Atoi(s); err != nil || n < 0 {
		return fmt.Errorf("want a number of workers, not %q", s)
	}
	return nil
}

func checkProgress(s string) error {
	if !slices.Contains(progressModes(), s) {
		return fmt.Errorf("want %s, not %q", strings.Join(progressModes(), ", "), s)
	}
	return nil
}
