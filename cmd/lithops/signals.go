package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// interruptible calls f with a context that the first SIGINT, SIGTERM or SIGHUP
// cancels, after a call of stopping. A reader of our output that goes away does
// not end us: writing to it fails, that is all. The second signal ends the wait for f,
// which goes on until the process exits.
func interruptible(ctx context.Context, stopping func(), f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE)
	defer signal.Stop(pipes)

	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	select {
	case err := <-done:
		return err
	case <-signals:
	}
	first := time.Now()
	stopping()
	cancel()
	for {
		select {
		case err := <-done:
			return err
		case s := <-signals:
			if s == os.Interrupt || time.Since(first) > repeatTime {
				return errInterrupted
			}
		}
	}
}

// repeatTime is how long other signals than Ctrl-C's count as the first one: a terminal
// that is closed, and timeout(1), send them twice.
const repeatTime = time.Second

// readerUntil reads from r, but only until ctx ends: a reader that waits for a
// terminal or a pipe has to be freed. It takes nothing from r before it is read.
func readerUntil(ctx context.Context, r io.Reader) io.Reader {
	return &lazyPipe{ctx: ctx, from: r}
}

type lazyPipe struct {
	ctx  context.Context
	from io.Reader
	pipe *io.PipeReader
}

func (l *lazyPipe) Read(p []byte) (int, error) {
	if l.pipe == nil {
		r, w := io.Pipe()
		l.pipe = r
		context.AfterFunc(l.ctx, func() { w.CloseWithError(errInterrupted) })
		go func() {
			_, err := io.Copy(w, l.from)
			w.CloseWithError(err) // nil is the end
		}()
	}
	return l.pipe.Read(p)
}
