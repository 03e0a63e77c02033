package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestAFailedCreateLeavesNothing(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	if _, err := s.Create("x-0-M000", func(string) (File, error) { return nil, full }); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	if left, err := os.ReadDir(filepath.Join(s.Root(), "jobs")); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
