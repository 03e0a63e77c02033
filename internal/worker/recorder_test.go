package worker

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// bells is the host's end of a worker's pipe.
type bells struct {
	mu   sync.Mutex
	said bytes.Buffer
	rung chan struct{}
}

func (b *bells) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said.Write(p)
	select {
	case b.rung <- struct{}{}:
	default:
	}
	return len(p), nil
}

// newGroups makes a recorder over segments in a new directory.
func newGroups(t *testing.T, open store.OpenFunc) (r *recorder, b *bells, dir string) {
	t.Helper()
	dir = t.TempDir()
	out, err1 := store.CreateSegment(filepath.Join(dir, "out"), open)
	lines, err2 := store.CreateSegment(filepath.Join(dir, "stats"), open)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	b = &bells{rung: make(chan struct{}, 1)}
	return newRecorder(out, lines, &sender{w: b}), b, dir
}

// readBack reads what a recorder has written, as "task: result".
func readBack(t *testing.T, dir string) (all []string) {
	t.Helper()
	out, err1 := os.ReadFile(filepath.Join(dir, "out"))
	lines, err2 := os.ReadFile(filepath.Join(dir, "stats"))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(lines) {
		object, err := stats.Unseal(line)
		if err != nil {
			t.Fatal(err)
		}
		var r stats.Record
		if err := stats.Parse(object, &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%d: %s", r.Task, out[r.ResultOffset.V:r.ResultOffset.V+r.ResultSize.V]))
	}
	return all
}

func TestShortCallsAreWrittenInGroups(t *testing.T) {
	r, b, dir := newGroups(t, nil)
	rec := stats.Record{Attempt: 1, State: job.Success}
	want := []string{}
	for i := range 3*groupCalls + 5 { // the first is written alone: nothing was for a long time
		rec.Task = i
		if _, err := r.add(&rec, fmt.Appendf(nil, "r%d", i), false); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("%d: r%d", i, i))
	}
	for len(readBack(t, dir)) < len(want) { // nobody asks for the rest to be written
		<-b.rung
	}
	if got := readBack(t, dir); strings.Join(got, ",") != strings.Join(want, ",") {
		t.Errorf("recorded %v", got)
	}
	info, err := os.Stat(filepath.Join(dir, "stats"))
	if err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var last wire.Message
	n := 0
	for said := wire.NewReader(&b.said); said.Read(&last) == nil; n++ {
	}
	if last.Kind != wire.Done || last.Numbers[0] != info.Size() || n >= len(want)/2 {
		t.Errorf("%d doorbells, the last %s %d of %d bytes", n, last.Kind, last.Numbers[0], info.Size())
	}
}

func TestALargeResultIsNotKeptForLater(t *testing.T) {
	r, _, dir := newGroups(t, nil)
	rec := stats.Record{Attempt: 1, State: job.Success}
	r.add(&rec, nil, true)
	rec.Task = 1
	if wrote, err := r.add(&rec, make([]byte, groupBytes+1), false); !wrote || err != nil {
		t.Errorf("wrote %v, %v", wrote, err)
	}
	if got := readBack(t, dir); len(got) != 2 {
		t.Errorf("%d recorded", len(got))
	}
}

// full is a disk that takes nothing.
type full struct{ store.File }

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestAGroupThatCannotBeWrittenIsAnError(t *testing.T) {
	r, b, _ := newGroups(t, func(path string) (store.File, error) {
		f, err := store.OpenAppend(path)
		return full{f}, err
	})
	rec := stats.Record{Attempt: 1, State: job.Success}
	if _, err := r.add(&rec, []byte("x"), true); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v", err)
	}
	if _, err := r.add(&rec, []byte("x"), false); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("next error %v", err)
	}
	if err := r.close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("close: %v", err)
	}
	if b.said.Len() > 0 {
		t.Errorf("the host was told %q", b.said.String())
	}
}
