package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/lithops-go/lithops/internal/job"
	"go.yaml.in/yaml/v3"
)

// fileValue is a setting in a configuration file, with its place.
type fileValue struct {
	text      string
	line, col int
	source    string // the whole line
}

func (v fileValue) fault(file, msg string) error {
	return &job.SpecError{File: file, Line: v.line, Col: v.col, Msg: msg, Source: v.source}
}

// readConfig reads a configuration file strictly. viper would take any key and
// forget where it stood, so it gets only what has passed here.
func readConfig(file string) (map[string]fileValue, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, badInput{fmt.Errorf("read config: %w", err)}
	}
	r := configReader{file: file, lines: strings.Split(string(src), "\n"), values: map[string]fileValue{}}
	var doc yaml.Node
	err = yaml.NewDecoder(strings.NewReader(string(src))).Decode(&doc)
	switch {
	case errors.Is(err, io.EOF): // empty
		return r.values, nil
	case err != nil:
		return nil, r.syntax(err)
	}
	return r.values, r.mapping("", doc.Content[0])
}

type configReader struct {
	file   string
	lines  []string
	values map[string]fileValue
}

// mapping collects the settings in n, whose keys begin with prefix.
func (r *configReader) mapping(prefix string, n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" { // a section with all its keys commented out
		return nil
	}
	if n.Kind != yaml.MappingNode {
		what := "the configuration"
		if prefix != "" {
			what = strings.TrimSuffix(prefix, ".")
		}
		return r.at(n).fault(r.file, what+" wants keys with values")
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		key := prefix + name.Value
		if isSection(key) {
			if err := r.mapping(key+".", value); err != nil {
				return err
			}
			continue
		}
		if !isSetting(key) {
			return r.unknown(name, key)
		}
		if _, twice := r.values[key]; twice {
			return r.at(name).fault(r.file, fmt.Sprintf("key %q stands here twice", key))
		}
		if value.Kind != yaml.ScalarNode || value.Tag == "!!null" {
			return r.at(value).fault(r.file, fmt.Sprintf("%s wants one value", key))
		}
		v := r.at(value)
		v.text = value.Value
		r.values[key] = v
	}
	return nil
}

func (r *configReader) at(n *yaml.Node) fileValue {
	v := fileValue{line: n.Line, col: n.Column}
	if n.Line >= 1 && n.Line <= len(r.lines) {
		v.source = r.lines[n.Line-1]
	}
	return v
}

func (r *configReader) unknown(name *yaml.Node, key string) error {
	err := r.at(name).fault(r.file, fmt.Sprintf("unknown key %q", key))
	if best := nearest(key, settingKeys()); best != "" {
		return hint(err, "did you mean %s?", best)
	}
	if key == "lithops" {
		return hint(err, "this looks like a configuration of Lithops for Python; --config names another file")
	}
	return hint(err, "known keys: %s", strings.Join(settingKeys(), ", "))
}

// syntax gives a YAML error its place.
func (r *configReader) syntax(err error) error {
	v, msg := fileValue{}, strings.TrimPrefix(err.Error(), "yaml: ")
	place := regexp.MustCompile(`^yaml: (?:unmarshal errors:\s*)?line (\d+): `)
	if m := place.FindStringSubmatch(err.Error()); m != nil {
		v.line, _ = strconv.Atoi(m[1])
		msg = err.Error()[len(m[0]):]
		if v.line >= 1 && v.line <= len(r.lines) {
			v.source = r.lines[v.line-1]
		}
	}
	return v.fault(r.file, msg)
}

func isSetting(key string) bool {
	for _, k := range settingKeys() {
		if k == key {
			return true
		}
	}
	return false
}

func isSection(key string) bool {
	for _, k := range settingKeys() {
		if strings.HasPrefix(k, key+".") {
			return true
		}
	}
	return false
}
