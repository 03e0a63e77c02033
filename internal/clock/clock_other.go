//go:build !linux

package clock

// monotonic is CLOCK_UPTIME_RAW on Darwin, the clock Go reads there.
const monotonic = 8
