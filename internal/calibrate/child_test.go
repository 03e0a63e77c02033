//go:build linux

package calibrate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// truth is what a task knows of itself. Unless its script says quiet, it
// measures itself last of all and prints this as its result. A call of a function
// does so too; then all is of this call alone, but for HighWater.
type truth struct {
	PID          int
	Begin, End   int64 // CLOCK_MONOTONIC, ns
	User, System int64 // ns, of the process and of all it has waited for or was told by
	Peak         int64 // ru_maxrss, bytes
	HighWater    int64 // VmHWM, bytes: summed up exactly, where ru_maxrss may be off by a few pages per core
	Minor, Major int64
	Voluntary    int64
	Involuntary  int64
	WriteBlocks  int64
	RSS, USS, VM int64 // at the last hold step
	Most         int64 // VmRSS, bytes: the most it was at the begin of a call, after a touch and at the end
	ParentPeak   int64 // VmHWM of the process that started this one
}

// born is when this process began, to go by itself.
var born = monotonic()

func monotonic() int64 {
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // exists on every Linux
	return ts.Nano()
}

// script is the state of a child, or of a call, between its steps.
type script struct {
	truth truth
	begun int64   // CLOCK_MONOTONIC
	base  truth   // what had been used by then
	told  []truth // by processes that were not waited for
	held  [][]byte
	quiet bool
	given string // what a call returns instead of the truth
}

// behave does what text says and prints the truth.
func behave(text string) error {
	s := &script{begun: born}
	if err := s.steps(text); err != nil || s.quiet {
		return err
	}
	s.measure()
	json.Marshal(s.truth) // grows the heap now, before it is looked at
	s.measure()
	b, err := json.Marshal(s.truth)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(b)
	return err
}

// steps does the steps of text, separated by semicolons: a word and arguments.
func (s *script) steps(text string) error {
	for step := range strings.SplitSeq(text, ";") {
		f := strings.Fields(step)
		do := steps[f[0]]
		if do == nil {
			return fmt.Errorf("no step %q", f[0])
		}
		if err := do(s, f[1:]); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	return nil
}

// used is what the kernel has counted for this process and all it has waited for.
func used() (t truth) {
	var self, waited syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &self)
	syscall.Getrusage(syscall.RUSAGE_CHILDREN, &waited)
	for _, ru := range []syscall.Rusage{self, waited} {
		t.User += ru.Utime.Nano()
		t.System += ru.Stime.Nano()
		t.Minor += ru.Minflt
		t.Major += ru.Majflt
		t.Voluntary += ru.Nvcsw
		t.Involuntary += ru.Nivcsw
		t.WriteBlocks += ru.Oublock
	}
	t.Peak = max(self.Maxrss, waited.Maxrss) << 10
	return t
}

// measure fills the truth, up to now.
func (s *script) measure() {
	t, now := &s.truth, used()
	t.User, t.System = now.User-s.base.User, now.System-s.base.System
	t.Minor, t.Major = now.Minor-s.base.Minor, now.Major-s.base.Major
	t.Voluntary, t.Involuntary = now.Voluntary-s.base.Voluntary, now.Involuntary-s.base.Involuntary
	t.WriteBlocks = now.WriteBlocks - s.base.WriteBlocks
	for _, o := range s.told {
		t.User += o.User
		t.System += o.System
	}
	s.look()
	t.PID, t.Begin, t.Peak, t.HighWater = os.Getpid(), s.begun, now.Peak, procKB("self/status", "VmHWM:")
	t.ParentPeak = procKB(fmt.Sprintf("%d/status", os.Getppid()), "VmHWM:")
	t.End = monotonic()
}

func (s *script) look() { s.truth.Most = max(s.truth.Most, procKB("self/status", "VmRSS:")) }

// steps are what a task can be told to do.
var steps map[string]func(s *script, args []string) error

func init() {
	steps = map[string]func(s *script, args []string) error{
		"quiet":    func(s *script, _ []string) error { s.quiet = true; return nil },
		"burn":     burn,
		"touch":    touch,
		"drop":     drop,
		"hold":     hold,
		"sleep":    func(_ *script, a []string) error { time.Sleep(duration(a[0])); return nil },
		"switch":   switches,
		"children": func(_ *script, a []string) error { return children(number(a[0]), "burn "+a[1]+" user") },
		"helpers":  func(_ *script, a []string) error { return children(number(a[0]), "touch "+a[1]+"; hold "+a[2]) },
		"daemon":   daemon,
		"gone":     gone,
		"middle":   middle,
		"leave":    leave,
		"stay":     stay,
		"report":   report,
		"write":    writeFile,
		"send":     send,
		"print":    printBytes,
		"say":      say,
		"give":     func(s *script, a []string) error { s.given = letters(number(a[0]), number(a[1])); return nil },
		"exit":     func(_ *script, a []string) error { os.Exit(number(a[0])); return nil },
		"die":      func(_ *script, a []string) error { return die(a[0]) },
		"stubborn": func(*script, []string) error { ignoreTerm(); return nil },
		"meet":     meet,
		"murder":   murder,
	}
}

