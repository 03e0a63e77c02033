package lithops

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
)

// FuzzPlain compares with encoding/json, which is what items and results cross by.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{"", "0", "-0", "00", "-", "7", "-7", "123456789012345", "12345678901234567", "9223372036854775807",
		"9223372036854775808", "1.0", "1e3", " 1", "1 ", "null", "true", `""`, `"abc"`, `"a\"b"`, `"a`, `"`, `"é"`, "\"\x7f\"", "\"\n\"", `"\u2028"`, `"<&>"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		sameDecoded[int](t, b)
		sameDecoded[string](t, b)
		sameDecoded[any](t, b)
		sameEncoded(t, string(b))
		sameEncoded(t, len(b)*int(math.MaxInt64/7))
	})
}

func sameDecoded[T any](t *testing.T, b []byte) {
	t.Helper()
	var got, want T
	err, wantErr := decode(b, &got), json.Unmarshal(b, &want)
	if (err == nil) != (wantErr == nil) {
		t.Errorf("%q as %T: error %v, encoding/json says %v", b, want, err, wantErr)
	}
	x, _ := json.Marshal(got)
	y, _ := json.Marshal(want)
	if err == nil && !bytes.Equal(x, y) {
		t.Errorf("%q as %T: %s, encoding/json says %s", b, want, x, y)
	}
}

func sameEncoded(t *testing.T, v any) {
	t.Helper()
	got, err := newEncoder().encode(v)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	if string(got) != string(bytes.TrimSuffix(want.Bytes(), []byte("\n"))) {
		t.Errorf("%#v is %q, encoding/json has %q", v, got, want.Bytes())
	}
}
