package stats

import (
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
	var sum uint32
	for _, c := range line[n+len(sealKey) : len(line)-3] {
		switch {
		case c >= '0' && c <= '9':
			sum = sum<<4 | uint32(c-'0')
		case c >= 'a' && c <= 'f':
			sum = sum<<4 | uint32(c-'a'+10)
		default:
			return nil, ErrDamaged
		}
	}
	if crc32.Checksum(line[:n], castagnoli) != sum {
		return nil, ErrDamaged
	}
	line[n] = '}'
	return line[:n+1], nil
}
