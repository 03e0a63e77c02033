package localworker_test

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/localworker"
	"github.com/lithops-go/lithops/internal/proc"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
	"github.com/lithops-go/lithops/internal/worker"
)

func init() {
	maps.Copy(helpers, map[string]func(){"beget": beget, "program": program, "orphan": orphan, "trace": trace})
	if err := worker.Register("beget", begetting); err != nil {
		panic(err)
	}
}

// kinds are the ways in which a process gets out of its task's reach.
var kinds = []string{"plain", "session", "daemon", "deaf", "stopped"}

// beget is a command that has a child of each kind. It stays until told to go, but at
// once when it has been there before.
func beget() {
	begetOnce(os.Args[2])
	os.Exit(0)
}

// program is a function that does the same.
func program() {
	replies := os.NewFile(4, "replies")
	fmt.Fprintln(replies, `{"ready":{}}`)
	for requests := bufio.NewScanner(os.NewFile(3, "requests")); requests.Scan(); {
		task, _, _ := strings.Cut(strings.TrimPrefix(requests.Text(), `{"id":`), ",")
		begetOnce(task)
		fmt.Fprintf(replies, `{"id":%s,"output":%s}`+"\n", task, task)
	}
	os.Exit(0)
}

// begetting is a function of this program that does the same.
func begetting(_ context.Context, in worker.GoInput) ([]byte, error) {
	begetOnce(strconv.Itoa(in.Task))
	return []byte("0"), nil
}

func begetOnce(task string) {
	if os.Mkdir("once-"+task, 0o700) != nil {
		return
	}
	for _, kind := range kinds {
		child := exec.Command("/proc/self/exe", "orphan", task, kind, kind)
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: kind != "plain"}
		if err := child.Start(); err != nil {
			panic(err)
		}
	}
	for _, kind := range kinds {
		await("is-" + task + "-" + kind)
	}
	word := fmt.Sprintf("%s %d", os.Getenv("LITHOPS_WORKER"), os.Getpid())
	os.WriteFile("word-"+task, []byte(word), 0o600)
	os.Rename("word-"+task, "up-"+task)
	await("go")
}

func await(file string) {
	for !exists(file)() {
		time.Sleep(time.Millisecond)
	}
}

func orphan() {
	switch kind := os.Args[4]; kind {
	case "daemon": // its parent does not stay
		if err := exec.Command("/proc/self/exe", "orphan", os.Args[2], "daemon", "").Start(); err != nil {
			panic(err)
		}
		os.Exit(0)
	case "deaf":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	}
	os.WriteFile(fmt.Sprintf("is-%s-%s", os.Args[2], os.Args[3]), nil, 0o600)
	if os.Args[4] == "stopped" {
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
	time.Sleep(time.Hour)
}

// family is a job of two tasks, each with children of all kinds, and its host.
type family struct {
	*setup
	host    *exec.Cmd
	numbers [2]string // of the workers, by the task they run
	workers [2]int
	tasks   [2]int // commands, runtimes or workers, as they know themselves
	size    int    // of a task
}

func newFamily(t *testing.T, yaml string) *family {
	t.Helper()
	f := &family{setup: newSetup(t, yaml+"\nworkers: 2\ndata: {range: 2}\n"), size: 1 + len(kinds)}
	var env []string
	if strings.Contains(yaml, goFunction) {
		f.size--
		env = append(env, hostEnv+"_FUNCTION=beget")
	}
	f.host = f.setup.host(env...)
	for task := range 2 {
		up := f.file(fmt.Sprintf("up-%d", task))
		wait(t, "a task has its children", exists(up))
		b, err := os.ReadFile(up)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscan(string(b), &f.numbers[task], &f.tasks[task]); err != nil {
			t.Fatal(err)
		}
		f.workers[task] = f.worker(f.numbers[task])
	}
	if n := f.members(0) + f.members(1); n != 2*f.size {
		t.Fatalf("there are %d processes of the tasks: %q", n, f.processes())
	}
	return f
}

// worker is the process of a worker, whatever pid it has in its own view.
func (s *setup) worker(number string) (pid int) {
	s.t.Helper()
	for _, pid := range s.pids() {
		if n, ok := proc.Getenv(pid, wire.WorkerEnv); ok && n == number {
			return pid
		}
	}
	s.t.Fatalf("worker %s is not there: %q", number, s.processes())
	return 0
}

// pids are those of the job's processes.
func (s *setup) pids() (pids []int) {
	for _, p := range s.processes() {
		id, _, _ := strings.Cut(p, " ")
		pid, _ := strconv.Atoi(id)
		pids = append(pids, pid)
	}
	return pids
}

// members counts the processes of a task.
func (f *family) members(task int) (n int) {
	for _, pid := range f.pids() {
		if f.of(pid) == strconv.Itoa(task) {
			n++
		}
	}
	return n
}

// of is the task that a process belongs to, "" for none.
func (f *family) of(pid int) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	args := append(strings.Split(string(b), "\x00"), "", "")
	switch worker, _ := proc.Getenv(pid, "LITHOPS_WORKER"); args[1] {
	case "orphan", "beget":
		return args[2]
	case "program":
		return strconv.Itoa(slices.Index(f.numbers[:], worker))
	}
	return ""
}

