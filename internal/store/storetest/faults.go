package storetest

import (
	"errors"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lithops-go/lithops/internal/store"
)

// Faults are what a file system may do to a file that is appended to. The
// zero value does nothing. One value may be used for several files.
type Faults struct {
	FailAfter   int64         // bytes that fit in all the files together, when Err is set; the write that does not fit is cut short
	FailOnce    bool          // only the first write that does not fit fails
	Err         error         // what a write that does not fit says
	TruncateErr error         // what cutting says
	SyncErr     error         // what syncing says
	Slow        time.Duration // of every write

	written, failed atomic.Int64
	mu              sync.Mutex
	begins          []int64
}

// Open is a store.OpenFunc.
func (f *Faults) Open(path string) (store.File, error) {
	file, err := openAny(path)
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f}, nil
}

// openAny opens a file or directory for the store, whether it exists or not.
func openAny(path string) (store.File, error) {
	file, err := store.OpenAppend(path)
	if errors.Is(err, fs.ErrExist) {
		return store.OpenExisting(path)
	}
	return file, err
}

// Begins is how many bytes had been written before each write.
func (f *Faults) Begins() []int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.begins)
}

// Failed is the number of writes that failed.
func (f *Faults) Failed() int { return int(f.failed.Load()) }

type faultyFile struct {
	store.File
	faults *Faults
}

func (f *faultyFile) Write(b []byte) (int, error) {
	time.Sleep(f.faults.Slow)
	f.faults.mu.Lock()
	f.faults.begins = append(f.faults.begins, f.faults.written.Load())
	f.faults.mu.Unlock()
	room := f.faults.FailAfter - f.faults.written.Load()
	if f.faults.Err == nil || int64(len(b)) <= room || f.faults.FailOnce && f.faults.failed.Load() > 0 {
		n, err := f.File.Write(b)
		f.faults.written.Add(int64(n))
		return n, err
	}
	f.faults.failed.Add(1)
	n, err := f.File.Write(b[:max(0, room)])
	f.faults.written.Add(int64(n))
	if err == nil {
		err = f.faults.Err
	}
	return n, err
}

func (f *faultyFile) Truncate(size int64) error {
	if f.faults.TruncateErr != nil {
		return f.faults.TruncateErr
	}
	return f.File.Truncate(size)
}

func (f *faultyFile) Sync() error {
	if f.faults.SyncErr != nil {
		return f.faults.SyncErr
	}
	return f.File.Sync()
}

// FailAfter opens files that hold n bytes together and then fail with err, the
// write that does not fit being cut short, like a full disk.
func FailAfter(n int64, err error) store.OpenFunc { return (&Faults{FailAfter: n, Err: err}).Open }

// FailOnce is FailAfter for a disk on which there is room again afterwards.
func FailOnce(n int64, err error) store.OpenFunc {
	return (&Faults{FailAfter: n, Err: err, FailOnce: true}).Open
}

// Slow opens files every write to which takes d.
func Slow(d time.Duration) store.OpenFunc { return (&Faults{Slow: d}).Open }
