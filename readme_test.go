package lithops_test

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// TestDocuments runs what the documents show and the examples, with the program
// as make build makes it.
//
// In a document, a block marked console holds commands, behind "$ ", and their
// output, in which "..." stands for any text, alone on a line for any lines. All
// commands of a document run in one directory; those of a block marked console
// and the names of programs are left out where one of these is missing. A block
// whose first line is a comment with a file's name is that file in the directory.
// Any other yaml block is a job or a part of one. The directory of a document with
// a Go file is a module that requires this one.
func TestDocuments(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	dir := t.TempDir()
	build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "lithops"), "./cmd/lithops")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	documents, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(documents, "README.md", "CONTRIBUTING.md") {
		t.Run(path, func(t *testing.T) { testDocument(t, dir, path) })
	}
	for _, e := range examples {
		t.Run("examples/"+e.file, func(t *testing.T) { testExample(t, dir, e) })
	}
}

// user is somebody who tries the program in a directory of his own.
type user struct {
	dir string
	env []string
}

func newUser(t *testing.T, programs string) *user {
	t.Helper()
	home := t.TempDir()
	u := &user{dir: filepath.Join(home, "tour")}
	if err := os.Mkdir(u.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "LITHOPS_") && !slices.Contains([]string{"HOME", "PATH", "TZ", "XDG_STATE_HOME"}, name) {
			u.env = append(u.env, kv)
		}
	}
	u.env = append(u.env, "HOME="+home, "TZ=UTC", "PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"), "GORACE=atexit_sleep_ms=10")
	return u
}

// shell runs a command line; code is its exit code.
func (u *user) shell(t *testing.T, line string) (output string, code int) {
	t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir, cmd.Env, cmd.WaitDelay = u.dir, u.env, time.Second
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out), exit.ExitCode()
	}
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return string(out), 0
}

// fence is a fenced block of a document.
type fence struct {
	kind string
	line int // of its first line
	body []string
}

func fences(text string) []fence {
	var all []fence
	inside := false
	for i, line := range strings.Split(text, "\n") {
		kind, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && !inside:
			all = append(all, fence{kind: kind, line: i + 2})
			inside = true
		case isFence:
			inside = false
		case inside:
			last := &all[len(all)-1]
			last.body = append(last.body, line)
		}
	}
	return all
}

func testDocument(t *testing.T, programs, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	u := newUser(t, programs)
	for _, f := range fences(string(text)) {
		at := fmt.Sprintf("%s:%d", path, f.line)
		switch kind, needed, _ := strings.Cut(f.kind, " "); kind {
		case "console":
			if !slices.ContainsFunc(strings.Fields(needed), missing) {
				u.console(t, at, f.body)
			}
		case "yaml":
			u.yaml(t, at, f.body)
		case "go":
			u.golang(t, at, f.body)
		default:
			u.file(t, f.body)
		}
	}
	checkLinks(t, path, string(text))
}

// missing says that there is no such program here.
func missing(program string) bool {
	_, err := exec.LookPath(program)
	return err != nil
}

var fileName = regexp.MustCompile(`^(?:#|//) (\S+\.\w+|\.lithops_config)$`)