// kill kills processes at the same moment: none can do anything when it sees another die,
// but for those that the end of the first, the host, wakes up: it comes last.
func (f *family) kill(pids ...int) {
	f.t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			f.t.Errorf("stop %d: %v", pid, err)
		}
	}
	for _, pid := range slices.Backward(pids) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			f.t.Errorf("kill %d: %v", pid, err)
		}
	}
}

// killInTurn kills one after the other, at any moment of what the others do about it.
func (f *family) killInTurn(pids ...int) {
	for _, pid := range pids {
		syscall.Kill(pid, syscall.SIGKILL)
		time.Sleep(time.Millisecond)
	}
}

// goOn lets the job come to its end and says how its attempts ended.
func (f *family) goOn() (ends []string) {
	f.t.Helper()
	if f.members(1) != f.size {
		f.t.Errorf("the other task was hit, too: %q", f.processes())
	}
	if err := os.WriteFile(f.file("go"), nil, 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := f.host.Wait(); err != nil {
		f.t.Errorf("host: %v", err)
	}
	for _, r := range f.records() {
		ends = append(ends, fmt.Sprintf("%d %s %d", r.Task, r.State, r.Attempt))
	}
	slices.Sort(ends)
	return ends
}

func (f *family) ended(want ...string) {
	f.t.Helper()
	if got := f.goOn(); !slices.Equal(got, want) {
		f.t.Errorf("attempts ended %q, want %q", got, want)
	}
	f.nobody()
}

// families are commands and functions, alike.
func families(t *testing.T, test func(t *testing.T, yaml string)) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("command", func(t *testing.T) { test(t, "command: ["+self+", beget, '{}']") })
	t.Run("function", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(file, []byte("#!/bin/sh\nexec "+self+" program\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		test(t, "function: "+file)
	})
	t.Run("function of the program", func(t *testing.T) { test(t, goFunction) })
}

// goFunction stands for a function that no job.yaml can name.
const goFunction = "command: 'false' # in its place"

func TestNobodySurvives(t *testing.T) {
	families(t, func(t *testing.T, yaml string) {
		t.Run("the host", func(t *testing.T) {
			f := newFamily(t, yaml)
			f.kill(f.host.Process.Pid)
			f.nobody()
		})
		t.Run("a worker", func(t *testing.T) {
			f := newFamily(t, yaml)
			f.kill(f.workers[0])
			wait(t, "its task is gone", func() bool { return f.members(0) == 0 })
			f.ended("0 lost 1", "0 success 2", "1 success 1")
		})
		t.Run("host and worker", func(t *testing.T) {
			f := newFamily(t, yaml)
			f.kill(f.host.Process.Pid, f.workers[0])
			f.nobody()
		})
		t.Run("host and a task", func(t *testing.T) {
			f := newFamily(t, yaml)
			f.kill(f.host.Process.Pid, f.tasks[0])
			f.nobody()
		})
		t.Run("the host and then a worker", func(t *testing.T) {
			f := newFamily(t, yaml)
			f.killInTurn(f.host.Process.Pid, f.workers[0])
			f.nobody()
		})
		t.Run("the host while a worker is stopped", func(t *testing.T) {
			f := newFamily(t, yaml)
			syscall.Kill(f.workers[0], syscall.SIGSTOP)
			f.kill(f.host.Process.Pid)
			f.nobody()
		})
		t.Run("the host while both workers and a task are stopped", func(t *testing.T) {
			f := newFamily(t, yaml)
			for _, pid := range []int{f.workers[0], f.workers[1], f.tasks[1]} {
				syscall.Kill(pid, syscall.SIGSTOP)
			}
			f.kill(f.host.Process.Pid)
			f.nobody()
		})
		t.Run("host and both workers", func(t *testing.T) {
			f := newFamily(t, yaml)
			f.kill(f.host.Process.Pid, f.workers[0], f.workers[1])
			wait(t, "the kernel has ended what the workers started", func() bool { return !proc.Alive(f.tasks[0]) && !proc.Alive(f.tasks[1]) })
			if f.members(0)+f.members(1) != 2*len(kinds) {
				t.Errorf("of the others there are %q", f.processes())
			}
			if killed, left := proc.KillMarked(proc.Mark(testID), nil, time.Minute); killed != 2*len(kinds) || len(left) > 0 {
				t.Errorf("killed %d, left %v", killed, left)
			}
			f.nobody()
		})
		if yaml == goFunction { // its tasks are the workers
			return
		}
		t.Run("what runs a task", func(t *testing.T) {
			f := newFamily(t, yaml)
			f.kill(f.tasks[0])
			wait(t, "its task is gone", func() bool { return f.members(0) == 0 })
			f.ended("0 error 1", "1 success 1")
		})
		t.Run("host and worker and both tasks", func(t *testing.T) {
			f := newFamily(t, yaml)
			f.kill(f.host.Process.Pid, f.workers[1], f.tasks[0], f.tasks[1])
			f.nobody()
		})
	})
}

func TestNobodySurvivesInPIDNamespaces(t *testing.T) {
	try := exec.Command("true")
	try.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		try.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
	}
	if err := try.Run(); err != nil {
		t.Skipf("needs the privilege to make PID namespaces: %v", err)
	}
	families(t, func(t *testing.T, yaml string) {
		yaml += "\nisolation: pid"
		t.Run("the host", func(t *testing.T) {
			f := newFamily(t, yaml)
			f.kill(f.host.Process.Pid)
			f.nobody()
		})
		t.Run("the host while a worker is stopped", func(t *testing.T) {
			f := newFamily(t, yaml)
			syscall.Kill(f.workers[0], syscall.SIGSTOP)
			f.kill(f.host.Process.Pid)
			f.nobody()
		})
		t.Run("a worker", func(t *testing.T) {
			f := newFamily(t, yaml)
			f.kill(f.workers[0])
			wait(t, "its task is gone", func() bool { return f.members(0) == 0 })
			f.ended("0 lost 1", "0 success 2", "1 success 1")
		})
		t.Run("host and both workers", func(t *testing.T) {
			f := newFamily(t, yaml)
			f.kill(f.host.Process.Pid, f.workers[0], f.workers[1])
			f.nobody()
		})
	})
}

