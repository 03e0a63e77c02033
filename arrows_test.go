package lithops_test

import (
	"slices"
	"strings"
	"testing"
)

const ours = "github.com/lithops-go/lithops"

// arrows says what of ours each package may import, "." being the root. A package
// that is not here may be imported by tests and tools only, and is free in what
// it imports itself, but for the root of internal ones.
var arrows = map[string][]string{
	"cmd/lithops": {".", "internal/chart", "internal/doctor", "internal/executor", "internal/job", "internal/stats", "internal/store",
		"internal/worker/first"},
	".": {"internal/cgroup", "internal/chart", "internal/clock", "internal/executor", "internal/facts", "internal/job", "internal/localworker", "internal/paged", "internal/proc",
		"internal/runtimes/node", "internal/runtimes/python", "internal/stats", "internal/store", "internal/wire", "internal/worker"},
	"internal/doctor": {"internal/cgroup", "internal/clock", "internal/executor", "internal/facts", "internal/job", "internal/localworker",
		"internal/proc", "internal/stats", "internal/store", "internal/wire", "internal/worker"},
	"internal/executor":        {"internal/clock", "internal/job", "internal/stats", "internal/store", "internal/wire"},
	"internal/localworker":     {"internal/executor", "internal/job", "internal/proc", "internal/store", "internal/wire"},
	"internal/worker":          {"internal/cgroup", "internal/clock", "internal/job", "internal/proc", "internal/stats", "internal/store", "internal/wire"},
	"internal/worker/first":    {"internal/worker"},
	"internal/facts":           {"internal/store"},
	"internal/store":           {"internal/clock", "internal/job", "internal/stats"},
	"internal/chart":           {"internal/job", "internal/stats"},
	"internal/stats":           {"internal/job"},
	"internal/wire":            {"internal/clock", "internal/job"},
	"internal/job":             {},
	"internal/runtimes/node":   {},
	"internal/runtimes/python": {},
	"internal/cgroup":          {},
	"internal/paged":           {},
	"internal/clock":           {},
	"internal/proc":            {},
}

// heavy says which one package of ours may import a large package of others;
// everything below the path counts.
var heavy = map[string][]string{
	"github.com/spf13/cobra":          {"cmd/lithops"},
	"github.com/spf13/pflag":          {"cmd/lithops"},
	"github.com/spf13/viper":          {"cmd/lithops"},
	"github.com/schollz/progressbar":  {"cmd/lithops"},
	"golang.org/x/term":               {"cmd/lithops"},
	"github.com/shirou/gopsutil":      {"internal/facts", "internal/worker"}, // of the worker's only what is not for Linux
	"github.com/wcharczuk/go-chart":   {"internal/chart"},
	"golang.org/x/image":              {"internal/chart"},
	"github.com/golang/freetype":      {"internal/chart"},
	"github.com/bmatcuk/doublestar":   {"internal/job"},
	"go.yaml.in/yaml":                 {"internal/job", "cmd/lithops"}, // the configuration file has places for errors too
	"github.com/goccy/go-yaml":        {},
	"gopkg.in/yaml.v3":                {},
	"github.com/rogpeppe/go-internal": {}, // tests only
}

// TestArrows checks which packages import which, on each system we build for.
func TestArrows(t *testing.T) {
	for _, goos := range []string{"linux", "darwin"} {
		packages := listPackages(t, "GOOS="+goos, "./...")
		linked := map[string]bool{}
		for _, p := range listPackages(t, "GOOS="+goos, "./cmd/lithops") {
			linked[p.ImportPath] = true
		}
		for _, p := range packages {
			if from, ok := within(p.ImportPath); ok {
				checkImports(t, goos, from, p.Imports, linked[p.ImportPath])
			}
		}
	}
}

func checkImports(t *testing.T, goos, from string, imports []string, linked bool) {
	allowed, known := arrows[from]
	if linked && !known {
		t.Errorf("%s: package %s is new in the program: give it its place in arrows", goos, from)
	}
	for _, path := range imports {
		to, isOurs := within(path)
		switch {
		case isOurs && strings.HasPrefix(to, "cmd/"):
			t.Errorf("%s: %s imports %s; nobody imports commands", goos, from, to)
		case isOurs && known && !slices.Contains(allowed, to):
			t.Errorf("%s: %s must not import %s", goos, from, to)
		case isOurs && !known && to != ".":
		case isOurs && !known && !tool(from):
			t.Errorf("%s: %s must not import the root", goos, from)
		}
		for prefix, users := range heavy {
			if (path == prefix || strings.HasPrefix(path, prefix+"/")) && !slices.Contains(users, from) {
				t.Errorf("%s: %s imports %s; that is for %v only", goos, from, path, users)
			}
		}
	}
}

// tool says whether a package is an example or a command for developers, which runs
// jobs as any user of the root does.
func tool(pkg string) bool {
	return strings.HasPrefix(pkg, "examples/") || pkg == "internal/bench" || strings.HasPrefix(pkg, "internal/bench/") ||
		pkg == "internal/calibrate" || strings.HasPrefix(pkg, "internal/calibrate/")
}

// within gives the package's path in this module.
func within(path string) (string, bool) {
	if path == ours {
		return ".", true
	}
	return strings.CutPrefix(path, ours+"/")
}
