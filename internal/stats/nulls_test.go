package stats

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestFiguresInJSON(t *testing.T) {
	type all struct {
		I Int
		S Sec
		F Float
		B Bool
		N Nullable
	}
	for want, v := range map[string]all{
		`{"I":null,"S":null,"F":null,"B":null,"N":null}`:          {},
		`{"I":-5,"S":1.000000001,"F":0.125,"B":false,"N":"a\"b"}`: {IntOf(-5), SecOf(1_000_000_001), FloatOf(0.125), BoolOf(false), `a"b`},
		`{"I":0,"S":0.0,"F":0,"B":true,"N":"x"}`:                  {IntOf(0), SecOf(0), FloatOf(0), BoolOf(true), "x"},
	} {
		b, err := json.Marshal(v)
		if err != nil || string(b) != want {
			t.Errorf("%v, got %s, want %s", err, b, want)
		}
		back := all{IntOf(9), SecOf(9), FloatOf(9), BoolOf(true), v.N}
		if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(back, v) {
			t.Errorf("%v, read back %+v", err, back)
		}
	}
	for _, bad := range []string{`{"I":"x"}`, `{"I":1.5}`, `{"S":"1"}`, `{"F":true}`, `{"B":1}`, `{"N":1}`} {
		if err := json.Unmarshal([]byte(bad), new(all)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}