// nested is a job one of whose tasks runs another job.
type nested struct {
	*setup
	host  *exec.Cmd
	inner *setup
	id    string // of the inner job
}

func newNested(t *testing.T) *nested {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	n := &nested{id: job.NewID(time.Now(), 1)}
	n.setup = newSetup(t, "command: '[ {} = 1 ] || . ./inner & touch up-{}; wait; sleep 1000; true'\nworkers: 2\ndata: {range: 2}\n")
	n.inner = &setup{t: t, root: t.TempDir(), mark: n.mark}
	n.inner.yaml = "workdir: " + t.TempDir() + "\ncommand: [" + self + ", beget, '{}']\nworkers: 2\ndata: {range: 2}\n"
	if n.inner.spec, err = job.Parse("job.yaml", []byte(n.inner.yaml)); err != nil {
		t.Fatal(err)
	}
	script := ""
	for _, kv := range append(n.inner.hostEnv(), hostEnv+"_ID="+n.id) {
		k, v, _ := strings.Cut(kv, "=")
		script += "export " + k + "='" + strings.ReplaceAll(v, "'", `'\''`) + "'\n"
	}
	if err := os.WriteFile(n.file("inner"), []byte(script+self+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n.host = n.setup.host()
	wait(t, "all tasks run", func() bool {
		for _, s := range []*setup{n.setup, n.inner} {
			if !exists(s.file("up-0"))() || !exists(s.file("up-1"))() {
				return false
			}
		}
		return true
	})
	return n
}

// workersOf are the workers of a job, by number.
func (n *nested) workersOf(id string) []int {
	all := make([]int, 2)
	for _, pid := range n.pids() {
		own, _ := proc.Getenv(pid, proc.JobEnv)
		if number, ok := proc.Getenv(pid, wire.WorkerEnv); ok && own == id {
			i, _ := strconv.Atoi(number)
			all[i] = pid
		}
	}
	return all
}

func TestAnInnerJobDiesWithTheTaskThatRunsIt(t *testing.T) {
	n := newNested(t)
	f := &family{setup: n.setup}
	f.kill(n.host.Process.Pid, n.workersOf(testID)[0])
	n.nobody()
}

func TestAnInnerJobDiesAlone(t *testing.T) {
	n := newNested(t)
	outer := n.workersOf(testID)
	worker := n.workersOf(n.id)[0]
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", worker))
	if err != nil {
		t.Fatal(err)
	}
	host, err := strconv.Atoi(strings.Fields(string(b[strings.LastIndexByte(string(b), ')'):]))[2])
	if err != nil {
		t.Fatal(err)
	}
	f := &family{setup: n.setup}
	f.kill(host, worker)
	wait(t, "the inner job is gone", func() bool { return len(proc.Marked(proc.Mark(n.id))) == 0 })
	for _, pid := range append(outer, n.host.Process.Pid) {
		if !proc.Alive(pid) {
			t.Error("the outer job was hit")
		}
	}
}

// single is a pool with a worker that is ready.
type single struct {
	*setup
	pool   *localworker.Pool
	events chan executor.Event
	w      *store.Writer
	pid    int
}

func newSingle(t *testing.T, command string) *single {
	t.Helper()
	s := &single{setup: newSetup(t, "command: "+command+"\ndata: {range: 1}\n"), events: make(chan executor.Event, 100)}
	st, err := store.Open(s.root)
	if err != nil {
		t.Fatal(err)
	}
	if s.w, err = st.Create(testID, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.w.Close() })
	if s.pool, err = localworker.New(s.events, localworker.Options{JobID: testID, Lock: s.w.Lock()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.pool.Close() })
	s.launch(0)
	return s
}

// launch starts a worker; the next event must be that it is ready.
func (s *single) launch(number int) {
	s.t.Helper()
	if err := s.pool.Launch(&wire.Job{JobID: testID, Dir: s.w.Dir(), Worker: number, Workers: 1, Clock: clock.NewBase(), Spec: s.spec, Isolation: job.IsolationGroup}); err != nil {
		s.t.Fatal(err)
	}
	ready := <-s.events
	if ready.Kind != executor.Ready || ready.Worker != number {
		s.t.Fatalf("worker %d: %+v", number, ready)
	}
	s.pid = ready.PID
}

func task(n int64) []byte {
	return (&wire.Message{Kind: wire.Task, Numbers: [2]int64{n, 1}, JSON: strconv.AppendInt(nil, n, 10)}).Append(nil)
}

// gone waits for the worker's end in good order.
func (s *single) gone() {
	s.t.Helper()
	for ev := range s.events {
		if ev.Kind != executor.Gone {
			continue
		}
		if ev.Err != nil {
			s.t.Errorf("the worker ended: %v", ev.Err)
		}
		s.nobody()
		return
	}
}

// TestAStoppedWorkerIsNotTakenForDead: whatever it is sent, it gets when it goes on.
func TestAStoppedWorkerIsNotTakenForDead(t *testing.T) {
	s := newSingle(t, "'echo {}'")
	syscall.Kill(s.pid, syscall.SIGSTOP)
	const tasks = 300
	for i := range int64(tasks) {
		s.pool.Send(0, task(i))
		for n := range int64(10) { // of tasks that it does not have
			s.pool.Send(0, (&wire.Message{Kind: wire.Drop, Numbers: [2]int64{tasks + i, n}}).Append(nil))
		}
	}
	s.pool.Send(0, []byte(wire.End+"\n"))
	syscall.Kill(s.pid, syscall.SIGCONT)
	s.gone()
	tail, err := store.OpenTail(store.SegmentPath(s.w.Dir(), 0, store.StatsSegment))
	if err != nil {
		t.Fatal(err)
	}
	defer tail.Close()
	records := 0
	if err := tail.ReadRest(func([]byte) error { records++; return nil }); err != nil || records != tasks {
		t.Errorf("%d records, %v", records, err)
	}
}

// trace is a debugger: what it traces cannot be collected by its parent, and so is
// an orphan that a sweep does not get rid of.
func trace() {
	runtime.LockOSThread()
	await("traced")
	b, _ := os.ReadFile("traced")
	pid, _ := strconv.Atoi(string(b))
	err := syscall.PtraceAttach(pid)
	os.WriteFile("tracing", fmt.Append(nil, err), 0o600)
	time.Sleep(time.Hour)
}

func TestNoWorkerWaitsForASweep(t *testing.T) {
	tracer := exec.Command("/proc/self/exe", "trace")
	tracer.Dir = t.TempDir()
	if err := tracer.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() { tracer.Process.Kill(); tracer.Wait() })
	t.Cleanup(end)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := newSingle(t, "["+self+", beget, '{}']")
	t.Cleanup(end)
	s.pool.Send(0, task(0))
	wait(t, "the task has its children", exists(s.file("up-0")))
	orphan := slices.DeleteFunc(s.pids(), func(pid int) bool {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return !strings.Contains(string(b), "\x00session\x00")
	})
	if len(orphan) != 1 {
		t.Fatalf("%v of %q", orphan, s.processes())
	}
	os.WriteFile(filepath.Join(tracer.Dir, "pid"), strconv.AppendInt(nil, int64(orphan[0]), 10), 0o600)
	os.Rename(filepath.Join(tracer.Dir, "pid"), filepath.Join(tracer.Dir, "traced"))
	answer := filepath.Join(tracer.Dir, "tracing")
	said := ""
	wait(t, "it traces", func() bool {
		b, _ := os.ReadFile(answer)
		said = string(b)
		return said != ""
	})
	if said != "<nil>" {
		t.Skipf("needs the privilege to trace: %s", said)
	}
	syscall.Kill(s.pid, syscall.SIGKILL)
	wait(t, "the sweep has begun", func() bool { return !proc.Alive(orphan[0]) })
	s.launch(1) // before the end of worker 0 is told, which is after the sweep
	end()
	if ev := <-s.events; ev.Kind != executor.Gone || ev.Worker != 0 {
		t.Errorf("after that came %+v", ev)
	}
	s.pool.Send(1, []byte(wire.End+"\n"))
	s.gone()
}

