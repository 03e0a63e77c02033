package chart

import (
	"container/heap"
	"math/rand/v2"
	"time"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// sim is a made-up job: tasks in order on a pool of workers. Times in seconds.
type sim struct {
	tasks, workers int
	rate           float64 // submits per second
	least, most    float64 // run time
	whole          bool    // run times are whole seconds
	start          float64 // of the worker processes
	dispatch       float64 // mean time from free worker to start
	poll           float64 // between looks for statuses
	fail           float64 // share of failed tasks
	results        bool    // are fetched too
}

// seedJob is 500 tasks of 5 to 10 s on 50 workers, or another number of them.
func seedJob(tasks, workers int) sim {
	return sim{tasks: tasks, workers: workers, rate: max(400, float64(tasks)/5), least: 5, most: 10, whole: true,
		start: 0.4, dispatch: 0.004, poll: 1, fail: 0.012}
}

// shortJob has tasks of about 20 ms.
func shortJob(tasks, workers int) sim {
	return sim{tasks: tasks, workers: workers, rate: 5000, least: 0.018, most: 0.025,
		start: 0.03, dispatch: 0.0008, poll: 0.005, fail: 0.02}
}

type slot struct {
	free   float64
	worker int32
}

type slots []slot

func (h slots) Len() int           { return len(h) }
func (h slots) Less(i, j int) bool { return h[i].free < h[j].free }
func (h slots) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *slots) Push(x any)        { *h = append(*h, x.(slot)) }
func (h *slots) Pop() any          { panic("not used") }

var created = time.Date(2026, 11, 22, 7, 24, 10, 0, time.UTC)

// columns runs the job. It is the same at every call.
func (o sim) columns() *stats.Columns {
	r := rand.New(rand.NewPCG(42, 7))
	c := stats.NewColumns("a1b2c3-0-M000", "", created, o.tasks)
	if o.results {
		c.ResultDone = make([]int64, o.tasks)
	}
	h := make(slots, o.workers)
	for i := range h {
		h[i] = slot{o.start * (0.6 + 0.8*r.Float64()), int32(i)}
	}
	heap.Init(&h)
	ns := func(s float64) int64 { return int64(s * 1e9) }
	submit := min(0.3, 0.05*o.least)
	for i := range o.tasks {
		submit += (0.5 + r.Float64()) / o.rate
		arrive := max(submit, h[0].free)
		begin := arrive + o.dispatch*(0.5+r.ExpFloat64())
		length := o.least + r.Float64()*(o.most-o.least)
		if o.whole {
			length = o.least + float64(r.IntN(int(o.most-o.least)+1)) + 0.002*r.ExpFloat64()
		}
		c.State[i], c.Attempt[i], c.Worker[i] = job.Success, 1, h[0].worker
		if r.Float64() < o.fail {
			c.State[i] = job.Error
			length *= 0.1 + 0.8*r.Float64()
		}
		end := begin + length
		h[0].free = end + o.dispatch*0.5
		c.Submit[i], c.WorkerStart[i], c.Start[i] = ns(submit), ns(arrive), ns(begin)
		c.End[i], c.WorkerEnd[i] = ns(end), ns(h[0].free)
		c.StatusDone[i] = ns(h[0].free + o.poll*(0.1+0.9*r.Float64()))
		if o.results {
			c.ResultDone[i] = c.StatusDone[i] + ns(0.2*o.poll*r.Float64())
		}
		heap.Fix(&h, 0)
	}
	return c
}

// calls is a job of n calls of a warm function, 200 ns long in the median, without a
// gap on two workers. What is first on a worker starts a process, and is longer.
func calls(n int) *stats.Columns {
	r := rand.New(rand.NewPCG(3, 1))
	c := stats.NewColumns("c4115-0-M000", "", created, n)
	c.Started = make([]bool, n)
	free := [2]int64{2e6, 2e6}
	for i := range n {
		w := i % 2
		at, startup, length := free[w], int64(400), int64(120+80*r.ExpFloat64())
		if i < 2 {
			startup, length, c.Started[i] = 15e6, 700e3, true
		}
		c.State[i], c.Attempt[i], c.Worker[i] = job.Success, 1, int32(w)
		c.Submit[i], c.WorkerStart[i], c.Start[i] = 1e6+int64(i)*10, at, at+startup
		c.End[i] = c.Start[i] + length
		c.WorkerEnd[i] = c.End[i] + 300
		c.StatusDone[i] = c.WorkerEnd[i] + 5e6
		free[w] = c.WorkerEnd[i]
	}
	return c
}

// thenReduce adds n reduce tasks of about the given seconds, which begin when the
// map's statuses have been fetched, on the first workers.
func thenReduce(c *stats.Columns, n int, seconds float64) *stats.Columns {
	out := stats.NewColumns(c.JobID, c.Name, c.Created, c.Len()+n)
	out.Maps = c.Len()
	copy(out.State, c.State)
	copy(out.Attempt, c.Attempt)
	copy(out.Retried, c.Retried)
	copy(out.Worker, c.Worker)
	if c.ResultDone != nil {
		out.ResultDone = nullColumn(out.Len())
	}
	for k, col := range all(c) {
		copy(all(out)[k], col)
	}
	_, begin := extent(c.StatusDone)
	for i := out.Maps; i < out.Len(); i++ {
		k := int64(i - out.Maps)
		out.State[i], out.Attempt[i], out.Worker[i] = job.Success, 1, int32(k)
		at, length := begin+5e6, int64(seconds*1e9)+k*int64(seconds*1e8)
		out.Submit[i], out.WorkerStart[i], out.Start[i] = at, at+2e6, at+4e6+k*1e6
		out.End[i] = out.Start[i] + length
		out.WorkerEnd[i], out.StatusDone[i] = out.End[i]+2e6, out.End[i]+15e6
	}
	return out
}

func nullColumn(n int) []int64 {
	col := make([]int64, n)
	for i := range col {
		col[i] = stats.Null
	}
	return col
}

// stopAt leaves a job as it was at an instant.
func stopAt(c *stats.Columns, seconds float64) *stats.Columns {
	now := int64(seconds * 1e9)
	for i := range c.Len() {
		for _, col := range all(c) {
			if col != nil && col[i] > now {
				col[i] = stats.Null
			}
		}
		switch {
		case known(c.StatusDone[i]):
		case known(c.WorkerStart[i]):
			c.State[i] = job.Running
		case known(c.Submit[i]):
			c.State[i], c.Worker[i] = job.Queued, -1
		default:
			c.State[i], c.Worker[i] = job.New, -1
		}
	}
	return c
}