// burn takes CPU time by the kernel's own count: burn 500ms user|system.
func burn(_ *script, args []string) error {
	buf := make([]byte, 1<<20)
	zero, err := os.Open("/dev/zero")
	if err != nil {
		return err
	}
	defer zero.Close()
	first, goal := selfCPU(args[1]), int64(duration(args[0]))
	for x := 1; selfCPU(args[1])-first < goal; {
		if args[1] == "system" {
			zero.Read(buf)
			continue
		}
		for range 200_000 {
			x = x*7 + 1
		}
		buf[0] = byte(x)
	}
	return nil
}

func selfCPU(kind string) int64 {
	var ru syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
	if kind == "system" {
		return ru.Stime.Nano()
	}
	return ru.Utime.Nano()
}

// touch maps so many MiB and writes to every page.
func touch(s *script, args []string) error {
	b, err := unix.Mmap(-1, 0, number(args[0])<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	for i := 0; i < len(b); i += os.Getpagesize() {
		b[i] = 1
	}
	s.held = append(s.held, b)
	s.look()
	return nil
}

// drop gives the memory of the last touch back.
func drop(s *script, _ []string) error {
	b := s.held[len(s.held)-1]
	s.held = s.held[:len(s.held)-1]
	return unix.Munmap(b)
}

// hold notes the memory there is now and keeps it so for a while.
func hold(s *script, args []string) error {
	s.truth.RSS, s.truth.VM = procKB("self/status", "VmRSS:"), procKB("self/status", "VmSize:")
	s.truth.USS = procKB("self/smaps_rollup", "Private_Clean:") + procKB("self/smaps_rollup", "Private_Dirty:")
	time.Sleep(duration(args[0]))
	return nil
}

// procKB reads a value in kB of a file in /proc, in bytes.
func procKB(file, key string) int64 {
	b, _ := os.ReadFile("/proc/" + file) // 0 is noticed by the comparison
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); f[0] == key {
			return int64(number(f[1])) << 10
		}
	}
	return 0
}

// switches gives up the processor so many times.
func switches(_ *script, args []string) error {
	for range number(args[0]) {
		ts := unix.Timespec{Nsec: 10_000}
		unix.Nanosleep(&ts, nil)
	}
	return nil
}

// self is a command that runs this binary with another script.
func self(text string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", strings.Fields(text)...)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	cmd.Stderr = os.Stderr
	return cmd
}

// children runs so many children with a script side by side and waits for them.
func children(n int, script string) error {
	var running []*exec.Cmd
	for range n {
		cmd := self("quiet; " + script)
		if err := cmd.Start(); err != nil {
			return err
		}
		running = append(running, cmd)
	}
	var errs []error
	for _, cmd := range running {
		errs = append(errs, cmd.Wait())
	}
	return errors.Join(errs...)
}

func writeFile(_ *script, args []string) error {
	f, err := os.Create(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	chunk := make([]byte, 1<<20)
	for range number(args[1]) {
		if _, err := f.Write(chunk); err != nil {
			return err
		}
	}
	return f.Sync()
}

// printBytes writes known bytes: print out|err N SEED.
func printBytes(_ *script, args []string) error {
	to := os.Stdout
	if args[0] == "err" {
		to = os.Stderr
	}
	_, err := to.Write(known(number(args[1]), number(args[2])))
	return err
}

// say writes letters: say out|err N SEED.
func say(_ *script, args []string) error {
	to := os.Stdout
	if args[0] == "err" {
		to = os.Stderr
	}
	_, err := io.WriteString(to, letters(number(args[1]), number(args[2])))
	return err
}

// letters is a text that follows from seed.
func letters(size, seed int) string {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte('a' + (i*i+seed)%26)
	}
	return string(b)
}

// meet waits until so many tasks have come here: meet DIR N.
func meet(_ *script, args []string) error {
	if err := os.WriteFile(filepath.Join(args[0], strconv.Itoa(os.Getpid())), nil, 0o600); err != nil {
		return err
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if found, err := os.ReadDir(args[0]); err != nil || len(found) >= number(args[1]) {
			return err
		}
	}
	return errors.New("nobody came")
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err) // of a test's script
	}
	return n
}

func duration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err) // of a test's script
	}
	return d
}
