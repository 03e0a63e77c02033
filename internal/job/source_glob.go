package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// globSource yields paths. All of them are known from the start: they are
// sorted, and found once.
type globSource struct {
	paths []string
	buf   []byte
}

func (s *globSource) Next() (json.RawMessage, error) {
	if len(s.paths) == 0 {
		return nil, io.EOF
	}
	s.buf = appendQuoted(s.buf[:0], s.paths[0])
	s.paths = s.paths[1:]
	return s.buf, nil
}

func (s *globSource) Close() error { return nil }

// openGlob finds the files that match any of the patterns, sorted by bytes, each
// path once. The rules are the shell's: * and ** do not match names with a
// leading dot, ** does not follow symbolic links, {a,b} is either, a pattern
// that ends with / matches directories, any other one everything else. A
// pattern that matches nothing gives nothing; a name without wildcards that
// does not exist is an error, as is a directory that cannot be read.
func openGlob(patterns []string, dir string, absolute bool) (Source, error) {
	var all []string
	for _, p := range patterns {
		if err := validGlob(p); err != nil {
			return nil, err
		}
		if absolute && !strings.HasPrefix(p, "/") {
			p = strings.TrimSuffix(escapeGlob(dir), "/") + "/" + p
		}
		found, err := glob(p, dir)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	for _, p := range all {
		if invalidAt(p) < len(p) {
			return nil, &SpecError{Msg: fmt.Sprintf("file name %q is not valid UTF-8", p)}
		}
	}
	return &globSource{paths: all}, nil
}

// glob finds what one pattern matches.
func glob(pattern, dir string) ([]string, error) {
	prefix, rest := splitGlob(pattern)
	base := under(dir, unescapeGlob(prefix))
	if !strings.ContainsAny(rest, `*?[{`) {
		return literalPath(pattern, dir)
	}
	if err := readable(base, orElse(unescapeGlob(prefix), ".")); err != nil {
		return nil, err
	}
	wantDir := strings.HasSuffix(rest, "/")
	rest = path.Clean(strings.TrimRight(rest, "/"))
	opts := []doublestar.GlobOption{doublestar.WithNoHidden(), doublestar.WithFailOnIOErrors()}
	if strings.Contains(rest, "**") {
		opts = append(opts, doublestar.WithNoFollow())
	}
	var found []string
	fsys := os.DirFS(base)
	err := doublestar.GlobWalk(fsys, rest, func(p string, d fs.DirEntry) error {
		isDir := d.IsDir()
		if d.Type()&fs.ModeSymlink != 0 {
			st, err := fs.Stat(fsys, p)
			isDir = err == nil && st.IsDir() // a dangling link is a file, as to the shell
		}
		if isDir != wantDir || p == "." {
			return nil
		}
		if wantDir {
			p += "/"
		}
		found = append(found, unescapeGlob(prefix)+p)
		return nil
	}, opts...)
	if err != nil {
		return nil, readError(pattern, err)
	}
	return found, nil
}

// literalPath is a pattern without wildcards.
func literalPath(pattern, dir string) ([]string, error) {
	name := unescapeGlob(pattern)
	st, err := os.Lstat(under(dir, name))
	if err == nil && st.Mode()&fs.ModeSymlink != 0 {
		if target, err := os.Stat(under(dir, name)); err == nil {
			st = target
		}
	}
	switch wantDir := strings.HasSuffix(name, "/"); {
	case err != nil:
		return nil, readError(name, err)
	case wantDir && !st.IsDir():
		return nil, readError(name, errors.New("not a directory"))
	case !wantDir && st.IsDir():
		return nil, readError(name, fmt.Errorf("is a directory; its files are %q, itself is %q", name+"/*", name+"/"))
	}
	return []string{name}, nil
}

// readable says whether the directory that a pattern starts from can be read;
// a pattern below a directory with a wrong name would else match nothing.
func readable(dir, name string) error {
	f, err := os.Open(dir)
	if err != nil {
		return readError(name, err)
	}
	defer f.Close()
	if _, err := f.Readdirnames(1); err != nil && err != io.EOF {
		return readError(name, err)
	}
	return nil
}

func validGlob(p string) error {
	if p == "" {
		return errors.New("is empty")
	}
	if !doublestar.ValidatePattern(p) {
		return fmt.Errorf("is not a valid pattern: %q", short(p))
	}
	_, rest := splitGlob(p)
	if slices.Contains(strings.Split(rest, "/"), "..") && strings.ContainsAny(rest, `*?[{`) {
		return fmt.Errorf("must not have .. behind a wildcard: %q", short(p))
	}
	return nil
}

// splitGlob cuts behind the last slash before the first wildcard.
func splitGlob(p string) (prefix, rest string) {
	cut := 0
	for i := 0; i < len(p) && !strings.ContainsRune(`*?[{`, rune(p[i])); i++ {
		switch p[i] {
		case '\\':
			i++
		case '/':
			cut = i + 1
		}
	}
	return p[:cut], p[cut:]
}

func unescapeGlob(p string) string {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		if p[i] == '\\' && i+1 < len(p) {
			i++
		}
		b.WriteByte(p[i])
	}
	return b.String()
}

// escapeGlob makes a pattern that matches p itself.
func escapeGlob(p string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`, "{", `\{`, "}", `\}`).Replace(p)
}
