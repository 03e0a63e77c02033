package stats

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// The texts people read: three digits that count, a unit, and carries that are
// right at the borders (999.6 ms is 1.00 s). What is null is "-".

const dash = "-"

// HumanDuration writes ns nanoseconds: 850 ns, 1.91 µs, 12.3 s, 2 min 03 s,
// 1 h 02 min, 3 d 04 h.
func HumanDuration(ns int64) string {
	u, sign := magnitude(ns)
	s := float64(u) / 1e9
	switch {
	case u == 0:
		return "0 s"
	case u < 1000:
		return sign + strconv.FormatUint(u, 10) + " ns"
	case u < 999_500:
		return sign + digits3(s*1e6) + " µs"
	case u < 999_500_000:
		return sign + digits3(s*1e3) + " ms"
	case s < 59.95:
		return sign + digits3(s) + " s"
	case s < 3599.5:
		return sign + pair(math.Round(s), 60, " min ", " s")
	case s < 86_400-30:
		return sign + pair(math.Round(s/60), 60, " h ", " min")
	}
	return sign + pair(math.Round(s/3600), 24, " d ", " h")
}

func pair(v float64, base int64, big, small string) string {
	n := int64(v)
	rest := strconv.FormatInt(n%base, 10)
	if len(rest) < 2 {
		rest = "0" + rest
	}
	return strconv.FormatInt(n/base, 10) + big + rest + small
}

// HumanBytes writes a number of bytes in binary units: 512 B, 1.50 KiB, 12.3 MiB.
func HumanBytes(n int64) string {
	u, sign := magnitude(n)
	if u < 1024 {
		return sign + strconv.FormatUint(u, 10) + " B"
	}
	v, unit := float64(u)/1024, 0
	for ; v >= 1023.5; unit++ {
		v /= 1024
	}
	return sign + digits3(v) + " " + "KMGTPE"[unit:unit+1] + "iB"
}

// HumanCount writes a whole number in groups of three: 1,234,567.
func HumanCount(n int64) string {
	u, sign := magnitude(n)
	s := strconv.FormatUint(u, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// counted is so many of something: 1 task, 2 tasks.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return HumanCount(int64(n)) + " " + many
}

// HumanPercent writes a percentage: 96.1 %, <0.1 %, 1,234 %.
func HumanPercent(v float64) string {
	switch {
	case math.IsNaN(v):
		return dash
	case v > 0 && v < 0.05:
		return "<0.1 %"
	case math.Abs(v) >= 999.95 && math.Abs(v) < 1e18:
		return HumanCount(int64(math.Round(v))) + " %"
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " %"
}

// HumanNumber writes a number that is not a count, such as a rate or a ratio.
func HumanNumber(v float64) string {
	switch abs := math.Abs(v); {
	case math.IsNaN(v):
		return dash
	case abs >= 999.5 && abs < 1e18:
		return HumanCount(int64(math.Round(v)))
	case abs == 0:
		return "0"
	case abs >= 1:
		return digits3(v)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func magnitude(n int64) (uint64, string) {
	if n < 0 {
		return -uint64(n), "-"
	}
	return uint64(n), ""
}

// digits3 writes v with three digits, more when it is 1000 or above.
func digits3(v float64) string {
	decimals := 2
	switch abs := math.Abs(v); {
	case abs >= 99.95:
		decimals = 0
	case abs >= 9.995:
		decimals = 1
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// Human is the field's value in r as people read it, "-" when null. A stamp is
// the time since the job's creation where that is known, else UTC.
func (f *Field) Human(r *Record) string {
	switch at := f.kind.(type) {
	case func(*Record) *Int:
		v := *at(r)
		switch {
		case !v.OK:
			return dash
		case f.Unit == Bytes:
			return HumanBytes(v.V)
		case f.Key == "pid" || f.Key == "result_crc32c": // names, not amounts
			return strconv.FormatInt(v.V, 10)
		}
		return HumanCount(v.V)
	case func(*Record) *Sec:
		v := *at(r)
		switch {
		case !v.OK:
			return dash
		case f.Unit != Stamp:
			return HumanDuration(v.NS)
		case r.HostJobCreate.OK && f.Key != "host_job_create_tstamp":
			return "+" + HumanDuration(v.NS-r.HostJobCreate.NS)
		}
		return time.Unix(0, v.NS).UTC().Format("2006-01-02 15:04:05.000 MST")
	case func(*Record) *Float:
		if v := *at(r); v.OK {
			return HumanPercent(v.V)
		}
	case func(*Record) *Bool:
		switch v := *at(r); {
		case v.OK && v.V:
			return "yes"
		case v.OK:
			return "no"
		}
	case intAt:
		return HumanCount(int64(*at(r)))
	case textAt:
		if s := *at(r); s != "" {
			return OneLine(s)
		}
	case stateAt:
		return r.State.String()
	case listAt:
		var all []string
		for _, v := range *at(r) {
			all = append(all, HumanPercent(v))
		}
		if all != nil {
			return strings.Join(all, ", ")
		}
	}
	return dash
}

// secText and the like write figures that can be null.
func secText(s Sec) string {
	if !s.OK {
		return dash
	}
	return HumanDuration(s.NS)
}

func bytesText(v Int) string {
	if !v.OK {
		return dash
	}
	return HumanBytes(v.V)
}

func countText(v Int) string {
	if !v.OK {
		return dash
	}
	return HumanCount(v.V)
}

func percentText(v Float) string {
	if !v.OK {
		return dash
	}
	return HumanPercent(v.V)
}

func numberText(v Float) string {
	if !v.OK {
		return dash
	}
	return HumanNumber(v.V)
}
