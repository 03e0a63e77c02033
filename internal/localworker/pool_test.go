package localworker_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/executor"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/localworker"
	"github.com/lithops-go/lithops/internal/proc"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
	"github.com/lithops-go/lithops/internal/worker"
)

// hostEnv makes the test binary a host that runs one job: its value is the
// store's root.
const hostEnv = "LOCALWORKER_TEST_HOST"

// helpers are what the test binary does when its first argument says so.
var helpers = map[string]func(){"leave-group": leaveGroup}

func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=10 "+os.Getenv("GORACE"))
	worker.Main()
	if len(os.Args) > 1 && helpers[os.Args[1]] != nil {
		helpers[os.Args[1]]()
	}
	if root, ok := os.LookupEnv(hostEnv); ok {
		spec, err := job.Parse("job.yaml", []byte(os.Getenv(hostEnv+"_SPEC")))
		if err == nil {
			if f := os.Getenv(hostEnv + "_FUNCTION"); f != "" {
				spec.Command, spec.Function = job.Command{}, job.Function{Go: f}
			}
			_, err = runJob(context.Background(), root, spec, 100*time.Millisecond)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// testID is the id of all jobs here, which no other process's jobs have: what carries
// it may be killed.
var testID = cmp.Or(os.Getenv(hostEnv+"_ID"), job.NewID(time.Now(), 0))

// runJob runs spec with this test binary as worker.
func runJob(ctx context.Context, root string, spec *job.Spec, grace time.Duration) (*executor.Result, error) {
	s, err := store.Open(root)
	if err != nil {
		return nil, err
	}
	w, err := s.Create(testID, nil)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	source, err := spec.Open(strings.NewReader(""))
	if err != nil {
		return nil, err
	}
	in, err := w.Inputs()
	if err != nil {
		return nil, err
	}
	m := &store.Manifest{JobID: testID, Spec: spec, Workers: max(1, spec.Workers), Clock: clock.NewBase()}
	for {
		item, err := source.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		in.Add(item)
		m.Tasks++
	}
	if err := in.Close(); err != nil {
		return nil, err
	}
	if err := w.WriteManifest(m); err != nil {
		return nil, err
	}
	inputs, err := store.OpenInputs(w.Dir())
	if err != nil {
		return nil, err
	}
	defer inputs.Close()
	events := make(chan executor.Event, 100)
	lock := w.Lock()
	if os.Getenv(hostEnv+"_LOCK") == "none" {
		lock = nil
	}
	pool, err := localworker.New(events, localworker.Options{JobID: testID, Lock: lock})
	if err != nil {
		return nil, err
	}
	isolation := spec.Isolation
	if isolation == job.IsolationAuto || isolation == "" {
		isolation = job.IsolationGroup
	}
	return executor.Run(ctx, executor.Config{
		Job:     wire.Job{JobID: testID, Dir: w.Dir(), Clock: m.Clock, Spec: spec, Isolation: isolation, GraceNS: int64(grace)},
		Retries: spec.Retries, OnFail: spec.OnFailure, Chunk: spec.Chunksize, Tasks: m.Tasks, Workers: m.Workers,
		Inputs: inputs, Writer: w, Clock: m.Clock.Clock(), Backend: pool, Events: events,
	})
}

// host starts a process that runs the job.
func (s *setup) host(env ...string) *exec.Cmd {
	s.t.Helper()
	host := exec.Command("/proc/self/exe")
	host.Env = append(append(os.Environ(), s.hostEnv()...), env...)
	said, err := os.Create(filepath.Join(s.t.TempDir(), "stderr"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer said.Close()
	host.Stderr = said
	if err := host.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		host.Process.Kill()
		host.Wait()
		proc.KillMarked(s.mark, nil, time.Minute)
		if text, _ := os.ReadFile(said.Name()); s.t.Failed() {
			s.t.Logf("the host said: %s", text)
		}
	})
	return host
}

// hostEnv makes the test binary the job's host.
func (s *setup) hostEnv() []string {
	return []string{hostEnv + "=" + s.root, hostEnv + "_SPEC=" + s.yaml, hostEnv + "_ID=" + testID}
}

// setup is one job in a store of its own, and a mark that all its processes carry
// in their environment.
type setup struct {
	t          *testing.T
	root, mark string
	spec       *job.Spec
	yaml       string
}

func newSetup(t *testing.T, yaml string) *setup {
	t.Helper()
	s := &setup{t: t, root: t.TempDir(), mark: fmt.Sprintf("LOCALWORKER_MARK=%s-%d", t.Name(), time.Now().UnixNano())}
	k, v, _ := strings.Cut(s.mark, "=")
	t.Setenv(k, v)
	s.yaml = "workdir: " + t.TempDir() + "\n" + yaml
	var err error
	if s.spec, err = job.Parse("job.yaml", []byte(s.yaml)); err != nil {
		t.Fatal(err)
	}
	return s
}

// processes lists those, besides this one, that carry the job's mark.
func (s *setup) processes() (found []string) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		env, err := os.ReadFile(dir + "/environ")
		if err != nil || !bytes.Contains(env, []byte(s.mark)) || dir == "/proc/"+strconv.Itoa(os.Getpid()) {
			continue
		}
		if stat, _ := os.ReadFile(dir + "/stat"); bytes.Contains(stat, []byte(") Z ")) {
			continue // a zombie waits for its parent, nothing runs
		}
		cmd, _ := os.ReadFile(dir + "/cmdline")
		found = append(found, filepath.Base(dir)+" "+string(bytes.ReplaceAll(cmd, []byte{0}, []byte{' '})))
	}
	return found
}

