//go:build linux

package calibrate

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// serve answers calls on descriptors 3 and 4 until there are no more: docs/protocol.md.
func serve() error {
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)
	requests, replies := bufio.NewReader(os.NewFile(3, "requests")), os.NewFile(4, "replies")
	line := []byte(`{"ready":{"language":"Go"}}`)
	for {
		if _, err := replies.Write(append(line, '\n')); err != nil {
			return err
		}
		request, err := requests.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if line, err = answer(request); err != nil {
			return err
		}
	}
}

// answer makes the call and encodes the reply.
func answer(request []byte) ([]byte, error) {
	type failure struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}
	var call struct {
		ID    int64  `json:"id"`
		Input string `json:"input"`
	}
	if err := json.Unmarshal(request, &call); err != nil {
		return nil, err
	}
	output, err := called(call.Input)
	if err != nil {
		return json.Marshal(map[string]any{"id": call.ID, "error": failure{"StepError", err.Error()}})
	}
	return json.Marshal(map[string]any{"id": call.ID, "output": output})
}

// called does what text says and returns the truth about this call.
func called(text string) (any, error) {
	s := &script{begun: monotonic(), base: used()}
	defer func() {
		for _, b := range s.held {
			unix.Munmap(b)
		}
	}()
	s.look()
	if err := s.steps(text); err != nil {
		return nil, err
	}
	switch {
	case s.given != "":
		return s.given, nil
	case s.quiet:
		return nil, nil
	}
	s.measure()
	return s.truth, nil
}
