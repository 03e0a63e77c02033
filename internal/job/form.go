package job

import (
	"regexp"
	"sync"
)

// form is a regular expression that is compiled when something is compared with it: most
// processes have no use for most of them.
type form struct {
	text     string
	compiled func() *regexp.Regexp
}

func formOf(text string) *form {
	return &form{text, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}
}

func (f *form) String() string { return f.text }

func (f *form) MatchString(s string) bool { return f.compiled().MatchString(s) }
