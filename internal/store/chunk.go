package store

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/lithops-go/lithops/internal/job"
	"github.com/lithops-go/lithops/internal/stats"
)

// chunkTasks is how many tasks are read at once in order: enough for their lines
// to lie together in their segments.
const chunkTasks = 512

// nearby is the gap between two lines that is rather read than jumped over.
const nearby = 16 << 10

// chunk is the records of some tasks in order.
type chunk struct {
	block
	layout  stats.Layout
	ids     []job.Attempt
	records []stats.Record
	lines   []lineAt
	damaged []Damage
	shorts  []short
	lost    map[int64]int
}

// lineAt is a line to be read for the record at index to.
type lineAt struct {
	place
	to int
}

// choose lists the attempts at the tasks from..to-1, and the lines of those that
// have one.
func (c *chunk) choose(rd *reading, x *index, later []job.Attempt, from, to int) {
	c.ids, c.records, c.lines, c.damaged, c.shorts = c.ids[:0], c.records[:0], c.lines[:0], c.damaged[:0], c.shorts[:0]
	c.lost = map[int64]int{}
	next, _ := slices.BinarySearchFunc(later, job.Attempt{Task: from}, compareAttempts)
	for task := from; task < to; task++ {
		c.ids = append(c.ids, job.Attempt{Task: task, Try: 1})
		for ; next < len(later) && later[next].Task == task; next++ {
			c.ids = append(c.ids, later[next])
		}
	}
	for i, id := range c.ids {
		if at := x.at(id); at != 0 {
			c.lines = append(c.lines, lineAt{at, i})
		}
	}
	c.records = slices.Grow(c.records, len(c.ids))[:len(c.ids)]
	slices.SortFunc(c.lines, func(a, b lineAt) int { return cmp.Compare(a.place, b.place) })
}

// fetch makes the records: of the lines, and where there is none of what the
// host knows.
func (c *chunk) fetch(rd *reading, p *stats.Picker) {
	for i := range c.records {
		c.records[i] = stats.Record{}
	}
	for lines := c.lines; len(lines) > 0; {
		n := 1
		for n < len(lines) && lines[n].segment() == lines[0].segment() && lines[n].offset()-lines[n-1].offset() < nearby {
			n++
		}
		c.fetchRun(rd, p, lines[:n])
		lines = lines[n:]
	}
	c.settle()
	c.fillUp(rd)
}

// settle reports what records point to that is not there.
func (c *chunk) settle() {
	if len(c.shorts) == 0 {
		return
	}
	missing := map[job.Attempt]*short{}
	for i := range c.shorts {
		missing[c.shorts[i].id] = &c.shorts[i]
	}
	again := madeAgain{}
	for i := range c.records {
		again.add(&c.records[i], missing[c.ids[i]])
	}
	for i := range c.shorts {
		if d, found := c.shorts[i].damage(again.after(c.shorts[i].id)); found {
			c.damaged = append(c.damaged, d)
		}
	}
}

// fillUp makes the records of attempts without a line what the host knows of
// them, and leaves out those it knows nothing of, but for one of each task.
func (c *chunk) fillUp(rd *reading) {
	n := 0 // records kept
	for i := 0; i < len(c.ids); {
		task, first := c.ids[i].Task, n
		for ; i < len(c.ids) && c.ids[i].Task == task; i++ {
			r, row := &c.records[i], rd.log.row(c.ids[i])
			if r.Attempt == 0 {
				if row == nil || !rd.made(row) {
					continue
				}
				c.fromHost(rd, c.ids[i], r)
			}
			if n < i {
				c.records[n] = *r
			}
			n++
		}
		if n == first {
			c.records[n] = stats.Record{}
			c.fromHost(rd, job.Attempt{Task: task, Try: 1}, &c.records[n])
			n++
		}
	}
	c.records = c.records[:n]
}

func (c *chunk) fromHost(rd *reading, id job.Attempt, r *stats.Record) {
	rd.hostRecord(id, r)
	if wasRead(r) {
		c.lost[r.Worker.V]++
	}
	rd.job.complete(r)
}

// fetchRun reads lines that lie near each other in one segment.
func (c *chunk) fetchRun(rd *reading, p *stats.Picker, lines []lineAt) {
	seg := rd.segments[lines[0].segment()]
	from := lines[0].offset()
	to := min(lines[len(lines)-1].offset()+4<<10, seg.size)
	if err := c.fill(seg.source, from, 0, int(to-from)); err != nil {
		c.damaged = append(c.damaged, Damage{Path: seg.path, Line: atOffset, Offset: from, Msg: err.Error()})
		return
	}
	for _, line := range lines {
		c.block.damage = c.block.damage[:0]
		if !c.fetchLine(rd, p, seg, int(line.offset()-from), from, line.to) {
			c.damaged = append(c.damaged, c.block.damage...)
		}
	}
}

func (c *chunk) fetchLine(rd *reading, p *stats.Picker, seg *segment, at int, from int64, to int) (ok bool) {
	r, id := &c.records[to], c.ids[to]
	raw := c.buf[min(at, len(c.buf)):]
	n := bytes.IndexByte(raw, '\n') + 1
	if n == 0 {
		var err error
		if at < len(c.buf) {
			n, err = c.finish(seg.source, from, at)
		}
		if err == nil && n == 0 {
			err = fmt.Errorf("%w: the file has become shorter", stats.ErrDamaged)
		}
		if err != nil {
			c.bad(seg.source, from+int64(at), err)
			return false
		}
		raw = c.buf[at:]
	}
	c.unseal(seg.source, raw[:n], from+int64(at), func(obj []byte, offset int64) error {
		found, at, _ := lineID(obj)
		if found != id {
			return nil
		}
		*r = seg.common
		r.Task, r.Attempt = id.Task, id.Try
		if err := seg.parse(p, &c.layout, obj, at, r); err != nil {
			*r = stats.Record{}
			return err
		}
		rd.merge(seg, r, rd.log.row(id))
		if s, found := seg.pointsTo(r); found {
			s.path, s.offset = seg.path, offset
			c.shorts = append(c.shorts, s)
		}
		ok = true
		return nil
	})
	return ok
}
