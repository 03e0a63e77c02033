package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
)

// inStore is a machine with a store at root.
func inStore(root string) *machine {
	return &machine{Options: Options{Store: root, StoreFrom: "--store", Timeout: time.Minute}}
}

// checkStore compares the store's row, and makes sure that looking at it has left nothing.
func checkStore(t *testing.T, root string, status Status, found, hint string) {
	t.Helper()
	before := tree(t, filepath.Dir(root))
	f := inStore(root).store()
	if f.Status != status || !strings.Contains(f.Found, found) || !strings.Contains(f.Hint, hint) {
		t.Errorf("got %s: %s\nhint: %s\nwant %s: …%s…\nhint: …%s…", f.Status, f.Found, f.Hint, status, found, hint)
	}
	if after := tree(t, filepath.Dir(root)); after != before {
		t.Errorf("there was\n%s\nand now is\n%s", before, after)
	}
}

func tree(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error {
		all = append(all, path)
		return nil
	})
	return strings.Join(all, "\n")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	root := filepath.Join(t.TempDir(), "state", "store")
	checkStore(t, root, OK, root+" (from: --store), not there yet, can be made; forcing a file to disk takes ", "")
	if err := os.MkdirAll(root, 0o700); err != nil {
		t.Fatal(err)
	}
	checkStore(t, root, OK, ", no jobs yet, writable; ", "")
	if _, err := store.Open(root); err != nil {
		t.Fatal(err)
	}
	checkStore(t, root, OK, ", layout 2, writable; ", "")
	if err := os.Chmod(root, 0o750); err != nil {
		t.Fatal(err)
	}
	checkStore(t, root, Limited, "others may look into it: mode 0750", "chmod 700 "+root)
	write(t, filepath.Join(root, "version"), "99\n")
	checkStore(t, root, Problem, ": written by a newer version (layout 99, this program knows 2)", "LITHOPS_STORE")
	write(t, filepath.Join(root, "version"), "abc\n")
	checkStore(t, root, Problem, `does not hold one: "abc"`, "")
	if err := os.Remove(filepath.Join(root, "version")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "version"), 0o700); err != nil {
		t.Fatal(err)
	}
	checkStore(t, root, Problem, "is a directory", "")

	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	checkStore(t, file, Problem, file+" is not a directory", "LITHOPS_STORE")
	checkStore(t, filepath.Join(file, "a", "b"), Problem, file+" is not a directory", "LITHOPS_STORE")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("nowhere", link); err != nil {
		t.Fatal(err)
	}
	checkStore(t, filepath.Join(link, "store"), Problem, "is a link to what is not there", "LITHOPS_STORE")
	expect(t, inStore("").store(), Problem, "there is no home directory to keep jobs in", "LITHOPS_STORE")

	if os.Geteuid() != 0 { // root can write everywhere
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		checkStore(t, filepath.Join(dir, "store"), Problem, "no job can be kept in "+dir+": make a directory: permission denied", "LITHOPS_STORE")
	}
	root = t.TempDir()
	write(t, filepath.Join(root, "jobs"), "")
	checkStore(t, root, Problem, "no job can be kept in "+root+"/jobs: make a directory: not a directory", "LITHOPS_STORE")
}

func TestStoreLocks(t *testing.T) {
	root := t.TempDir()
	expect(t, inStore(root).storeLocks(), OK, "flock works", "")
	expect(t, inStore(filepath.Join(root, "later")).storeLocks(), OK, "flock works", "")
	if got := tree(t, root); got != root {
		t.Errorf("left: %s", got)
	}
	write(t, filepath.Join(root, "file"), "")
	expect(t, inStore(filepath.Join(root, "file")).storeLocks(), Limited, "cannot be tried: "+root+"/file is not a directory", "LITHOPS_STORE")
}

func TestSpace(t *testing.T) {
	expect(t, spaceOf(5<<30, 2_000_000, "ext4"), OK, "5.00 GiB free, 2,000,000 files more, ext4", "")
	expect(t, spaceOf(5<<30, -1, "btrfs"), OK, "5.00 GiB free, btrfs", "")
	expect(t, spaceOf(5<<30, -1, ""), OK, "5.00 GiB free", "")
	expect(t, spaceOf(1<<30-1, 2_000_000, "ext4"), Limited, "1.00 GiB free, 2,000,000 files more, ext4", "a full disk ends jobs")
	expect(t, spaceOf(5<<30, 99_999, "ext4"), Limited, "5.00 GiB free, 99,999 files more, ext4", "a full disk ends jobs")
	expect(t, spaceOf(5<<30, 0, "ext4"), Limited, "5.00 GiB free, 0 files more, ext4", "a full disk ends jobs")
	expect(t, spaceOf(5<<30, -1, "nfs4"), Limited, "5.00 GiB free, nfs4, a network file system", "from one machine at a time")
	expect(t, spaceOf(5<<30, -1, "fuse.sshfs"), Limited, "5.00 GiB free, fuse.sshfs, a network file system", "local disk")
	expect(t, spaceOf(5<<30, -1, "fuseblk"), OK, "5.00 GiB free, fuseblk", "")
	expect(t, spaceOf(5<<30, -1, "tmpfs"), Limited, "5.00 GiB free, tmpfs, in memory", "gone when the machine is started again")
	if f := inStore(t.TempDir()).storeSpace(); f.Status == Problem || !strings.Contains(f.Found, " free") {
		t.Errorf("%+v", f)
	}
}

