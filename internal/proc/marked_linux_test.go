package proc_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/proc"
)

// helperEnv makes the test binary one of the processes that tests are about.
const helperEnv = "PROC_TEST_HELPER"

func TestMain(m *testing.M) {
	switch os.Getenv(helperEnv) {
	case "":
		os.Exit(m.Run())
	case "deaf":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	case "stopped":
		register()
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	case "daemon": // its child is another's
		beget("idle", true)
		os.Exit(0)
	case "parent":
		beget("idle", false)
	case "flea": // never there for long, but always there
		if register() == nil { // it ends with the test's directory, at the latest
			beget("flea", true)
		}
		os.Exit(0)
	case "killer":
		killed, left := proc.KillMarked(os.Getenv("PROC_TEST_MARK"), nil, deadline)
		os.WriteFile("killer", fmt.Appendf(nil, "killed %d, left %v", killed, left), 0o600)
	case "killers parent":
		beget("idle", false)
		for found := []string(nil); found == nil; time.Sleep(time.Millisecond) {
			found, _ = filepath.Glob("pid-idle-*")
		}
		beget("killer", false)
	}
	register()
	time.Sleep(time.Hour)
}

const deadline = 30 * time.Second // that only a hang reaches

func register() error {
	return os.WriteFile("pid-"+os.Getenv(helperEnv)+"-"+strconv.Itoa(os.Getpid()), nil, 0o600)
}

// beget starts another helper.
func beget(what string, session bool) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), helperEnv+"="+what)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: session}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
}

// zoo is a directory where processes leave word that they are there.
type zoo struct {
	t   *testing.T
	dir string
	id  string // of a job that nobody else has
}

