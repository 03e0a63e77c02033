package lithops_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lithops-go/lithops"
	"github.com/lithops-go/lithops/internal/cgroup"
	"github.com/lithops-go/lithops/internal/job"
)

// limitedBy is what has enforced the limit of a job.
func (b *bench) limitedBy(id string) string {
	b.Helper()
	j, err := b.store.Job(id)
	if err != nil {
		b.Fatal(err)
	}
	return j.Manifest.MemoryLimitBy
}

func memoryPlace(t *testing.T) *cgroup.Place {
	t.Helper()
	p, err := cgroup.Find()
	if err != nil {
		t.Skip("no memory cgroup: ", err)
	}
	return p
}

func TestALimitOnMemory(t *testing.T) {
	p := memoryPlace(t)
	b := newBench(t)
	out := b.run(`
command: ["sh", "-c", "head -c {} /dev/zero | tail -c {} > /dev/null"]
data: {list: [1000, 200000000]}
limits: {memory: 64MiB}
workers: 2
`)
	if out.Counts[job.Success] != 1 || out.Counts[job.Error] != 1 {
		t.Errorf("%+v", out)
	}
	if r := b.records(out.JobID)[1][0]; r.ErrorType != "memory" || !strings.HasSuffix(r.Error, "at its limit of 64 MiB (limits.memory)") {
		t.Errorf("%s: %s", r.ErrorType, r.Error)
	}
	if by, want := b.limitedBy(out.JobID), map[int]string{1: "cgroup1", 2: "cgroup2"}[p.Version]; by != want {
		t.Errorf("limited by %q, want %q", by, want)
	}
	// What it failed of can be changed.
	out, _ = b.resume(out.JobID, lithops.Selection{Change: func(s *job.Spec) error { s.Limits.Memory = 1 << 30; return nil }})
	if out.Counts[job.Success] != 2 {
		t.Errorf("resumed: %+v", out)
	}
	if _, err := os.Stat(filepath.Join(p.Dir, "lithops-"+out.JobID)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its cgroup was left: %v", err)
	}
}

func TestAJobWithoutALimitHasNoCgroup(t *testing.T) {
	b := newBench(t)
	out := b.run("command: [\"true\"]\ndata: {list: [1]}\n")
	if by := b.limitedBy(out.JobID); by != "" {
		t.Errorf("limited by %q", by)
	}
}

const inJavaScript = "function: f.mjs:f\ndata: {list: [1]}\nlimits: {memory: 256MiB}\n"

func TestALimitOnJavaScript(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node")
	}
	_, none := cgroup.Find()
	b := newBench(t)
	b.write("f.mjs", "export const f = x => x\n")
	if none == nil {
		if out := b.run(inJavaScript); out.Counts[job.Success] != 1 {
			t.Errorf("%+v", out)
		}
		return
	}
	b.refused(inJavaScript, "job.yaml:3:10: limits.memory for a JavaScript function needs a memory cgroup")
}

// A cgroup that was asked for and is none is a mistake, whatever could be done instead.
func TestACgroupThatIsNone(t *testing.T) {
	t.Setenv(cgroup.Env, "/proc/self")
	b := newBench(t)
	const want = "job.yaml:3:10: limits.memory: LITHOPS_CGROUP=/proc/self: not a memory cgroup"
	b.refused("command: [\"true\"]\ndata: {list: [1]}\nlimits: {memory: 64MiB}\n", want)
	if out := b.run("command: [\"true\"]\ndata: {list: [1]}\n"); out.Counts[job.Success] != 1 {
		t.Errorf("without a limit: %+v", out)
	}
}

// refused runs a job that must not begin.
func (b *bench) refused(source, want string) {
	b.Helper()
	spec, err := job.Parse(b.path("job.yaml"), []byte(source))
	if err != nil {
		b.Fatal(err)
	}
	_, err = lithops.Run{Store: b.store, Spec: spec}.Do(b.Context())
	if _, ok := errors.AsType[*job.SpecError](err); !ok || !strings.HasPrefix(err.Error(), b.path("")+"/"+want) {
		b.Errorf("%v; want %s", err, want)
	}
}
