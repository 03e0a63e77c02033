//go:build linux

package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// keys are those of job.yaml.
type keys map[string]any

// kind is a sort of job with known results.
type kind struct {
	name   string
	needs  string // a program that has to be there
	unit   int    // tasks of a small one
	job    keys   // command or function, and what differs from others
	result func(n int) string
	reduce func(tasks int) string // the results of the reduce, "" without
}

// want is what lithops results prints of a stage.
func (k kind) want(tasks int) string {
	var b strings.Builder
	for n := range tasks {
		b.WriteString(k.result(n))
	}
	return b.String()
}

func line(f func(n int) int) func(int) string {
	return func(n int) string { return strconv.Itoa(f(n)) + "\n" }
}

// kinds are those that can be run here; functions of theirs are in dir.
func kinds(t *testing.T, dir string) []kind {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"calls.py": pythonCalls, "calls.mjs": nodeCalls} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	square := line(func(n int) int { return n*n + 7 })
	all := []kind{
		{name: "short", unit: 250, job: keys{"command": `echo $(({#}*{#}+7))`}, result: square},
		{name: "argv", unit: 300, job: keys{"command": []string{"echo", "{}"}, "chunksize": 8}, result: line(func(n int) int { return n })},
		{name: "group", unit: 25, job: keys{"command": []string{self, "{}"}, "env": keys{asEnv: asGroup}}, result: groupResult},
		{name: "strays", unit: 40, job: keys{"command": []string{self, "{}"}, "env": keys{asEnv: asStrays}}, result: line(func(n int) int { return n * 3 })},
		{name: "pid", unit: 30, job: keys{"command": []string{self, "{}"}, "env": keys{asEnv: asStrays}, "isolation": "pid"}, result: line(func(n int) int { return n * 3 })},
		{name: "json", unit: 150, job: keys{"command": `printf '{{"n": %d}}\n' {}`, "output": "json", "durability": "sync"}, result: func(n int) string { return fmt.Sprintf("{\"n\": %d}\n", n) }},
		{name: "program", unit: 300, job: keys{"function": self, "env": keys{asEnv: asProgram}}, result: line(func(n int) int { return n * 5 })},
		{name: "python", needs: "python3", unit: 3000, job: keys{"function": "calls.py:short"}, result: square},
		{name: "naps", needs: "python3", unit: 40, job: keys{"function": "calls.py:nap"}, result: square},
		{name: "node", needs: "node", unit: 1000, job: keys{"function": "calls.mjs:later"}, result: square},
		{name: "reduce", needs: "python3", unit: 1500, job: keys{"function": "calls.py:short", "reduce": "calls.py:total"}, result: square,
			reduce: func(tasks int) string {
				sum := 0
				for n := range tasks {
					sum += n*n + 7
				}
				return strconv.Itoa(sum) + "\n"
			}},
		{name: "groups", needs: "python3", unit: 1000, job: keys{"function": "calls.py:pair", "reduce": "calls.py:bill", "reduce_by": "k", "durability": "sync"},
			result: func(n int) string { return fmt.Sprintf("{\"k\":\"g%d\",\"v\":%d}\n", n%7, n) },
			reduce: func(tasks int) string {
				var sums [7]int
				for n := range tasks {
					sums[n%7] += n
				}
				var b strings.Builder
				for g := range min(7, tasks) {
					fmt.Fprintf(&b, "[\"g%d\",%d]\n", g, sums[g])
				}
				return b.String()
			}},
	}
	var here []kind
	for _, k := range all {
		switch {
		case *kindFlag != "" && k.name != *kindFlag:
		case k.needs != "" && interpreter(k.needs) == "":
			t.Logf("left out for want of %s: %s", k.needs, k.name)
		case k.job["isolation"] == "pid" && !namespaces():
			t.Logf("left out because PID namespaces are not allowed: %s", k.name)
		default:
			if k.needs != "" {
				k.job["runtime"] = interpreter(k.needs)
			}
			here = append(here, k)
		}
	}
	if len(here) == 0 {
		t.Fatalf("no kind of job is called %q", *kindFlag)
	}
	return here
}

// write makes the job file of a job of the kind. Attempts that fail because we have
// killed their process are made again, however often.
func (k kind) write(t *testing.T, dir, name string, tasks, workers int) string {
	t.Helper()
	all := keys{"name": name, "data": keys{"range": tasks}, "workers": workers,
		"retries": keys{"limit": 1 << 20, "backoff": "1ms", "max_backoff": "20ms", "lost": 1 << 20}}
	for key, v := range k.job {
		all[key] = v
	}
	b, err := json.Marshal(all) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name+".yaml")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// interpreter is the real one, not a script that looks for it; "" when there is none.
func interpreter(name string) string {
	ask := map[string][]string{"python3": {"-c", "import sys; print(sys.executable)"}, "node": {"-p", "process.execPath"}}
	path, _ := interpreters.LoadOrStore(name, sync.OnceValue(func() string {
		out, err := exec.Command(name, ask[name]...).Output()
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(out))
	}))
	return path.(func() string)()
}

var interpreters sync.Map

const pythonCalls = `import sys, time

def short(x):
    return x * x + 7

def nap(id, x):
    print("task", id)
    time.sleep((5 + x * 37 % 76) / 1000)
    return x * x + 7

def pair(x):
    return {"k": "g%d" % (x % 7), "v": x}

def total(results):
    return sum(results)

def bill(results):
    items = list(results)
    return [items[0]["k"], sum(i["v"] for i in items)]
`

const nodeCalls = `export async function later(x) {
  if (x % 50 === 0) await new Promise(r => setTimeout(r, x % 40))
  return x * x + 7
}
`
