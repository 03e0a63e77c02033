//go:build linux

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// disk is a small file system of its own, which holds a site's store.
type disk struct{ path string }

// disk puts the site's store on a disk of its own.
func (s *site) disk(t *testing.T, size int) *disk {
	t.Helper()
	d := &disk{filepath.Join(s.dir, "disk")}
	if err := os.Mkdir(d.path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.mount(0, size); err != nil {
		t.Skipf("mounting a file system is not allowed: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			exec.Command("cp", "-r", d.path, d.path+"-copy").Run()
		}
		if err := syscall.Unmount(d.path, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	s.store = filepath.Join(d.path, "store")
	s.env = append(s.env, "LITHOPS_STORE="+s.store)
	return d
}

func (d *disk) mount(flags uintptr, size int) error {
	return os.NewSyscallError("mount", syscall.Mount("tmpfs", d.path, "tmpfs", flags, fmt.Sprintf("size=%d,mode=0700", size)))
}

func (d *disk) resize(t *testing.T, size int) {
	t.Helper()
	if err := d.mount(syscall.MS_REMOUNT, size); err != nil {
		t.Fatal(err)
	}
}

// noSpace looks whether an error tells the real cause, in one or two lines, and in
// another what to do.
func noSpace(t *testing.T, said string) {
	t.Helper()
	holds(t, said, "no space left on device")
	errors, hints := strings.Count("\n"+said, "\nlithops: "), strings.Count("\n"+said, "\nhint: ")
	if n := strings.Count(said, "\n"); errors < 1 || errors > 2 || hints > 1 || errors+hints != n {
		t.Errorf("%d lines say that the disk is full:\n%s", n, said)
	}
}

// TestFullDisk lets the disk be full at each point of a job's life, again when it is
// resumed, and at last makes room.
func TestFullDisk(t *testing.T) {
	shared := newSite(t)
	for _, k := range kinds(t, shared.dir) {
		switch k.name {
		case "group":
		case "python", "groups":
			if !thorough() {
				continue
			}
		default:
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			kinds(t, s.dir) // the functions' files
			tasks := map[string]int{"group": 12, "python": 300, "groups": 200}[k.name]
			file := k.write(t, s.dir, "job", tasks, 2)
			d := s.disk(t, 16<<20)
			peak := s.peak(t, file)
			hits, steps := 0, 4
			if thorough() {
				steps = 18
			}
			for size := 4 << 10; size < peak; size += max(4<<10, peak/steps) &^ 4095 {
				if s.fill(t, d, k, tasks, file, size) {
					hits++
				}
			}
			t.Logf("%d times full below %d bytes", hits, peak)
			if hits < steps/2 {
				t.Errorf("the disk was full %d times only", hits)
			}
		})
	}
}

// peak is how much room a job needs.
func (s *site) peak(t *testing.T, file string) int {
	t.Helper()
	s.must(t, "run", "-q", file)
	var st syscall.Statfs_t
	if err := syscall.Statfs(s.store, &st); err != nil {
		t.Fatal(err)
	}
	used := int(st.Blocks-st.Bfree) * int(st.Bsize)
	if err := os.RemoveAll(s.store); err != nil {
		t.Fatal(err)
	}
	return used
}

// fill runs a job on a disk of a size, and says whether it was too small.
func (s *site) fill(t *testing.T, d *disk, k kind, tasks int, file string, size int) bool {
	t.Helper()
	defer os.RemoveAll(s.store)
	d.resize(t, size)
	out, said, code := s.run(t, "run", "-q", file)
	id := strings.TrimSpace(out)
	full := code != 0
	for step := 1; code != 0; step++ {
		if code != 1 {
			t.Errorf("%d bytes, step %d: exit code %d\n%s", size, step, code, said)
		}
		noSpace(t, said)
		if t.Failed() {
			t.Fatalf("with %d bytes, step %d", size, step)
		}
		if size += 12 << 10; step == 4 {
			size = 16 << 20
		}
		d.resize(t, size)
		if id == "" { // it never began
			if left, _ := filepath.Glob(filepath.Join(s.store, "jobs", "*")); len(left) > 0 {
				t.Fatalf("a job that could not be made has left %v", left)
			}
			out, said, code = s.run(t, "run", "-q", file)
			id = strings.TrimSpace(out)
			continue
		}
		_, said, code = s.run(t, "resume", "-q", id)
		if step > 4 && code != 0 {
			t.Fatalf("with room: exit code %d\n%s", code, said)
		}
	}
	s.checkJob(t, k, tasks, id)
	if t.Failed() {
		t.FailNow()
	}
	return full
}
