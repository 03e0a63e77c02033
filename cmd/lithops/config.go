package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/lithops-go/lithops/internal/store"
	"github.com/spf13/cobra"
	"github.com/spf13/viper"
)

// config is the program's settings: flags win over the environment, that over
// the first configuration file found, that over the defaults.
type config struct {
	values *viper.Viper
	file   string // the file read; "" for none
	source map[string]string
}

// config reads and checks the settings as cmd's flags and its surroundings give
// them. A flag of cmd that sets a key is annotated with it, see bind.
func (a *app) config(cmd *cobra.Command) (*config, error) {
	c := &config{values: viper.New(), source: map[string]string{}}
	file, err := findConfig(a.configFile)
	if err != nil {
		return nil, err
	}
	inFile := map[string]fileValue{}
	if file != "" {
		c.file = file
		if inFile, err = readConfig(file); err != nil {
			return nil, err
		}
	}
	flags := boundFlags(cmd)
	for _, s := range settings() {
		c.values.SetDefault(s.key, s.initial())
		c.source[s.key] = "default"
		if v, ok := inFile[s.key]; ok {
			text := v.text
			if s.isPath {
				text = store.ExpandHome(text)
			}
			if s.fromDir && !filepath.IsAbs(text) {
				text = filepath.Join(filepath.Dir(file), text)
			}
			if err := c.values.MergeConfigMap(map[string]any{s.key: text}); err != nil {
				return nil, fmt.Errorf("read config %s: %w", file, err)
			}
			c.source[s.key] = fmt.Sprintf("%s:%d", file, v.line)
		}
		if err := c.values.BindEnv(s.key, s.env); err != nil {
			return nil, fmt.Errorf("bind %s: %w", s.env, err)
		}
		if os.Getenv(s.env) != "" {
			c.source[s.key] = s.env
		}
		if f := flags[s.key]; f != nil {
			if err := c.values.BindPFlag(s.key, f); err != nil {
				return nil, fmt.Errorf("bind --%s: %w", f.Name, err)
			}
			if f.Changed {
				c.source[s.key] = "--" + f.Name
			}
		}
		if err := c.check(s, inFile[s.key]); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// check refuses a bad value, with the place it comes from.
func (c *config) check(s setting, in fileValue) error {
	if s.check == nil {
		return nil
	}
	err := s.check(c.get(s.key))
	switch from := c.source[s.key]; {
	case err == nil:
		return nil
	case from == fmt.Sprintf("%s:%d", c.file, in.line):
		return in.fault(c.file, s.key+": "+err.Error())
	default:
		return usage("%s: %w", from, err)
	}
}

func (c *config) get(key string) string {
	value := c.values.GetString(key)
	for _, s := range settings() {
		if s.key == key && s.isPath {
			return store.ExpandHome(value)
		}
	}
	return value
}

// workers is the number of workers of a job that names none.
func (c *config) workers() int {
	n, _ := strconv.Atoi(c.get("workers")) // checked
	return n
}

// configPlaces are the files looked for, the first one found is read.
func configPlaces() []string {
	places := []string{".lithops_config"}
	if home, err := os.UserHomeDir(); err == nil {
		places = append(places, filepath.Join(home, ".lithops", "config"))
	}
	return append(places, "/etc/lithops/config")
}

// findConfig is the configuration file to read, "" when there is none. A file
// that was asked for must exist.
func findConfig(asked string) (string, error) {
	if asked == "" {
		asked = os.Getenv("LITHOPS_CONFIG_FILE")
	}
	if asked != "" {
		return store.ExpandHome(asked), nil
	}
	for _, path := range configPlaces() {
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", badInput{fmt.Errorf("read config: %w", err)}
		}
	}
	return "", nil
}
