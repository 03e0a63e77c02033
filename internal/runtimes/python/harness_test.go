package python

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// python is an interpreter to test with.
type python struct {
	path    string
	version [2]int
}

// interpreters are the usual python3 and the oldest one on this machine that will do,
// and one that is too old, if there is any.
var interpreters = sync.OnceValues(findInterpreters)

// eachPython runs a test with the usual interpreter and with the oldest.
func eachPython(t *testing.T, test func(t *testing.T, py python)) {
	t.Parallel()
	found, _ := interpreters()
	if len(found) == 0 {
		t.Skip("there is no Python of version 3.8 or newer")
	}
	for _, py := range found {
		t.Run(fmt.Sprintf("%d.%d", py.version[0], py.version[1]), func(t *testing.T) { test(t, py) })
	}
}

func findInterpreters() (good []python, old *python) {
	names := []string{"python3"}
	for minor := 6; minor < 20; minor++ {
		names = append(names, fmt.Sprintf("python3.%d", minor))
	}
	names = append(names, "python2", "python2.7")
	if home, err := os.UserHomeDir(); err == nil {
		installed, _ := filepath.Glob(filepath.Join(home, ".pyenv/versions/*/bin/python"))
		names = append(names, installed...)
	}
	for _, name := range names {
		// What is in PATH may be a script that starts the interpreter.
		out, err := exec.Command(name, "-c", "import sys; print('%d %d %s' % (sys.version_info[:2] + (sys.executable,)))").Output()
		var py python
		if err != nil {
			continue
		}
		if n, _ := fmt.Sscanf(string(out), "%d %d %s", &py.version[0], &py.version[1], &py.path); n != 3 {
			continue
		}
		tooOld := py.before(3, 8)
		switch {
		case tooOld && old == nil:
			old = &py
		case tooOld && py.before(old.version[0], old.version[1]):
			old = &py
		case tooOld:
		case len(good) == 0:
			good = append(good, py)
		case py.before(good[len(good)-1].version[0], good[len(good)-1].version[1]):
			good = append(good[:1], py)
		}
	}
	return good, old
}

func (p python) before(major, minor int) bool {
	return p.version[0] < major || p.version[0] == major && p.version[1] < minor
}

// errorOf is an error as the protocol has it.
type errorOf struct{ Type, Message, Stack string }

// greeting is the first line of a runtime.
type greeting struct {
	Ready *struct{ Language string }
	Fatal *errorOf
}

// Measurements in the order of a reply.
const (
	mStart = iota
	mEnd
	mUser
	mSystem
	mMinor
	mMajor
	mIn
	mOut
	mYields
	mPreempts
	mPeak
	mLogEnd
	measures
)

type reply struct {
	ID     int
	M      [measures]int64
	Output json.RawMessage
	Error  *errorOf
}

// process is a runtime that was started.
type process struct {
	t        *testing.T
	cmd      *exec.Cmd
	requests *os.File
	pipe     *os.File // of the replies
	replies  *bufio.Reader
	log      *os.File
	hello    greeting
	read     int64 // of the log
	next     int   // id of the next request
}

// runtimeFile writes the runtime into a directory of the test, which has a file
// that must not be taken for a module of the standard library.
func runtimeFile(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "json.py"), "raise RuntimeError('not the module json')\n")
	path := filepath.Join(dir, "runtime.py")
	write(t, path, string(Source))
	return path
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// module writes a file with functions into a directory of the test.
func module(t *testing.T, name, text string) string {
	t.Helper()
	return write(t, filepath.Join(t.TempDir(), name), text)
}

func testdata(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// launch starts a runtime and reads its first line.
func launch(t *testing.T, py python, file string, names ...string) *process {
	t.Helper()
	r, w := pipe(t)
	return launchOn(t, r, w, py, file, names...)
}

// launchOn does so with r and w as the pipe of the requests.
func launchOn(t *testing.T, r, w *os.File, py python, file string, names ...string) *process {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(t.TempDir(), "log"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	replies, w4 := pipe(t)
	if err := replies.SetReadDeadline(time.Now().Add(time.Minute)); err != nil { // a test that hangs fails
		t.Fatal(err)
	}
	p := &process{t: t, requests: w, log: log, pipe: replies, replies: bufio.NewReader(replies)}
	p.cmd = exec.Command(py.path, append([]string{runtimeFile(t), file}, names...)...)
	p.cmd.Env = append(plainEnv(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=default")
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.ExtraFiles = []*os.File{r, w4}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	w4.Close()
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.cmd.Process.Kill()
			p.cmd.Wait()
		}
		log.Close()
	})
	if err := json.Unmarshal(p.line(), &p.hello); err != nil {
		t.Fatal(err)
	}
	return p
}

// plainEnv is the environment without settings of Python.
func plainEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PYTHON") })
}

