package main

import (
	_ "embed"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

//go:embed floor/floor.c
var floorSource string

// tasksPart runs true many times, by everything there is.
func tasksPart(b *bench) error {
	items, err := b.file("items", lines(b.tasks))
	if err != nil {
		return err
	}
	spec, err := b.file("job.yaml", fmt.Sprintf("command: [%q]\nworkers: %d\ndata: {range: %d}\n", b.target, b.workers, b.tasks))
	if err != nil {
		return err
	}
	floor, err := b.floor()
	if err != nil {
		return err
	}
	own := &contestant{name: "lithops", note: "full statistics", n: b.tasks, argv: []string{b.lithops, "run", "--quiet", spec}}
	p := strconv.Itoa(b.workers)
	xargs := installed(&contestant{name: "xargs -P" + p + " -n1", note: "no statistics", n: b.tasks, argv: []string{"xargs", "-P" + p, "-n1", b.target}, stdin: items})
	make, err := b.makefile(p)
	if err != nil {
		return err
	}
	all := append([]*contestant{floor, own, xargs, make}, b.parallels(items, p)...)
	if err := b.contest(b.rounds, all); err != nil {
		return err
	}
	rows := [][]string{{"", "wall", "per task", "cpu per task", "to floor", "to lithops", ""}}
	for _, c := range all {
		if c.argv == nil {
			rows = append(rows, []string{c.name, "skipped: " + c.note})
			continue
		}
		rows = append(rows, []string{c.name, secs(median(c.costs, wall)), micros(c.each(wall)), micros(c.each(cpu)), times(c.ratio(floor)), times(c.ratio(own)), c.note})
	}
	b.printf("%d × %s, %d at a time\n", b.tasks, b.target, b.workers)
	b.table(rows)
	return b.breakdown(own)
}

func lines(n int) string {
	var s strings.Builder
	for i := range n {
		s.WriteString(strconv.Itoa(i) + "\n")
	}
	return s.String()
}

// installed finds the contestant's program, or says why it is skipped.
func installed(c *contestant) *contestant {
	path, err := exec.LookPath(c.argv[0])
	if err != nil {
		c.note, c.argv = c.argv[0]+" is not installed", nil
		return c
	}
	c.argv[0] = path
	return c
}

// floor is the C program, when there is a compiler.
func (b *bench) floor() (*contestant, error) {
	c := &contestant{name: "C floor", note: "vfork, execve, wait4; no statistics", n: b.tasks}
	cc, err := exec.LookPath("cc")
	if err != nil {
		c.note = "cc is not installed"
		return c, nil
	}
	source, err := b.file("floor.c", floorSource)
	if err != nil {
		return nil, err
	}
	program := strings.TrimSuffix(source, ".c")
	if out, err := exec.Command(cc, "-O2", "-o", program, source).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the floor: %w\n%s", err, out)
	}
	c.argv = []string{program, strconv.Itoa(b.tasks), strconv.Itoa(b.workers), b.target}
	return c, nil
}

// makefile has a target for each task.
func (b *bench) makefile(p string) (*contestant, error) {
	var targets strings.Builder
	for i := range b.tasks {
		targets.WriteString(" t" + strconv.Itoa(i))
	}
	text := fmt.Sprintf("T :=%s\nall: $(T)\n.PHONY: all $(T)\n$(T):\n\t@%s\n", targets.String(), b.target)
	path, err := b.file("tasks.mk", text)
	return installed(&contestant{name: "make -j" + p, note: "no statistics", n: b.tasks, argv: []string{"make", "-s", "-f", path, "-j" + p}}), err
}

// parallels are the two programs named parallel, whichever is there. GNU's is so
// slow that it gets a tenth of the tasks.
func (b *bench) parallels(items, p string) []*contestant {
	path, gnu, err := parallel()
	if err != nil {
		return []*contestant{{name: "parallel", note: "neither GNU's nor that of moreutils is installed"}}
	}
	if !gnu {
		argv := append([]string{path, "-j", p, b.target, "--"}, strings.Fields(lines(b.tasks))...)
		return []*contestant{{name: "moreutils parallel", note: "no statistics", n: b.tasks, argv: argv}}
	}
	few := max(1, b.tasks/10)
	some, err := b.file("some", lines(few))
	if err != nil {
		return []*contestant{{name: "GNU parallel", note: err.Error()}}
	}
	return []*contestant{{name: "GNU parallel", note: fmt.Sprintf("--joblog; %d tasks, per task scaled", few), n: few,
		argv: []string{path, "-j" + p, "--joblog", b.dir + "/joblog", "-a", some, b.target}}}
}

// parallel is the program of that name, which may be GNU's.
func parallel() (path string, gnu bool, err error) {
	if path, err = exec.LookPath("parallel"); err != nil {
		return "", false, err
	}
	version, _ := exec.Command(path, "--version").Output() // moreutils' knows no --version
	return path, strings.HasPrefix(string(version), "GNU parallel"), nil
}

// gnuParallel is GNU's, with n tasks.
func (b *bench) gnuParallel(n int, args ...string) *contestant {
	c := &contestant{name: "GNU parallel", note: "--joblog", n: n}
	if path, gnu, err := parallel(); err != nil || !gnu {
		c.note = "it is not installed"
	} else {
		c.argv = append([]string{path}, args...)
	}
	return c
}
