package stats

import (
	"testing"

	"github.com/lithops-go/lithops/internal/job"
)

// shortCall is the record of a warm call that took no time, as a worker and then the
// host have it.
func shortCall() *Record {
	const now = 1_795_373_073_685_755_917
	return &Record{Task: 123_456, Attempt: 1, State: job.Success, Worker: IntOf(1), WorkerHostname: "machine", PID: IntOf(18_967),
		HostSubmit: SecOf(now - 5_123_411), HostDispatch: SecOf(now - 1_023_001), FuncDataSize: IntOf(6),
		WorkerStart: SecOf(now), WorkerColdStart: BoolOf(false), FuncStart: SecOf(now + 3_005), FuncEnd: SecOf(now + 6_010), FuncExec: SecOf(3_005),
		CPUUser: SecOf(3_000), CPUSystem: SecOf(3_000), MinorFaults: IntOf(0), MajorFaults: IntOf(0), VoluntarySwitch: IntOf(0), InvoluntSwitch: IntOf(0),
		BlockRead: IntOf(0), BlockWrite: IntOf(0), ResultSize: IntOf(6), ResultOffset: IntOf(712_301), ResultCRC: IntOf(int64(2_432_014_819)),
		LogOffset: IntOf(0), LogSize: IntOf(0), ResultUpload: SecOf(50), WorkerEnd: SecOf(now + 9_001), WorkerExec: SecOf(9_001),
		StatusDone: SecOf(now + 212_301), StatusCount: IntOf(1)}
}

func BenchmarkAppendWorkerLine(b *testing.B) {
	r, line := shortCall(), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		line = AppendWorkerLine(line[:0], r)
	}
	b.SetBytes(int64(len(line)))
}

func BenchmarkAppendSegmentLine(b *testing.B) {
	r, line := shortCall(), []byte(nil)
	common := *r
	common.RSS = IntOf(1)
	r.RSS, r.Task, r.WorkerStart.NS, r.FuncStart.NS, r.FuncEnd.NS, r.WorkerEnd.NS = common.RSS, 1, r.WorkerStart.NS+1, r.FuncStart.NS+1, r.FuncEnd.NS+1, r.WorkerEnd.NS+1
	r.CPUUser, r.CPUSystem, r.ResultOffset, r.ResultSize, r.ResultCRC = SecOf(2000), SecOf(1000), IntOf(712_308), IntOf(7), IntOf(1_234_567_890)
	r.ResultUpload = SecOf(60)
	b.ReportAllocs()
	for b.Loop() {
		line = AppendSegmentLine(line[:0], r, &common)
	}
	b.SetBytes(int64(len(line)))
}

func BenchmarkAppendHostLine(b *testing.B) {
	r, line := shortCall(), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		line = AppendHostLine(line[:0], r)
	}
	b.SetBytes(int64(len(line)))
}

func BenchmarkParseWorkerLine(b *testing.B) {
	line := AppendWorkerLine(nil, shortCall())
	keys := NewKeySet("task", "attempt", "state", "error_type", "worker_exec_time", "error", "func_result_size", "result_offset", "result_crc32c")
	brace := len(line) - sealSize
	var r Record
	b.ReportAllocs()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		line[brace] = ','
		object, err := Unseal(line)
		if err != nil {
			b.Fatal(err)
		}
		r = Record{}
		if err := ParseKeys(object, &r, keys); err != nil {
			b.Fatal(err)
		}
	}
}
