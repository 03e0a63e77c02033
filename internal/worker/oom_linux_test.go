package worker

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/lithops-go/lithops/internal/cgroup"
	"github.com/lithops-go/lithops/internal/wire"
)

// Without a cgroup of its own, what the kernel kills is found in its log.
func TestTheKernelsLogTellsWhomItKilled(t *testing.T) {
	l := openKernelLog()
	if l == nil {
		t.Skip("the kernel's log cannot be read, or this is a PID namespace")
	}
	l.close()
	limit, _ := inCgroup(t, room)
	var j wire.Job
	limit(&j)
	group, err := cgroup.OpenWorker(map[string]int{wire.ByCgroup1: 1, wire.ByCgroup2: 2}[j.Memory.By], j.Memory.Dir, 0, room)
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	enter := "echo 0 > " + filepath.Join(j.Memory.Dir, "w-0", "cgroup.procs")
	h := newPeer(t, lines())
	h.expect(wire.Ready)
	all := []string{enter + "; exec " + hog, "kill -KILL $$", enter + "; " + hog + "; exit $?"}
	for i, line := range all {
		h.task(int64(i), fmt.Sprintf("%q", line))
	}
	h.send(wire.Message{Kind: wire.End})
	records := h.until(len(all))
	for i, want := range []string{"out of memory: the kernel killed it", "ended by SIGKILL", "exit code 137"} {
		if r := records[i]; r.Task != i || r.Error != want || (r.ErrorType == "memory") != (i == 0) {
			t.Errorf("%q: %s: %q; want %q", all[i], r.ErrorType, r.Error, want)
		}
	}
	<-h.exit
}

func TestRecordsOfTheKernelsLog(t *testing.T) {
	for record, want := range map[string]bool{
		"3,1017,5140900871,-;Memory cgroup out of memory: Killed process 4711 (tail) total-vm:200kB, anon-rss:1kB\n": true,
		"3,1017,5140900871,-;Out of memory: Killed process 4711 (a b) total-vm:200kB\n SUBSYSTEM=x\n":                true,
		"3,1017,5140900871,c;Killed process 4711, UID 0, (tail) total-vm:200kB\n":                                    true,
		"3,1017,5140900871,-;Memory cgroup out of memory: Killed process 47110 (tail) total-vm:200kB\n":              false,
		"3,1017,5140900871,-;Memory cgroup out of memory: Killed process 471 (tail) total-vm:200kB\n":                false,
		"12,1017,5140900871,-;Out of memory: Killed process 4711 (tail), says somebody who may write into the log\n": false,
		"6,1017,5140900871,-;oom_reaper: reaped process 4711 (tail), now anon-rss:0kB\n":                             false,
		"": false,
	} {
		if got := killedIn([]byte(record), 4711); got != want {
			t.Errorf("%q: %v", record, got)
		}
	}
}
