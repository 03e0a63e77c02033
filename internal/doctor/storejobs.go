package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/proc"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
)

// storeJobs counts what is in the store.
func (m *machine) storeJobs() Finding {
	root, _, err := m.storeDir()
	if err != nil {
		return limited("", "cannot be told: %v", err)
	}
	entries, err := os.ReadDir(filepath.Join(root, "jobs"))
	if errors.Is(err, fs.ErrNotExist) {
		return ok("none, there is no store yet")
	} else if err != nil {
		return limited("", "cannot be told: %v", err)
	}
	jobs, broken, others := 0, 0, 0
	for _, e := range entries {
		switch name := e.Name(); {
		case job.ValidID(name):
			jobs++
		case store.InMaking(name):
			if store.Leftover(filepath.Join(root, "jobs", name)) {
				broken++
			}
		default:
			others++
		}
	}
	found := count(jobs, "job", "jobs")
	if others > 0 {
		found += fmt.Sprintf(", and %s", count(others, "file of no job", "files of no job"))
	}
	if broken > 0 {
		return limited("the next `lithops clean` removes it", "%s; left over from creating or removing %s, which broke off", found, count(broken, "job", "jobs"))
	}
	return ok("%s", found)
}

// leftBehind lists the processes that belong to jobs of the store that do not run any
// more.
func (m *machine) leftBehind() Finding {
	if runtime.GOOS != "linux" && m.root == "" {
		return missing("", "on %s the environment of processes is not to be had", runtime.GOOS)
	}
	if _, err := os.ReadFile(m.path("proc/self/environ")); err != nil {
		return limited("processes are found by their environment, in /proc", "cannot be told: %v", bare(err))
	}
	var lines []string
	elsewhere := 0
	state := m.jobStates()
	for _, p := range m.marked() {
		known := false
		for _, id := range p.jobs {
			is := state(id)
			known = known || is != ""
			if is != "" && is != store.JobRunning {
				lines = append(lines, fmt.Sprintf("%d, of job %s (%s): %s", p.pid, id, is, m.command(p.pid)))
				break
			}
		}
		if !known {
			elsewhere++
		}
	}
	rest := ""
	if elsewhere > 0 {
		rest = fmt.Sprintf("%s of jobs that are not in this store", count(elsewhere, "process", "processes"))
	}
	const most = 20
	if n := len(lines); n > most {
		lines = append(lines[:most], fmt.Sprintf("and %s more", stats.HumanCount(int64(n-most))))
	}
	if len(lines) > 0 {
		if rest != "" {
			lines = append(lines, "and "+rest)
		}
		return limited("kill them; `lithops resume JOB` ends them as well, and so does `lithops clean JOB`, which removes the job", "%s", strings.Join(lines, "\n"))
	}
	if rest != "" {
		return ok("no process of this store's jobs that have ended; %s", rest)
	}
	return ok("no process of a job that has ended")
}

// markedProcess is one that was started for a job, which may have been run by a task of
// another.
type markedProcess struct {
	pid  int
	jobs []string // its own, and the outer ones
}

// marked finds the processes with a job's id in their environment, by number. Those of
// other users cannot be told.
func (m *machine) marked() (all []markedProcess) {
	names, _ := filepath.Glob(m.path("proc/[0-9]*"))
	for _, name := range names {
		pid, err := strconv.Atoi(filepath.Base(name))
		if err != nil || pid == os.Getpid() {
			continue
		}
		b, _ := os.ReadFile(filepath.Join(name, "environ"))
		p := markedProcess{pid: pid}
		for _, kv := range strings.Split(string(b), "\x00") {
			switch name, value, _ := strings.Cut(kv, "="); name {
			case proc.JobEnv:
				p.jobs = append([]string{value}, p.jobs...)
			case proc.OuterEnv:
				p.jobs = append(p.jobs, strings.Split(value, ",")...)
			}
		}
		p.jobs = slices.DeleteFunc(p.jobs, func(id string) bool { return !job.ValidID(id) })
		if len(p.jobs) > 0 && !strings.HasPrefix(p.jobs[0], trialMark) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b markedProcess) int { return a.pid - b.pid })
	return all
}

// jobStates returns a function that gives a job's state, "" for one that is not in the
// store. A job whose lock is held runs, whatever else it says.
func (m *machine) jobStates() func(id string) string {
	known := map[string]string{}
	var st *store.Store
	if root, there, err := m.storeDir(); err == nil && there == root {
		if _, err := os.Stat(filepath.Join(root, "version")); err == nil { // else opening it would make one
			st, _ = store.Open(root)
		}
	}
	return func(id string) string {
		state, ok := known[id]
		if !ok && st != nil {
			if j, err := st.Job(id); err == nil {
				state = j.State()
			} else if _, err := os.Stat(st.JobDir(id)); err == nil {
				state = "unreadable"
			}
			if state != "" && store.Locked(st.JobDir(id)) {
				state = store.JobRunning
			}
			known[id] = state
		}
		return state
	}
}

// command is what a process runs.
func (m *machine) command(pid int) string {
	dir := "proc/" + strconv.Itoa(pid)
	words := strings.ReplaceAll(strings.Trim(m.read(dir+"/cmdline"), "\x00"), "\x00", " ")
	if words == "" { // it has ended, and nobody has asked how
		return "[" + m.read(dir+"/comm") + "]"
	}
	const most = 80
	if words = stats.OneLine(words); len([]rune(words)) > most {
		words = string([]rune(words)[:most]) + "…"
	}
	return words
}