func TestTheLockIsHeldUntilTheLastWorkerIsGone(t *testing.T) {
	s := newSingle(t, "'echo {}'")
	if err := s.w.Close(); err != nil {
		t.Fatal(err)
	}
	if state := s.job().State(); state != "running" {
		t.Errorf("with a worker left, the job is %s", state)
	}
	s.pool.Send(0, []byte(wire.End+"\n"))
	s.gone()
	if state := s.job().State(); state == "running" {
		t.Error("without one, the job is running")
	}
}

func TestTheLockIsTheWorkersAlone(t *testing.T) {
	const yaml = `
command: 'readlink /proc/$PPID/fd/5; echo; readlink /proc/self/fd/*; true'
data: {range: 1}
`
	stranger := filepath.Join(t.TempDir(), "stranger")
	for _, lock := range []string{"its own", "none"} {
		s := newSetup(t, yaml)
		host := exec.Command("/bin/sh", "-c", `exec 5>"$0"; exec "$1"`, stranger, os.Args[0])
		host.Env = append(append(os.Environ(), s.hostEnv()...), hostEnv+"_LOCK="+lock)
		if out, err := host.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		workers, tasks, _ := strings.Cut(s.output(s.records()[0], s.job().Result), "\n\n")
		if strings.HasSuffix(workers, "/lock") != (lock != "none") || strings.Contains(workers, stranger) {
			t.Errorf("lock %s: the worker's descriptor is %q", lock, workers)
		}
		if strings.Contains(tasks, "/lock") || strings.Contains(tasks, stranger) {
			t.Errorf("lock %s: the command has %q", lock, tasks)
		}
	}
}

