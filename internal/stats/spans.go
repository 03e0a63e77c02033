package stats

import (
	"cmp"
	"slices"
)

// Spans adds up the time that spans cover together, in nanoseconds: what several of
// them cover counts once. A worker that sends calls ahead has the next one before it
// is done with the last. The zero value is ready to use.
type Spans struct {
	chunks  [][]span // disjoint ones as long as they come in order
	jumbled bool
}

type span struct{ from, to int64 }

// Chunks grow, so that one worker of a thousand takes little and one with a million
// tasks takes 16 bytes for each.
const firstChunk, lastChunk = 16, 4096

// Add takes in one span. In the order of their beginnings they take the least room;
// any other is right too.
func (s *Spans) Add(from, to int64) {
	if to <= from {
		return
	}
	n := len(s.chunks)
	if n == 0 {
		s.chunks = append(s.chunks, append(make([]span, 0, firstChunk), span{from, to}))
		return
	}
	chunk := &s.chunks[n-1]
	last := &(*chunk)[len(*chunk)-1]
	if last.from <= from && from <= last.to {
		last.to = max(last.to, to)
		return
	}
	s.jumbled = s.jumbled || from < last.from
	if len(*chunk) == cap(*chunk) {
		s.chunks = append(s.chunks, make([]span, 0, min(2*cap(*chunk), lastChunk)))
		chunk = &s.chunks[n]
	}
	*chunk = append(*chunk, span{from, to})
}

// Total is the time covered.
func (s *Spans) Total() (total int64) {
	chunks := s.chunks
	if s.jumbled {
		all := slices.Concat(chunks...)
		slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
		chunks = [][]span{all}
	}
	until := int64(Null)
	for _, chunk := range chunks {
		for _, p := range chunk {
			if p.to > until {
				total += p.to - max(p.from, until)
				until = p.to
			}
		}
	}
	return total
}
