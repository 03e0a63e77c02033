package stats

import (
	"math/rand/v2"
	"testing"
)

// TestSpans compares with counting each instant.
func TestSpans(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for round := range 300 {
		var s Spans
		covered := map[int64]bool{}
		at := int64(0)
		for range rng.IntN(100) {
			if round%2 == 0 {
				at += rng.Int64N(8) // in order
			} else {
				at = rng.Int64N(300)
			}
			to := at + rng.Int64N(9) - 1
			s.Add(at, to)
			for i := at; i < to; i++ {
				covered[i] = true
			}
		}
		if got := s.Total(); got != int64(len(covered)) {
			t.Fatalf("round %d: %d, want %d", round, got, len(covered))
		}
	}
}

func TestSpansThatTouchTakeNoRoom(t *testing.T) {
	var s Spans
	for i := range int64(100_000) {
		s.Add(10*i, 10*i+25)
	}
	if len(s.chunks) != 1 || len(s.chunks[0]) != 1 || s.Total() != 1_000_015 {
		t.Errorf("%d chunks, %d", len(s.chunks), s.Total())
	}
}
