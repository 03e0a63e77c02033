// Package clock gives host and workers one time base, so that stamps of
// different processes compare and no step of the wall clock makes a duration
// negative.
package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// Base ties the wall clock at job creation to the machine's monotonic clock,
// which all its processes share. Both in nanoseconds.
type Base struct {
	Wall int64 `json:"wall_ns"` // Unix time
	Mono int64 `json:"mono_ns"`
}

// Clock reads Unix time as Base.Wall plus the monotonic time since.
type Clock struct {
	start  time.Time
	offset int64 // Unix time at start
}

// NewBase reads both clocks now.
func NewBase() Base {
	mono, now := pair()
	return Base{Wall: now.UnixNano(), Mono: mono}
}

// Clock makes a clock on this base; the process must run on the machine the
// base was read on, since its last boot.
func (b Base) Clock() *Clock {
	mono, now := pair()
	return &Clock{start: now, offset: b.Wall + mono - b.Mono}
}

// Now is Unix time in nanoseconds. It reads Go's own monotonic clock, which is
// the same clock without a system call.
func (c *Clock) Now() int64 { return c.offset + int64(time.Since(c.start)) }

// At is the Unix time of a reading of the shared monotonic clock, in nanoseconds.
func (b Base) At(mono int64) int64 { return b.Wall + mono - b.Mono }

// Unix is the time t, which time.Now gave, on this clock.
func (c *Clock) Unix(t time.Time) int64 { return c.offset + int64(t.Sub(c.start)) }

// pair reads the shared monotonic clock and Go's clock as close together as a
// few tries get them: a reading that was interrupted would shift every stamp.
func pair() (mono int64, now time.Time) {
	best := time.Duration(1<<63 - 1)
	for range 5 {
		var ts unix.Timespec
		before := time.Now()
		if err := unix.ClockGettime(monotonic, &ts); err != nil {
			panic("clock: no monotonic clock: " + err.Error())
		}
		if gap := time.Since(before); gap < best {
			best, mono, now = gap, ts.Nano(), before.Add(gap/2)
		}
	}
	return mono, now
}
