package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestMessagesRoundTrip(t *testing.T) {
	big := bytes.Repeat([]byte("x"), 1<<18)
	messages := []Message{
		{Kind: Setup, Numbers: [2]int64{Version}, JSON: []byte(`{"job_id":"a b"}`)},
		{Kind: Task, Numbers: [2]int64{17, 2}, JSON: []byte(`"in put"`)},
		{Kind: Task, Numbers: [2]int64{18, 1}, JSON: big},
		{Kind: Recall}, {Kind: Cancel}, {Kind: End},
		{Kind: Ready, Numbers: [2]int64{1}, JSON: []byte(`{}`)},
		{Kind: Done, Numbers: [2]int64{1 << 40}},
		{Kind: Back, Numbers: [2]int64{5, 1}},
		{Kind: Fatal, JSON: []byte(`{"error":"disk full"}`)},
	}
	var stream []byte
	for _, m := range messages {
		stream = m.Append(stream)
	}
	r := NewReader(bytes.NewReader(stream))
	for _, want := range messages {
		var got Message
		if err := r.Read(&got); err != nil {
			t.Fatalf("%s: %v", want.Kind, err)
		}
		if got.Kind != want.Kind || got.Numbers != want.Numbers || !bytes.Equal(got.JSON, want.JSON) {
			t.Errorf("got %.100v, want %.100v", got, want)
		}
	}
	if err := r.Read(new(Message)); err != io.EOF {
		t.Errorf("after the last message: %v", err)
	}
}

func TestGarbageIsRefused(t *testing.T) {
	for _, line := range []string{"", " ", "hello", "task", "task 1", "task 1 2", "task 1 2 ", "task -1 2 {}", "task 1  {}", "task 1x 2 {}",
		"task 1234567890123456789 1 {}", "done", "done 5 6", "done x", "recall 1", "ready 1", "TASK 1 2 {}"} {
		if err := new(Message).Parse([]byte(line)); !errors.Is(err, ErrGarbage) {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestEndWithinAMessage(t *testing.T) {
	r := NewReader(strings.NewReader("done 5\ndone 6"))
	if err := r.Read(new(Message)); err != nil {
		t.Fatal(err)
	}
	if err := r.Read(new(Message)); err != io.ErrUnexpectedEOF {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"task 17 2 {\"a\":1}", "done 123", "back 1 1", "end", "setup 1 {}", "fatal {}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var m Message
		if bytes.IndexByte(line, '\n') >= 0 || m.Parse(line) != nil {
			return
		}
		var again Message
		out := m.Append(nil)
		if err := again.Parse(out[:len(out)-1]); err != nil {
			t.Fatalf("%v in %q made from %q", err, out, line)
		}
		if again.Kind != m.Kind || again.Numbers != m.Numbers || !bytes.Equal(again.JSON, m.JSON) {
			t.Fatalf("%v became %v", m, again)
		}
	})
}
