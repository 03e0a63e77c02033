package lithops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"unicode/utf8"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
	"github.com/lithops-go/lithops/internal/store"
	"github.com/lithops-go/lithops/internal/wire"
)

// reduce makes the tasks of the reduce, when the map has ended: the lists they get,
// and their inputs. With a reason there are none, and it says why.
func (p *Prepared) reduce(ctx context.Context, counts map[job.State]int) (tasks int, reason string, err error) {
	failed := 0
	for state, n := range counts {
		if state != job.Success {
			failed += n
		}
	}
	if failed > 0 && p.run.Spec.OnFailure.Mode != job.Tolerate {
		return 0, fmt.Sprintf("the reduce was not run, because %d of %d map tasks did not succeed", failed, p.maps), nil
	}
	if p.before != nil && p.before.unrun > 0 { // nobody has tolerated that
		return 0, fmt.Sprintf("the reduce was not run, because %d of %d map tasks were left as they are and have not been run to an end", p.before.unrun, p.maps), nil
	}
	j, err := p.run.Store.Job(p.manifest.JobID)
	if err != nil {
		return 0, "", err
	}
	l := &lists{p: p, job: j, ctx: ctx}
	if p.run.Spec.ReduceBy != "" {
		err = l.byField(p.run.Spec.ReduceBy)
	} else {
		err = l.one()
	}
	var unfit *unfitError
	if errors.As(err, &unfit) {
		return 0, "the reduce was not run: " + unfit.Error(), nil
	}
	if err == nil {
		err = l.submit()
	}
	return len(l.made), "", err
}

// unfitError is a result that the reduce cannot get.
type unfitError struct {
	task int
	msg  string
}

func (e *unfitError) Error() string { return fmt.Sprintf("the result of task %d %s", e.task, e.msg) }

// lists makes the files that the reduce tasks get.
type lists struct {
	p    *Prepared
	job  *store.Job
	ctx  context.Context
	made []wire.List
	buf  bytes.Buffer
}

// results calls f with each result of the map as one line of JSON, in order.
func (l *lists) results(f func(r *stats.Record, value []byte) error) error {
	n := 0
	rep, err := l.job.Results(0, l.p.maps, func(r *stats.Record, result io.Reader) error {
		if n++; n%1024 == 0 && l.ctx.Err() != nil {
			return l.ctx.Err()
		}
		if result == nil {
			return nil // on_failure tolerates it
		}
		value, err := l.value(r, result)
		if err != nil {
			return err
		}
		return f(r, value)
	})
	if err != nil {
		return err
	}
	if rep.Total > 0 {
		return rep.Damage[0]
	}
	return nil
}

// value is a result as one line of JSON: a function's as it is, a command's output as
// the JSON it is by output: json, or as a text.
func (l *lists) value(r *stats.Record, result io.Reader) ([]byte, error) {
	l.buf.Reset()
	if _, err := l.buf.ReadFrom(result); err != nil {
		return nil, err
	}
	b, spec := l.buf.Bytes(), l.p.run.Spec
	switch {
	case spec.Function != (job.Function{}):
		return b, nil
	case spec.Output == job.OutputJSON:
		var line bytes.Buffer
		if err := json.Compact(&line, b); err != nil {
			return nil, &unfitError{r.Task, "is not JSON: " + err.Error()}
		}
		return line.Bytes(), nil
	case !utf8.Valid(b):
		return nil, &unfitError{r.Task, "is not UTF-8 text; let the command write the name of a file instead"}
	}
	return json.Marshal(string(b))
}

// one makes the list of all results.
func (l *lists) one() error {
	count := 0
	path, err := l.p.w.WriteList(0, func(w io.Writer) error {
		return l.results(func(_ *stats.Record, value []byte) error {
			count++
			if _, err := w.Write(value); err != nil {
				return err
			}
			_, err := w.Write([]byte{'\n'})
			return err
		})
	})
	l.made = []wire.List{{File: filepath.Base(path), Count: count}}
	return err
}

