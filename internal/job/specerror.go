package job

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// SpecError is a fault in a job's specification or data, with its place.
type SpecError struct {
	File   string // the job or data file, or the flag; may be empty
	Line   int    // from 1; 0: the place is not known, or a flag
	Col    int    // from 1, in characters; 0: not known
	Msg    string
	Hint   string // what to do about it, for a line of its own; may be empty
	Source string // the offending line; may be empty

	err error
}

// Error gives file:line:col: message, without what is not known.
func (e *SpecError) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
			if e.Col > 0 {
				fmt.Fprintf(&b, ":%d", e.Col)
			}
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Msg)
	return b.String()
}

// Unwrap gives the cause, such as a file system's error, if there is one.
func (e *SpecError) Unwrap() error { return e.err }

// detailWidth bounds what Detail shows of a long line.
const detailWidth = 100

// Detail renders the offending line with a caret below the column, ready to
// print under the message; it ends with a newline. It is empty where the line
// is not known.
func (e *SpecError) Detail() string {
	if e.Source == "" || e.Line == 0 {
		return ""
	}
	line := []rune(strings.ToValidUTF8(e.Source, "\uFFFD"))
	at := min(max(e.Col-1, 0), len(line))
	if from := at - detailWidth/2; len(line) > detailWidth && from > 0 {
		line, at = append([]rune("…"), line[from:]...), at-from+1
	}
	if len(line) > detailWidth {
		line = append(line[:detailWidth:detailWidth], '…')
	}
	pad := make([]rune, at)
	for i := range line {
		if line[i] < ' ' && line[i] != '\t' || line[i] == 0x7f {
			line[i] = utf8.RuneError
		}
		if i < at {
			pad[i] = ' '
			if line[i] == '\t' {
				pad[i] = '\t' // the terminal expands both lines alike
			}
		}
	}
	no := fmt.Sprintf("%5d", e.Line)
	out := no + " | " + string(line) + "\n"
	if e.Col > 0 {
		out += strings.Repeat(" ", len(no)) + " | " + string(pad) + "^\n"
	}
	return out
}
