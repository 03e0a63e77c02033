// A function that does what its argument says and returns what it knows of the
// call. The steps are some of those of child_test.go; the keys of the result are
// the same.
import { closeSync, fsyncSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'

const state = { seen: {}, held: [], given: undefined, quiet: false }

export function behave(script) {
  const begin = monotonic()
  const base = used()
  Object.assign(state, { seen: { RSS: 0, USS: 0, VM: 0, Most: 0 }, held: [], given: undefined, quiet: false })
  look()
  for (const step of script.split(';')) {
    const [word, ...args] = step.trim().split(/\s+/)
    steps[word](...args)
  }
  if (state.given !== undefined) return state.given
  if (state.quiet) return null
  look()
  const truth = used()
  for (const key in truth) truth[key] -= base[key]
  return { ...truth, ...state.seen, PID: process.pid, Begin: begin, HighWater: procKB('status', 'VmHWM:'), End: monotonic() }
}

// CLOCK_MONOTONIC in ns: as a number it is exact for the first 104 days.
function monotonic() {
  return Number(process.hrtime.bigint())
}

// What the kernel has counted for this process.
function used() {
  const u = process.resourceUsage()
  return {
    User: u.userCPUTime * 1000,
    System: u.systemCPUTime * 1000,
    Minor: u.minorPageFault,
    Major: u.majorPageFault,
    Voluntary: u.voluntaryContextSwitches,
    Involuntary: u.involuntaryContextSwitches,
    WriteBlocks: u.fsWrite,
  }
}

// The sum of values in kB of a file of our own in /proc, in bytes.
function procKB(file, ...keys) {
  let sum = 0
  for (const line of readFileSync('/proc/self/' + file, 'utf8').split('\n')) {
    if (keys.some((key) => line.startsWith(key))) sum += parseInt(line.split(/\s+/)[1], 10) * 1024
  }
  return sum
}

function look() {
  state.seen.Most = Math.max(state.seen.Most, procKB('status', 'VmRSS:'))
}

function millis(text) {
  return text.endsWith('ms') ? parseFloat(text) : parseFloat(text) * 1000
}

function sleep(duration) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, millis(duration))
}

function letters(size, seed) {
  const b = Buffer.alloc(size)
  for (let i = 0; i < size; i++) b[i] = 97 + ((i * i + seed) % 26)
  return b.toString()
}

const steps = {
  quiet() {
    state.quiet = true
  },
  // CPU time by the kernel's own count.
  burn(duration, kind) {
    const begun = process.cpuUsage()
    const zero = openSync('/dev/zero')
    const buffer = Buffer.alloc(1 << 20)
    for (let x = 1; process.cpuUsage(begun)[kind] < millis(duration) * 1000; ) {
      if (kind === 'system') readSync(zero, buffer)
      else for (let i = 0; i < 200_000; i++) x = (x * 7 + 1) & 0xffff
    }
    closeSync(zero)
  },
  touch(mib) {
    state.held.push(Buffer.alloc(Number(mib) << 20, 1))
    look()
  },
  hold(duration) {
    state.seen.RSS = procKB('status', 'VmRSS:')
    state.seen.VM = procKB('status', 'VmSize:')
    state.seen.USS = procKB('smaps_rollup', 'Private_Clean:', 'Private_Dirty:')
    sleep(duration)
  },
  sleep,
  switch(n) {
    for (let i = 0; i < n; i++) sleep('0.1ms')
  },
  write(file, mib) {
    const f = openSync(file, 'w')
    const chunk = Buffer.alloc(1 << 20)
    for (let i = 0; i < mib; i++) writeSync(f, chunk)
    fsyncSync(f)
    closeSync(f)
  },
  say(where, size, seed) {
    const stream = where === 'err' ? process.stderr : process.stdout
    stream.write(letters(Number(size), Number(seed)))
  },
  give(size, seed) {
    state.given = letters(Number(size), Number(seed))
  },
  exit(code) {
    process.exit(Number(code))
  },
  die(name) {
    process.kill(process.pid, 'SIG' + name)
    sleep('60s')
  },
}
