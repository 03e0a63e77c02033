package node

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
	"testing"
)

// session is a runtime that a test drives as a worker does.
type session struct {
	t       testing.TB
	cmd     *exec.Cmd
	dir     string // of the function's file, and working directory
	log     string
	to      *os.File
	replies *bufio.Reader
	ended   bool
}

// reply is a line of the runtime. Raw is the output as it was written.
type reply struct {
	ID     int             `json:"id"`
	M      []int64         `json:"m"`
	Output json.RawMessage `json:"output"`
	Error  *failure        `json:"error"`
}

type failure struct{ Type, Message, Stack string }

func (f *failure) String() string { return f.Type + ": " + f.Message }

// What a runtime measures of a call, in the order of its list.
const (
	mStart = iota
	mEnd
	mUser
	mSystem
	mMinorFaults
	mMajorFaults
	mBlockRead
	mBlockWrite
	mVoluntary
	mInvoluntary
	mPeak
	mLogEnd
	measures
)

// files are a function's file and those beside it, by name. The first is of the
// functions.
type files []struct{ name, text string }

func file(name, text string) files { return files{{name, text}} }

// launch starts a runtime and reads nothing.
func launch(t testing.TB, with files, env []string, names ...string) *session {
	t.Helper()
	return launchBy(t, nil, with, env, names...)
}

