package job

import (
	"fmt"
	"math"
	"time"
)

// retryable are the states that retries can be for.
var retryable = formOf(`^(error|timeout|lost)$`)

// table is the one description of the job file: the decoder, the flags and the
// JSON Schema are made of it. It is built anew on each call, so that nothing
// can change it.
func table() object {
	with := map[string]string{"stdin": "command", "output": "command", "reduce_by": "reduce"}
	return object{what: "a job", alt: []string{"command", "function"}, with: with, fields: []field{
		{"name", flagWord, "text", text{form: nameForm, what: "one line of text", set: func(s *Spec, v string) error {
			s.Name = v
			return nil
		}}, "name of the job, shown in lists"},
		{"command", flagWord, "text", commandShape(), "what each task runs: a list is executed directly, a text by /bin/sh -c with every replaced value quoted"},
		{"function", flagFunction, "FILE:NAME", callee{func(s *Spec, f Function) { s.Function = f }},
			"FILE:NAME of a Python or JavaScript function, or the path of a program: called for each item, in persistent processes"},
		{"runtime", flagProgram, "program", interpreterShape(func(s *Spec, v string) { s.Runtime = v }),
			"interpreter of the function: a name to look for in PATH, a path, or the path of a virtual environment"},
		{"reduce", flagFunction, "FILE:NAME", reduceShape(), "function that is called with the list of the results when all tasks are done"},
		{"reduce_by", flagWord, "field", text{set: func(s *Spec, v string) error {
			s.ReduceBy = v
			return nil
		}}, "field of the results: those with the same value of it are reduced by a task of their own"},
		{"data", flagNone, "", dataShape(), "where the items come from: exactly one source"},
		{"workers", flagYAML, "int", whole{max: 1 << 20, set: func(s *Spec, v int64) { s.Workers = int(v) }},
			"number of worker processes; 0, the default, is the number of usable CPUs"},
		{"chunksize", flagYAML, "int", whole{max: 1 << 30, set: func(s *Spec, v int64) { s.Chunksize = int(v) }},
			"tasks handed to a worker at a time; 0, the default, adapts to the tasks' length"},
		{"retries", flagYAML, "int", retriesShape(), "further attempts at a task that failed"},
		{"timeout", flagWord, "duration", duration(func(s *Spec, v time.Duration) { s.Timeout = v }),
			"time limit of one attempt; the whole process group is ended; 0 is none"},
		{"max_time", flagWord, "duration", duration(func(s *Spec, v time.Duration) { s.MaxTime = v }),
			"time limit of the whole run of the job; then it is stopped, and can be resumed; 0 is none"},
		{"on_failure", flagYAML, "mode", onFailureShape(), "what a failed task means for the job: continue, stop or {tolerate: 5%}"},
		{"env", flagEnv, "NAME=VALUE", environ{}, "variables added to the environment of the tasks"},
		{"workdir", flagPath, "dir", text{set: func(s *Spec, v string) error {
			s.Workdir = s.Path(v)
			return nil
		}}, "directory the tasks run in; default is that of the job file"},
		{"stdin", flagWord, "text", text{empty: true, set: func(s *Spec, v string) error {
			s.Stdin = &v
			return nil
		}}, "text fed to the command, with replacements"},
		{"files", flagPaths, "file", texts{set: func(s *Spec, v []string) error {
			s.Files = v
			return nil
		}}, "files staged into the job's directory"},
		{"isolation", flagWord, "mode", choice{[]string{"auto", "group", "pid"}, func(s *Spec, v string) {
			s.Isolation = Isolation(v)
		}}, "how leftovers of a task are contained: auto, group or pid"},
		{"limits", flagNone, "", object{what: "a mapping of limits", fields: []field{
			{"memory", flagWord, "size", measure{what: "a size such as 2GiB", integer: true, max: math.MaxInt64, form: sizeForm, set: func(s *Spec, v string) (err error) {
				s.Limits.Memory, err = parseSize(v)
				return err
			}}, "memory a task may use, such as 2GiB or 500MB; 0 is no limit"},
		}}, "limits on one task"},
		{"output", flagWord, "kind", choice{[]string{"bytes", "json"}, func(s *Spec, v string) {
			s.Output = Output(v)
		}}, "standard output as the result: bytes, or json, which must be one JSON value"},
		{"durability", flagWord, "mode", choice{[]string{string(DurabilityProcess), string(DurabilitySync)}, func(s *Spec, v string) {
			s.Durability = Durability(v)
		}}, "what is recorded survives the death of any process: process; a power cut too: sync"},
	}}
}

