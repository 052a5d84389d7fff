package engine

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ErrDuration is wrapped by every error of ParseDuration.
var ErrDuration = errors.New("not a duration")

type durationUnit struct {
	name string
	size time.Duration
}

// durationUnits are the units from the largest down, the order in which a
// duration is written.
func durationUnits() []durationUnit {
	return []durationUnit{
		{"w", 7 * 24 * time.Hour},
		{"d", 24 * time.Hour},
		{"h", time.Hour},
		{"m", time.Minute},
		{"s", time.Second},
		{"ms", time.Millisecond},
	}
}

// ParseDuration reads a duration as playbooks write it: one or more whole
// numbers with the units w d h m s ms, largest first, each at most once
// ("24h", "1h30m", "90d"). A day is 24 hours. It never is negative.
func ParseDuration(s string) (time.Duration, error) {
	rest, total := s, time.Duration(0)
	if rest == "0" {
		return 0, nil
	}
	for _, u := range durationUnits() {
		n, after, ok := takeUnit(rest, u.name)
		if !ok {
			continue
		}
		if n > int64((math.MaxInt64-total)/u.size) {
			return 0, fmt.Errorf("%w: %q is longer than 292 years", ErrDuration, s)
		}
		total, rest = total+time.Duration(n)*u.size, after
	}
	if rest != "" || s == "" {
		return 0, fmt.Errorf("%w: %q; write a whole number with a unit of ms s m h d w, such as 30m, 24h or 90d", ErrDuration, s)
	}
	return total, nil
}

// takeUnit cuts "<digits><unit>" off the front of s, where the unit is not the
// beginning of a longer one ("m" of "ms").
func takeUnit(s, unit string) (int64, string, bool) {
	digits := 0
	for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
		digits++
	}
	after, found := strings.CutPrefix(s[digits:], unit)
	if digits == 0 || !found || after != "" && (after[0] < '0' || after[0] > '9') {
		return 0, s, false
	}
	n, err := strconv.ParseInt(s[:digits], 10, 64)
	return n, after, err == nil
}

// FormatDuration writes a duration so that ParseDuration reads it back
// (truncated to milliseconds), the way people write it: in one unit where that
// takes at most three digits, and in days only from two days up ("90m", "24h",
// "90d", "121d5m").
func FormatDuration(d time.Duration) string {
	d = d.Truncate(time.Millisecond)
	if d <= 0 {
		return "0s"
	}
	for _, u := range durationUnits()[1:] {
		if u.name == "d" && d < 2*u.size {
			continue
		}
		if n := int64(d / u.size); d%u.size == 0 && n < 1000 {
			return fmt.Sprintf("%d%s", n, u.name)
		}
	}
	var b strings.Builder
	for _, u := range durationUnits()[1:] {
		if n := int64(d / u.size); n > 0 && (u.name != "d" || n > 1) {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d %= u.size
		}
	}
	return b.String()
}
