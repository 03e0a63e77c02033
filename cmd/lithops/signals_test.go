package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// TestSignalsThatComeTwice sends a signal twice at once, as a terminal that is closed and
// timeout(1) do: only Ctrl-C is meant when it comes again.
func TestSignalsThatComeTwice(t *testing.T) {
	inOrder := errors.New("ended in order")
	for s, want := range map[syscall.Signal]error{syscall.SIGTERM: inOrder, syscall.SIGHUP: inOrder, syscall.SIGINT: errInterrupted} {
		t.Run(s.String(), func(t *testing.T) {
			seen := make(chan os.Signal, 2)
			signal.Notify(seen, s)
			defer signal.Stop(seen)
			raise := func() {
				if err := syscall.Kill(os.Getpid(), s); err != nil {
					t.Error(err)
				}
				<-seen
			}
			left := make(chan struct{})
			err := interruptible(t.Context(), raise, func(ctx context.Context) error {
				raise()
				<-ctx.Done()
				if want == errInterrupted { // it is not waited for
					<-left
				}
				return inOrder
			})
			close(left)
			if err != want {
				t.Errorf("error %v, want %v", err, want)
			}
		})
	}
}
