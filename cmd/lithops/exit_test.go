package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
)

func TestExitCode(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want int
	}{
		"success":            {nil, 0},
		"failed tasks":       {fmt.Errorf("3 of 9 %w", errTasksFailed), 1},
		"anything else":      {errors.New("broke"), 1},
		"usage":              {usage("nonsense"), 2},
		"with a hint":        {hint(usage("nonsense"), "sense"), 2},
		"job file":           {fmt.Errorf("read: %w", &job.SpecError{Msg: "bad"}), 2},
		"newer store":        {fmt.Errorf("open: %w", store.ErrNewer), 2},
		"disk full at once":  {badInput{fmt.Errorf("append: %w", syscall.ENOSPC)}, 1},
		"cancelled":          {hint(fmt.Errorf("%w: by somebody", errCancelled), "see"), 130},
		"interrupted":        {hint(errInterrupted, "see"), 130},
		"interrupted joined": {errors.Join(errors.New("also"), badInput{errInterrupted}), 130},
	} {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("%s: exit code %d, want %d", name, got, tt.want)
		}
	}
}

func TestReport(t *testing.T) {
	spec := &job.SpecError{File: "job.yaml", Line: 3, Col: 1, Msg: "unknown key", Source: "wokers: 4", Hint: "from the error"}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"nothing": {nil, ""},
		"plain":   {errors.New("read x: broke"), "lithops: read x: broke\n"},
		"hint":    {hint(usage("broke"), "mend it"), "lithops: broke\nhint: mend it\n"},
		"spec":    {spec, "lithops: job.yaml:3:1: unknown key\n    3 | wokers: 4\n      | ^\nhint: from the error\n"},
		"joined":  {errors.Join(errors.New("a"), errors.New("b"), errors.New("a")), "lithops: a\nlithops: b\n"},
		"store":   {badInput{&store.NotFoundError{Ref: "x"}}, "lithops: unknown job \"x\"\nhint: `lithops list` shows the jobs of the store\n"},
	} {
		var out strings.Builder
		report(&out, tt.err)
		if out.String() != tt.want {
			t.Errorf("%s: got\n%swant\n%s", name, out.String(), tt.want)
		}
	}
}
