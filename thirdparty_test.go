package lithops_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the files that tests compare with anew")

// TestThirdPartyNotices checks that the licence of every module that is linked
// into the program, on any system it is built for, is in THIRD_PARTY_NOTICES.txt
// as the module has it.
func TestThirdPartyNotices(t *testing.T) {
	const name = "THIRD_PARTY_NOTICES.txt"
	want := notices(t)
	if *update {
		if err := os.WriteFile(name, want, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s does not fit the modules in go.mod: make notices writes it anew; look at what changes", name)
	}
}

// licences says in one line what each module is licensed under. A module that is
// not here has to be looked at before it can be linked.
var licences = map[string]string{
	"github.com/bmatcuk/doublestar/v4":    "MIT",
	"github.com/ebitengine/purego":        "Apache-2.0",
	"github.com/fsnotify/fsnotify":        "BSD-3-Clause",
	"github.com/go-viper/mapstructure/v2": "MIT",
	"github.com/golang/freetype":          "FTL (chosen from: FTL or GPL-2.0-or-later)",
	"github.com/mitchellh/colorstring":    "MIT",
	"github.com/pelletier/go-toml/v2":     "MIT",
	"github.com/rivo/uniseg":              "MIT",
	"github.com/sagikazarmark/locafero":   "MIT",
	"github.com/schollz/progressbar/v3":   "MIT",
	"github.com/shirou/gopsutil/v3":       "BSD-3-Clause",
	"github.com/shoenig/go-m1cpu":         "MPL-2.0",
	"github.com/sourcegraph/conc":         "MIT",
	"github.com/spf13/afero":              "Apache-2.0",
	"github.com/spf13/cast":               "MIT",
	"github.com/spf13/cobra":              "Apache-2.0",
	"github.com/spf13/pflag":              "BSD-3-Clause",
	"github.com/spf13/viper":              "MIT",
	"github.com/subosito/gotenv":          "MIT",
	"github.com/tklauser/go-sysconf":      "BSD-3-Clause",
	"github.com/tklauser/numcpus":         "Apache-2.0",
	"github.com/wcharczuk/go-chart/v2":    "MIT; the Roboto font in it is Apache-2.0",
	"go.yaml.in/yaml/v3":                  "MIT and Apache-2.0",
	"golang.org/x/image":                  "BSD-3-Clause",
	"golang.org/x/sys":                    "BSD-3-Clause",
	"golang.org/x/term":                   "BSD-3-Clause",
	"golang.org/x/text":                   "BSD-3-Clause",
}

const noticesHead = `Third-party notices
===================

lithops is licensed under the Apache License 2.0, see LICENSE. Its program also
contains the software listed here, each under its own licence; the texts follow
below. The Go standard library and runtime are part of every Go program.

Portions of this software are copyright (c) 2010 The FreeType Project
(www.freetype.org). All rights reserved. (github.com/golang/freetype, used under
the FreeType License.)

The pictures are lettered in Roboto, copyright Google Inc., Apache License 2.0,
which github.com/wcharczuk/go-chart/v2 contains.

`

// notices makes the file from the modules' own licence files.
func notices(t *testing.T) []byte {
	modules := linkedModules(t)
	var table, texts bytes.Buffer
	section := func(name string, body []byte) {
		fmt.Fprintf(&texts, "\n%s\n%s\n%s\n\n%s\n", strings.Repeat("-", 80), name, strings.Repeat("-", 80),
			bytes.TrimSpace(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))))
	}
	apache, err := os.ReadFile("LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&table, "%-40s %s\n", "Go standard library and runtime", "BSD-3-Clause")
	golang, err := os.ReadFile("docs/licence-go.txt")
	if err != nil {
		t.Fatal(err)
	}
	section("Go standard library and runtime", golang)
	for _, m := range modules {
		licence := licences[m.Path]
		if licence == "" {
			t.Errorf("module %s is linked into the program: look at its licence and name it in licences", m.Path)
		}
		fmt.Fprintf(&table, "%-40s %s\n", m.Path, licence)
		for _, path := range licenceFiles(t, m.Dir) {
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			rel, err := filepath.Rel(m.Dir, path)
			if err != nil {
				t.Fatal(err)
			}
			if sameTerms(body, apache) {
				body = []byte("The Apache License 2.0, as in the file LICENSE of lithops.")
			}
			section(m.Path+" ("+filepath.ToSlash(rel)+")", body)
		}
	}
	return slices.Concat([]byte(noticesHead), table.Bytes(), texts.Bytes())
}

// sameTerms says whether both are the text of the Apache licence, whatever its
// layout and the example in its appendix.
func sameTerms(a, b []byte) bool {
	terms := func(text []byte) string {
		words := strings.Join(strings.Fields(string(text)), " ")
		words, _, _ = strings.Cut(words, "END OF TERMS AND CONDITIONS")
		return strings.TrimSpace(strings.ReplaceAll(words, "https://", "http://"))
	}
	return terms(a) == terms(b)
}

// licenceFiles are the files of a module that say what it is licensed under.
func licenceFiles(t *testing.T, dir string) []string {
	var found []string
	for _, pattern := range []string{"LICEN[CS]E*", "COPYING*", "NOTICE*", "PATENTS", "licenses/ftl.txt"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, paths...)
	}
	if len(found) == 0 {
		t.Errorf("no licence in %s", dir)
	}
	return found
}

type module struct {
	Path, Dir string
	Main      bool
}

// linkedModules are the modules of the program on Linux and macOS.
func linkedModules(t *testing.T) []module {
	var all []module
	for _, goos := range []string{"linux", "darwin"} {
		for _, p := range listPackages(t, "GOOS="+goos, "./cmd/lithops") {
			m := p.Module
			if m == nil || m.Main || slices.ContainsFunc(all, func(o module) bool { return o.Path == m.Path }) {
				continue
			}
			all = append(all, *m)
		}
	}
	slices.SortFunc(all, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// listed is a package as go list shows it.
type listed struct {
	ImportPath string
	Imports    []string
	Module     *module
}

// listPackages lists the packages that match the patterns and all they import.
func listPackages(t *testing.T, env string, patterns ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-deps", "-json=ImportPath,Imports,Module"}, patterns...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", env)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// TestHygiene looks for what has no place in the repository: paths of somebody's
// machine, notes to oneself, and binaries that were added by mistake.
func TestHygiene(t *testing.T) {
	// In pieces, so that this file does not find itself.
	forbidden := []string{"/wo" + "rk/", "/root" + "/", "FIX" + "ME", "../shar" + "ed", "proxy.gol" + "ang", "registry.np" + "mjs"}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch path {
			case ".git", "bin", "demo", "plots":
				return filepath.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		if info.Size() > 2<<20 {
			t.Errorf("%s has %d bytes", path, info.Size())
			return nil
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.HasPrefix(body, []byte("\x7fELF")) {
			t.Errorf("%s is a program", path)
		}
		for _, word := range forbidden {
			if i := bytes.Index(body, []byte(word)); i >= 0 {
				t.Errorf("%s:%d: %q", path, 1+bytes.Count(body[:i], []byte("\n")), word)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
