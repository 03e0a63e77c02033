package doctor

import (
	"strings"
	"testing"
	"time"
)

func TestOrphansHere(t *testing.T) {
	m := &machine{Options: Options{Timeout: time.Minute}}
	for range 20 { // whatever thread it runs in
		if err := m.tryDeathSignal(); err != nil {
			t.Errorf("parent-death signal: %v", err)
		}
		if err := m.trySubreaper(); err != nil {
			t.Errorf("subreaper: %v", err)
		}
	}
	if f := m.orphans(); f.Status != OK || strings.Count(f.Found, "\n") != 2 {
		t.Errorf("%+v", f)
	}
}
