package storetest

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/lithops-go/lithops/internal/store"
)

// Loss is what a power cut does to what was not synced of a file.
type Loss int

// What becomes of it depends on the file system, and on luck.
const (
	LoseTail Loss = iota // the file ends where it was synced
	ZeroTail             // the file has its length, and zeroes from there on: delayed allocation
	KeepTail             // it was on the disk already
)

// errPower is what everything says once the power is off.
var errPower = errors.New("the power is off")

// PowerCut opens files that remember how far they were synced. Names count as lost that
// were not synced with their directory.
type PowerCut struct {
	After int                    // so many writes, syncs and files opened succeed; 0: all
	Loss  func(path string) Loss // of the file that was opened at path; nil: LoseTail

	mu    sync.Mutex
	ops   int
	files []*powerFile
	names map[string]map[string]bool // synced, by directory
}

// powerFile is a file by what it is, wherever it was renamed to.
type powerFile struct {
	path   string
	f      *os.File
	info   os.FileInfo
	synced int64
}

// Ops is how many operations there were.
func (p *PowerCut) Ops() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ops
}

// off counts one operation and says whether it comes too late.
func (p *PowerCut) off() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.After > 0 && p.ops >= p.After {
		return errPower
	}
	p.ops++
	return nil
}

// Open is a store.OpenFunc.
func (p *PowerCut) Open(path string) (store.File, error) {
	if err := p.off(); err != nil {
		return nil, err
	}
	file, err := openAny(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return &cutFile{File: file, cut: p, dir: path}, nil
	}
	known, err := p.find(path, info)
	return &cutFile{File: file, cut: p, known: known}, err
}

// find is what is remembered of a file; one that was not opened before is on the disk.
func (p *PowerCut) find(path string, info os.FileInfo) (*powerFile, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, known := range p.files {
		if os.SameFile(known.info, info) {
			return known, nil
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	known := &powerFile{path: path, f: f, info: info, synced: info.Size()}
	p.files = append(p.files, known)
	return known, nil
}

// Cut is the power cut, for all files below root. All who write there have to be gone.
func (p *PowerCut) Cut(root string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, known := range p.files {
		errs = append(errs, p.lose(known), known.f.Close())
	}
	p.files = nil
	return errors.Join(append(errs, p.prune(root))...)
}

func (p *PowerCut) lose(known *powerFile) error {
	info, err := known.f.Stat()
	if err != nil {
		return err
	}
	loss := LoseTail
	if p.Loss != nil {
		loss = p.Loss(known.path)
	}
	if loss == KeepTail || info.Size() <= known.synced {
		return nil
	}
	if err = known.f.Truncate(known.synced); err == nil && loss == ZeroTail {
		err = known.f.Truncate(info.Size())
	}
	return err
}

// prune removes the names in dir, and in what is below, that were not synced.
func (p *PowerCut) prune(dir string) error {
	all, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, d := range all {
		path := filepath.Join(dir, d.Name())
		switch {
		case !p.names[dir][d.Name()]:
			err = errors.Join(err, os.RemoveAll(path))
		case d.IsDir():
			err = errors.Join(err, p.prune(path))
		}
	}
	return err
}

// cutFile is a file, or a directory that is opened to be synced.
type cutFile struct {
	store.File
	cut   *PowerCut
	known *powerFile
	dir   string
}

func (f *cutFile) Write(b []byte) (int, error) {
	if err := f.cut.off(); err != nil {
		return 0, err
	}
	return f.File.Write(b)
}

func (f *cutFile) Truncate(size int64) error {
	if err := f.cut.off(); err != nil {
		return err
	}
	f.cut.mu.Lock()
	f.known.synced = min(f.known.synced, size)
	f.cut.mu.Unlock()
	return f.File.Truncate(size)
}

// Sync remembers what there is by now, which saves the disk the work.
func (f *cutFile) Sync() error {
	if err := f.cut.off(); err != nil {
		return err
	}
	f.cut.mu.Lock()
	defer f.cut.mu.Unlock()
	if f.dir == "" {
		info, err := f.known.f.Stat()
		if err == nil {
			f.known.synced = info.Size()
		}
		return err
	}
	all, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	if f.cut.names == nil {
		f.cut.names = map[string]map[string]bool{}
	}
	f.cut.names[f.dir] = map[string]bool{}
	for _, d := range all {
		f.cut.names[f.dir][d.Name()] = true
	}
	return nil
}

// nameAll takes all names below dir as synced.
func (p *PowerCut) nameAll(t testing.TB, dir string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if p.names == nil {
		p.names = map[string]map[string]bool{}
	}
	p.names[dir] = map[string]bool{}
	for _, d := range all {
		p.names[dir][d.Name()] = true
		if d.IsDir() {
			p.nameAll(t, filepath.Join(dir, d.Name()))
		}
	}
}
