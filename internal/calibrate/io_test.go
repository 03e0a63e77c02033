//go:build linux

package calibrate

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/lithops-go/lithops/internal/stats"
)

func TestOutput(t *testing.T) {
	const size = 1 << 20
	m := measure(t, nil, "quiet; print out 1048576 1; print err 7 2", "quiet; print err 1048576 3", "quiet").succeeded()
	for i, want := range []struct{ result, log []byte }{{known(size, 1), known(7, 2)}, {nil, known(size, 3)}, {}} {
		r := m.records[i]
		near(t, "func_result_size", count, float64(len(want.result)), ofInt(r.ResultSize), exactly)
		near(t, "log_size", count, float64(len(want.log)), ofInt(r.LogSize), exactly)
		equal(t, "result byte for byte", true, bytes.Equal(m.result(r), want.result))
		equal(t, "log byte for byte", true, bytes.Equal(m.log(r), want.log))
		near(t, "func_data_size_bytes", count, float64(len(inputs[i])), ofInt(r.FuncDataSize), exactly)
	}
}

// inputs are the items of TestOutput as JSON.
var inputs = []string{`"quiet; print out 1048576 1; print err 7 2"`, `"quiet; print err 1048576 3"`, `"quiet"`}

// Written blocks are counted when the page cache takes them, by file systems
// that have blocks; where the task itself sees none, there are none to count.
func TestWrittenBlocks(t *testing.T) {
	m := measure(t, nil, "write "+filepath.Join(t.TempDir(), "file")+" 64").succeeded()
	r := m.one()
	own := m.truth(r).WriteBlocks * 512
	near(t, "block_write_bytes", mib, float64(own), ofInt(r.BlockWrite), goal{above: 64 << 10, text: "and its own result"})
	if own > 0 {
		atLeast(t, "bytes written", mib, 64<<20, ofInt(r.BlockWrite))
	}
}

// What is sent over loopback is counted there and nowhere else. Others use the
// interfaces too, so it lies between what the task sent and what the machine did.
func TestLoopback(t *testing.T) {
	const size = 10 << 20
	before := interfaces(t)
	m := measure(t, nil, "send 10; sleep 50ms").succeeded()
	after := interfaces(t)
	r := m.one()
	for _, f := range []struct {
		key         string
		got         stats.Int
		least, most int64
	}{
		{"worker_func_sent_loopback_io", r.LoSent, size, after.loSent - before.loSent},
		{"worker_func_recv_loopback_io", r.LoRecv, size, after.loRecv - before.loRecv},
		{"worker_func_sent_net_io", r.NetSent, 0, after.sent - before.sent},
		{"worker_func_recv_net_io", r.NetRecv, 0, after.recv - before.recv},
	} {
		near(t, f.key, mib, float64(f.least), ofInt(f.got), goal{above: float64(f.most - f.least), text: "at most the machine's " + mib(float64(f.most))})
	}
}
