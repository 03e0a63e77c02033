package lithops

import (
	"fmt"
	"os"

	"github.com/lithops-go/lithops/internal/cgroup"
	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// limit decides how the job's limit on memory is enforced, tells the workers by way
// of j, and writes it down. release, which is never nil, takes away what was made
// for it; the job's tasks have to have ended.
func (p *Prepared) limit(j *wire.Job) (release func(), err error) {
	release = func() {}
	memory := j.Spec.Limits.Memory
	if memory == 0 {
		return release, nil
	}
	place, err := findPlace(j.Spec)
	if err != nil {
		return release, err
	}
	j.Memory = &wire.MemoryLimit{By: wire.ByAddressSpace, Bytes: memory}
	if place != nil {
		group, err := place.NewJob(j.JobID, memory)
		if err != nil {
			return release, fmt.Errorf("limit memory: %w", err)
		}
		// What cannot be removed harms no task; the next job tries again.
		release = func() {
			if err := group.Close(); err != nil {
				p.w.Event(store.Event{Event: "cgroup", TimeNS: p.clock.Now(), Text: err.Error()})
			}
		}
		j.Memory.By, j.Memory.Dir = wire.ByCgroup2, group.Dir()
		if place.Version == 1 {
			j.Memory.By = wire.ByCgroup1
		}
	}
	p.manifest.MemoryLimitBy = j.Memory.By
	if err := p.w.WriteManifest(p.manifest); err != nil {
		release()
		return func() {}, err
	}
	return release, nil
}

// checkLimits refuses a limit on memory that cannot be enforced here.
func checkLimits(spec *job.Spec) error {
	if spec.Limits.Memory == 0 {
		return nil
	}
	for _, l := range languages(spec) {
		if l == job.Go {
			return spec.Fault("limits.memory", "limits.memory is not for functions of a Go program, which share a process with their worker")
		}
		if l == job.JavaScript {
			_, err := findPlace(spec)
			return err
		}
	}
	return nil
}

// findPlace finds where memory cgroups can be made, nil when it has to be done without
// them.
func findPlace(spec *job.Spec) (*cgroup.Place, error) {
	place, err := cgroup.Find()
	if err == nil {
		return place, nil
	}
	if os.Getenv(cgroup.Env) != "" { // what was asked for
		return nil, spec.Fault("limits.memory", "limits.memory: %w", err)
	}
	for _, l := range languages(spec) {
		if l == job.JavaScript {
			e := spec.Fault("limits.memory", "limits.memory for a JavaScript function needs a memory cgroup, because node reserves more address space than it uses; there is none: %w", err)
			e.Hint = `run lithops where it may make one, such as by systemd-run --user --scope -p Delegate=yes lithops run ..., or use the limit that node has: env: {NODE_OPTIONS: "--max-old-space-size=2048"}, in MiB`
			return nil, e
		}
	}
	return nil, nil
}
