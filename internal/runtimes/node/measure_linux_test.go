package node

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"golang.org/x/sys/unix"
)

func monotonic(t *testing.T) int64 {
	t.Helper()
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		t.Fatal(err)
	}
	return ts.Nano()
}

// The stamps are of the machine's monotonic clock and enclose the call alone.
func TestTimes(t *testing.T) {
	const text = `const wait = (ms) => { const end = performance.now() + ms; while (performance.now() < end); }
const now = () => Number(process.hrtime.bigint())
export const f = (x) => { const from = now(); wait(x); return { from, to: now(), toJSON() { wait(21); return [this.from, this.to] } } }
export const g = async (x) => { const from = now(); await new Promise((r) => setTimeout(r, x)); return [from, now()] }`
	s := start(t, file("f.mjs", text), "f", "g")
	for f := range 2 {
		before := monotonic(t)
		r := s.call(f, 1, "20")
		after := monotonic(t)
		var own [2]int64
		if err := json.Unmarshal(r.Output, &own); err != nil {
			t.Fatal(err)
		}
		if all := []int64{before, r.M[mStart], own[0], own[1], r.M[mEnd], after}; !(all[0] < all[1] && all[1] <= all[2] && all[2] < all[3] && all[3] <= all[4] && all[4] < all[5]) {
			t.Errorf("%d: the times are not in order: %v", f, all)
		}
		if toJSON := after - r.M[mEnd]; f == 0 && toJSON < 20e6 {
			t.Errorf("encoding the result is within the call: %d ns are left", toJSON)
		}
	}
}

// The CPU time is that between the stamps, whatever the calls before have used.
func TestCPU(t *testing.T) {
	const text = `import fs from 'fs'
function burn(x) {
  const from = process.cpuUsage()
  for (let i = 0; ; i++) {
    Math.sqrt(i)
    if (i % 1000 === 0 && x.system) fs.statSync('.')
    const used = process.cpuUsage(from)
    if (used.user + used.system >= x.us) return [used.user, used.system]
  }
}
export const f = burn
export const g = async (x) => { const a = burn(x); await new Promise((r) => setTimeout(r, 50)); return a }`
	s := start(t, file("f.mjs", text), "f", "g")
	for f := range 2 {
		for _, us := range []int64{200_000, 1_000, 50_000} {
			r := s.call(f, 1, fmt.Sprintf(`{"us":%d}`, us))
			var own [2]int64
			if err := json.Unmarshal(r.Output, &own); err != nil {
				t.Fatal(err)
			}
			got, want := r.M[mUser]+r.M[mSystem], own[0]+own[1]
			if got < want-5 || got > want+want/10+20_000 {
				t.Errorf("%d: %d µs for %d", f, got, want)
			}
		}
	}
}

func TestCounters(t *testing.T) {
	const text = `export const faults = (n) => { const b = Buffer.alloc(n, 1); return b.length }
export const sleeps = (n) => { const a = new Int32Array(new SharedArrayBuffer(4)); for (let i = 0; i < n; i++) Atomics.wait(a, 0, 0, 1) }`
	s := start(t, file("f.mjs", text), "faults", "sleeps")
	if r := s.call(0, 1, fmt.Sprint(64<<20)); r.M[mMinorFaults] < 32 { // huge pages make few
		t.Errorf("%d page faults", r.M[mMinorFaults])
	}
	if r := s.call(1, 1, "20"); r.M[mVoluntary] < 20 {
		t.Errorf("%d context switches", r.M[mVoluntary])
	}
}

// The peak is that of the call: it falls again. The kernel never counts it below that
// of the process that started node, so a small one does.
func TestPeak(t *testing.T) {
	const text = `import v8 from 'v8'
import vm from 'vm'
v8.setFlagsFromString('--expose-gc')
const collect = vm.runInNewContext('gc')
const touch = (n) => Buffer.alloc(n, 1).length
export const f = (n) => touch(n)
export const g = async (n) => { await null; return touch(n) }
export const gc = (x) => collect()`
	const size, near = 64 << 20, 8 << 20
	s := launchBy(t, []string{"sh", "-c", `"$@"; exit $?`, "sh"}, file("f.mjs", text), nil, "f", "g", "gc")
	s.awaitReady()
	for f := range 2 {
		s.call(2, 1, "0")
		base := s.call(f, 1, "0").M[mPeak]
		if base < 16<<20 {
			t.Fatalf("the peak of node is %d", base)
		}
		if peak := s.call(f, 1, fmt.Sprint(size)).M[mPeak]; peak < base+size-near || peak > base+size+near {
			t.Errorf("%d: peak %d with %d bytes more than %d", f, peak, size, base)
		}
		peak := int64(math.MaxInt64) // node may free a buffer in the background
		for tries := 0; tries < 1000 && peak > base+near; tries++ {
			s.call(2, 1, "0")
			peak = s.call(f, 1, "0").M[mPeak]
		}
		if peak > base+near {
			t.Errorf("%d: peak %d after one of %d more than %d", f, peak, size, base)
		}
	}
	s.end()
}