// start is launch of one that has to be ready.
func start(t *testing.T, py python, file string, names ...string) *process {
	t.Helper()
	p := launch(t, py, file, names...)
	if p.hello.Ready == nil {
		t.Fatalf("not ready: %+v", p.hello.Fatal)
	}
	return p
}

// line is the next one from the runtime.
func (p *process) line() []byte {
	p.t.Helper()
	line, err := p.replies.ReadBytes('\n')
	if err != nil {
		p.t.Fatalf("reading a reply: %v; log: %s", err, p.logged())
	}
	return line
}

// logged is what is in the log.
func (p *process) logged() string {
	b, err := os.ReadFile(p.log.Name())
	if err != nil {
		p.t.Error(err)
	}
	return string(b)
}

func (p *process) send(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.requests, text); err != nil {
		p.t.Fatal(err)
	}
}

var frame = regexp.MustCompile(`^\{"id":\d+,"m":\[(?:\d+,){11}\d+\],"(?:output|error)":`)

// receive reads a reply.
func (p *process) receive() (r reply) {
	p.t.Helper()
	line := p.line()
	if !frame.Match(line) {
		p.t.Fatalf("not a reply: %.300s", line)
	}
	if err := json.Unmarshal(line, &r); err != nil {
		p.t.Fatalf("%v: %.300s", err, line)
	}
	// The worker takes the output as it is, so it has to be compact.
	var compact bytes.Buffer
	if err := json.Compact(&compact, line); err != nil || compact.String()+"\n" != string(line) {
		p.t.Fatalf("a reply that is not compact (%v): %.300s", err, line)
	}
	return r
}

// request is a line that asks for a call of the function of that index.
func (p *process) request(function int, input string) string {
	p.next++
	if function == 0 {
		return fmt.Sprintf(`{"id":%d,"input":%s}`+"\n", p.next, input)
	}
	return fmt.Sprintf(`{"id":%d,"input":%s,"f":%d}`+"\n", p.next, input, function)
}

// try calls a function and returns the reply.
func (p *process) try(function int, input string) reply {
	p.t.Helper()
	p.send(p.request(function, input))
	return p.checkID(p.receive())
}

func (p *process) checkID(r reply) reply {
	p.t.Helper()
	if r.ID != p.next {
		p.t.Fatalf("reply to %d for request %d", r.ID, p.next)
	}
	return r
}

// call calls a function that has to succeed.
func (p *process) call(function int, input string) (string, reply) {
	p.t.Helper()
	r := p.try(function, input)
	if r.Error != nil {
		p.t.Fatalf("call with %.100s: %+v", input, *r.Error)
	}
	return string(r.Output), r
}

// want calls a function and compares its output.
func (p *process) want(function int, input, output string) reply {
	p.t.Helper()
	got, r := p.call(function, input)
	if got != output {
		p.t.Errorf("call with %.100s: output %.300s, want %.300s", input, got, output)
	}
	return r
}

// printed is what was written to the log since it was asked last, up to the end
// that a reply tells.
func (p *process) printed(r reply) string {
	p.t.Helper()
	b := make([]byte, r.M[mLogEnd]-p.read)
	if _, err := p.log.ReadAt(b, p.read); err != nil && len(b) > 0 {
		p.t.Fatal(err)
	}
	p.read = r.M[mLogEnd]
	return string(b)
}

// exit waits until the runtime has ended and returns its exit code; -1 by a signal.
// There must be nothing more on the reply pipe.
func (p *process) exit() int {
	p.t.Helper()
	if rest, err := io.ReadAll(p.replies); err != nil || len(rest) > 0 {
		p.t.Errorf("after the last reply: %q, %v", rest, err)
	}
	err := p.cmd.Wait()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		p.t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// end closes the requests; the runtime has to end well.
func (p *process) end() {
	p.t.Helper()
	p.requests.Close()
	if code := p.exit(); code != 0 {
		p.t.Errorf("exit code %d; log: %s", code, p.logged())
	}
}

func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s lacks %q:\n%s", what, part, text)
		}
	}
}

// usualPython is the usual interpreter, for what does not depend on its version.
func usualPython(t *testing.T) python {
	t.Helper()
	t.Parallel()
	found, _ := interpreters()
	if len(found) == 0 {
		t.Skip("there is no Python of version 3.8 or newer")
	}
	return found[0]
}
