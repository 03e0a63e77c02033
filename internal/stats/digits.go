package stats

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Eight characters are looked at together, the first one in the lowest byte.
const (
	ones  = 0x0101010101010101
	zeros = '0' * ones
)

// noDigits marks the bytes of x that are more than 9 by their high bits; what follows the first
// of them may be marked wrongly, by a carry.
func noDigits(x uint64) uint64 { return (x + 0x76*ones | x) & (0x80 * ones) }

// number is the number whose digits are the bytes of x.
func number(x uint64) uint64 {
	x = x * (10<<8 | 1) >> 8 & 0x00ff00ff00ff00ff    // four numbers of two digits each,
	x = x * (100<<16 | 1) >> 16 & 0x0000ffff0000ffff // two of four,
	return x * (10_000<<32 | 1) >> 32                // and one of eight
}

// leadingDigits reads the digits, eight at most, that b[i:] starts with.
func leadingDigits(b []byte, i int) (v uint64, n int) {
	if i+8 > len(b) {
		for ; i < len(b) && b[i]-'0' <= 9; i++ {
			v = v*10 + uint64(b[i]-'0')
			n++
		}
		return v, n
	}
	x := binary.LittleEndian.Uint64(b[i:]) ^ zeros
	n = bits.TrailingZeros64(noDigits(x)) >> 3
	return number(x << uint(8*(8-n))), n // zeros in front in place of what follows
}

var powers = [...]uint64{1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000}

// plainInt reads the number of at most 16 digits that b[i:] starts with; its end is i
// where there is none. What follows it is for the caller to look at.
func plainInt(b []byte, i int) (v int64, end int) {
	u, n := leadingDigits(b, i)
	if n == 8 {
		more, m := leadingDigits(b, i+8)
		u, n = u*powers[m]+more, 8+m
	}
	return int64(u), i + n
}

// plainSeconds is plainInt for seconds with one to nine decimals, in nanoseconds.
func plainSeconds(b []byte, i int) (ns int64, end int) {
	var whole uint64
	dot := i + 1 // of a duration, i+10 of a stamp
	switch {
	case dot < len(b) && b[dot] == '.' && b[i]-'0' <= 9:
		whole = uint64(b[i] - '0')
	case i+18 < len(b) && b[i+10] == '.' && b[i+8]-'0' <= 9 && b[i+9]-'0' <= 9:
		x := binary.LittleEndian.Uint64(b[i:]) ^ zeros
		if noDigits(x) != 0 {
			return 0, i
		}
		whole, dot = number(x)*100+uint64(b[i+8]-'0')*10+uint64(b[i+9]-'0'), i+10
	default:
		var v int64
		if v, dot = plainInt(b, i); dot == i || dot >= len(b) || b[dot] != '.' {
			return 0, i
		}
		whole = uint64(v)
	}
	frac, n := leadingDigits(b, dot+1)
	if end = dot + 1 + n; n == 8 && end < len(b) && b[end]-'0' <= 9 {
		frac, n, end = frac*10+uint64(b[end]-'0'), 9, end+1
	}
	if n == 0 || whole > math.MaxInt64/1_000_000_000-1 {
		return 0, i
	}
	return int64(whole*1e9 + frac*powers[9-n]), end
}
