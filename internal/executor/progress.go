package executor

import "time"

// Progress is how far a job is.
type Progress struct {
	Tasks     int // in all
	Before    int // that had ended in earlier runs of the job, or are not to be run
	Success   int
	Failed    int // ended without success, no attempt left
	Cancelled int
	Running   int
	Retried   int // attempts beyond the first that were queued
	Elapsed   time.Duration
	Workers   int    // alive
	Ending    bool   // no new task is started any more: the job is being stopped
	Reason    string // why, when Ending
}
