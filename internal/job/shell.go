package job

import "strings"

// lexer follows a shell command far enough to tell whether a single-quoted
// value can stand at a place and be exactly one word, or a part of one. Where it
// cannot tell, it says so: a refused command is a nuisance, a value that is
// executed is a hole.
type lexer struct {
	stack []nesting // empty: plain text of the command
	doubt string    // why nothing behind is certain

	esc    bool // the last character was an unquoted backslash
	dollar bool // … a $
	less   bool // … a <
	word   []byte
	inWord bool // a # here is not a comment

	reading *heredoc   // its delimiter
	pending []*heredoc // bodies begin on the next line
}

type nesting struct {
	kind  byte // ' " ` ( ; a arithmetic; p ${…}; # comment; h here-document
	depth int  // of parentheses in arithmetic
	fresh bool // a ( just before
}

type heredoc struct {
	delim  []byte
	quote  byte // the quote we are in
	quoted bool
	tabs   bool // <<-
	begun  bool
	line   []byte
}

func (l *lexer) top() byte {
	if len(l.stack) == 0 {
		return 0
	}
	return l.stack[len(l.stack)-1].kind
}

func (l *lexer) push(kind byte) { l.stack = append(l.stack, nesting{kind: kind}) }
func (l *lexer) pop()           { l.stack = l.stack[:len(l.stack)-1] }

// step takes one byte of the command itself.
func (l *lexer) step(c byte) {
	if l.doubt != "" {
		return
	}
	if l.reading != nil && l.readDelim(c) {
		return
	}
	switch l.top() {
	case '\'':
		if c == '\'' {
			l.pop()
		}
		return
	case '#':
		if c != '\n' {
			return
		}
		l.pop()
	case 'h':
		l.body(c)
		return
	}
	if l.esc {
		l.esc = false
		if c != '\n' { // a joined line is as if it had never been cut
			l.dollar, l.less, l.inWord, l.word = false, false, true, l.word[:0]
			if n := len(l.stack); n > 0 {
				l.stack[n-1].fresh = false
			}
		}
		return
	}
	if c == '\\' && l.top() != 'a' {
		l.esc = true
		return
	}
	switch l.top() {
	case '"':
		l.double(c)
	case '`':
		if c == '`' {
			l.pop()
		}
	case 'p':
		l.parameter(c)
	case 'a':
		l.arithmetic(c)
	default:
		l.plain(c)
	}
}

func (l *lexer) double(c byte) {
	dollar := l.dollar
	l.dollar = c == '$' && !dollar
	switch {
	case c == '"':
		l.pop()
	case c == '`':
		l.push('`')
	case dollar && c == '(':
		l.paren(true)
	case dollar && c == '{':
		l.push('p')
	}
}

func (l *lexer) parameter(c byte) {
	dollar := l.dollar
	l.dollar = c == '$' && !dollar
	switch {
	case c == '}':
		l.pop()
	case dollar && c == '{':
		l.push('p')
	case c == '\'' || c == '"' || c == '`' || dollar && c == '(':
		l.doubt = "a quoted part of ${…}"
	}
}

func (l *lexer) arithmetic(c byte) {
	top := &l.stack[len(l.stack)-1]
	switch c {
	case '(':
		top.depth++
	case ')':
		if top.depth--; top.depth == 0 {
			l.pop()
		}
	case '\'', '"', '`', '$', '\\', '#':
		// Might as well be a subshell in a subshell.
		l.doubt = "((…)) with $, # or quotes in it"
	}
}

// paren opens $( or (; two in a row open arithmetic.
func (l *lexer) paren(dollar bool) {
	if n := len(l.stack); n > 0 && l.stack[n-1].kind == '(' && l.stack[n-1].fresh && !dollar {
		l.stack[n-1] = nesting{kind: 'a', depth: 2}
		return
	}
	l.stack = append(l.stack, nesting{kind: '(', fresh: true})
	l.inWord, l.word = false, l.word[:0]
}

