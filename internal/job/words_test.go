package job

import (
	"slices"
	"testing"
	"time"
)

func TestStatesRoundTrip(t *testing.T) {
	for _, s := range States() {
		b, err := s.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back State
		if err := back.UnmarshalText(b); err != nil || back != s {
			t.Errorf("%v came back as %v, %v", s, back, err)
		}
		if s.Failed() && !s.Final() {
			t.Errorf("%v has failed, but not ended", s)
		}
	}
	if _, err := ParseState("done"); err == nil || err.Error() != `unknown state "done"` {
		t.Errorf("ParseState of an unknown word: %v", err)
	}
	if got := State(200).String(); got != "state(200)" {
		t.Errorf("State(200) = %q", got)
	}
}

func TestNewID(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var ids []string
	seen := map[string]bool{}
	for i := range 2000 {
		id := NewID(now.Add(time.Duration(i)*time.Second/32), i)
		if !ValidID(id) {
			t.Fatalf("%q is not valid", id)
		}
		if seen[id] {
			t.Fatalf("%q was made twice", id)
		}
		seen[id] = true
		ids = append(ids, id)
	}
	if !slices.IsSorted(ids) {
		t.Error("ids do not sort by time")
	}
	far := NewID(now.AddDate(100, 0, 0), 0)
	if far < ids[0] {
		t.Errorf("%q of a hundred years on sorts before %q", far, ids[0])
	}
}

// Two hosts that make a job at the same moment get different ids, mostly: the
// three random characters have 27,000 values.
func TestNewIDRandom(t *testing.T) {
	now, seen := time.Now(), map[string]bool{}
	for range 20 {
		seen[NewID(now, 0)] = true
	}
	if len(seen) < 15 {
		t.Errorf("20 ids of one moment, %d distinct", len(seen))
	}
}

func TestValidID(t *testing.T) {
	for _, id := range []string{"", ".", "..", "a/b", "../x", "a b", "a\x00", "ü", string(make([]byte, 65))} {
		if ValidID(id) {
			t.Errorf("%q is valid", id)
		}
	}
}
