package lithops

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/store"
)

// Option sets up an Executor.
type Option func(*settings)

// settings are what options set.
type settings struct {
	store    string
	spec     job.Spec
	progress func(Progress)
}

// WithStore keeps the jobs in directory dir, which is made if it is missing. The
// default is the command line's: $LITHOPS_STORE, else lithops in $XDG_STATE_HOME,
// else ~/.local/state/lithops; there `lithops stats last` finds them. (A store
// that only a configuration file names is the command line's alone.)
func WithStore(dir string) Option { return func(s *settings) { s.store = dir } }

// WithWorkers sets how many worker processes there are at most at a time, for all
// calls of the executor together. The default is $LITHOPS_WORKERS, else, and for
// 0, the number of usable CPUs.
func WithWorkers(n int) Option { return func(s *settings) { s.spec.Workers = n } }

// WithName names the jobs, for lists and pictures.
func WithName(name string) Option { return func(s *settings) { s.spec.Name = name } }

// WithTimeout limits how long a call may take. When the time is over its context
// ends; a function that goes on regardless is killed five seconds later, with the
// process it runs in. The default, 0, is no limit.
func WithTimeout(d time.Duration) Option { return func(s *settings) { s.spec.Timeout = d } }

// WithMaxTime limits how long a job may run: when the time is over, it is cancelled. The
// default, 0, is no limit.
func WithMaxTime(d time.Duration) Option { return func(s *settings) { s.spec.MaxTime = d } }

// WithSync has the result of a call on the disk before it counts as done, so that a
// power cut takes nothing back. The default is that what is done survives the death of
// any process, and the system writes it to the disk when it sees fit.
func WithSync() Option { return func(s *settings) { s.spec.Durability = job.DurabilitySync } }

// WithRetries repeats a call that failed or took too long, up to n times. The
// default is 0. (A call whose worker process was killed is repeated in any case, up to
// five times; one that ends its process itself has failed.)
func WithRetries(n int) Option { return func(s *settings) { s.spec.Retries.Limit = n } }

// WithBackoff sets the pause before a retry: first before the first one, then
// twice as long each time, at most most. Up to half of a pause is taken off at
// random. The default is a second and half a minute.
func WithBackoff(first, most time.Duration) Option {
	return func(s *settings) { s.spec.Retries.Backoff, s.spec.Retries.MaxBackoff = first, most }
}

// WithStopOnFailure starts no further call of a job when one has failed for good.
// The default is to go on and to report failures at the end.
func WithStopOnFailure() Option {
	return func(s *settings) { s.spec.OnFailure = job.OnFailure{Mode: job.Stop} }
}

// WithTolerate starts no further call of a job when more than n have failed for
// good.
func WithTolerate(n int) Option {
	return func(s *settings) { s.spec.OnFailure = job.OnFailure{Mode: job.Tolerate, Count: n} }
}

// WithToleratePercent starts no further call of a job when more than the given
// percentage of its calls have failed for good.
func WithToleratePercent(percent float64) Option {
	return func(s *settings) { s.spec.OnFailure = job.OnFailure{Mode: job.Tolerate, Percent: percent} }
}

// WithEnv adds variables to the environment that functions see. Several WithEnv
// add up.
func WithEnv(env map[string]string) Option {
	return func(s *settings) {
		if s.spec.Env == nil {
			s.spec.Env = map[string]string{}
		}
		maps.Copy(s.spec.Env, env)
	}
}

// WithWorkdir sets the directory that functions run in. The default is the
// directory this process is in when New is called.
func WithWorkdir(dir string) Option { return func(s *settings) { s.spec.Workdir = dir } }

// WithChunksize sets how many calls a worker has in hand at a time. The default,
// 0, adapts it to how long they take.
func WithChunksize(n int) Option { return func(s *settings) { s.spec.Chunksize = n } }

// WithProgress has f called, by one goroutine at a time, a few times a second
// while a job runs and at its end. It must be quick, and not wait for the executor.
func WithProgress(f func(Progress)) Option { return func(s *settings) { s.progress = f } }

// Progress is how far a job is.
type Progress struct {
	JobID     string
	Tasks     int // in all
	Success   int
	Failed    int // for good: no retry is left
	Cancelled int
	Running   int
	Retried   int // attempts beyond the first
	Workers   int // processes that are up
	Elapsed   time.Duration
}

// apply makes settings of the options and the surroundings, and checks them.
func apply(opts []Option) (*settings, error) {
	cwd, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find working directory: %w", err)
	}
	s := &settings{store: store.DefaultRoot()}
	if dir := os.Getenv("LITHOPS_STORE"); dir != "" {
		s.store = store.ExpandHome(dir)
	}
	s.spec.Dir = cwd
	if n := os.Getenv("LITHOPS_WORKERS"); n != "" {
		if s.spec.Workers, err = strconv.Atoi(n); err != nil {
			return nil, fmt.Errorf("LITHOPS_WORKERS: want a number of workers, not %q", n)
		}
	}
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	if s.store == "" {
		return nil, errors.New("there is no home directory to keep jobs in: name a store by WithStore or $LITHOPS_STORE")
	}
	if s.spec.Workers == 0 {
		s.spec.Workers = runtime.GOMAXPROCS(0)
	}
	if r := &s.spec.Retries; r.Backoff == 0 && r.MaxBackoff == 0 {
		r.Backoff, r.MaxBackoff = time.Second, 30*time.Second
	}
	s.spec.Function.Go = "f" // any will do to check the rest
	if err := s.spec.Validate(); err != nil {
		return nil, fmt.Errorf("set up executor: %w", err)
	}
	return s, nil
}