// resumable are the keys, with all their parts, that may be given anew when a job is
// resumed: they change how its tasks are run, and not what they do.
var resumable = []string{"name", "workers", "chunksize", "retries", "timeout", "max_time", "on_failure", "limits.memory", "durability"}

func interpreterShape(set func(s *Spec, v string)) text {
	return text{like: "an interpreter such as python3.11", set: func(s *Spec, v string) error {
		set(s, v)
		return nil
	}}
}

func reduceShape() shape {
	return either{
		callee{func(s *Spec, f Function) {
			r := &Reduce{Function: f}
			if s.Reduce != nil && s.from.flags["reduce.runtime"] {
				r.Runtime = s.Reduce.Runtime
			} else {
				delete(s.from.at, "reduce.runtime")
			}
			delete(s.from.at, "reduce.function")
			s.Reduce = r
		}},
		object{what: "a mapping of function and runtime", need: []string{"function"},
			enter: func(s *Spec) { s.Reduce = &Reduce{} },
			fields: []field{
				{"function", flagNone, "", callee{func(s *Spec, f Function) { s.Reduce.Function = f }},
					"FILE:NAME of a Python or JavaScript function, or the path of a program"},
				{"runtime", flagProgram, "program", interpreterShape(func(s *Spec, v string) {
					if s.Reduce == nil { // the flag may come before --reduce
						s.Reduce = &Reduce{}
					}
					s.Reduce.Runtime = v
				}), "interpreter of the reduce function; default is the job's, if it is for the same language"},
			}},
	}
}

func commandShape() shape {
	return either{
		text{words: true, set: func(s *Spec, v string) error {
			s.Command = Command{Shell: v}
			return nil
		}},
		texts{each: text{words: true, empty: true}, min: 1, mark: true, set: func(s *Spec, v []string) error {
			s.Command = Command{Argv: v}
			return nil
		}},
	}
}

func dataShape() shape {
	return object{what: "a mapping with one source", one: true, fields: []field{
		{"list", flagYAML, "[a, b]", values{func(s *Spec, v Items) { s.Data = Data{List: v} }},
			"the items themselves"},
		{"range", flagYAML, "int", either{
			whole{min: math.MinInt64, max: math.MaxInt64, set: func(s *Spec, v int64) {
				s.Data = Data{Range: &Range{Stop: v, Step: 1}}
			}},
			object{what: "a mapping of start, stop and step", need: []string{"stop"},
				enter: func(s *Spec) { s.Data = Data{Range: &Range{Step: 1}} },
				fields: []field{
					{"start", flagNone, "", bound(false, func(r *Range, v int64) { r.Start = v }), "first number; default 0"},
					{"stop", flagNone, "", bound(false, func(r *Range, v int64) { r.Stop = v }), "end of the numbers, itself left out"},
					{"step", flagNone, "", bound(true, func(r *Range, v int64) { r.Step = v }), "distance of the numbers, may be negative; default 1"},
				}},
		}, "numbers from 0 up to but without N, or {start: 0, stop: 500, step: 5}"},
		{"lines", flagPath, "file", fileShape(func(v string) Data { return Data{Lines: v} }),
			"file whose lines are the items; - is standard input"},
		{"glob", flagPaths, "pattern", either{
			text{set: func(s *Spec, v string) error {
				s.Data = Data{Glob: []string{v}}
				return validGlob(v)
			}},
			texts{each: text{}, min: 1, set: func(s *Spec, v []string) error {
				s.Data = Data{Glob: v}
				for _, p := range v {
					if err := validGlob(p); err != nil {
						return err
					}
				}
				return nil
			}},
		}, "files that match a pattern, such as logs/**/*.txt"},
		{"csv", flagPath, "file", either{
			fileShape(func(v string) Data { return Data{CSV: &CSV{File: v}} }),
			object{what: "a mapping of file and delimiter", need: []string{"file"},
				enter: func(s *Spec) { s.Data = Data{CSV: &CSV{}} },
				fields: []field{
					{"file", flagNone, "", text{set: func(s *Spec, v string) error {
						s.Data.CSV.File = v
						return nil
					}}, "file with a header row; - is standard input"},
					{"delimiter", flagWord, "char", text{form: delimiterForm, what: "one character", set: func(s *Spec, v string) error {
						if s.Data.CSV == nil {
							return fmt.Errorf("is for csv data only")
						}
						s.Data.CSV.Delimiter = v
						return nil
					}}, "character between the fields of a row; default is a comma"},
				}},
		}, "table with a header row; its rows are objects of texts"},
		{"jsonl", flagPath, "file", fileShape(func(v string) Data { return Data{JSONL: v} }),
			"file with one JSON value per line; - is standard input"},
		{"matrix", flagYAML, "{a: [1, 2]}", axes{}, "every combination of the values of each key"},
	}}
}

