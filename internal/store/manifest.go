package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lithops-go/lithops/internal/clock"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// Manifest is job.json: what is known of the job as a whole. The host writes it
// when tasks can be submitted and again when the job ends. Times are
// nanoseconds, stamps Unix time.
type Manifest struct {
	Version int       `json:"version"` // of the layout
	JobID   string    `json:"job_id"`
	Name    string    `json:"name,omitempty"`
	Program string    `json:"program"` // version that wrote it
	Spec    *job.Spec `json:"spec"`
	Tasks   int       `json:"tasks"`
	Reduces int       `json:"reduce_tasks,omitempty"` // of Tasks: the last ones; by group they are known when the map is done
	// ReduceRun is the run of the job in which the lists of the reduce were made, 0 before.
	// Attempts at reduce tasks from runs before it were made with other lists. ReduceStale
	// says that the lists are to be made again, because map tasks have been run since.
	ReduceRun   int        `json:"reduce_run,omitempty"`
	ReduceStale bool       `json:"reduce_stale,omitempty"`
	Workers     int        `json:"workers"`
	Clock       clock.Base `json:"clock"` // Wall is the job's creation

	SerializeNS  int64 `json:"host_job_serialize_ns"`
	FuncUploadNS int64 `json:"host_func_upload_ns"`
	FuncSize     int64 `json:"func_module_size_bytes"`
	DataUploadNS int64 `json:"host_data_upload_ns"`
	JobCreatedNS int64 `json:"host_job_created_ns"`
	Machine      `json:"machine"`
	Ended        *Ending `json:"ended,omitempty"` // nil: runs, or broke off

	Runs []RunInfo `json:"runs,omitempty"` // the first and those that resumed the job, in order

	MemoryLimitBy string `json:"memory_limit_by,omitempty"` // what enforces limits.memory, see wire.MemoryLimit
}

// Machine is where the host ran.
type Machine struct {
	Hostname    string `json:"hostname"`
	OS          string `json:"os"`
	Arch        string `json:"arch"`
	Kernel      string `json:"kernel,omitempty"`
	CPUModel    string `json:"cpu_model,omitempty"`
	CPUs        int    `json:"cpus"`        // of the machine
	UsableCPUs  int    `json:"usable_cpus"` // by affinity and quota
	MemoryBytes uint64 `json:"memory_bytes,omitempty"`
	User        string `json:"user,omitempty"`
	PID         int    `json:"pid"`
}

// Ending is how a job ended.
type Ending struct {
	State  string            `json:"state"` // done, failed, cancelled, broken
	Reason string            `json:"reason,omitempty"`
	TimeNS int64             `json:"time_ns"`
	Counts map[job.State]int `json:"counts"` // tasks by state
}

// Maps is how many tasks the map has.
func (m *Manifest) Maps() int { return m.Tasks - m.Reduces }

// Fill sets the keys of r that are the same for all records of the job.
func (m *Manifest) Fill(r *stats.Record) {
	r.JobID = m.JobID
	r.Stage = stats.StageMap
	if r.Task >= m.Maps() {
		r.Stage = stats.StageReduce
	}
	if r.Worker.OK {
		r.Run = stats.IntOf(m.RunOf(int(r.Worker.V)))
	}
	r.HostJobCreate = stats.SecOf(m.Clock.Wall)
	r.HostSerialize = stats.SecOf(m.SerializeNS)
	r.HostFuncUpload = stats.SecOf(m.FuncUploadNS)
	r.FuncModuleSize = stats.IntOf(m.FuncSize)
	r.HostDataUpload = stats.SecOf(m.DataUploadNS)
	r.HostJobCreated = stats.SecOf(m.JobCreatedNS)
}

// superseded says whether r is of a reduce task and was made with lists that do not
// count any more.
func (m *Manifest) superseded(r *stats.Record) bool {
	return r.Stage == stats.StageReduce && r.Run.OK && (m.ReduceStale || r.Run.V < int64(m.ReduceRun))
}

// ErrNewer is a store or job written by a newer version of the program.
var ErrNewer = errors.New("written by a newer version")

// maxTasks bounds what a manifest can make a reader allocate.
const maxTasks = 1 << 28

// readManifest reads job.json in dir.
func readManifest(dir string) (*Manifest, error) {
	m := &Manifest{}
	if err := decodeManifest(dir, m); err != nil {
		return nil, err
	}
	if m.Tasks < 0 || m.Tasks > maxTasks || m.Reduces < 0 || m.Reduces > m.Tasks {
		return nil, fmt.Errorf("read manifest %s: %d tasks, %d of them reduce tasks", filepath.Join(dir, manifestName), m.Tasks, m.Reduces)
	}
	return m, nil
}

// decodeManifest reads job.json in dir into m. Of a newer layout it understands
// no more than the version.
func decodeManifest(dir string, m summary) error {
	path := filepath.Join(dir, manifestName)
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	err = json.Unmarshal(b, m)
	v := struct{ Version int }{m.layout()}
	if err != nil {
		_ = json.Unmarshal(b, &v) // the version alone may still be legible
	}
	if v.Version > Version {
		err = fmt.Errorf("%w (layout %d, this program knows %d)", ErrNewer, v.Version, Version)
	}
	if err != nil {
		return fmt.Errorf("read manifest %s: %w", path, err)
	}
	return nil
}
