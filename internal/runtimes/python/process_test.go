package python

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestExits(t *testing.T) {
	cases := []struct {
		function, item string
		code           int
		log            string
	}{
		{"exits", `0`, 0, "exiting"},
		{"exits", `3`, 3, "exiting"},
		{"exits", `null`, 0, "exiting"},
		{"exits", `"why"`, 1, "exitingwhy\n"},
		{"exits_at_once", `5`, 5, ""},
		{"killed", `9`, -1, ""},
		{"killed", `15`, -1, ""},
	}
	eachPython(t, func(t *testing.T, py python) {
		for _, c := range cases {
			p := start(t, py, testdata(t, "behave.py"), c.function)
			p.send(p.request(0, c.item))
			if code := p.exit(); code != c.code || p.logged() != c.log {
				t.Errorf("%s(%s): exit code %d, log %q; want %d, %q", c.function, c.item, code, p.logged(), c.code, c.log)
			}
		}
	})
}

func TestForks(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "forks")
		p.want(0, `"return"`, `0`)
		p.want(0, `"exit"`, `3`)
		p.printed(p.want(0, `"exit"`, `3`))
		got := p.printed(p.want(0, `"raise"`, `1`))
		contains(t, "log", got, "Traceback", "in forks", "ValueError: in the child\n")
		if strings.Contains(got, "runtime.py") {
			t.Errorf("our frames in the log:\n%s", got)
		}
		p.end()
	})
}

// TestForkedChildDoesNotHoldTheReplies is about a child that outlives the runtime.
func TestForkedChildDoesNotHoldTheReplies(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, module(t, "outlive.py", `
import os

def f(path):
    if os.fork() == 0:
        with open(path) as held:
            held.read()
        os._exit(0)
`), "f")
		fifo := t.TempDir() + "/fifo"
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		p.want(0, `"`+fifo+`"`, `null`)
		held, err := os.OpenFile(fifo, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		p.end() // it reads the replies to their end while the child lives
		if err := held.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNoDescriptorLeaks(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "descriptors")
		// Some may be inherited from whoever runs this test.
		alone, err := exec.Command(py.path, "-S", testdata(t, "descriptors.py")).Output()
		if err != nil {
			t.Fatal(err)
		}
		p.want(0, strconv.Quote(testdata(t, "descriptors.py")), strconv.Quote(string(alone)))
		p.end()
	})
}

func TestEndLetsThreadsAndHandlersFinish(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "thread", "at_exit")
		p.want(1, `7`, `null`)
		p.want(0, `0`, `null`)
		p.end()
		contains(t, "log", p.logged(), "thread ended\n", "at exit 7\n")
	})
}

func TestInterruptIsIgnored(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "interrupted", "killed")
		p.want(0, `0`, `"True"`) // but not by the programs that are started
		p.want(1, `2`, `"alive"`)
		if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		p.want(0, `0`, `"True"`)
		p.end()
	})
}

func TestWorkerIsGone(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "echo")
		p.pipe.Close()
		p.send(p.request(0, `1`))
		p.cmd.Wait()
		if code := p.cmd.ProcessState.ExitCode(); code != 1 || p.logged() != "" {
			t.Errorf("exit code %d, log %q", code, p.logged())
		}
	})
}

// TestSignalWithinAReply has a signal arrive while a reply is written.
func TestSignalWithinAReply(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, module(t, "alarm.py", `
import signal

def f(path):
    def tick(signum, frame):
        with open(path, "w"):
            pass
    signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    return "x" * 4000000
`), "f")
		fifo := t.TempDir() + "/fifo"
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		p.send(p.request(0, strconv.Quote(fifo)))
		ticked, err := os.Open(fifo) // the pipe is full then, and nobody has read
		if err != nil {
			t.Fatal(err)
		}
		ticked.Close()
		if r := p.checkID(p.receive()); len(r.Output) != 4000002 {
			t.Errorf("%d bytes", len(r.Output))
		}
		p.end()
	})
}

func TestRubbishInsteadOfARequest(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "echo")
		p.send("rubbish\n")
		if code := p.exit(); code != 1 {
			t.Errorf("exit code %d", code)
		}
		contains(t, "log", p.logged(), "not a request: b'rubbish'")
	})
}
