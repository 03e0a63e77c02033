package store

import (
	"os"
	"path/filepath"
	"strings"
)

// DefaultRoot is the store of a user who names none; it follows the XDG base
// directory specification. It is "" without a home.
func DefaultRoot() string {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "lithops")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "state", "lithops")
}

// ExpandHome replaces a leading ~/.
func ExpandHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok && path != "~" {
		return path
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	return filepath.Join(home, strings.TrimPrefix(rest, "~"))
}
