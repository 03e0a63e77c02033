package stats

import (
	"strings"
	"unicode"
)

// OneLine makes text from outside safe for a line of a terminal: colours and
// other control sequences are taken out, white space of any kind becomes one
// blank, and what else cannot be seen (marks that turn the direction of writing,
// for example) becomes U+FFFD.
func OneLine(s string) string {
	s = strings.Join(strings.Fields(withoutSequences(s)), " ")
	return strings.Map(func(c rune) rune {
		if unicode.IsGraphic(c) {
			return c
		}
		return unicode.ReplacementChar
	}, s)
}

// withoutSequences removes sequences of the form ESC [ parameters letter.
func withoutSequences(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "\x1b[")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		end := strings.IndexFunc(after, func(c rune) bool { return c < 0x20 || c > 0x3f })
		if end < 0 {
			return b.String()
		}
		if c := after[end]; c >= 0x40 && c <= 0x7e {
			end++
		}
		s = after[end:]
	}
}