var (
	nameForm      = formOf(`^[^\x00-\x1f\x7f]+$`)
	delimiterForm = formOf(`^[^"\r\n]$`)
)

func fileShape(data func(v string) Data) text {
	return text{set: func(s *Spec, v string) error {
		s.Data = data(v)
		return nil
	}}
}

func bound(nonzero bool, set func(r *Range, v int64)) whole {
	return whole{min: math.MinInt64, max: math.MaxInt64, nonzero: nonzero,
		set: func(s *Spec, v int64) { set(s.Data.Range, v) }}
}

func duration(set func(s *Spec, v time.Duration)) measure {
	return measure{what: "a duration such as 90 (seconds), 10m or 1h30m", max: math.MaxInt64 / 1e9, form: durationForm, set: func(s *Spec, text string) error {
		v, err := parseDuration(text)
		if err == nil {
			set(s, v)
		}
		return err
	}}
}

func retriesShape() shape {
	limit := whole{max: 1 << 20, set: func(s *Spec, v int64) {
		s.Retries.defaults()
		s.Retries.Limit = int(v)
	}}
	with := map[string]string{"backoff": "limit", "max_backoff": "limit", "on": "limit"}
	return either{limit, object{what: "a mapping of limit, backoff, max_backoff, on and lost", some: []string{"limit", "lost"}, with: with, fields: []field{
		{"limit", flagNone, "", limit, "number of further attempts"},
		{"backoff", flagWord, "duration", duration(func(s *Spec, v time.Duration) {
			s.Retries.defaults()
			s.Retries.Backoff = v
		}), "wait before the second attempt, doubled for each further one; default 1s"},
		{"max_backoff", flagWord, "duration", duration(func(s *Spec, v time.Duration) {
			s.Retries.defaults()
			s.Retries.MaxBackoff = v
		}), "longest wait; default 30s"},
		{"on", flagYAML, "[state]", texts{each: text{form: retryable, what: "error, timeout or lost"}, min: 1, what: "a list of error, timeout or both", set: func(s *Spec, v []string) error {
			s.Retries.defaults()
			s.Retries.On = nil
			for _, name := range v {
				state, err := ParseState(name)
				if err != nil {
					return err
				}
				s.Retries.On = append(s.Retries.On, state)
			}
			return nil
		}}, "what is tried again; default is [error, timeout]; what is lost is in any case, see retries.lost"},
		{"lost", flagYAML, "int", whole{max: 1 << 20, set: func(s *Spec, v int64) {
			lost := int(v)
			s.Retries.Lost = &lost
		}}, "how often a task is resubmitted because its worker died; default 5, 0 is never"},
	}}}
}

func onFailureShape() shape {
	return either{
		choice{[]string{Continue, Stop}, func(s *Spec, v string) { s.OnFailure = OnFailure{Mode: v} }},
		object{what: "{tolerate: 5%}", need: []string{"tolerate"}, fields: []field{
			{"tolerate", flagWord, "n|n%", measure{what: "a number of tasks such as 10, or a percentage such as 5%", integer: true, max: math.MaxInt32, form: percentForm, set: func(s *Spec, v string) (err error) {
				s.OnFailure, err = parseTolerance(v)
				return err
			}}, "failed tasks, or their percentage, that do not end the job"},
		}},
	}
}