// lock holds the lock of a job until the test's end.
func lock(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Fatal(err)
	}
}

func TestStoreJobs(t *testing.T) {
	root := t.TempDir()
	m := inStore(root)
	expect(t, m.storeJobs(), OK, "none, there is no store yet", "")
	jobs := filepath.Join(root, "jobs")
	for _, name := range []string{"1-0-M000", "1-1-A000", ".new-running", ".new-begun"} {
		if err := os.MkdirAll(filepath.Join(jobs, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	lock(t, filepath.Join(jobs, ".new-running"))
	expect(t, m.storeJobs(), OK, "2 jobs", "")
	write(t, filepath.Join(jobs, "notes.txt"), "")
	expect(t, m.storeJobs(), OK, "2 jobs, and 1 file of no job", "")
	write(t, filepath.Join(jobs, ".new-died", "lock"), "")
	write(t, filepath.Join(jobs, ".old-died", "job.json"), "")
	day := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(filepath.Join(jobs, ".new-begun"), day, day); err != nil {
		t.Fatal(err)
	}
	expect(t, m.storeJobs(), Limited, "2 jobs, and 1 file of no job; left over from creating or removing 3 jobs, which broke off", "lithops clean")
}

// newJob makes a job whose host lives until close is called.
func newJob(t *testing.T, s *store.Store, id string, ended *store.Ending) *store.Writer {
	t.Helper()
	w, err := s.Create(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteManifest(&store.Manifest{JobID: id, Spec: &job.Spec{}, Clock: clock.NewBase(), Ended: ended}); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestLeftBehind(t *testing.T) {
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer newJob(t, s, "1-0-M000", nil).Close()                                // runs
	newJob(t, s, "2-0-M000", nil).Close()                                      // broke off
	newJob(t, s, "3-0-M000", &store.Ending{State: store.JobCancelled}).Close() // ended
	m := fake(t, map[string]string{
		"proc/self/environ": "",
		"proc/10/environ":   "A=b\x00LITHOPS_JOB_ID=1-0-M000\x00",
		"proc/11/environ":   "A=b\x00",
		"proc/12/environ":   "LITHOPS_JOB_ID=9-0-M000\x00",
		"proc/13/environ":   "LITHOPS_JOB_ID=" + trialID() + "\x00",
		"proc/14/environ":   "LITHOPS_JOB_ID=\x00",
		"proc/15/environ":   "LITHOPS_JOB_ID=../../x\x00",
		"proc/16/environ":   "LITHOPS_JOB_ID=1-0-M000\x00LITHOPS_OUTER_JOBS=9-0-M000,1-0-M000\x00",
	})
	m.Store = s.Root()
	expect(t, m.leftBehind(), OK, "no process of this store's jobs that have ended; 1 process of jobs that are not in this store", "")
	for name, text := range map[string]string{
		"proc/100/environ": "LITHOPS_JOB_ID=2-0-M000\x00", "proc/100/cmdline": "sleep\x001000\x00",
		"proc/20/environ": "LITHOPS_JOB_ID=3-0-M000\x00", "proc/20/cmdline": "a\x1b[31mb\nc\x00" + strings.Repeat("x", 200),
		"proc/30/environ": "LITHOPS_OUTER_JOBS=2-0-M000\x00LITHOPS_JOB_ID=1-0-M000\x00", "proc/30/comm": "bash\n",
	} {
		write(t, m.path(name), text)
	}
	expect(t, m.leftBehind(), Limited, "20, of job 3-0-M000 (cancelled): ab c "+strings.Repeat("x", 75)+"…\n"+
		"30, of job 2-0-M000 (broken off): [bash]\n"+
		"100, of job 2-0-M000 (broken off): sleep 1000\n"+
		"and 1 process of jobs that are not in this store", "lithops clean JOB")
	// A worker that outlives its host holds the lock: the job is not over.
	lock(t, s.JobDir("2-0-M000"))
	lock(t, s.JobDir("3-0-M000"))
	if f := m.leftBehind(); f.Status != OK {
		t.Errorf("%+v", f)
	}
	expect(t, fake(t, nil).leftBehind(), Limited, "cannot be told: no such file or directory", "/proc")
	m.Store = filepath.Join(t.TempDir(), "none")
	if f := m.leftBehind(); f.Status != OK || !strings.HasSuffix(f.Found, "6 processes of jobs that are not in this store") {
		t.Errorf("%+v", f)
	}
	if _, err := os.Stat(m.Store); err == nil {
		t.Error("looking for processes made a store")
	}
}

func TestManyLeftBehindAreCounted(t *testing.T) {
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	newJob(t, s, "2-0-M000", nil).Close()
	m := fake(t, map[string]string{"proc/self/environ": ""})
	m.Store = s.Root()
	for pid := range 50 {
		write(t, m.path("proc/"+number(int64(100+pid))+"/environ"), "LITHOPS_JOB_ID=2-0-M000\x00")
	}
	f := m.leftBehind()
	if strings.Count(f.Found, "\n") != 20 || !strings.HasSuffix(f.Found, "\nand 30 more") {
		t.Errorf("found %s", f.Found)
	}
}
