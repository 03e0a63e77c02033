// Package programtest tests the function program that docs/protocol.md shows.
package programtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../../.."

// blocks are the fenced blocks of the page.
func blocks(t *testing.T) (all []string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs/protocol.md"))
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range strings.Split("\n"+string(page), "\n```") {
		if i%2 == 1 {
			_, body, _ := strings.Cut(part, "\n")
			all = append(all, body+"\n")
		}
	}
	return all
}

func block(t *testing.T, having string) (text string, at int) {
	t.Helper()
	for i, b := range blocks(t) {
		if strings.Contains(b, having) {
			return b, i
		}
	}
	t.Fatalf("docs/protocol.md shows no %s", having)
	return "", 0
}

func TestThePageShowsTheProgram(t *testing.T) {
	file, err := os.ReadFile(filepath.Join(root, "examples/function-program.sh"))
	if err != nil {
		t.Fatal(err)
	}
	shown, _ := block(t, "#!/bin/sh")
	if shown != string(file) {
		t.Errorf("the page shows\n%s\nand the program is\n%s", shown, file)
	}
	if n := strings.Count(shown, "\n"); n > 20 {
		t.Errorf("it has %d lines", n)
	}
}

func TestByHand(t *testing.T) {
	line, at := block(t, "3<&0 4>&1")
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = root
	got, err := cmd.CombinedOutput()
	if want := blocks(t)[at+1]; err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
}

// TestProgram drives the program as a worker does.
func TestProgram(t *testing.T) {
	theirIn, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.OpenFile(filepath.Join(t.TempDir(), "log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	program, err := filepath.Abs(filepath.Join(root, "examples/function-program.sh"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Dir = t.TempDir()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	ended := false
	t.Cleanup(func() {
		to.Close()
		if !ended {
			cmd.Process.Kill()
			cmd.Wait()
		}
		from.Close()
	})
	replies := bufio.NewReader(from)
	expect := func(want string) {
		t.Helper()
		if line, err := replies.ReadString('\n'); err != nil || line != want+"\n" {
			t.Fatalf("%q, %v; want %s", line, err, want)
		}
	}
	expect(`{"ready":{}}`)
	printed := ""
	refused := `"error":{"type":"TypeError","message":"not a whole number"}`
	for id, c := range []struct{ input, answer string }{
		{"5", `"output":25`}, {"-12", `"output":144`}, {"0", `"output":0`}, {"1.5", refused}, {`"a, \"input\":5"`, refused}, {`{"id":3}`, refused}, {"null", refused}, {"7", `"output":49`},
	} {
		if _, err := fmt.Fprintf(to, `{"id":%d,"input":%s}`+"\n", id, c.input); err != nil {
			t.Fatal(err)
		}
		expect(fmt.Sprintf(`{"id":%d,%s}`, id, c.answer))
		printed += "squaring " + c.input + "\n"
		if said, err := os.ReadFile(log.Name()); err != nil || string(said) != printed {
			t.Errorf("log %q, %v; want %q", said, err, printed)
		}
	}
	to.Close()
	if line, err := replies.ReadString('\n'); line != "" || !errors.Is(err, io.EOF) {
		t.Errorf("after the end it said %q, %v", line, err)
	}
	ended = true
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
