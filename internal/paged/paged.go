// Package paged keeps very many small entries in little memory.
package paged

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"unsafe"
)

// What a table keeps in memory. A page is small enough to be read for one of its
// entries, and large enough for writing it to cost next to nothing per entry.
const (
	pageEntries = 128
	mostPages   = 256
)

// Table is entries with numbers from 0, zero until they are set. The pages used last
// are in memory and the others in a file, which has no name and goes with the table;
// a table of few entries has none. A page that cannot be written stays in memory. T
// must hold no pointers. Safe for concurrent use.
type Table[T any] struct {
	create func() (file, error)
	size   int // entries of a page

	mu     sync.Mutex
	file   file          // nil before the first page had to go
	saved  []bool        // by page: it is in the file
	pages  []*page[T]    // by page: nil when it is not in memory
	memory []*page[T]    // in the order they were made in
	hand   int           // in memory: the next that may have to go
	bad    map[int]error // pages that could not be read back: what was to be changed there is not
}

// page is some entries that follow one another.
type page[T any] struct {
	number  int  // -1: of none
	used    bool // since the hand was here
	changed bool // since it was in the file
	entries []T
}

// file is what is used of an *os.File.
type file interface {
	io.ReaderAt
	io.WriterAt
}

// New makes a table of n entries. Its file, if it needs one, is made in dir.
func New[T any](n int, dir string) *Table[T] {
	pages := (n + pageEntries - 1) / pageEntries
	return &Table[T]{create: func() (file, error) { return unnamed(dir) }, size: min(n, pageEntries),
		saved: make([]bool, pages), pages: make([]*page[T], pages)}
}

// unnamed makes a file and takes its name away, so that nobody can leave it behind. It
// is closed when the garbage collector finds it.
func unnamed(dir string) (file, error) {
	f, err := os.CreateTemp(dir, ".table-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Change has change see entry i and set it. When the error is not nil, the page could
// not be read back, now or before, and change was not called.
func (t *Table[T]) Change(i int, change func(*T)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, err := t.page(i / pageEntries)
	if err == nil {
		p.changed = true
		change(&p.entries[i%pageEntries])
	}
	return err
}

// Read copies into to the entries from i on, up to the end of their page at most, and
// returns how many.
func (t *Table[T]) Read(i int, to []T) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, err := t.page(i / pageEntries)
	if err != nil {
		return 0, err
	}
	return copy(to, p.entries[i%pageEntries:]), nil
}

// page brings page k into memory. t.mu is held.
func (t *Table[T]) page(k int) (*page[T], error) {
	if p := t.pages[k]; p != nil {
		p.used = true
		return p, nil
	}
	if err := t.bad[k]; err != nil {
		return nil, err
	}
	p := t.room()
	if !t.saved[k] {
		clear(p.entries)
	} else if n, err := t.file.ReadAt(bytesOf(p.entries), t.offset(k)); n < len(bytesOf(p.entries)) {
		if t.bad == nil {
			t.bad = map[int]error{}
		}
		t.bad[k] = fmt.Errorf("read back what was noted: %w", err)
		return nil, t.bad[k]
	}
	p.number, p.used, p.changed = k, true, false
	t.pages[k] = p
	return p, nil
}

// room is a page of memory that holds nothing: of the one that was not used for
// longest, or nearly. When that cannot be written, more memory is used.
func (t *Table[T]) room() *page[T] {
	for len(t.memory) >= mostPages {
		p := t.memory[t.hand%len(t.memory)]
		t.hand = (t.hand + 1) % len(t.memory)
		if p.used {
			p.used = false
			continue
		}
		if p.number >= 0 && p.changed && !t.save(p) {
			break
		}
		if p.number >= 0 {
			t.pages[p.number] = nil
		}
		p.number = -1
		return p
	}
	p := &page[T]{number: -1, entries: make([]T, t.size)}
	t.memory = append(t.memory, p)
	return p
}

// save writes p into the file, and says whether that went well.
func (t *Table[T]) save(p *page[T]) (ok bool) {
	if t.file == nil {
		f, err := t.create()
		if err != nil {
			return false
		}
		t.file = f
	}
	if _, err := t.file.WriteAt(bytesOf(p.entries), t.offset(p.number)); err != nil {
		return false
	}
	t.saved[p.number] = true
	return true
}

func (t *Table[T]) offset(k int) int64 {
	var entry T
	return int64(k) * pageEntries * int64(unsafe.Sizeof(entry))
}

// bytesOf is the memory of entries: only this process reads what it writes.
func bytesOf[T any](entries []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(entries))), len(entries)*int(unsafe.Sizeof(entries[0])))
}
