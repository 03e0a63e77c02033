package python

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
)

// number calls a function whose result is a number.
func (p *process) number(function int, input string) (float64, reply) {
	p.t.Helper()
	got, r := p.call(function, input)
	var n float64
	if err := json.Unmarshal([]byte(got), &n); err != nil {
		p.t.Fatal(err)
	}
	return n, r
}

// TestCPUTime compares what is measured with what the function itself has measured.
func TestCPUTime(t *testing.T) {
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "burn", "burn_child", "echo")
		var last int64
		for f := range 2 {
			used, r := p.number(f, `0.05`)
			got := float64(r.M[mUser]+r.M[mSystem]) / 1e6
			// A process that starts another uses some as well.
			if used < 0.05 || got < used-0.001 || f == 0 && got > used+0.02 || f == 1 && got > used+0.3 {
				t.Errorf("function %d: %v s of CPU time measured, it used %v", f, got, used)
			}
			if r.M[mStart] <= last || r.M[mEnd] < r.M[mStart] {
				t.Errorf("call from %d to %d, the one before ended %d", r.M[mStart], r.M[mEnd], last)
			}
			last = r.M[mEnd]
		}
		_, r := p.call(2, `1`)
		if got := r.M[mUser] + r.M[mSystem]; got > 10000 {
			t.Errorf("%d µs of CPU time for nothing", got)
		}
		p.end()
	})
}

func TestPeakMemory(t *testing.T) {
	const block, slack = 64 << 20, 8 << 20
	eachPython(t, func(t *testing.T, py python) {
		p := start(t, py, testdata(t, "behave.py"), "allocate", "allocate_child", "echo")
		_, before := p.call(2, `1`)
		_, with := p.call(0, `64`)
		_, after := p.call(2, `1`)
		_, child := p.call(1, `64`)
		if with.M[mPeak] < block {
			t.Errorf("peak of a call that allocates 64 MiB: %d", with.M[mPeak])
		}
		if with.M[mMinor] < 1 {
			t.Errorf("it had %d page faults", with.M[mMinor])
		}
		if child.M[mPeak] < block {
			t.Errorf("peak of a call whose child allocates 64 MiB: %d", child.M[mPeak])
		}
		if runtime.GOOS == "linux" {
			base := before.M[mPeak]
			if base == 0 || with.M[mPeak] > base+block+slack {
				t.Errorf("peak %d before, %d with 64 MiB", base, with.M[mPeak])
			}
			if after.M[mPeak] > base+slack {
				t.Errorf("peak of the call after it: %d, before it: %d", after.M[mPeak], base)
			}
		} else if after.M[mPeak] != 0 {
			t.Errorf("peak of a call that did not raise it: %d", after.M[mPeak])
		}
		// A big item and a big result do not outlive their call either.
		p.send(p.request(2, `"`+strings.Repeat("x", 32<<20)+`"`))
		p.line()
		if _, r := p.call(2, `1`); runtime.GOOS == "linux" && r.M[mPeak] > before.M[mPeak]+slack {
			t.Errorf("peak after a big item: %d, before it: %d", r.M[mPeak], before.M[mPeak])
		}
		p.end()
	})
}
