package stats

import (
	"math"
	"testing"
	"time"

	"github.com/lithops-go/lithops/internal/job"
)

func TestColumns(t *testing.T) {
	_, records := mixed()
	stray := ran(9, 1, job.Success, 0, 0, 0, 0, 0, 0, 0)
	for _, order := range [][]int{{0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}} {
		c := NewColumns("j", "name", time.Unix(0, created), 5)
		for _, i := range order {
			c.Add(append(records, stray)[i])
		}
		if c.Len() != 5 || c.ResultDone != nil {
			t.Errorf("%d tasks, results %v", c.Len(), c.ResultDone)
		}
		const milli = 1_000_000
		if c.State[1] != job.Success || c.Attempt[1] != 2 || c.Worker[1] != 1 || c.Submit[1] != 62*milli || c.WorkerStart[1] != 70*milli ||
			c.WorkerEnd[1] != 280*milli || c.StatusDone[1] != 281*milli || c.Start[1] != Null {
			t.Errorf("task 1: %+v", c)
		}
		if c.State[3] != job.Lost || c.WorkerStart[3] != Null || c.State[4] != job.New || c.Worker[4] != -1 || c.Submit[4] != Null {
			t.Errorf("tasks 3 and 4: %+v", c)
		}
	}
}

func TestColumnsResultsComeLate(t *testing.T) {
	c := NewColumns("", "", time.Unix(0, created), 2)
	c.Add(&Record{Task: 0, Attempt: math.MaxUint16 + 5})
	c.Add(&Record{Task: 1, Attempt: 1, ResultDone: at(3)})
	if len(c.ResultDone) != 2 || c.ResultDone[0] != Null || c.ResultDone[1] != 3_000_000 || c.Attempt[0] != math.MaxUint16 || c.Worker[1] != -1 {
		t.Errorf("%+v", c)
	}
}

func TestCounts(t *testing.T) {
	for _, c := range []struct {
		state   job.State
		attempt int
		next    job.State
		try     int
		want    bool
	}{
		{job.New, 0, job.Queued, 0, true}, {job.Error, 1, job.Running, 2, true}, {job.Running, 2, job.Error, 1, false},
		{job.Success, 1, job.Lost, 2, false}, {job.Lost, 2, job.Success, 1, true}, {job.Success, 1, job.Success, 2, true},
		{job.Running, 1, job.Error, 1, true}, {job.Error, 1, job.Running, 1, false}, {job.Error, 1, job.Timeout, 1, true},
	} {
		if got := counts(c.state, c.attempt, &Record{State: c.next, Attempt: c.try}); got != c.want {
			t.Errorf("%v/%d then %v/%d: %v", c.state, c.attempt, c.next, c.try, got)
		}
	}
}

func TestDerive(t *testing.T) {
	r := &Record{HostSubmit: at(0), WorkerStart: at(10), FuncStart: at(12), FuncEnd: at(112), WorkerEnd: at(120), StatusDone: at(121),
		CPUUser: ms(40), CPUSystem: ms(10)}
	r.Derive()
	if r.QueueTime != ms(10) || r.FuncExec != ms(100) || r.WorkerExec != ms(110) || r.FetchTime != ms(1) || r.TaskCPUPercent != FloatOf(50) {
		t.Errorf("%+v", r)
	}
	never := &Record{HostSubmit: at(0), TaskCPUPercent: FloatOf(3), FuncExec: ms(1)}
	never.Derive()
	if never.QueueTime.OK || never.FuncExec.OK || never.WorkerExec.OK || never.FetchTime.OK || never.TaskCPUPercent.OK {
		t.Errorf("%+v", never)
	}
}

func TestSecondsAsFloat(t *testing.T) {
	if ms(1500).Seconds() != 1.5 || !math.IsNaN(Sec{}.Seconds()) {
		t.Errorf("%v, %v", ms(1500).Seconds(), Sec{}.Seconds())
	}
}