// TestAHostThatIsStoppedForAWhile: it misses nothing of what its workers do meanwhile.
func TestAHostThatIsStoppedForAWhile(t *testing.T) {
	s := newSetup(t, `
command: 'touch up-{}; while [ ! -e go ]; do sleep 0.01; done; echo {}'
workers: 2
data: {range: 20}
`)
	host := s.host()
	wait(t, "both workers are at it", func() bool { return exists(s.file("up-0"))() && exists(s.file("up-1"))() })
	syscall.Kill(host.Process.Pid, syscall.SIGSTOP)
	if err := os.WriteFile(s.file("go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wait(t, "both have recorded their task", func() bool {
		for worker := range 2 {
			if info, err := os.Stat(store.SegmentPath(s.job().Dir(), worker, store.StatsSegment)); err != nil || info.Size() == 0 {
				return false
			}
		}
		return true
	})
	syscall.Kill(host.Process.Pid, syscall.SIGCONT)
	if err := host.Wait(); err != nil {
		t.Error(err)
	}
	all := s.records()
	for _, r := range all {
		if r.State != job.Success || r.Attempt != 1 {
			t.Errorf("task %d, attempt %d: %s", r.Task, r.Attempt, r.State)
		}
	}
	if len(all) != 20 {
		t.Errorf("%d records", len(all))
	}
	s.nobody()
}
