package stats

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// ErrDamaged is a line that was changed or cut after it was written.
var ErrDamaged = errors.New("damaged line")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	sealKey  = `,"crc":"`
	sealSize = len(sealKey) + 8 + len("\"}\n")
)

// Seal ends the JSON object that was begun at b[start:] (not yet closed) with a
// checksum of all its bytes, and a line end.
func Seal(b []byte, start int) []byte {
	sum := crc32.Checksum(b[start:], castagnoli)
	b = append(b, sealKey...)
	const hex = "0123456789abcdef"
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, hex[sum>>shift&15])
	}
	return append(b, "\"}\n"...)
}

// Unseal checks a sealed line, its line end included, and returns the object
// with its closing brace in place of the checksum. It overwrites one byte of
// line. The error is ErrDamaged.
func Unseal(line []byte) ([]byte, error) {
	n := len(line) - sealSize
	if n < 1 || string(line[n:n+len(sealKey)]) != sealKey || string(line[len(line)-3:]) != "\"}\n" {
		return nil, ErrDamaged
	}
	if hexOf(crc32.Checksum(line[:n], castagnoli)) != binary.BigEndian.Uint64(line[n+len(sealKey):]) {
		return nil, ErrDamaged
	}
	line[n] = '}'
	return line[:n+1], nil
}

// hexOf is the eight digits of a checksum, the first one in the highest byte.
func hexOf(sum uint32) uint64 {
	x := uint64(sum)
	x = (x<<16 | x) & 0x0000ffff0000ffff
	x = (x<<8 | x) & 0x00ff00ff00ff00ff
	x = (x<<4 | x) & 0x0f0f0f0f0f0f0f0f
	letters := (x + 6*ones) >> 4 & ones
	return x + zeros + letters*('a'-10-'0')
}
