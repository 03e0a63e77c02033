package stats

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
)

// What a line leaves out because the segment's first line has it, it has when it is read,
// and what it has not is null even where that has it.
func TestSegmentLine(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	var written []Record
	keep := func(b []byte, r *Record) []byte {
		written = append(written, *r)
		return AppendWorkerLine(b, r)
	}
	lines(rng, 40, keep)
	picker := NewPicker(AllKeys())
	for i := range written[1:] {
		common, r := written[i], written[i+1]
		if i%3 == 0 { // most is in common
			r = common
			r.Task, r.RSS, r.ExitCode, r.WorkerHostname = 7, IntOf(1), Int{}, ""
		}
		object, err := Unseal(AppendCommonLine(nil, &common))
		if err != nil {
			t.Fatal(err)
		}
		first, ok, err := ParseCommon(object)
		if !ok || err != nil {
			t.Fatalf("%s: %v, %v", object, ok, err)
		}
		line := AppendSegmentLine(nil, &r, &first)
		if i%3 == 0 && len(line) > 400 {
			t.Errorf("what is in common is in the line: %s", line)
		}
		object, err = Unseal(line)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := Unseal(AppendWorkerLine(nil, &r))
		if err != nil {
			t.Fatal(err)
		}
		var want Record
		if err := Parse(alone, &want); err != nil {
			t.Fatal(err)
		}
		got, picked := first, first
		if err := Parse(object, &got); err != nil {
			t.Fatal(err)
		}
		at := idEnd(t, object, &picked)
		if err := picker.Parse(object, at, &Layout{}, &picked); err != nil {
			t.Fatal(err)
		}
		for name, r := range map[string]Record{"parsed": got, "picked": picked} {
			if !reflect.DeepEqual(r, want) {
				t.Errorf("%s\n%s after %+v\n%+v, want\n%+v", name, object, first, r, want)
			}
		}
	}
}

func TestParseCommonTakesNoOther(t *testing.T) {
	for _, line := range []string{"", "{}", `{"task":1,"attempt":1}`, `{"comm`, `{"event":"end"}`} {
		if _, ok, err := ParseCommon([]byte(line)); ok || err != nil {
			t.Errorf("%q: %v, %v", line, ok, err)
		}
	}
	if _, ok, err := ParseCommon([]byte(`{"common":true,"worker"}`)); !ok || !errors.Is(err, ErrDamaged) {
		t.Errorf("%v, %v", ok, err)
	}
}
