package lithops

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/lithops-go/lithops/internal/stats"
)

// Stats is the statistics of a task: of the attempt at it that counts, which is the
// successful one or else the last. The keys are those of `lithops stats --json`,
// which docs/stats.md explains; each is in every Stats. What is not known, or not
// yet, is nil: never 0, never a guess.
type Stats struct{ record stats.Record }

// Keys lists all keys, in the order of the data's way.
func (s *Stats) Keys() []string {
	var keys []string
	for _, f := range stats.Fields() {
		keys = append(keys, f.Key)
	}
	return keys
}

// Get is the value of a key: int64 for counts and bytes, float64 for seconds, stamps
// and percentages, string, bool or []float64; nil when it is not known, and for
// what is no key.
func (s *Stats) Get(key string) any {
	f, ok := stats.FieldOf(key)
	if !ok {
		return nil
	}
	return s.value(f)
}

func (s *Stats) value(f *stats.Field) any {
	text := f.AppendValue(nil, &s.record)
	switch text[0] {
	case 'n':
		return nil
	case '"':
		var v string
		_ = json.Unmarshal(text, &v) // what was just written can be read
		return v
	case 't', 'f':
		return text[0] == 't'
	case '[':
		v := []float64{}
		_ = json.Unmarshal(text, &v)
		return v
	}
	switch f.Unit {
	case stats.Bytes, stats.Count:
		v, _ := strconv.ParseInt(string(text), 10, 64)
		return v
	}
	v, _ := strconv.ParseFloat(string(text), 64)
	return v
}

// Int is the value of a key that is a count or a number of bytes; it is not ok when
// it is not known.
func (s *Stats) Int(key string) (n int64, ok bool) {
	n, ok = s.Get(key).(int64)
	return n, ok
}

// Duration is the value of a key that is a time span, to the nanosecond; it is not
// ok when it is not known.
func (s *Stats) Duration(key string) (d time.Duration, ok bool) {
	ns, ok := s.nanoseconds(key, stats.Seconds)
	return time.Duration(ns), ok
}

// Time is the value of a key that is a stamp, to the nanosecond; it is not ok when
// it is not known.
func (s *Stats) Time(key string) (t time.Time, ok bool) {
	ns, ok := s.nanoseconds(key, stats.Stamp)
	if !ok {
		return time.Time{}, false
	}
	return time.Unix(0, ns), true
}

func (s *Stats) nanoseconds(key string, unit stats.Unit) (ns int64, ok bool) {
	f, ok := stats.FieldOf(key)
	if !ok || f.Unit != unit {
		return 0, false
	}
	ns, err := stats.ParseSeconds(f.AppendValue(nil, &s.record))
	return ns, err == nil
}

// Map is all keys with their values, see Get.
func (s *Stats) Map() map[string]any {
	m := map[string]any{}
	for i := range stats.Fields() {
		f := &stats.Fields()[i]
		m[f.Key] = s.value(f)
	}
	return m
}

// MarshalJSON is an object with all keys.
func (s *Stats) MarshalJSON() ([]byte, error) { return stats.AppendJSON(nil, &s.record), nil }

// String is all keys, sorted, as Python's pprint shows them: what
// pprint(future.stats) prints in Lithops.
func (s *Stats) String() string {
	var b bytes.Buffer
	_ = stats.WritePprint(&b, &s.record) // a Buffer takes everything
	return b.String()
}
