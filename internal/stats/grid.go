package stats

import (
	"io"
	"strings"
	"unicode/utf8"
)

const minWidth = 40 // narrower terminals wrap the lines themselves

// page collects the lines of a report that is at most width characters wide.
type page struct {
	b     strings.Builder
	width int // 0 is no limit
	label int // width of the labels of flow
}

func newPage(width, label int) *page {
	if width > 0 {
		width = max(width, minWidth)
	}
	return &page{width: width, label: label}
}

func (p *page) writeTo(w io.Writer) error {
	_, err := io.WriteString(w, p.b.String())
	return err
}

// line writes one line, cut to the width.
func (p *page) line(s string) {
	s = strings.TrimRight(s, " ")
	if p.width > 0 && utf8.RuneCountInString(s) > p.width {
		s = string([]rune(s)[:p.width-1]) + "…"
	}
	p.b.WriteString(s)
	p.b.WriteByte('\n')
}

// flow writes a label and items behind it, over as many lines as they need.
// Empty items are left out.
func (p *page) flow(label string, items ...string) {
	line, fresh := pad(label, p.label, false), true
	for _, item := range items {
		if item == "" {
			continue
		}
		if !fresh && p.width > 0 && utf8.RuneCountInString(line)+3+utf8.RuneCountInString(item) > p.width {
			p.line(line)
			line, fresh = strings.Repeat(" ", p.label), true
		}
		if !fresh {
			line += "   "
		}
		line, fresh = line+item, false
	}
	p.line(line)
}

// paragraph writes a label and words behind it, over as many lines as they need.
func (p *page) paragraph(label, text string) {
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = pad(label, p.label, false) + word
		case p.width > 0 && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > p.width:
			p.line(line)
			line = strings.Repeat(" ", p.label) + word
		default:
			line += " " + word
		}
	}
	p.line(line)
}

// grid writes rows as columns, two blanks apart, the first row being the head.
// Columns of text stand left: align has an l for these, r for the others. When
// the rows are too wide the columns in drop, given by their heads, go one by one.
func (p *page) grid(rows [][]string, align string, drop ...string) {
	widths := columnWidths(rows)
	hidden := make([]bool, len(widths))
	for _, name := range drop {
		if p.width == 0 || lineWidth(widths, hidden) <= p.width {
			break
		}
		for c, head := range rows[0] {
			hidden[c] = hidden[c] || head == name
		}
	}
	for _, row := range rows {
		var cells []string
		for c, cell := range row {
			if !hidden[c] {
				cells = append(cells, pad(cell, widths[c], align[c] == 'r'))
			}
		}
		p.line(strings.Join(cells, "  "))
	}
}

func columnWidths(rows [][]string) []int {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for c, cell := range row {
			widths[c] = max(widths[c], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

func lineWidth(widths []int, hidden []bool) int {
	n := -2
	for c, w := range widths {
		if !hidden[c] {
			n += w + 2
		}
	}
	return n
}

func pad(s string, width int, right bool) string {
	blanks := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
	if right {
		return blanks + s
	}
	return s + blanks
}
