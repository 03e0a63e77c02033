package clock

import (
	"testing"
	"time"
)

func TestClocksOfOneBaseAgree(t *testing.T) {
	base := NewBase()
	a, b := base.Clock(), base.Clock()
	for range 1000 {
		first, second, third := a.Now(), b.Now(), a.Now()
		// Readings are in order up to the error of tying two clocks together, which
		// is a microsecond, and more only where five tries in a row are interrupted.
		const tie = int64(5 * time.Millisecond)
		if second < first-tie || third < second-tie || third < first {
			t.Fatalf("stamps out of order: %d %d %d", first, second, third)
		}
	}
	if d := time.Duration(a.Now() - time.Now().UnixNano()); d.Abs() > time.Second {
		t.Errorf("clock is %v off the wall clock", d)
	}
}

func TestBaseKeepsItsWallTime(t *testing.T) {
	base := NewBase()
	shifted := Base{Wall: base.Wall - int64(time.Hour), Mono: base.Mono}
	d := time.Duration(base.Clock().Now() - shifted.Clock().Now())
	if (d - time.Hour).Abs() > time.Second {
		t.Errorf("clocks whose bases are an hour apart are %v apart", d)
	}
}
