package proc

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Marked lists the processes with the mark that KillMarked would kill.
func Marked(mark string) (found []int) {
	s := newSearch(mark)
	for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if found = s.look(nil, nil); !s.unsure || time.Since(begun) > youth {
			return found
		}
	}
}

// KillMarked kills the processes that were started with mark, which is Mark of a
// job's id, in their environment, and those of jobs that were run within that job. Only
// this user's processes are looked at, and this process and those it descends from
// are left alone. So are those that spare, if not nil, says yes to, with all
// that is below them. It looks until it finds none, because processes start others
// while they are being killed, or until most has gone by; left are those
// that are there even then.
func KillMarked(mark string, spare func(pid int) bool, most time.Duration) (killed int, left []int) {
	s, begun, hit := newSearch(mark), time.Now(), map[int]bool{}
	kill := func(pid int) {
		if s.kill(pid) {
			hit[pid] = true
		}
	}
	clean := true
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		late := time.Since(begun) >= most
		left = s.look(spare, kill)
		if len(left) == 0 && clean && !s.unsure || late {
			return len(hit), left
		}
		// What was found once is looked for once more: pids wrap around, so that a
		// child may have been passed over whose parent ended before its turn came.
		clean = len(left) == 0
		time.Sleep(pause)
	}
}

// HasMark says whether a process was started with mark.
func HasMark(pid int, mark string) bool {
	has, _ := newSearch(mark).has(pid)
	return has
}

// Getenv is a variable that a process was started with.
func Getenv(pid int, name string) (value string, ok bool) {
	env, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	for kv := range bytes.SplitSeq(env, []byte{0}) {
		if n, v, found := bytes.Cut(kv, []byte("=")); found && string(n) == name {
			return string(v), true
		}
	}
	return "", false
}

// A process that is replacing its program has no environment at all for a moment. Of one
// that has none it is not known what it will be while it is young, and for as long as
// execTime since that was first seen.
const (
	youth    = time.Second
	execTime = 20 * time.Millisecond
)

// search looks for marked processes, again and again.
type search struct {
	mark   []byte
	inner  []byte            // the job's id: it may be among the outer jobs of others
	not    map[int]string    // processes that are not marked, nor will be, with when they began
	bare   map[int]time.Time // those without an environment, with when that was first seen
	unsure bool              // of one of them it is not known what it will be
	buf    []byte
}

func newSearch(mark string) *search {
	s := &search{mark: []byte(mark), not: map[int]string{}, bare: map[int]time.Time{}, buf: make([]byte, 16<<10)}
	if id, ok := strings.CutPrefix(mark, JobEnv+"="); ok {
		s.inner = []byte(id)
	}
	return s
}

// look lists the marked processes that are not spared, and does with each, if that is not
// nil, what do does, at once: some do not stay for long.
func (s *search) look(spare func(pid int) bool, do func(pid int)) (found []int) {
	s.unsure = false
	spared := map[int]bool{} // what spare has said
	self := map[int]bool{}
	for pid := os.Getpid(); pid > 0 && !self[pid]; pid = s.parent(pid) {
		self[pid] = true
	}
	each(func(pid int, stat []byte) {
		if self[pid] || ended(stat) || !s.wanted(pid, stat) {
			return
		}
		for above := pid; spare != nil && above > 0; above = s.parent(above) {
			yes, asked := spared[above]
			if !asked && !self[above] {
				yes = spare(above)
				spared[above] = yes
			}
			if yes {
				return
			}
		}
		found = append(found, pid)
		if do != nil {
			do(pid)
		}
	})
	return found
}

// wanted says whether a process is marked and of this user. One that is not will not be
// later: its environment is read only once.
func (s *search) wanted(pid int, stat []byte) bool {
	begun := field(stat, 22)
	if s.not[pid] == begun {
		return false
	}
	marked, bare := s.has(pid)
	own := (marked || bare && !ofKernel(stat)) && s.ownUser(pid)
	switch {
	case !own || !marked && !bare:
		s.not[pid] = begun
	case bare:
		if s.bare[pid].IsZero() {
			s.bare[pid] = time.Now()
		}
		s.unsure = s.unsure || age(begun) < youth || time.Since(s.bare[pid]) < execTime
	}
	return own && marked
}

func (s *search) parent(pid int) int {
	if stat := stat(pid, s.buf); stat != nil {
		return parent(stat)
	}
	return 0
}

// kill kills a process if it is still the one that was found: where the kernel has
// pidfds, it is found by one, and another that got its pid meanwhile is not hit.
func (s *search) kill(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer p.Release()
	has, _ := s.has(pid)
	return has && s.ownUser(pid) && p.Kill() == nil
}

// has reads the environment of a process and looks for the mark; bare says that it has
// none, or that it cannot be read.
func (s *search) has(pid int) (marked, bare bool) {
	env := s.environ(pid)
	for kv := range bytes.SplitSeq(env, []byte{0}) {
		if len(kv) == 0 || kv[0] != s.mark[0] && kv[0] != OuterEnv[0] {
			continue
		}
		if bytes.Equal(kv, s.mark) {
			return true, false
		}
		if outer, ok := bytes.CutPrefix(kv, []byte(OuterEnv+"=")); ok && s.inner != nil {
			for id := range bytes.SplitSeq(outer, []byte(",")) {
				if bytes.Equal(id, s.inner) {
					return true, false
				}
			}
		}
	}
	return false, len(env) == 0
}

// environ reads a process's environment, which a single read gives if there is room.
func (s *search) environ(pid int) []byte {
	for {
		env := File(pid, "environ", s.buf)
		if len(env) < len(s.buf) {
			return env
		}
		s.buf = make([]byte, 2*len(s.buf))
	}
}

// field is a field of a stat as numbered in proc(5), from 3 on, the state.
func field(stat []byte, n int) string {
	for ; n > 3; n-- {
		stat = stat[bytes.IndexByte(stat, ' ')+1:]
	}
	value, _, _ := bytes.Cut(stat, []byte(" "))
	return string(value)
}

// ofKernel says whether a process is a thread of the kernel, which has no environment.
func ofKernel(stat []byte) bool {
	const kernelThread = 0x00200000 // PF_KTHREAD
	flags, _ := strconv.ParseUint(field(stat, 9), 10, 64)
	return flags&kernelThread != 0
}

// age is how old a process is that began at a time in ticks since the machine was booted.
func age(begun string) time.Duration {
	const tick = time.Second / 100 // USER_HZ, which is the same on every Linux there is
	var now unix.Timespec
	ticks, err := strconv.ParseInt(begun, 10, 64)
	if err != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) != nil {
		return youth
	}
	return time.Duration(now.Nano()) - time.Duration(ticks)*tick
}

// ownUser says whether a process is of the user that runs this one.
func (s *search) ownUser(pid int) bool {
	_, uids, ok := bytes.Cut(File(pid, "status", s.buf), []byte("\nUid:\t"))
	real, _, _ := bytes.Cut(uids, []byte("\t"))
	return ok && string(real) == strconv.Itoa(os.Getuid())
}
