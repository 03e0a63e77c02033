package chart

import (
	"fmt"
	"math"
	"strconv"
)

// count writes a number of things, with a plural s.
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return comma(float64(n), 0) + " " + what
}

// comma writes v with dec decimals and groups of three digits.
func comma(v float64, dec int) string {
	s := strconv.FormatFloat(math.Abs(v), 'f', dec, 64)
	whole := len(s)
	if dec > 0 {
		whole -= dec + 1
	}
	for i := whole - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if v < 0 {
		s = "-" + s
	}
	return s
}

// figures writes v with three significant digits, more for whole thousands.
func figures(v float64) string {
	switch a := math.Abs(v); {
	case a >= 99.95:
		return comma(v, 0)
	case a >= 9.995:
		return comma(v, 1)
	}
	return comma(v, 2)
}

// duration writes nanoseconds in the unit that suits a reader.
func duration(ns int64) string {
	const (
		us  = 1e3
		ms  = 1e6
		sec = 1e9
	)
	v := float64(ns)
	switch a := math.Abs(v); {
	case ns == 0:
		return "0 s"
	case a < us:
		return strconv.FormatInt(ns, 10) + " ns"
	case a < 999.5*us:
		return figures(v/us) + " µs"
	case a < 999.5*ms:
		return figures(v/ms) + " ms"
	case a < 119.5*sec:
		return figures(v/sec) + " s"
	}
	sign, s := "", int64(math.Round(math.Abs(v)/sec))
	if v < 0 {
		sign = "-"
	}
	switch {
	case s < 7200:
		return fmt.Sprintf("%s%d min %02d s", sign, s/60, s%60)
	case s < 2*86400:
		return fmt.Sprintf("%s%d h %02d min", sign, s/3600, s/60%60)
	}
	return fmt.Sprintf("%s%d d %02d h", sign, s/86400, s/3600%24)
}

// percent writes a share, which is called 0 or 100 % only if it is.
func percent(share float64) string {
	switch p := share * 100; {
	case p > 0 && p < 0.5:
		return "<1 %"
	case p < 100 && p > 99.5:
		return ">99 %"
	default:
		return strconv.FormatFloat(p, 'f', 0, 64) + " %"
	}
}

// tickLabel writes a whole number without commas: go-chart places a label by
// its measured height, so one with a descender would sit lower than the others.
func tickLabel(v, step float64) string {
	switch {
	case v >= 1e6 && math.Mod(step, 1e4) == 0:
		return strconv.FormatFloat(v/1e6, 'f', -1, 64) + "M"
	case v >= 1e4 && math.Mod(step, 100) == 0:
		return strconv.FormatFloat(v/1e3, 'f', -1, 64) + "k"
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}
