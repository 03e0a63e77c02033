//go:build linux

package faults

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// asEnv makes the test binary a task: a command that gets the task's number, or a
// program that is called.
const asEnv = "FAULTS_AS"

const (
	asGroup   = "group"   // waits for a child in a process group of its own
	asStrays  = "strays"  // leaves a process in a session of its own
	asProgram = "program" // speaks the function protocol
)

func helper(as string, args []string) int {
	if as == asProgram {
		return serve()
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return 2
	}
	switch as {
	case asGroup:
		err = group(n)
	case asStrays:
		err = strays(n)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// group takes 5 to 100 ms, some longer,, all of it in its child, without which it fails, and
// prints up to 20 KB.
func group(n int) error {
	nap := exec.Command("sleep", strconv.FormatFloat(float64(5+n*37%96+n%25/24*100)/1000, 'f', 3, 64))
	nap.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := nap.Run(); err != nil {
		return fmt.Errorf("the child: %w", err)
	}
	fmt.Fprintln(os.Stderr, "task", n)
	_, err := os.Stdout.WriteString(groupResult(n))
	return err
}

func groupResult(n int) string {
	var b []byte
	for i := range 1 + n*7%20*100 {
		b = append(strconv.AppendInt(b, int64(n*1000+i), 10), '\n')
	}
	return string(b)
}

// strays starts what would outlive it by far, if it were let.
func strays(n int) error {
	stray := exec.Command("sleep", "1000")
	stray.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := stray.Start(); err != nil {
		return err
	}
	time.Sleep(time.Duration(5+n*7%40) * time.Millisecond)
	_, err := fmt.Println(n * 3)
	return err
}

// serve answers requests until there are no more: docs/protocol.md.
func serve() int {
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)
	requests, replies := bufio.NewScanner(os.NewFile(3, "requests")), os.NewFile(4, "replies")
	fmt.Fprintln(replies, `{"ready":{}}`)
	for requests.Scan() {
		var call struct{ ID, Input int }
		if err := json.Unmarshal(requests.Bytes(), &call); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if call.Input%10 == 0 {
			time.Sleep(time.Duration(call.Input%40) * time.Millisecond)
		}
		fmt.Println("input", call.Input)
		fmt.Fprintf(replies, `{"id":%d,"output":%d}`+"\n", call.ID, call.Input*5)
	}
	return 0
}
