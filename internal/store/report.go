package store

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// Report tells what reading a job came across. Everything that is not in it was
// read as it was written.
type Report struct {
	Damage []Damage // the first few
	Total  int      // of all damage
	Torn   int      // last lines cut short by the death of their writer; their attempts count as not done
}

// Damage is something in a job's files that was changed, cut or lost after it
// was written.
type Damage struct {
	Path   string
	Line   int   // from 1; 0 when it is about the whole file
	Offset int64 // of the line's start
	Msg    string
}

func (d Damage) String() string {
	if d.Line == 0 {
		return d.Path + ": " + d.Msg
	}
	return fmt.Sprintf("%s:%d: %s", d.Path, d.Line, d.Msg)
}

// Error makes Damage an error, for readers of a single result.
func (d Damage) Error() string { return d.String() }

const keptDamage = 20

func (r *Report) add(found ...Damage) {
	r.Total += len(found)
	room := keptDamage - len(r.Damage)
	r.Damage = append(r.Damage, found[:min(room, len(found))]...)
}

// number turns the offsets of damaged lines into line numbers. Lines are only
// counted when there is damage to report.
func (r *Report) number() {
	for i := range r.Damage {
		d := &r.Damage[i]
		if d.Line < 0 {
			d.Line = 1 + countLines(d.Path, d.Offset)
		}
	}
}

// atOffset stands in Damage.Line until number has run.
const atOffset = -1

// countLines counts the line ends among the first bytes of a file.
func countLines(path string, to int64) int {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	n, from, buf := 0, io.LimitReader(f, to), make([]byte, 32<<10)
	for {
		got, err := from.Read(buf)
		n += bytes.Count(buf[:got], []byte{'\n'})
		if err != nil {
			return n
		}
	}
}
