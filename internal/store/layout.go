// Package store is the directory that jobs live in. Every file has one writer:
// the host writes job.json (by rename), input.jsonl and host.jsonl; worker n
// appends to w-n.stats.jsonl, w-n.out and w-n.log. Readers hold no lock and never
// write, so a job can be read while it runs.
//
//	<store>/version                    the layout's version
//	<store>/jobs/<job-id>/job.json     Manifest
//	                      job.yaml     as submitted
//	                      input.jsonl  one JSON value per task
//	                      func/        staged program and files
//	                      runtime/     files of ours that functions are run by
//	                      reduce-<n>.jsonl   what the n-th reduce task gets
//	                      host.jsonl   the host's lines: stats.Record keys it owns, and events
//	                      lock         held by the host and its workers while one of them lives
//	                      cancel.json  somebody's request that the host ends the job
//	                      w-<n>.stats.jsonl, .out, .log   segments of worker n
//	                      w-<n>.out.part, .log.part       output of the task it runs now
//	                      w-<n>.err    what the worker process itself said
package store

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// Version is the layout this program writes. It reads no newer one. Since 2, the first
// line of a worker's segment says what the others leave out.
const Version = 2

// Names of a job's files.
const (
	manifestName = "job.json"
	specName     = "job.yaml"
	inputName    = "input.jsonl"
	hostName     = "host.jsonl"
	lockName     = "lock"
	cancelName   = "cancel.json"
	funcName     = "func"
	runtimeName  = "runtime"
	listName     = "reduce-%d.jsonl" // of the n-th reduce task
)

// Segment kinds: what one worker appends to.
const (
	StatsSegment = "stats.jsonl"
	OutSegment   = "out"
	LogSegment   = "log"
	OutPart      = "out.part"
	LogPart      = "log.part"
	WorkerErr    = "err"
)

// SegmentPath is the path of a worker's file in the job directory dir.
func SegmentPath(dir string, worker int, kind string) string {
	return filepath.Join(dir, fmt.Sprintf("w-%d.%s", worker, kind))
}

// anyWorker is the number of the worker that a file of whatever kind is of.
func anyWorker(name string) (worker int, ok bool) {
	s, ok := strings.CutPrefix(name, "w-")
	if !ok {
		return 0, false
	}
	s, _, ok = strings.Cut(s, ".")
	worker, err := strconv.Atoi(s)
	const most = 1 << 30 // no worker of ours
	return worker, ok && err == nil && worker >= 0 && worker < most
}

// segmentWorker is the inverse of SegmentPath for one kind.
func segmentWorker(name, kind string) (worker int, ok bool) {
	s, ok := strings.CutPrefix(name, "w-")
	if !ok {
		return 0, false
	}
	if s, ok = strings.CutSuffix(s, "."+kind); !ok {
		return 0, false
	}
	worker, err := strconv.Atoi(s)
	return worker, err == nil && worker >= 0 && strconv.Itoa(worker) == s
}