func (l *lexer) plain(c byte) {
	dollar, less := l.dollar, l.less
	l.dollar, l.less = c == '$' && !dollar, false
	if c == '(' {
		l.paren(dollar)
		return
	}
	if n := len(l.stack); n > 0 {
		l.stack[n-1].fresh = false
	}
	if letter := c >= 'a' && c <= 'z'; letter {
		l.word = append(l.word, c)
	} else {
		if string(l.word) == "case" && l.top() == '(' {
			l.doubt = "case inside (…)" // its patterns close parentheses never opened
		}
		l.word = l.word[:0]
	}
	start := !l.inWord
	l.inWord = strings.IndexByte(" \t\n;&|<>()", c) < 0
	switch c {
	case '\'':
		if dollar {
			l.doubt = "$'…', which shells read differently"
		}
		l.push('\'')
	case '"', '`':
		l.push(c)
	case '#':
		if start {
			l.push('#')
		}
	case ')':
		if l.top() == '(' {
			l.pop()
			l.inWord = true
			if len(l.pending) > 0 {
				l.doubt = "a here-document inside (…)"
			}
		}
	case '{':
		if dollar {
			l.push('p')
		}
	case '[':
		if dollar {
			l.doubt = "$[…], which is arithmetic to some shells"
		}
	case '<':
		if less {
			l.reading = &heredoc{}
		}
		l.less = !less
	case '\n':
		if len(l.pending) > 0 {
			l.push('h')
		}
	}
}

// readDelim takes the word behind <<; false: c is not part of it.
func (l *lexer) readDelim(c byte) bool {
	h := l.reading
	switch {
	case !h.begun && c == '<': // <<<, a here-string
		l.reading = nil
		return true
	case !h.begun && c == '-' && !h.tabs:
		h.tabs = true
		return true
	case !h.begun && (c == ' ' || c == '\t'):
		return true
	}
	h.begun = true
	switch {
	case h.quote != 0:
		if c == h.quote {
			h.quote = 0
			return true
		}
	case c == '\'' || c == '"':
		h.quote, h.quoted = c, true
		return true
	case c == '\\' || c == '$' || c == '`' || c == '(':
		l.doubt = "a here-document"
		return true
	case strings.IndexByte(" \t\n;&|<>)", c) >= 0:
		l.reading = nil
		l.pending = append(l.pending, h)
		return false
	}
	h.delim = append(h.delim, c)
	return true
}

// body takes one byte of a here-document.
func (l *lexer) body(c byte) {
	h := l.pending[0]
	if c != '\n' {
		h.line = append(h.line, c)
		return
	}
	line := string(h.line)
	h.line = h.line[:0]
	if !h.quoted && strings.HasSuffix(line, `\`) {
		l.doubt = "a here-document with joined lines"
		return
	}
	if h.tabs {
		line = strings.TrimLeft(line, "\t")
	}
	if line == string(h.delim) {
		if l.pending = l.pending[1:]; len(l.pending) == 0 {
			l.pop()
			l.inWord = false
		}
	}
}

// replace takes a replacement: digits, or a quoted value. It gives what is
// wrong with its place, and what to do instead.
func (l *lexer) replace(digits bool, name string) (msg, hint string) {
	switch {
	case l.dollar:
		return "follows $", "a shell variable is written ${{" + strings.TrimPrefix(name, "#") + "}}; a value cannot follow $"
	case l.esc:
		return `follows \`, `a literal brace is written {{; a value cannot follow \`
	case l.reading != nil && l.doubt == "":
		return "stands where a here-document is named", ""
	}
	top := l.top()
	if top == 'h' {
		l.pending[0].line = append(l.pending[0].line, 0)
	}
	l.inWord, l.less, l.word = true, false, l.word[:0]
	if n := len(l.stack); n > 0 {
		l.stack[n-1].fresh = false
	}
	if digits {
		return "", ""
	}
	assign := "put the value in a variable first, v={" + name + "}, and use \"$v\""
	if l.doubt != "" {
		return "stands behind " + l.doubt + ", where it is uncertain how the shell reads it", assign
	}
	switch top {
	case 0, '(':
		return "", ""
	case '\'', '"':
		return "stands inside quotes; a replaced value brings its own", "take it out of the quotes: \"a b\"{" + name + "}; or " + assign
	case '`':
		return "stands inside backticks", "write $(…) instead of backticks"
	case '#':
		return "stands in a comment", ""
	case 'h':
		return "stands in a here-document", "use stdin:, or " + assign
	case 'p':
		return "stands inside ${…}", assign
	}
	return "stands in arithmetic", assign
}
