package paged

import (
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
)

type entry struct {
	a int64
	b int32
	c uint16
}

// large is a number of entries of which half have to be in the file, the last page not full.
const large = 2*mostPages*pageEntries + pageEntries/3

func get[T any](t *testing.T, table *Table[T], i int) T {
	t.Helper()
	var one [1]T
	if n, err := table.Read(i, one[:]); n != 1 || err != nil {
		t.Fatalf("entry %d: %d, %v", i, n, err)
	}
	return one[0]
}

func set(t *testing.T, table *Table[int], i, to int) {
	t.Helper()
	if err := table.Change(i, func(n *int) { *n = to }); err != nil {
		t.Fatal(err)
	}
}

// TestModel compares a table with a slice, in memory and with a file.
func TestModel(t *testing.T) {
	for _, n := range []int{1, pageEntries - 1, pageEntries, pageEntries + 1, mostPages * pageEntries, large} {
		rnd := rand.New(rand.NewPCG(1, uint64(n)))
		dir := t.TempDir()
		table, model := New[entry](n, dir), make([]entry, n)
		somewhere := func() int {
			if rnd.IntN(2) == 0 {
				return rnd.IntN(min(n, 3*pageEntries)) // these stay near
			}
			return rnd.IntN(n)
		}
		for range 20_000 {
			i := somewhere()
			err := table.Change(i, func(e *entry) {
				if *e != model[i] {
					t.Fatalf("of %d: entry %d is %v, want %v", n, i, *e, model[i])
				}
				e.a, e.b, e.c = rnd.Int64(), e.b+1, uint16(i)
				model[i] = *e
			})
			if err != nil {
				t.Fatal(err)
			}
			i = somewhere()
			if got := get(t, table, i); got != model[i] {
				t.Fatalf("of %d: entry %d is %v, want %v", n, i, got, model[i])
			}
		}
		for i, some := 0, make([]entry, pageEntries-10); i < n; {
			got, err := table.Read(i, some)
			if err != nil || got < 1 {
				t.Fatal(got, err)
			}
			for _, e := range some[:got] {
				if i >= n {
					break
				}
				if e != model[i] {
					t.Fatalf("of %d: entry %d is %v, want %v", n, i, e, model[i])
				}
				i++
			}
		}
		if fits := n <= mostPages*pageEntries; (table.file == nil) != fits {
			t.Errorf("%d entries: file %v", n, table.file)
		}
		if len(table.memory) > mostPages {
			t.Errorf("%d entries: %d pages in memory", n, len(table.memory))
		}
		if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
			t.Errorf("%d entries: left %v, %v", n, left, err)
		}
	}
}

// TestReadEndsWithPage reads no further than the page of the first entry.
func TestReadEndsWithPage(t *testing.T) {
	table := New[int](2*pageEntries, t.TempDir())
	set(t, table, pageEntries-1, 7)
	var some [10]int
	if n, err := table.Read(pageEntries-2, some[:]); n != 2 || some[1] != 7 || err != nil {
		t.Errorf("read %d: %v, %v", n, some, err)
	}
}

// faulty is a file that fails when it is told to, after a part of what was asked.
type faulty struct {
	file
	noWrite, noRead bool
	writes          int
}

var errFaulty = errors.New("device is out of order")

func (f *faulty) WriteAt(b []byte, off int64) (int, error) {
	f.writes++
	if !f.noWrite {
		return f.file.WriteAt(b, off)
	}
	n, _ := f.file.WriteAt(b[:len(b)/3], off)
	return n, errFaulty
}

func (f *faulty) ReadAt(b []byte, off int64) (int, error) {
	if !f.noRead {
		return f.file.ReadAt(b, off)
	}
	n, _ := f.file.ReadAt(b[:len(b)/3], off)
	return n, errFaulty
}

// onFaulty is a table of large numbers, and its file.
func onFaulty(t *testing.T) (*Table[int], *faulty) {
	t.Helper()
	f := &faulty{}
	table := New[int](large, t.TempDir())
	create := table.create
	table.create = func() (_ file, err error) {
		f.file, err = create()
		return f, err
	}
	return table, f
}

// TestUnwritable keeps all in memory when there is no room on the disk, and less again
// when there is.
func TestUnwritable(t *testing.T) {
	table, f := onFaulty(t)
	for i := range large { // a page is in the file already when it cannot be written
		set(t, table, i, -i)
	}
	f.noWrite = true
	for i := range large {
		set(t, table, i, i)
	}
	for i := range large {
		if got := get(t, table, i); got != i {
			t.Fatalf("entry %d is %d", i, got)
		}
	}
	pages := len(table.pages)
	if len(table.memory) != pages {
		t.Errorf("%d pages of %d in memory", len(table.memory), pages)
	}
	f.noWrite = false
	for i := range large {
		if got := get(t, table, i); got != i {
			t.Fatalf("entry %d is %d", i, got)
		}
	}
}

// TestNoFile keeps all in memory when no file can be made.
func TestNoFile(t *testing.T) {
	table := New[int](large, t.TempDir()+"/missing")
	for i := range large {
		set(t, table, i, i+1)
	}
	for i := range large {
		if got := get(t, table, i); got != i+1 {
			t.Fatalf("entry %d is %d", i, got)
		}
	}
}

// TestUnreadable says of the entries of a page that they cannot be read, and goes on to
// say so: what could not be changed there must not look as if nothing had been.
func TestUnreadable(t *testing.T) {
	table, f := onFaulty(t)
	for i := range large {
		set(t, table, i, i+1)
	}
	f.noRead = true
	if err := table.Change(3, func(*int) { t.Error("called") }); !errors.Is(err, errFaulty) {
		t.Errorf("changed: %v", err)
	}
	last := large - 1
	if got := get(t, table, last); got != last+1 {
		t.Errorf("an entry in memory is %d", got)
	}
	f.noRead = false
	if _, err := table.Read(pageEntries-1, make([]int, 1)); !errors.Is(err, errFaulty) {
		t.Errorf("read: %v", err)
	}
	if got := get(t, table, pageEntries); got != pageEntries+1 {
		t.Errorf("an entry of another page is %d", got)
	}
	if len(table.memory) != mostPages {
		t.Errorf("%d pages in memory", len(table.memory))
	}
}

// TestOneWrite writes a page that is filled in order once, and never again when it is
// only read.
func TestOneWrite(t *testing.T) {
	table, f := onFaulty(t)
	for i := range large {
		set(t, table, i, i+1)
	}
	if want := len(table.pages) - mostPages; f.writes != want {
		t.Errorf("%d writes, want %d", f.writes, want)
	}
	for range 2 {
		for i := range large {
			get(t, table, i)
		}
	}
	if want := len(table.pages); f.writes != want {
		t.Errorf("%d writes after reading, want %d", f.writes, want)
	}
}

func TestConcurrent(t *testing.T) {
	table := New[int](large, t.TempDir())
	const each = 4
	var wg sync.WaitGroup
	for w := range each {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(2, uint64(w)))
			for i := range large {
				if err := table.Change(i, func(n *int) { *n += i }); err != nil {
					t.Error(err)
				}
				if i%100 == 0 {
					if _, err := table.Read(rnd.IntN(large), make([]int, 20)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	for i := range large {
		if got := get(t, table, i); got != each*i {
			t.Fatalf("entry %d is %d", i, got)
		}
	}
}