// launchBy has the command started by another one.
func launchBy(t testing.TB, starter []string, with files, env []string, names ...string) *session {
	t.Helper()
	interpreter, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	s := &session{t: t, dir: t.TempDir()}
	for _, f := range with {
		path := filepath.Join(s.dir, f.name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(f.text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	elsewhere := t.TempDir()
	program := filepath.Join(elsewhere, "runtime.mjs")
	if err := os.WriteFile(program, Source, 0o644); err != nil {
		t.Fatal(err)
	}
	s.log = filepath.Join(elsewhere, "log")
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	theirIn, to, err := requestPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer theirIn.Close()
	from, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer theirOut.Close()
	s.to, s.replies = to, bufio.NewReaderSize(from, 1<<20)
	argv := slices.Concat(starter, []string{interpreter, program, filepath.Join(s.dir, with[0].name)}, names)
	s.cmd = exec.Command(argv[0], argv[1:]...)
	s.cmd.Dir, s.cmd.Env = s.dir, append(os.Environ(), env...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		to.Close()
		if !s.ended {
			s.cmd.Process.Kill()
			s.cmd.Wait()
		}
		from.Close()
	})
	return s
}

// start is launch, and the runtime is ready.
func start(t testing.TB, with files, names ...string) *session {
	t.Helper()
	s := launch(t, with, nil, names...)
	s.awaitReady()
	return s
}

func (s *session) awaitReady() {
	s.t.Helper()
	if line := s.line(); !regexp.MustCompile(`^\{"ready":\{"language":"Node\.js \d+\.\d+\.\d+[^"]*"\}\}$`).MatchString(line) {
		s.t.Fatalf("the first line is %s", line)
	}
}

func (s *session) line() string {
	s.t.Helper()
	line, err := s.replies.ReadString('\n')
	if err != nil {
		s.t.Fatalf("no reply: %v after %q; log:\n%s", err, line, s.said())
	}
	return strings.TrimSuffix(line, "\n")
}

func (s *session) write(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.to, text); err != nil {
		s.t.Fatal(err)
	}
}

var frame = regexp.MustCompile(`^\{"id":\d+,"m":\[(\d+,){11}\d+\],"(output|error)":`)

// read reads a reply and checks its frame.
func (s *session) read() (r reply) {
	s.t.Helper()
	line := s.line()
	if err := json.Unmarshal([]byte(line), &r); err != nil || !frame.MatchString(line) || len(r.M) != measures {
		s.t.Fatalf("%v in %s", err, line)
	}
	var compact bytes.Buffer
	if json.Compact(&compact, []byte(line)); compact.Len() != len(line) {
		s.t.Errorf("there are blanks in %s", line)
	}
	return r
}

// call calls the f-th function and waits for the reply.
func (s *session) call(f, id int, input string) reply {
	s.t.Helper()
	s.write(fmt.Sprintf(`{"id":%d,"input":%s,"f":%d}`+"\n", id, input, f))
	r := s.read()
	if r.ID != id {
		s.t.Fatalf("reply %d to request %d", r.ID, id)
	}
	return r
}

// outcome is the output of a call as it stands, or its error's type and message.
func (r *reply) outcome() string {
	if r.Error != nil {
		return r.Error.String()
	}
	return string(r.Output)
}

// expect calls the f-th function; want is an outcome.
func (s *session) expect(f int, input, want string) reply {
	s.t.Helper()
	r := s.call(f, 17, input)
	if got := r.outcome(); got != want {
		s.t.Errorf("input %s gives %s, want %s", input, got, want)
	}
	return r
}

// said is what stands in the log.
func (s *session) said() string {
	s.t.Helper()
	text, err := os.ReadFile(s.log)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// end closes the requests, reads that no reply is left, and gives how the process
// ended.
func (s *session) end() *os.ProcessState {
	s.t.Helper()
	s.to.Close()
	return s.wait()
}

func (s *session) wait() *os.ProcessState {
	s.t.Helper()
	if rest, err := io.ReadAll(s.replies); len(rest) > 0 || err != nil {
		s.t.Errorf("%q, %v is left", rest, err)
	}
	s.cmd.Wait() // the exit code is what the test is for
	s.ended = true
	return s.cmd.ProcessState
}

func TestEndOfInputIsTheEnd(t *testing.T) {
	s := start(t, file("f.mjs", "export const f = (x) => x"), "f")
	s.expect(0, "5", "5")
	if state := s.end(); state.ExitCode() != 0 {
		t.Errorf("it ended with %v; log:\n%s", state, s.said())
	}
	// An incomplete line is no request.
	s = start(t, file("f.mjs", "export const f = (x) => x"), "f")
	s.write(`{"id":1,"input":5}`)
	if state := s.end(); state.ExitCode() != 0 {
		t.Errorf("it ended with %v; log:\n%s", state, s.said())
	}
}

func TestProcessEnds(t *testing.T) {
	const text = `export function f(how) {
  if (how === 'exit') process.exit(3)
  if (how === 'later') return new Promise(() => setTimeout(() => process.exit(4), 1))
  process.kill(process.pid, 'SIGKILL')
  for (;;) {}
}`
	for how, want := range map[string]string{"exit": "exit status 3", "later": "exit status 4", "crash": "signal: killed"} {
		s := start(t, file("f.mjs", text), "f")
		s.write(fmt.Sprintf(`{"id":1,"input":%q}`+"\n", how))
		if state := s.wait(); state.String() != want {
			t.Errorf("%s: %v, want %s", how, state, want)
		}
	}
}

func TestManyRequestsInOneWrite(t *testing.T) {
	s := start(t, file("f.mjs", "export const f = (x, id) => [x, id]"), "f")
	const n = 3000
	go func() {
		var all strings.Builder
		for i := range n {
			fmt.Fprintf(&all, `{"id":%d,"input":"ä%d"}`+"\n", i, i)
		}
		io.WriteString(s.to, all.String())
	}()
	for i := range n {
		r := s.read()
		if want := fmt.Sprintf(`["ä%d",%d]`, i, i); r.ID != i || r.outcome() != want {
			t.Fatalf("reply %d to request %d: %s, want %s", r.ID, i, r.outcome(), want)
		}
	}
}

// A request comes in as many parts as the pipe likes, cut within characters.
func TestRequestsInParts(t *testing.T) {
	s := start(t, file("f.mjs", "export const f = (x) => [x.length, x.codePointAt(x.length - 2), x.slice(0, 2)]"), "f")
	big := strings.Repeat("€ and 𝄞 ", 700_000) + "𝄞"
	for i, text := range []string{"ab𝄞", big, "cd𝄞", big, big} {
		request := fmt.Appendf(nil, `{"id":%d,"input":%q}`+"\n", i, text)
		go func() {
			for size := 1; len(request) > 0; size = min(size*2+1, 9999) {
				n, err := s.to.Write(request[:min(size, len(request))])
				if err != nil {
					return
				}
				request = request[n:]
			}
		}()
		length := 0
		for _, r := range text {
			length += 1 + int(r>>16)
		}
		first, _ := json.Marshal(string([]rune(text)[:2]))
		if r := s.read(); r.ID != i || r.outcome() != fmt.Sprintf("[%d,%d,%s]", length, '𝄞', first) {
			t.Errorf("reply %d: %s", r.ID, r.outcome())
		}
	}
}

func TestWhatIsNoRequestEndsIt(t *testing.T) {
	s := start(t, file("f.mjs", "export const f = (x) => x"), "f")
	s.write("hello\n")
	if state := s.wait(); state.ExitCode() != 1 || !strings.Contains(s.said(), "no request: hello") {
		t.Errorf("%v; log: %s", state, s.said())
	}
}

func TestDescriptorsStayHere(t *testing.T) {
	const text = `import { spawnSync } from 'child_process'
export function f() {
  const script = 'for i in 3 4; do if { true >&$i; } 2>/dev/null || { true <&$i; } 2>/dev/null; then echo $i; fi; done; echo looked'
  return spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout
}`
	s := start(t, file("f.mjs", strings.Replace(text, "f()", "f(x)", 1)), "f")
	s.expect(0, "1", `"looked\n"`)
}

// What the function prints is in the log when the reply comes, in its order, and
// the reply says up to where.
func TestLog(t *testing.T) {
	const text = `import fs from 'fs'
import { spawnSync } from 'child_process'
export function f(x) {
  console.log('log', x)
  console.error('error', x)
  process.stdout.write('out ' + x + '\n')
  fs.writeSync(2, 'err ' + x + '\n')
  spawnSync('sh', ['-c', 'echo child'], { stdio: 'inherit' })
  console.log('{"id":1,"output":0}')
}
export async function g(x) {
  await null
  process.stdout.write('a'.repeat(x))
  await new Promise((done) => process.stdout.write('\n', done))
}
export function h(x) {
  fs.closeSync(1)
}`
	s := start(t, file("f.mjs", text), "f", "g", "h")
	want := ""
	for i := range 3 {
		r := s.call(0, i, fmt.Sprint(i))
		want += fmt.Sprintf("log %d\nerror %d\nout %d\nerr %d\nchild\n{\"id\":1,\"output\":0}\n", i, i, i, i)
		if got := s.said(); got != want || r.M[mLogEnd] != int64(len(want)) || r.outcome() != "null" {
			t.Errorf("reply %s, log ends at %d:\n%s", r.outcome(), r.M[mLogEnd], got)
		}
	}
	if r := s.call(1, 9, "1000000"); r.M[mLogEnd] != int64(len(want)+1000001) {
		t.Errorf("log ends at %d", r.M[mLogEnd])
	}
	if r := s.call(2, 9, "0"); r.M[mLogEnd] != int64(len(want)+1000001) {
		t.Errorf("log ends at %d when it is closed", r.M[mLogEnd])
	}
}

// What the file sees is a program without arguments that is not the main one.
func TestSurroundings(t *testing.T) {
	s := start(t, file("f.cjs", `const isMain = require.main === module
module.exports.f = (x) => [process.argv.length, isMain, process.cwd() === __dirname || require('fs').realpathSync(__dirname), process.stdin.fd]`), "f")
	s.expect(0, "0", "[2,false,true,0]")
}

// The user's code may replace what the runtime uses.
func TestReplacedBuiltins(t *testing.T) {
	const text = `const fs = require('fs')
const broken = () => { throw new Error('replaced') }
exports.f = (x) => {
  for (const name of ['readSync', 'writeSync', 'fstatSync', 'openSync']) fs[name] = broken
  require('module').syncBuiltinESMExports()
  JSON.stringify = JSON.parse = broken
  process.exit = process.hrtime.bigint = process.resourceUsage = broken
  globalThis.setImmediate = globalThis.Promise = broken
  Array.isArray = Number.isFinite = Object.getPrototypeOf = broken
  return { x: [x] }
}
exports.g = async (x) => x`
	s := start(t, file("f.cjs", text), "f", "g")
	for range 3 {
		s.expect(0, `"a"`, `{"x":["a"]}`)
		s.expect(1, `"b"`, `"b"`)
	}
	if state := s.end(); state.ExitCode() != 0 {
		t.Errorf("it ended with %v; log:\n%s", state, s.said())
	}
}

func BenchmarkCall(b *testing.B) {
	for _, function := range []string{"(x) => x", "async (x) => x", "(x) => ({ a: x, b: [1, 2, 3], c: 'hello' })"} {
		for _, ahead := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/ahead=%d", function, ahead), func(b *testing.B) {
				s := start(b, file("f.mjs", "export const f = "+function), "f")
				sent, got := 0, 0
				for b.Loop() {
					for ; sent < got+ahead; sent++ {
						s.write(fmt.Sprintf(`{"id":%d,"input":5}`+"\n", sent))
					}
					if s.line() == "" {
						b.Fatal("empty reply")
					}
					got++
				}
			})
		}
	}
}
