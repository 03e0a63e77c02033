package store_test

import (
	"os"
	"testing"

	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestStore(t *testing.T) {
	t.Run("Disk", func(t *testing.T) { storetest.Run(t, openIn("")) })
	t.Run("Memory", func(t *testing.T) {
		const shm = "/dev/shm"
		if dir, err := os.MkdirTemp(shm, "probe"); err != nil {
			t.Skipf("no writable %s", shm)
		} else {
			os.Remove(dir)
		}
		storetest.Run(t, openIn(shm))
	})
}

// openIn makes stores in a directory; "" is the usual one for temporary files.
func openIn(dir string) func(testing.TB) *store.Store {
	return func(tb testing.TB) *store.Store {
		root := tb.TempDir()
		if dir != "" {
			var err error
			if root, err = os.MkdirTemp(dir, "storetest"); err != nil {
				tb.Fatal(err)
			}
			tb.Cleanup(func() { os.RemoveAll(root) })
		}
		s, err := store.Open(root)
		if err != nil {
			tb.Fatal(err)
		}
		return s
	}
}
