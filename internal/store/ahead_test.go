package store

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// TestReadingAheadShowsWhatIsThere compares reads of all kinds with the file, which
// grows meanwhile.
func TestReadingAheadShowsWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "segment")
	w, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	f := &segmentFile{File: r}
	defer f.Close()
	rnd := rand.New(rand.NewPCG(1, 2))
	var all []byte
	at, fewer := int64(0), 0
	for range 20_000 {
		if rnd.IntN(4) == 0 {
			more := make([]byte, rnd.IntN(500))
			for i := range more {
				more[i] = byte(rnd.Uint32())
			}
			all = append(all, more...)
			if _, err := w.Write(more); err != nil {
				t.Fatal(err)
			}
		}
		size := rnd.IntN(200)
		if rnd.IntN(50) == 0 {
			at, size = rnd.Int64N(int64(len(all))+1), rnd.IntN(40_000)
		}
		p := make([]byte, size)
		n, err := f.ReadAt(p, at)
		want := all[min(at, int64(len(all))):min(at+int64(size), int64(len(all)))]
		if !bytes.Equal(p[:n], want) || n < size && err != io.EOF {
			t.Fatalf("%d bytes at %d of %d: %d, %v", size, at, len(all), n, err)
		}
		if n < size {
			fewer++
		}
		at += int64(n)
	}
	if fewer == 0 {
		t.Error("no read reached the end")
	}
}
