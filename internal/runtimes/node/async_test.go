package node

import (
	"strings"
	"testing"
)

func TestAsync(t *testing.T) {
	const text = `import fs from 'fs'
import net from 'net'
import { setTimeout as sleep } from 'timers/promises'
export async function f(x) {
  await sleep(1)
  const text = await fs.promises.readFile(new URL(import.meta.url), 'utf8')
  return [x, text.slice(0, 6)]
}
export function g(x) {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.end('pong'))
    server.listen(0, '127.0.0.1', () => {
      const socket = net.connect(server.address().port, '127.0.0.1')
      socket.on('data', (data) => { server.close(); resolve(x + String(data)) })
      socket.on('error', reject)
    })
  })
}
export const thenable = (x) => ({ then: (resolve) => resolve([x]) })
export const callback = (x) => ({ then: (resolve, reject) => setTimeout(reject, 1, new RangeError(x)) })
export const hostile = (x) => ({ get then() { throw new RangeError(x) } })
export const nested = async (x) => ({ x, p: Promise.resolve(1) })
export const sync = (x) => x`
	s := start(t, file("f.mjs", text), "f", "g", "thenable", "callback", "hostile", "nested", "sync")
	for range 2 {
		s.expect(0, "5", `[5,"import"]`)
		s.expect(1, `"ping"`, `"pingpong"`)
		s.expect(2, "5", "[5]")
		s.expect(3, `"r"`, "RangeError: r")
		s.expect(4, `"r"`, "RangeError: r")
		s.expect(5, "5", `TypeError: result of nested is not JSON: Promise that was not awaited at ["p"]`)
		s.expect(6, "5", "5")
	}
	// Requests that are there already are worked off in order.
	s.write(`{"id":1,"input":1}` + "\n" + `{"id":2,"input":2,"f":6}` + "\n" + `{"id":3,"input":3}` + "\n")
	for i, want := range []string{`[1,"import"]`, "2", `[3,"import"]`} {
		if r := s.read(); r.ID != i+1 || r.outcome() != want {
			t.Errorf("reply %d: %s, want %s", r.ID, r.outcome(), want)
		}
	}
}

func TestWhatNeverSettles(t *testing.T) {
	const text = `export const f = (x) => new Promise(() => {})
export const g = async (x) => { await f(); return x }
let settle
export const late = (x) => new Promise((resolve) => { settle = resolve })
export const next = (x) => { settle('late'); return new Promise((resolve) => setTimeout(resolve, 1, x)) }`
	s := start(t, file("f.mjs", text), "f", "g", "late", "next")
	for range 2 {
		s.expect(0, "5", "Error: f returned a promise that can never settle")
		s.expect(1, "5", "Error: g returned a promise that can never settle")
		s.expect(2, "5", "Error: late returned a promise that can never settle")
		s.expect(3, "5", "5") // late's value, which comes meanwhile, is nobody's
	}
	if state := s.end(); state.ExitCode() != 0 {
		t.Errorf("it ended with %v; log:\n%s", state, s.said())
	}
}

// What goes wrong in the background is the error of the call that is awaited then.
func TestUncaught(t *testing.T) {
	const text = `class Lost extends Error {}
const lose = () => { throw new Lost('in the background') }
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
export async function throws(x) { setTimeout(lose, 1); await sleep(1e6) }
export async function rejects(x) { Promise.reject(new Lost('nobody handles it')); await sleep(1e6) }
export async function text(x) { Promise.reject('a text'); await sleep(1e6) }
export async function handled(x) { const p = Promise.reject(new Lost('')); await p.catch(() => {}); await sleep(1); return x }
export async function twice(x) { process.nextTick(lose); process.nextTick(lose); await sleep(1e6) }
export async function f(x) { await sleep(1); return x }`
	s := start(t, file("f.mjs", text), "throws", "rejects", "text", "handled", "f")
	s.expect(0, "5", "Lost: in the background")
	s.expect(1, "5", "Lost: nobody handles it")
	s.expect(2, "5", "string: a text")
	s.expect(3, "5", "5")
	r := s.expect(4, "5", "5")
	if r.M[mLogEnd] != 0 {
		t.Errorf("log:\n%s", s.said())
	}
	if r := s.call(0, 1, "5"); !strings.Contains(r.Error.Stack, "at Timeout.lose [as _onTimeout]") || strings.Contains(r.Error.Stack, "node:internal") {
		t.Errorf("stack:\n%s", r.Error.Stack)
	}
}

// While no call runs, it is printed. A function that is not asynchronous gives
// what it has begun a turn when a millisecond has gone by, or at the end.
func TestUncaughtBetweenCalls(t *testing.T) {
	const text = `class Lost extends Error {}
export function f(x) {
  Promise.reject(new Lost('rejected ' + x))
  setTimeout(() => { throw new Lost('thrown ' + x) }, 0)
  return x
}
export function g(x) {
  const began = performance.now()
  while (performance.now() - began < 3);
  return x
}`
	s := start(t, file("f.mjs", text), "f", "g")
	s.expect(0, "1", "1")
	s.expect(1, "2", "2")
	s.expect(1, "3", "3") // the turn is between these
	want := []string{
		"lithops: error in the background, while no function runs:\nError: rejected 1\n    at f (file://",
		"lithops: error in the background, while no function runs:\nError: thrown 1\n    at Timeout._onTimeout (file://",
	}
	for _, text := range want {
		if !strings.Contains(s.said(), text) {
			t.Errorf("no %q in the log:\n%s", text, s.said())
		}
	}
	s.expect(0, "4", "4")
	if state := s.end(); state.ExitCode() != 0 {
		t.Errorf("it ended with %v", state)
	}
	if !strings.Contains(s.said(), "Error: rejected 4\n") {
		t.Errorf("no rejection of the last call in the log:\n%s", s.said())
	}
}

func TestBackgroundWorkGoesOn(t *testing.T) {
	const text = `let n = 0
setInterval(() => n++, 1)
export async function f(x) { while (n < x) await new Promise((resolve) => setTimeout(resolve, 1)); return n >= x }`
	s := start(t, file("f.mjs", text), "f")
	s.expect(0, "3", "true")
	s.expect(0, "6", "true")
	if state := s.end(); state.ExitCode() != 0 {
		t.Errorf("it ended with %v; log:\n%s", state, s.said())
	}
}