func newZoo(t *testing.T) *zoo {
	z := &zoo{t: t, dir: t.TempDir(), id: fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano())}
	t.Cleanup(func() { // whatever became of the test
		proc.KillMarked("PROC_TEST="+z.id, nil, deadline)
		for _, pid := range z.pids("*") {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return z
}

// start starts a helper, which is collected when it ends.
func (z *zoo) start(what string, env []string) int {
	z.t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Dir, cmd.Env = z.dir, append(slices.Clip(env), helperEnv+"="+what, "PROC_TEST="+z.id)
	if err := cmd.Start(); err != nil {
		z.t.Fatal(err)
	}
	go cmd.Wait()
	return cmd.Process.Pid
}

// pids are those that have left word and are there.
func (z *zoo) pids(what string) (pids []int) {
	z.t.Helper()
	files, err := filepath.Glob(filepath.Join(z.dir, "pid-"+what+"-*"))
	if err != nil {
		z.t.Fatal(err)
	}
	for _, f := range files {
		pid, err := strconv.Atoi(f[strings.LastIndexByte(f, '-')+1:])
		if err != nil {
			z.t.Fatal(err)
		}
		if proc.Alive(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (z *zoo) wait(what string, ok func() bool) {
	z.t.Helper()
	for end := time.Now().Add(deadline); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			z.t.Fatalf("not reached: %s", what)
		}
	}
}

func (z *zoo) await(what string) int {
	z.t.Helper()
	z.wait(what+" is up", func() bool { return len(z.pids(what)) > 0 })
	return z.pids(what)[0]
}

func (z *zoo) kill(mark string, spare func(int) bool) (killed int) {
	z.t.Helper()
	killed, left := proc.KillMarked(mark, spare, deadline)
	if len(left) > 0 {
		z.t.Errorf("left %v", left)
	}
	return killed
}

func TestWhateverAJobHasLeftIsKilled(t *testing.T) {
	z := newZoo(t)
	env := proc.Environ(os.Environ(), z.id)
	for _, what := range []string{"idle", "daemon", "parent", "deaf", "stopped"} {
		z.start(what, env)
	}
	for _, what := range []string{"parent", "deaf", "stopped"} {
		z.await(what)
	}
	z.wait("all children are up", func() bool { return len(z.pids("idle")) == 3 })
	want := append(z.pids("*"), 0)[:6]
	z.wait("the daemon's parent has gone", func() bool { return len(proc.Marked(proc.Mark(z.id))) == len(want) })
	got := proc.Marked(proc.Mark(z.id))
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("marked are %v, want %v", got, want)
	}
	if killed := z.kill(proc.Mark(z.id), nil); killed != 6 {
		t.Errorf("killed %d", killed)
	}
	z.wait("all are gone", func() bool { return len(z.pids("*")) == 0 })
	if got := proc.Marked(proc.Mark(z.id)); len(got) > 0 {
		t.Errorf("still marked: %v", got)
	}
}

func TestOneThatForksWhileItIsKilled(t *testing.T) {
	z := newZoo(t)
	z.start("flea", proc.Environ(os.Environ(), z.id))
	z.wait("it is up", func() bool { return len(z.pids("flea")) > 0 })
	z.kill(proc.Mark(z.id), nil)
	if left := z.pids("flea"); len(left) > 0 {
		t.Errorf("%v are there", left)
	}
}

func TestOtherJobsAreLeftAlone(t *testing.T) {
	z := newZoo(t)
	pids := map[string]int{
		"no job":      z.start("idle", os.Environ()),
		"another":     z.start("idle", proc.Environ(os.Environ(), z.id+"2")),
		"other value": z.start("idle", append(os.Environ(), "X"+proc.Mark(z.id), "Y="+proc.Mark(z.id))),
	}
	mine := z.start("idle", append(proc.Environ(append(os.Environ(), "LONG="+strings.Repeat("x", 100<<10)), z.id), "AFTER=it"))
	z.wait("all are up", func() bool { return len(z.pids("idle")) == 4 })
	if killed := z.kill(proc.Mark(z.id), nil); killed != 1 || proc.Alive(mine) {
		t.Errorf("killed %d; its own is alive: %v", killed, proc.Alive(mine))
	}
	for what, pid := range pids {
		if !proc.Alive(pid) {
			t.Errorf("%s was killed", what)
		}
	}
}

func TestAJobWithinATaskOfAnother(t *testing.T) {
	z := newZoo(t)
	outer := proc.Environ(os.Environ(), z.id)
	inner := proc.Environ(outer, z.id+"-inner")
	innermost := proc.Environ(inner, z.id+"-innermost")
	task := z.start("idle", outer)
	innerTask, innermostTask := z.start("idle", inner), z.start("idle", innermost)
	z.wait("all are up", func() bool { return len(z.pids("idle")) == 3 })
	z.kill(proc.Mark(z.id+"-innermost"), nil)
	if !proc.Alive(task) || !proc.Alive(innerTask) || proc.Alive(innermostTask) {
		t.Error("the end of the innermost job is not the others'")
	}
	z.kill(proc.Mark(z.id), nil)
	if proc.Alive(task) || proc.Alive(innerTask) {
		t.Error("an inner job survives the outer one")
	}
	z.start("idle", innermost)
	if got, ok := proc.Getenv(z.await("idle"), proc.OuterEnv); !ok || got != z.id+","+z.id+"-inner" {
		t.Errorf("outer jobs are %q", got)
	}
}

func TestKillingFromWithinTheJob(t *testing.T) {
	z := newZoo(t)
	z.start("killers parent", append(proc.Environ(os.Environ(), z.id), "PROC_TEST_MARK="+proc.Mark(z.id)))
	z.await("killer")
	if b, err := os.ReadFile(filepath.Join(z.dir, "killer")); err != nil || string(b) != "killed 1, left []" {
		t.Errorf("%s, %v", b, err)
	}
	if len(z.pids("killers parent")) != 1 || len(z.pids("idle")) != 0 {
		t.Errorf("there are %v, %v", z.pids("killers parent"), z.pids("idle"))
	}
}

func TestTheSparedAreSparedWithTheirChildren(t *testing.T) {
	z := newZoo(t)
	env := proc.Environ(os.Environ(), z.id)
	parent, idle := z.start("parent", env), z.start("idle", env)
	z.await("parent")
	z.wait("the child is up", func() bool { return len(z.pids("idle")) == 2 })
	z.kill(proc.Mark(z.id), func(pid int) bool { return pid == parent })
	if !proc.Alive(parent) || len(z.pids("idle")) != 1 || proc.Alive(idle) {
		t.Errorf("spared: %v and children %v; %d was not", proc.Alive(parent), z.pids("idle"), idle)
	}
}

func TestOtherUsersAreLeftAlone(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs the privilege to be another user")
	}
	z := newZoo(t)
	cmd := exec.Command("/bin/sleep", "1000")
	cmd.Env = proc.Environ(nil, z.id)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if killed := z.kill(proc.Mark(z.id), nil); killed != 0 || !proc.Alive(cmd.Process.Pid) {
		t.Errorf("killed %d processes of another user", killed)
	}
}

func TestEnviron(t *testing.T) {
	host := []string{"A=1", "LITHOPS_OUTER_JOBS=out,more", "LITHOPS_JOB_ID=most", "B=2"}
	want := []string{"A=1", "B=2", "LITHOPS_OUTER_JOBS=out,more,most", "LITHOPS_JOB_ID=in"}
	if got := proc.Environ(host, "in"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := proc.Environ([]string{"A=1"}, "in"); !slices.Equal(got, []string{"A=1", "LITHOPS_JOB_ID=in"}) {
		t.Errorf("got %q", got)
	}
}

func TestKillOrphans(t *testing.T) {
	z := newZoo(t)
	stranger := z.start("idle", os.Environ())
	z.await("idle")
	var own []int
	for _, what := range []string{"deaf", "stopped", "parent"} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Dir, cmd.Env = z.dir, append(os.Environ(), helperEnv+"="+what)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		own = append(own, cmd.Process.Pid)
		z.await(what)
	}
	left := proc.KillOrphans(func(pid int) bool { return !slices.Contains(own, pid) }, deadline)
	if len(left) > 0 || !proc.Alive(stranger) {
		t.Errorf("left %v, stranger is alive: %v", left, proc.Alive(stranger))
	}
	for _, pid := range own {
		if syscall.Kill(pid, 0) != syscall.ESRCH {
			t.Errorf("%d was not collected", pid)
		}
	}
}
