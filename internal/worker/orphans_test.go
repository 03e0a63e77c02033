package worker

import (
	"os"
	"testing"
)

// TestWhetherTheHostIsGone: what it said last and nobody has read does not matter.
func TestWhetherTheHostIsGone(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if closed(r) {
		t.Error("gone, but its end is open")
	}
	if _, err := w.WriteString("task 1 1 1\n"); err != nil {
		t.Fatal(err)
	}
	if closed(r) {
		t.Error("gone, but it has just written")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !closed(r) {
		t.Error("there, but its end is closed")
	}
}
