package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"
)

// workersPart runs tasks that sleep, each by a worker of its own: what counts is how
// soon the last one begins. The ideal has all begin at once.
func workersPart(b *bench) error {
	n := b.sleepers
	times, sum := make([]string, n), time.Duration(0)
	longest, random := time.Duration(0), rand.New(rand.NewPCG(1, 2)) // the same in each run
	for i := range times {
		d := (b.asleep + rand64(random, b.asleep)).Round(time.Millisecond)
		times[i], sum, longest = strconv.FormatFloat(d.Seconds(), 'f', 3, 64), sum+d, max(longest, d)
	}
	items, err := b.file("sleeps", strings.Join(times, "\n")+"\n")
	if err != nil {
		return err
	}
	spec, err := b.file("sleepers.yaml", fmt.Sprintf("command: [sleep, '{}']\nworkers: %d\ndata: {list: [%s]}\n", n, strings.Join(times, ", ")))
	if err != nil {
		return err
	}
	p := strconv.Itoa(n)
	own := &contestant{name: "lithops", note: "full statistics", n: n, argv: []string{b.lithops, "run", "--quiet", spec}}
	all := []*contestant{own,
		installed(&contestant{name: "xargs -P" + p + " -n1", note: "no statistics", n: n, argv: []string{"xargs", "-P" + p, "-n1", "sleep"}, stdin: items}),
		b.gnuParallel(n, "-j"+p, "--joblog", b.dir+"/sleeplog", "-a", items, "sleep")}
	host := process{}
	own.watch = func(pid int) { host.follow(pid) }
	const mostRounds = 2 // they are long
	if err := b.contest(min(b.rounds, mostRounds), all); err != nil {
		return err
	}
	used := func(wall time.Duration) string {
		return fmt.Sprintf("%.1f %%", 100*sum.Seconds()/(float64(n)*wall.Seconds()))
	}
	rows := [][]string{{"", "wall", "to ideal", "utilisation", "cpu per task", ""}, {"ideal", secs(longest), "1.00", used(longest), "", "the longest task"}}
	for _, c := range all {
		if c.argv == nil {
			rows = append(rows, []string{c.name, "skipped: " + c.note})
			continue
		}
		wall := median(c.costs, wall)
		rows = append(rows, []string{c.name, secs(wall), fmt.Sprintf("%.3f", wall.Seconds()/longest.Seconds()), used(wall), micros(c.each(cpu)), c.note})
	}
	b.printf("%d tasks that sleep %v to %v, %d at a time\n", n, b.asleep, 2*b.asleep, n)
	b.table(rows)
	return b.rampUp(own, host)
}

func rand64(r *rand.Rand, below time.Duration) time.Duration {
	return time.Duration(r.Int64N(int64(below) + 1))
}

// rampUp shows how the newest job, of the contestant own, came to have all its workers.
func (b *bench) rampUp(own *contestant, host process) error {
	j, err := b.newest()
	if err != nil {
		return err
	}
	var submitted, began, tasks int64
	for r, err := range j.Records() {
		if err != nil {
			return err
		}
		if submitted == 0 || r.HostSubmit.NS < submitted {
			submitted = r.HostSubmit.NS
		}
		began, tasks = max(began, r.FuncStart.NS), tasks+r.CPUUser.NS+r.CPUSystem.NS
	}
	b.printf("lithops, last round: the last task began %s after the first could have\n", secs(time.Duration(began-submitted)))
	if !host.seen {
		return nil
	}
	all := own.costs[len(own.costs)-1].cpu
	b.printf("CPU: host %s, each worker %s, each task %s; peak memory of the host %s\n", millis(host.cpu),
		millis((all-host.cpu-time.Duration(tasks))/time.Duration(own.n)), millis(time.Duration(tasks)/time.Duration(own.n)), mib(host.peak))
	return nil
}

// process is what /proc tells of a process alone, without its children.
type process struct {
	seen bool
	cpu  time.Duration
	peak int64 // bytes
}

// follow looks at a child until it has exited: its times stand until it is waited for,
// its peak is the last seen. Where there is no /proc it returns at once.
func (p *process) follow(pid int) {
	*p = process{}
	for proc := fmt.Sprintf("/proc/%d/", pid); ; time.Sleep(5 * time.Millisecond) {
		stat, err := os.ReadFile(proc + "stat")
		if err != nil {
			return
		}
		// pid (name) state ppid …, utime and stime being 14th and 15th
		_, rest, _ := strings.Cut(string(stat), ") ")
		f := strings.Fields(rest)
		if len(f) < 13 {
			return
		}
		if f[0] == "Z" {
			const tick = 10 * time.Millisecond
			user, _ := strconv.Atoi(f[11])
			system, _ := strconv.Atoi(f[12])
			p.seen, p.cpu = true, time.Duration(user+system)*tick
			return
		}
		status, _ := os.ReadFile(proc + "status")
		if _, high, ok := strings.Cut(string(status), "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(high)[0], 10, 64)
			p.peak = kb << 10
		}
	}
}
