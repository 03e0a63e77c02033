package stats

import (
	"fmt"
	"math"
	"strconv"
)

// A figure that could not be measured is null: the zero value of each of these
// types. It is never 0 and never a guess.
type (
	// Int is a count or a number of bytes.
	Int struct {
		V  int64
		OK bool
	}
	// Sec is a duration or a Unix time stamp. It is kept in nanoseconds and
	// written as seconds with up to nine decimals, so nothing is lost on disk.
	Sec struct {
		NS int64
		OK bool
	}
	// Float is a share or a percentage.
	Float struct {
		V  float64
		OK bool
	}
	// Bool is a yes or no.
	Bool struct{ V, OK bool }
)

// IntOf is a measured Int.
func IntOf[T ~int | ~int32 | ~int64 | ~uint32](v T) Int { return Int{int64(v), true} }

// SecOf is a measured Sec of ns nanoseconds.
func SecOf[T ~int | ~int64](ns T) Sec { return Sec{int64(ns), true} }

// FloatOf is a measured Float; a value JSON cannot hold is null.
func FloatOf(v float64) Float { return Float{v, !math.IsNaN(v) && !math.IsInf(v, 0)} }

// BoolOf is a measured Bool.
func BoolOf(v bool) Bool { return Bool{v, true} }

// Since is the duration from a to s, null when either is.
func (s Sec) Since(a Sec) Sec {
	if !s.OK || !a.OK {
		return Sec{}
	}
	return SecOf(s.NS - a.NS)
}

// Seconds is s as a float, NaN when null.
func (s Sec) Seconds() float64 {
	if !s.OK {
		return math.NaN()
	}
	return float64(s.NS) / 1e9
}

func (v Int) append(b []byte) []byte {
	if !v.OK {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, v.V, 10)
}

func (s Sec) append(b []byte) []byte {
	if !s.OK {
		return append(b, "null"...)
	}
	return AppendSeconds(b, s.NS)
}

// AppendSeconds writes ns nanoseconds as decimal seconds, exactly, without
// trailing zeros but always with a decimal point.
func AppendSeconds(b []byte, ns int64) []byte {
	u := uint64(ns)
	if ns < 0 {
		b = append(b, '-')
		u = -u
	}
	var d [20]byte // ten digits, the point, nine digits: 1<<63 ns have no more
	const point = 10
	whole, frac := u/1e9, uint32(u%1e9)
	for i := len(d) - 2; i > point+1; i -= 2 {
		pair := pairs[frac%100]
		d[i], d[i+1] = pair[0], pair[1]
		frac /= 100
	}
	d[point], d[point+1] = '.', '0'+byte(frac)
	first := point
	for whole >= 10 {
		first -= 2
		pair := pairs[whole%100]
		d[first], d[first+1] = pair[0], pair[1]
		whole /= 100
	}
	if whole > 0 || first == point {
		first--
		d[first] = '0' + byte(whole)
	}
	end := len(d)
	for end > point+2 && d[end-1] == '0' {
		end--
	}
	return append(b, d[first:end]...)
}

// pairs are the numbers below 100.
var pairs = func() (d [100][2]byte) {
	for i := range d {
		d[i] = [2]byte{'0' + byte(i/10), '0' + byte(i%10)}
	}
	return d
}()

// ParseSeconds is the inverse of AppendSeconds: decimal seconds to nanoseconds
// without a detour over floats. Digits beyond the ninth decimal are cut off; an
// exponent is understood, because other programs may rewrite the numbers.
func ParseSeconds(s []byte) (int64, error) {
	i, neg := 0, false
	if len(s) > 0 && s[0] == '-' {
		i, neg = 1, true
	}
	whole, frac, digits, decimals := uint64(0), uint64(0), 0, 0
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		if whole > math.MaxInt64/10_000_000_000 {
			return 0, fmt.Errorf("seconds out of range: %.40q", s)
		}
		whole = whole*10 + uint64(s[i]-'0')
		digits++
	}
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && s[i]-'0' <= 9; i++ {
			if decimals < 9 {
				frac = frac*10 + uint64(s[i]-'0')
				decimals++
			}
			digits++
		}
	}
	if digits > 0 && i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		f, err := strconv.ParseFloat(string(s), 64)
		if err != nil || math.Abs(f) >= math.MaxInt64/1_000_000_000 {
			return 0, fmt.Errorf("seconds out of range: %.40q", s)
		}
		return int64(math.Round(f * 1e9)), nil
	}
	if digits == 0 || i != len(s) || whole > math.MaxInt64/1_000_000_000-1 {
		return 0, fmt.Errorf("not a number of seconds: %.40q", s)
	}
	for ; decimals < 9; decimals++ {
		frac *= 10
	}
	ns := int64(whole*1e9 + frac)
	if neg {
		ns = -ns
	}
	return ns, nil
}
