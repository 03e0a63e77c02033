package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// inPath makes programs of the shell the only ones in PATH.
func inPath(t *testing.T, programs map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range programs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	return dir
}

func TestInterpreters(t *testing.T) {
	m := &machine{Options: Options{Timeout: time.Minute}}
	inPath(t, nil)
	expect(t, m.python(), Missing, "no python3 in PATH", "only for functions in Python: install it")
	expect(t, m.node(), Missing, "no node in PATH", "only for functions in JavaScript: install it")
	dir := inPath(t, map[string]string{"python3": `[ "$1" = -c ] && echo 3.12.1`, "node": `[ "$1" = -p ] && echo 18.0.0`})
	expect(t, m.python(), OK, "3.12.1 at "+dir+"/python3", "")
	expect(t, m.node(), OK, "18.0.0 at "+dir+"/node", "")
	dir = inPath(t, map[string]string{"python3": "echo 3.7.9", "node": "echo 16.20.2"})
	expect(t, m.python(), Limited, dir+"/python3 is 3.7.9; functions in Python need 3.8 or newer", "runtime:")
	expect(t, m.node(), Limited, dir+"/node is 16.20.2; functions in JavaScript need 18 or newer", "runtime:")
	dir = inPath(t, map[string]string{"python3": "echo first >&2; echo not today >&2; exit 3", "node": "echo hello"})
	expect(t, m.python(), Limited, dir+"/python3 does not work: exit status 3: not today", "runtime:")
	expect(t, m.node(), Limited, dir+`/node does not tell its version: "hello"`, "runtime:")
}

func TestAnInterpreterThatHangsIsEnded(t *testing.T) {
	dir := inPath(t, map[string]string{"python3": `echo $$ > "${0%/*}/pid"; kill -STOP $$`})
	m := &machine{Options: Options{Timeout: 500 * time.Millisecond}}
	f := m.python()
	if f.Status != Limited || !strings.Contains(f.Found, "it did not end within 450ms") {
		t.Errorf("%+v", f)
	}
	pid, err := os.ReadFile(filepath.Join(dir, "pid"))
	if err != nil { // it was ended before it had begun
		return
	}
	if _, err := os.Stat("/proc/" + strings.TrimSpace(string(pid))); err == nil {
		t.Errorf("process %s is still there", pid)
	}
}