// file writes a block that is a file, and returns its name.
func (u *user) file(t *testing.T, lines []string) string {
	t.Helper()
	if len(lines) == 0 {
		return ""
	}
	m := fileName.FindStringSubmatch(lines[0])
	if m == nil {
		return ""
	}
	if err := os.WriteFile(filepath.Join(u.dir, m[1]), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return m[1]
}

// golang is a block of Go: a file, in a module that requires this one as it is here.
func (u *user) golang(t *testing.T, at string, lines []string) {
	t.Helper()
	text := strings.Join(lines, "\n") + "\n"
	if formatted, err := format.Source([]byte(text)); err != nil || string(formatted) != text {
		t.Errorf("%s: not as gofmt writes it: %v\n%s", at, err, formatted)
	}
	if u.file(t, lines) == "" {
		return
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/lithops-go/lithops"
	mod = bytes.Replace(mod, []byte("module "+module), []byte("module tour"), 1)
	mod = fmt.Appendf(mod, "\nrequire %s v0.0.0\nreplace %s => %q\n", module, module, here)
	sum, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"go.mod": mod, "go.sum": sum} {
		if err := os.WriteFile(filepath.Join(u.dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// What Go keeps in the home directory is this user's own.
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	dirs := strings.Fields(string(out))
	if err != nil || len(dirs) != 2 {
		t.Fatalf("go env: %v: %s", err, out)
	}
	u.env = append(u.env, "GOCACHE="+dirs[0], "GOMODCACHE="+dirs[1], "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
}

func (u *user) console(t *testing.T, at string, lines []string) {
	t.Helper()
	for len(lines) > 0 {
		line, ok := strings.CutPrefix(lines[0], "$ ")
		if !ok {
			t.Fatalf("%s: output without a command: %s", at, lines[0])
		}
		lines = lines[1:]
		for strings.HasSuffix(line, `\`) && len(lines) > 0 {
			line, lines = line+"\n"+strings.TrimPrefix(lines[0], "> "), lines[1:]
		}
		end := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "$ ") })
		if end < 0 {
			end = len(lines)
		}
		want := lines[:end]
		lines = lines[end:]
		got, _ := u.shell(t, line)
		got = slowProgress.ReplaceAllString(got, "")
		if !matches(strings.Split(strings.TrimRight(got, "\n"), "\n"), want) {
			t.Errorf("%s: $ %s\ngot:\n%s\nwant:\n%s", at, line, got, strings.Join(want, "\n"))
		}
	}
}

// slowProgress is what a job that takes longer than usual prints now and then.
var slowProgress = regexp.MustCompile(`(?m)^ *\d+%  \S.*\n`)

// matches compares output with a document's, in which "..." is any text, or any
// lines.
func matches(got, want []string) bool {
	if len(got) == 1 && got[0] == "" {
		got = nil
	}
	if len(want) == 0 {
		return len(got) == 0
	}
	if strings.TrimSpace(want[0]) == "..." {
		for i := 0; i <= len(got); i++ {
			if matches(got[i:], want[1:]) {
				return true
			}
		}
		return false
	}
	if len(got) == 0 {
		return false
	}
	pattern := regexp.QuoteMeta(strings.Join(strings.Fields(want[0]), " "))
	pattern = "^" + strings.ReplaceAll(pattern, `\.\.\.`, ".*") + "$"
	// Columns are as wide as their figures: how many blanks there are may differ.
	fits, err := regexp.MatchString(pattern, strings.Join(strings.Fields(got[0]), " "))
	return err == nil && fits && matches(got[1:], want[1:])
}

func (u *user) yaml(t *testing.T, at string, lines []string) {
	t.Helper()
	if name := u.file(t, lines); name != "" && !strings.HasSuffix(name, ".yaml") {
		return
	}
	text := strings.Join(lines, "\n") + "\n"
	if !regexp.MustCompile(`(?m)^(command|function):`).MatchString(text) {
		text += "command: [echo, \"{}\"]\n"
	}
	if !regexp.MustCompile(`(?m)^data:`).MatchString(text) {
		text += "data: {list: [a]}\n"
	}
	if _, err := job.Parse("job.yaml", []byte(text)); err != nil {
		t.Errorf("%s: %v", at, err)
	}
}

// checkLinks looks for the files that a document refers to.
func checkLinks(t *testing.T, path, text string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
			t.Errorf("%s refers to %s, which is not there", path, m[1])
		}
	}
}

// example is a job in examples/ and how it is run here.
type example struct {
	file  string
	needs string // a program without which it is left out
	flags string // for lithops run
	stdin string
	code  int
	tasks int               // 0: any
	check map[int]string    // what must stand in the result of a task
	state map[int]job.State // what must have become of it; success where not given
}

var examples = []example{
	{file: "seed.yaml", flags: "--range 2 --workers 2 --command 'echo $(( {#} + 7 ))'", tasks: 2, check: map[int]string{1: "8\n"}},
	{file: "seed-fast.yaml", flags: "--range 50", tasks: 50, check: map[int]string{0: "7\n", 49: "56\n"}},
	{file: "hash.yaml", flags: "--glob '*.go'"},
	{file: "compress.yaml", flags: "--glob '*.go'"},
	{file: "matrix.yaml", tasks: 12},
	{file: "csv.yaml", tasks: 5, check: map[int]string{1: "P1\n24 24\n0 0 0"}},
	{file: "jsonl.yaml", tasks: 3, check: map[int]string{0: `{"id": 1001, "tags": ["new","express"]}`, 1: `{"id": 1002, "tags": []}`}},
	{file: "lines.yaml", stdin: "one\nit's two\n", tasks: 2, check: map[int]string{1: "IT'S TWO"}},
	{file: "failures.yaml", code: 1, tasks: 5, check: map[int]string{0: "fine is done\n", 1: "flaky is done\n"},
		state: map[int]job.State{2: job.Error, 3: job.Timeout, 4: job.Error}},
	{file: "seed-python.yaml", needs: "python3", flags: "--range 2 --workers 2 --env SECOND=0.001", tasks: 2, check: map[int]string{1: "8"}},
	{file: "seed-python-fast.yaml", needs: "python3", flags: "--range 20 --workers 2", tasks: 20, check: map[int]string{0: "7", 19: "26"}},
	{file: "stats.yaml", needs: "python3", tasks: 1, check: map[int]string{0: "10"}},
	{file: "orders.yaml", needs: "node", tasks: 3, check: map[int]string{2: `{"id":1003,"parcel":"O'Neill, gift","note":"ring twice"}`}},
	{file: "words.yaml", needs: "python3", flags: "--glob '*.go'", tasks: 2,
		check: map[int]string{1: `{"kinds":[".go"],"files":1,"top":[["package",1],["its",1]]}`}},
	{file: "words-by-kind.yaml", needs: "python3", flags: "--glob '*'", tasks: 4,
		check: map[int]string{2: `{"kinds":[".go"],"files":1,`, 3: `{"kinds":[""],"files":1,"top":[]}`}},
	{file: "program.yaml", tasks: 500, check: map[int]string{0: "0", 499: "249001"}},
}

func testExample(t *testing.T, programs string, e example) {
	if e.needs != "" && missing(e.needs) {
		t.Skip("no " + e.needs)
	}
	u := newUser(t, programs)
	file, err := filepath.Abs(filepath.Join("examples", e.file))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(u.dir, "stdin"), []byte(e.stdin), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(u.dir, "it's.go"), []byte("package its\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code := u.shell(t, "lithops run '"+file+"' "+e.flags+" < stdin")
	if code != e.code {
		t.Fatalf("exit code %d, want %d:\n%s", code, e.code, out)
	}
	// The results are read as docs/store.md says.
	records, _ := u.shell(t, "lithops stats last --jsonl")
	lines := strings.Split(strings.TrimSpace(records), "\n")
	last := map[int]*stats.Record{}
	for _, line := range lines {
		r := &stats.Record{}
		if err := stats.Parse([]byte(line), r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		last[r.Task] = r
	}
	if e.tasks > 0 && len(last) != e.tasks || len(last) == 0 {
		t.Errorf("%d tasks, want %d", len(last), e.tasks)
	}
	for task, r := range last {
		want, ok := e.state[task]
		if !ok {
			want = job.Success
		}
		if r.State != want {
			t.Errorf("task %d: state %v, want %v: %s", task, r.State, want, r.Error)
		}
		got := u.result(t, r)
		if text, ok := e.check[task]; ok && !strings.HasPrefix(got, text) {
			t.Errorf("task %d: result %.80q, want %q", task, got, text)
		}
	}
}

// result is the result of a task as it stands in the store.
func (u *user) result(t *testing.T, r *stats.Record) string {
	t.Helper()
	path := filepath.Join(filepath.Dir(u.dir), ".local/state/lithops/jobs", r.JobID, fmt.Sprintf("w-%d.out", r.Worker.V))
	segment, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(segment[r.ResultOffset.V : r.ResultOffset.V+r.ResultSize.V])
}

// TestEveryExample checks that each example is run by TestDocuments.
func TestEveryExample(t *testing.T) {
	paths, err := filepath.Glob("examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if !slices.ContainsFunc(examples, func(e example) bool { return e.file == filepath.Base(path) }) {
			t.Errorf("%s is run by no test", path)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "# ") {
			t.Errorf("%s does not begin with a comment that says what it shows", path)
		}
		if _, err := job.Parse(path, text); err != nil {
			t.Error(err)
		}
	}
}
