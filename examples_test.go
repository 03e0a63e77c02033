package lithops_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// goExamples are the programs in examples/go: how they are run here, and what they
// print.
var goExamples = map[string]struct {
	args   []string
	prints string // a regular expression
	makes  string // files; "" for none
}{
	"seed": {[]string{"-tasks", "20", "-workers", "4", "-second", "1ms"},
		`^job \S+-0-M000\n20 results, the last is 26\n$`, "plots/*_*.png"},
	"stats":     {nil, `(?s)^\{'attempt': 1,\n.* 'func_result_size': 2,\n.*\}\nthe result, 10, took \S+\n$`, ""},
	"mapreduce": {[]string{"a.txt", "b.txt"}, `^2 words in a.txt\n4 words in b.txt\n     3 be\n     2 to\n     1 not\n     1 or\n$`, ""},
	"failures": {nil, `(?s)^fine: fine is done
error: error after 2 attempts: open /no/such/file: .*
panic: panic: runtime error: index out of range \[5\] with length 0
goroutine .*
slow: timeout after 2 attempts: .*
flaky: flaky is done
$`, ""},
}

func TestGoExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs")
	}
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin+"/", "./examples/go/...").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	found, err := filepath.Glob("examples/go/*/main.go")
	if err != nil || len(found) != len(goExamples) {
		t.Errorf("%d examples are tested; there are %v, %v", len(goExamples), found, err)
	}
	for name, e := range goExamples {
		t.Run(name, func(t *testing.T) {
			u := newUser(t, bin)
			for file, text := range map[string]string{"a.txt": "to be\n", "b.txt": "or Not to be, be!\n"} {
				if err := os.WriteFile(filepath.Join(u.dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command(filepath.Join(bin, name), e.args...)
			cmd.Dir, cmd.Env = u.dir, u.env
			out, err := cmd.CombinedOutput()
			if err != nil || !regexp.MustCompile(e.prints).Match(out) {
				t.Errorf("%v, printed:\n%s\nwant:\n%s", err, out, e.prints)
			}
			if e.makes == "" {
				return
			}
			if made, err := filepath.Glob(filepath.Join(u.dir, e.makes)); len(made) == 0 {
				t.Errorf("made no %s, %v", e.makes, err)
			}
		})
	}
}