// nobody fails the test when a process of the job stays alive.
func (s *setup) nobody() {
	s.t.Helper()
	wait(s.t, "all processes are gone", func() bool { return len(s.processes()) == 0 })
}

// wait waits until ok, for as long as only a hang takes.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not reached: %s", what)
		}
	}
}

func exists(path string) func() bool {
	return func() bool { _, err := os.Stat(path); return err == nil }
}

func (s *setup) file(name string) string { return filepath.Join(s.spec.Workdir, name) }

func (s *setup) run(ctx context.Context) *executor.Result {
	s.t.Helper()
	result, err := runJob(ctx, s.root, s.spec, 200*time.Millisecond)
	if err != nil {
		s.t.Fatal(err)
	}
	return result
}

// records gives all attempts, by task and attempt, and checks the store.
func (s *setup) records() (all []*stats.Record) {
	s.t.Helper()
	j := s.job()
	for r, err := range j.Records() {
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func (s *setup) job() *store.Job {
	s.t.Helper()
	st, err := store.Open(s.root)
	if err != nil {
		s.t.Fatal(err)
	}
	j, err := st.Job(testID)
	if err != nil {
		s.t.Fatal(err)
	}
	return j
}

func (s *setup) output(r *stats.Record, open func(*stats.Record) (io.ReadCloser, error)) string {
	s.t.Helper()
	f, err := open(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

func TestResultsAreKeptByteForByte(t *testing.T) {
	s := newSetup(t, `
command: 'printf "out%s\0\377" {}; echo "err"{} >&2; [ {} != 3 ] || echo over > /dev/stdout'
workers: 2
data: {range: 20}
`)
	if c := s.run(t.Context()).Counts; c[job.Success]+c[job.Error] != 20 {
		t.Fatal(c)
	}
	j := s.job()
	for _, r := range s.records() {
		want := fmt.Sprintf("out%d\x00\xff", r.Task)
		if r.Task == 3 { // it truncates its own output, nobody else's
			want = "over\n"
		}
		if got := s.output(r, j.Result); got != want {
			t.Errorf("task %d: result %q, want %q", r.Task, got, want)
		}
		if got := s.output(r, j.Log); got != fmt.Sprintf("err%d\n", r.Task) {
			t.Errorf("task %d: log %q", r.Task, got)
		}
	}
	s.nobody()
}

func TestHowTasksEnd(t *testing.T) {
	s := newSetup(t, `
command: '{}'
workers: 2
timeout: 300ms
output: json
data:
  list: ["echo 1", "exit 3", "kill -SEGV $$", "sleep 60", "trap '' TERM; while :; do sleep 1; done", "echo no json", "nosuchcommand"]
`)
	// The item is the shell's program here, so it must not be quoted as one word.
	s.spec.Command = job.Command{Argv: []string{"/bin/sh", "-c", "{}"}}
	s.run(t.Context())
	type end struct {
		state  job.State
		exit   stats.Int
		signal string
		kind   string
	}
	want := []end{
		{job.Success, stats.IntOf(0), "", ""},
		{job.Error, stats.IntOf(3), "", "exit"},
		{job.Error, stats.Int{}, "SIGSEGV", "signal"},
		{job.Timeout, stats.Int{}, "SIGTERM", "timeout"},
		{job.Timeout, stats.Int{}, "SIGKILL", "timeout"},
		{job.Error, stats.IntOf(0), "", "output"},
		{job.Error, stats.IntOf(127), "", "exit"},
	}
	all := s.records()
	if len(all) != len(want) {
		t.Fatalf("%d records", len(all))
	}
	for i, r := range all {
		if got := (end{r.State, r.ExitCode, r.Signal, r.ErrorType}); got != want[i] {
			t.Errorf("task %d: %+v, want %+v (%s)", i, got, want[i], r.Error)
		}
		if r.State != job.Success && r.Error == "" {
			t.Errorf("task %d failed without a word", i)
		}
	}
	s.nobody()
}

func TestWhatATaskLeavesBehindIsEnded(t *testing.T) {
	for _, isolation := range []string{"group", "pid"} {
		t.Run(isolation, func(t *testing.T) {
			if isolation == "pid" && os.Geteuid() != 0 {
				t.Skip("needs privileges for PID namespaces")
			}
			s := newSetup(t, `
command: 'sleep 1000 & (setsid sleep 1000 & ) ; setsid sh -c "trap \"\" TERM; (sleep 1000; true)" & echo {}'
isolation: `+isolation+`
data: {range: 3}
`)
			if c := s.run(t.Context()).Counts; c[job.Success] != 3 {
				t.Fatal(c)
			}
			for _, r := range s.records() {
				if got := s.output(r, s.job().Result); got != fmt.Sprintf("%d\n", r.Task) {
					t.Errorf("task %d: %q", r.Task, got)
				}
			}
			s.nobody()
		})
	}
}

func TestCPUOfDaemonsIsTheTasks(t *testing.T) {
	s := newSetup(t, `
command: |
  (setsid sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; cut -d" " -f14,15 /proc/$$/stat > done' &)
  while [ ! -s done ]; do sleep 0.01; done; cat done
data: {range: 1}
`)
	s.run(t.Context())
	r := s.records()[0]
	var user, system int64 // clock ticks of 10 ms
	if _, err := fmt.Sscan(s.output(r, s.job().Result), &user, &system); err != nil {
		t.Fatal(err)
	}
	const tick = int64(10 * time.Millisecond)
	if got, want := r.CPUUser.NS+r.CPUSystem.NS, (user+system)*tick; got < want-2*tick {
		t.Errorf("CPU time %v, the daemon alone took %v", time.Duration(got), time.Duration(want))
	}
}

func TestADeadWorkerIsReplacedAndItsTaskRunAgain(t *testing.T) {
	s := newSetup(t, `
command: 'if [ {} = 2 ] && mkdir once 2>/dev/null; then (setsid sleep 1000 &); sleep 1000 & echo $PPID > worker; wait; fi; echo {}'
workers: 2
data: {range: 10}
`)
	go func() {
		path := s.file("worker")
		for range 3000 {
			if b, _ := os.ReadFile(path); len(b) > 1 && b[len(b)-1] == '\n' {
				pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
				syscall.Kill(pid, syscall.SIGKILL)
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	if c := s.run(t.Context()).Counts; c[job.Success] != 10 {
		t.Errorf("counts %v", c)
	}
	var states []string
	for _, r := range s.records() {
		if r.Task == 2 {
			states = append(states, fmt.Sprint(r.State, " ", r.Attempt))
		}
		if r.State == job.Lost && !strings.Contains(r.Error, "killed") {
			t.Errorf("lost, but not why: %q", r.Error)
		}
	}
	if got := strings.Join(states, ", "); got != "lost 1, success 2" {
		t.Errorf("task 2: %s", got)
	}
	s.nobody()
}

func TestATerminatedWorkerLeavesNobody(t *testing.T) {
	s := newSetup(t, `
command: 'if mkdir once 2>/dev/null; then (setsid sleep 1000 &); sleep 1000 & kill -TERM $PPID; wait; fi; echo {}'
data: {range: 3}
`)
	if c := s.run(t.Context()).Counts; c[job.Success] != 3 {
		t.Errorf("counts %v", c)
	}
	lost := slices.DeleteFunc(s.records(), func(r *stats.Record) bool { return r.State != job.Lost })
	if len(lost) != 1 || !strings.Contains(lost[0].Error, "terminated") {
		t.Errorf("lost are %+v", lost)
	}
	s.nobody()
}

func TestNobodySurvivesTheHost(t *testing.T) {
	for _, isolation := range []string{"group", "pid"} {
		t.Run(isolation, func(t *testing.T) {
			if isolation == "pid" && os.Geteuid() != 0 {
				t.Skip("needs privileges for PID namespaces")
			}
			s := newSetup(t, `
command: '(setsid sleep 1000 &); trap "" TERM; sleep 1000 & touch up{}; wait'
workers: 2
isolation: `+isolation+`
data: {range: 2}
`)
			host := s.host()
			wait(t, "both tasks run", func() bool { return exists(s.file("up0"))() && exists(s.file("up1"))() })
			host.Process.Kill()
			host.Wait()
			s.nobody()
			wait(t, "the lock is free", func() bool { return s.job().State() == "broken off" }) // files are closed last
		})
	}
}

func TestCancelEndsTheWholeGroup(t *testing.T) {
	s := newSetup(t, `
command: 'sh -c "trap \"\" TERM; sleep 1000; sleep 1000" & trap "echo bye; exit 0" TERM; touch up{}; wait'
workers: 2
data: {range: 50}
`)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		wait(t, "both tasks run", func() bool { return exists(s.file("up0"))() && exists(s.file("up1"))() })
		cancel()
	}()
	result := s.run(ctx)
	if c := result.Counts; !result.Cancelled || c[job.Cancelled] != 2 || c[job.New] != 48 {
		t.Errorf("%+v", result)
	}
	for _, r := range s.records() {
		if r.State == job.Cancelled && s.output(r, s.job().Result) != "bye\n" {
			t.Errorf("task %d was not asked to end", r.Task)
		}
	}
	s.nobody()
}

func TestMemoryLimit(t *testing.T) {
	s := newSetup(t, `
command: 'head -c {} /dev/zero | tail -c {} | wc -c' # tail holds it all
limits: {memory: 64MiB}
data: {list: [1000, 200000000]}
`)
	s.run(t.Context())
	all := s.records()
	if got := strings.TrimSpace(s.output(all[0], s.job().Result)); got != "1000" {
		t.Errorf("small task: %q", got)
	}
	if got := strings.TrimSpace(s.output(all[1], s.job().Result)); got == "200000000" {
		t.Error("a task of 200 MB passed a limit of 64 MiB")
	}
}

func TestStdinEnvAndPrograms(t *testing.T) {
	s := newSetup(t, `
command: [sh, -c, 'cat; echo " $WHO $LITHOPS_TASK $LITHOPS_ATTEMPT $LITHOPS_JOB_ID"; pwd']
stdin: "in {}"
env: {WHO: me}
data: {list: ["a b", "c'd"]}
`)
	s.run(t.Context())
	for i, want := range []string{"in a b me 0 1 ", "in c'd me 1 1 "} {
		got := s.output(s.records()[i], s.job().Result)
		if want += testID + "\n" + s.spec.Workdir + "\n"; got != want {
			t.Errorf("task %d: %q, want %q", i, got, want)
		}
	}
}

func TestACommandThatCannotStart(t *testing.T) {
	s := newSetup(t, `
command: ["{}"]
data: {list: [/nonexistent/program, /etc/passwd, "true"]}
`)
	s.run(t.Context())
	for i, want := range []string{"command not found", "not executable", ""} {
		r := s.records()[i]
		if !strings.Contains(r.Error, want) || r.State.Failed() != (want != "") || r.FuncStart.OK != (want == "") {
			t.Errorf("task %d: %s, %q, start %v", i, r.State, r.Error, r.FuncStart)
		}
	}
}

// leaveGroup is a command that joins a group its child leads, and stays.
func leaveGroup() {
	child := exec.Command("sleep", "1000")
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := child.Start(); err != nil {
		panic(err)
	}
	if err := syscall.Setpgid(0, child.Process.Pid); err != nil {
		panic(err)
	}
	os.WriteFile("left", nil, 0o600)
	child.Wait()
	time.Sleep(time.Hour)
}

func TestALeaderThatLeftItsGroupIsEndedToo(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := newSetup(t, "command: [\""+program+"\", leave-group]\ndata: {range: 1}\n")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		wait(t, "it has left", exists(s.file("left")))
		cancel()
	}()
	if c := s.run(ctx).Counts; c[job.Cancelled] != 1 {
		t.Errorf("counts %v", c)
	}
	s.nobody()
}

func TestProcessesFromBeforeTheJobAreSpared(t *testing.T) {
	older := exec.Command("sleep", "1000")
	if err := older.Start(); err != nil {
		t.Fatal(err)
	}
	defer older.Process.Kill()
	s := newSetup(t, `
command: 'mkdir once 2>/dev/null && kill -KILL $PPID; echo {}'
data: {range: 3}
`)
	if c := s.run(t.Context()).Counts; c[job.Success] != 3 {
		t.Errorf("counts %v", c)
	}
	if err := older.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the older process: %v", err)
	}
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", older.Process.Pid)); err != nil || bytes.Contains(stat, []byte(") Z ")) {
		t.Errorf("the older process was killed: %s, %v", stat, err)
	}
}

func TestJobsSideBySideLeaveEachOtherAlone(t *testing.T) {
	const yaml = `
command: '[ {} = 7 ] && mkdir once 2>/dev/null && kill -KILL $PPID; sleep 0.01; echo {}'
workers: 2
data: {range: 20}
`
	jobs := []*setup{newSetup(t, yaml), newSetup(t, yaml)}
	results := make(chan *executor.Result, 2)
	for _, s := range jobs {
		go func() {
			result, err := runJob(t.Context(), s.root, s.spec, time.Second)
			if err != nil {
				t.Error(err)
			}
			results <- result
		}()
	}
	for range jobs {
		if r := <-results; r == nil || r.Counts[job.Success] != 20 {
			t.Errorf("%+v", r)
		}
	}
	for _, s := range jobs {
		lost := 0
		for _, r := range s.records() {
			if r.State == job.Lost {
				lost++
			}
		}
		if lost != 1 {
			t.Errorf("%d attempts were lost, one worker was killed", lost)
		}
	}
}

func TestAWorkerGoesByTheProgramsName(t *testing.T) {
	s := newSetup(t, `
command: 'cat /proc/$PPID/comm'
data: {range: 1}
`)
	s.run(t.Context())
	if got := s.output(s.records()[0], s.job().Result); got != "lithops\n" {
		t.Errorf("the worker is called %q", got)
	}
}
