package doctor

import (
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/stats"
)

// slowClock is what a reading may cost before records suffer from it: there are about
// ten stamps in one.
const slowClock = time.Microsecond

func (m *machine) clock() Finding {
	c := clock.NewBase().Clock() // panics where there is no monotonic clock
	cost := time.Duration(1<<63 - 1)
	const readings = 1000
	for range 5 {
		before, last := time.Now(), c.Now()
		for range readings {
			now := c.Now()
			if now < last {
				return limited("durations cannot be trusted: another clock source may help (/sys/devices/system/clocksource)", "the monotonic clock goes back")
			}
			last = now
		}
		cost = min(cost, time.Since(before)/readings)
	}
	sync, err := synchronised()
	return clockOf(cost, m.read("sys/devices/system/clocksource/clocksource0/current_clocksource"), sync, err)
}

// clockOf tells of a clock that is read at some cost from a source of that name.
func clockOf(cost time.Duration, source string, sync bool, err error) Finding {
	found := "monotonic, read in " + stats.HumanDuration(int64(cost))
	if source != "" {
		found += " (" + source + ")"
	}
	switch {
	case err != nil:
		found += "; whether the wall clock is synchronised cannot be told: " + err.Error()
	case sync:
		found += "; the wall clock is synchronised"
	default:
		return limited("only stamps of several machines are not to be compared; durations are right all the same. To synchronise it: chrony, systemd-timesyncd, ntpd",
			"%s; the wall clock is not synchronised", found)
	}
	if cost > slowClock {
		return limited("stamps of short tasks cost time: a clock source such as tsc is faster (/sys/devices/system/clocksource)", "%s", found)
	}
	return ok("%s", found)
}
