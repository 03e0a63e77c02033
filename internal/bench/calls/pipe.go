package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// overPipes calls the function of workers child processes n times in all, each
// child with as many as ahead calls in its hands.
func overPipes(n, workers, ahead int, argv []string) (sum int, spent time.Duration, err error) {
	var children []*child
	for range workers {
		c, err := startChild(argv)
		if err != nil {
			return 0, 0, err
		}
		children = append(children, c)
		// One that has answered is ready.
		if _, err := c.calls(new(atomic.Int64), 1, 1); err != nil {
			return 0, 0, err
		}
	}
	var next atomic.Int64
	type outcome struct {
		sum int
		err error
	}
	ended := make(chan outcome)
	begun := time.Now()
	for _, c := range children {
		go func() {
			runtime.LockOSThread() // the thread waits for its own child, and for nothing else
			sum, err := c.calls(&next, int64(n), ahead)
			ended <- outcome{sum, err}
		}()
	}
	var errs []error
	for range children {
		o := <-ended
		sum, errs = sum+o.sum, append(errs, o.err)
	}
	spent = time.Since(begun)
	for _, c := range children {
		errs = append(errs, c.end())
	}
	return sum, spent, errors.Join(errs...)
}

// child is a process that answers a line with a line.
type child struct {
	cmd *exec.Cmd
	in  *os.File
	out *os.File
}

func startChild(argv []string) (*child, error) {
	theirIn, in, err := pipe()
	if err != nil {
		return nil, err
	}
	defer theirIn.Close()
	out, theirOut, err := pipe()
	if err != nil {
		return nil, err
	}
	defer theirOut.Close()
	c := &child{exec.Command(argv[0], argv[1:]...), in, out}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = theirIn, theirOut, os.Stderr
	return c, c.cmd.Start()
}

// pipe is os.Pipe for reads and writes that block their thread: Go's poller would
// cost more than the calls.
func pipe() (r, w *os.File, err error) {
	var p [2]int
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := syscall.Pipe(p[:]); err != nil {
		return nil, nil, os.NewSyscallError("pipe", err)
	}
	syscall.CloseOnExec(p[0])
	syscall.CloseOnExec(p[1])
	return os.NewFile(uintptr(p[0]), "pipe"), os.NewFile(uintptr(p[1]), "pipe"), nil
}

// calls makes calls until next has reached n, and adds up what they return.
func (c *child) calls(next *atomic.Int64, n int64, ahead int) (sum int, err error) {
	answers := bufio.NewReaderSize(c.out, 1<<16)
	var batch []byte
	for open := 0; ; {
		batch = batch[:0]
		for ; open < ahead; open++ {
			i := next.Add(1) - 1
			if i >= n {
				break
			}
			batch = append(batch, `{"id":`...)
			batch = strconv.AppendInt(batch, i, 10)
			batch = append(batch, `,"input":`...)
			batch = strconv.AppendInt(batch, i, 10)
			batch = append(batch, "}\n"...)
		}
		if len(batch) > 0 {
			if _, err := c.in.Write(batch); err != nil {
				return 0, err
			}
		}
		if open == 0 {
			return sum, nil
		}
		// One answer, and those that came with it.
		for first := true; first || open > 0 && answers.Buffered() > 0; first = false {
			line, err := answers.ReadSlice('\n')
			if err != nil {
				return 0, fmt.Errorf("%s: read an answer: %w", c.cmd.Path, err)
			}
			output, err := outputOf(line)
			if err != nil {
				return 0, err
			}
			sum += output
			open--
		}
	}
}

// outputOf is the number at the end of an answer. Decoding all of it would be a
// cost of its own.
func outputOf(answer []byte) (int, error) {
	_, end, _ := bytes.Cut(answer, []byte(`"output":`))
	return strconv.Atoi(string(bytes.Trim(end, " }\r\n")))
}

// end closes the child's input, which ends it.
func (c *child) end() error {
	err := errors.Join(c.in.Close(), c.cmd.Wait())
	return errors.Join(err, c.out.Close())
}

// serve is a child: the least that a runtime in Go has to do.
func serve(in io.Reader, out io.Writer) error {
	runtime.LockOSThread()
	calls := bufio.NewReaderSize(in, 1<<16)
	for {
		line, err := calls.ReadSlice('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var call struct {
			ID    int `json:"id"`
			Input int `json:"input"`
		}
		if err := json.Unmarshal(line, &call); err != nil {
			return err
		}
		answer, err := json.Marshal(struct {
			ID     int `json:"id"`
			Output int `json:"output"`
		}{call.ID, noop(call.Input)})
		if err != nil {
			return err
		}
		if _, err := out.Write(append(answer, '\n')); err != nil {
			return err
		}
	}
}
