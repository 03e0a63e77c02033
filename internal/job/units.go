package job

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// The written forms of quantities. The same expressions stand in the schema.
const (
	durationPattern = `^([0-9]+(\.[0-9]+)?|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d))+)$`
	sizePattern     = `^[0-9]+(\.[0-9]+)? ?(B|[kKMGTP]B|[KMGTP]iB)?$`
	percentPattern  = `^([0-9]{1,9}|(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?)%)$`
)

var (
	durationForm = formOf(durationPattern)
	durationPart = formOf(`([0-9.]+)(ns|us|µs|ms|s|m|h|d|$)`)
	sizeForm     = formOf(sizePattern)
	percentForm  = formOf(percentPattern)
	wholeForm    = formOf(`^[-+]?[0-9]+$`)
	numberForm   = formOf(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`) // as in JSON
)

// parseDuration reads 10m, 1h30m, 1.5s, 2d; a bare number is seconds.
func parseDuration(text string) (time.Duration, error) {
	if strings.HasPrefix(text, "-") {
		return 0, errors.New("must not be negative")
	}
	if numberForm.MatchString(text) && !durationForm.MatchString(text) { // such as 1e3
		f, _ := strconv.ParseFloat(text, 64) // infinite when out of range
		return seconds(f)
	}
	if !durationForm.MatchString(text) {
		return 0, fmt.Errorf("must be a duration such as 90 (seconds), 10m, 1h30m or 2d, not %q", text)
	}
	var sum time.Duration
	for _, m := range durationPart.compiled().FindAllStringSubmatch(text, -1) {
		unit, days := m[2], time.Duration(1)
		switch unit {
		case "":
			unit = "s"
		case "d":
			unit, days = "h", 24
		}
		d, err := time.ParseDuration(m[1] + unit)
		if err != nil || d > (math.MaxInt64-sum)/days {
			return 0, fmt.Errorf("is too long: %q", text)
		}
		sum += d * days
	}
	return sum, nil
}

func seconds(f float64) (time.Duration, error) {
	if f*1e9 >= math.MaxInt64 {
		return 0, fmt.Errorf("is too long: %g seconds", f)
	}
	return time.Duration(math.Round(f * 1e9)), nil
}

// parseSize reads 2GiB, 500MB, 1.5 GiB; a bare number is bytes. A unit without
// B is refused: 2G is 2^30 to some tools and 10^9 to others.
func parseSize(text string) (int64, error) {
	if strings.HasPrefix(text, "-") {
		return 0, errors.New("must not be negative")
	}
	if !sizeForm.MatchString(text) {
		return 0, fmt.Errorf("must be a size such as 2GiB (2^30), 500MB (10^6) or a number of bytes, not %q", text)
	}
	number := strings.TrimRight(text, "kKMGTPiB ")
	unit := strings.TrimSpace(text[len(number):])
	factor := int64(1)
	if unit != "" && unit != "B" {
		base := int64(1000)
		if strings.HasSuffix(unit, "iB") {
			base = 1024
		}
		for range strings.IndexByte("KMGTP", strings.ToUpper(unit)[0]) + 1 {
			factor *= base
		}
	}
	r, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, fmt.Errorf("must be a size, not %q", text)
	}
	r.Mul(r, new(big.Rat).SetInt64(factor))
	n := new(big.Int).Quo(r.Num(), r.Denom())
	if !n.IsInt64() {
		return 0, fmt.Errorf("is too large: %q", text)
	}
	return n.Int64(), nil
}

// parseTolerance reads a number of tasks or a percentage.
func parseTolerance(text string) (OnFailure, error) {
	o := OnFailure{Mode: Tolerate}
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		if n < 0 {
			return o, errors.New("must not be negative")
		}
		o.Count = int(n)
		return o, nil
	}
	if !percentForm.MatchString(text) {
		return o, fmt.Errorf("must be a number of tasks such as 10 or a percentage up to 100%% such as 5%%, not %q", text)
	}
	var err error
	o.Percent, err = strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	return o, err
}