// byField makes a list for each value that the field has in the results, in the
// order in which they come first.
func (l *lists) byField(field string) error {
	type group struct {
		key   json.RawMessage
		tasks []place
	}
	var groups []*group
	byKey := map[string]*group{}
	err := l.results(func(r *stats.Record, value []byte) error {
		key, err := fieldOf(value, field)
		if err != nil {
			return &unfitError{r.Task, err.Error()}
		}
		g := byKey[string(key)]
		if g == nil {
			g = &group{key: key}
			byKey[string(key)] = g
			groups = append(groups, g)
		}
		g.tasks = append(g.tasks, placeOf(r))
		return nil
	})
	if err != nil {
		return err
	}
	outputs := l.job.Outputs()
	defer outputs.Close()
	for i, g := range groups {
		path, err := l.p.w.WriteList(i, func(w io.Writer) error {
			for k := range g.tasks {
				if l.ctx.Err() != nil {
					return l.ctx.Err()
				}
				r := g.tasks[k].record()
				result, err := outputs.Result(&r)
				if err != nil {
					return err
				}
				value, err := l.value(&r, result)
				if err != nil {
					return err
				}
				if _, err := w.Write(append(value, '\n')); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		l.made = append(l.made, wire.List{File: filepath.Base(path), Count: len(g.tasks), Group: g.key})
		g.tasks = nil
	}
	return nil
}

// place is where a result is, small enough to be kept for every task.
type place struct {
	task, attempt, worker int32
	crc                   uint32
	offset, size          int64
}

func placeOf(r *stats.Record) place {
	return place{task: int32(r.Task), attempt: int32(r.Attempt), worker: int32(r.Worker.V), crc: uint32(r.ResultCRC.V),
		offset: r.ResultOffset.V, size: r.ResultSize.V}
}

func (p place) record() stats.Record {
	return stats.Record{Task: int(p.task), Attempt: int(p.attempt), State: job.Success, Worker: stats.IntOf(p.worker),
		ResultOffset: stats.IntOf(p.offset), ResultSize: stats.IntOf(p.size), ResultCRC: stats.IntOf(p.crc)}
}

// fieldOf is the value of a field of an object, in compact form.
func fieldOf(value []byte, field string) (json.RawMessage, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(value, &object); err != nil || object == nil {
		return nil, fmt.Errorf("is no object, and reduce_by wants its field %q: %s", field, short(value, 80))
	}
	key, ok := object[field]
	if !ok {
		return nil, fmt.Errorf("has no field %q, which reduce_by wants: %s", field, short(value, 80))
	}
	var b bytes.Buffer
	if err := json.Compact(&b, key); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// submit adds the lists to the job's inputs, and the tasks to its manifest.
func (l *lists) submit() error {
	p := l.p
	in, err := p.w.InputsFrom(p.maps)
	if err != nil {
		return err
	}
	// A group that is gone keeps its task, with an empty list: its earlier attempts stay
	// where they belong.
	for n := len(l.made); p.before != nil && n < len(p.before.tasks)-p.maps; n++ {
		path, err := p.w.WriteList(n, func(io.Writer) error { return nil })
		if err != nil {
			return errors.Join(err, in.Close())
		}
		l.made = append(l.made, wire.List{File: filepath.Base(path)})
	}
	for _, list := range l.made {
		b, err := json.Marshal(list)
		if err == nil {
			err = in.Add(b)
		}
		if err != nil {
			return errors.Join(err, in.Close())
		}
	}
	if err := in.Close(); err != nil {
		return err
	}
	m := p.manifest
	m.Tasks, m.Reduces = p.maps+len(l.made), len(l.made)
	m.ReduceRun, m.ReduceStale = m.LastRun().Number, false
	if err := p.w.WriteManifest(m); err != nil {
		return err
	}
	return p.staged.more(p.maps, len(l.made))
}
