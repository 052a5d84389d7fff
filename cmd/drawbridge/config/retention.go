package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

// Retention is how much history is kept. In the zero Retention every limit is
// its default.
type Retention struct {
	Runs    time.Duration // how long a run is kept after it has ended; DefaultKeepRuns when 0
	Keep    int           // how many runs that have ended are kept; DefaultKeep when 0
	MaxSize int64         // how large the database may be, in bytes; DefaultMaxSize when 0
}

// The limits where the configuration says nothing.
const (
	DefaultKeepRuns = 90 * 24 * time.Hour
	DefaultKeep     = 100_000
	DefaultMaxSize  = 1_000_000_000
)

// MinSize is the least that a database can be held to: what is written between
// two looks at its size has to find room as well.
const MinSize = 50_000_000

// evidence is how long runs that changed something are kept at least: a
// playbook may have a budget of its own, with a longer window than any here.
const evidence = 31 * 24 * time.Hour

// replays is how long a webhook call is remembered: a signature may be of a day
// from now, and is then valid for a day more.
const replays = 2*longestTolerance + 24*time.Hour

// Retain is what the store may forget now, on somebody's behalf.
func (c *Config) Retain(now time.Time, by engine.Actor) engine.Retention {
	r := engine.Retention{
		Now: now, Actor: by, Runs: c.Retention.Runs, Keep: c.Retention.Keep, Bytes: c.Retention.MaxSize,
		Plans: c.MaxPlanAge, KeepChanges: c.longestBudget(), Deliveries: replays,
	}
	if r.Runs == 0 {
		r.Runs = DefaultKeepRuns
	}
	if r.Keep == 0 {
		r.Keep = DefaultKeep
	}
	if r.Bytes == 0 {
		r.Bytes = DefaultMaxSize
	}
	if r.Plans == 0 {
		r.Plans = DefaultMaxPlanAge
	}
	return r
}

// longestBudget is the longest time over which changes are counted.
func (c *Config) longestBudget() time.Duration {
	longest := evidence
	all := []guard.Limits{c.Guard.Limits}
	for _, l := range c.Guard.Playbooks {
		all = append(all, l)
	}
	for _, l := range all {
		if l.Budget != nil {
			longest = max(longest, l.Budget.Per)
		}
	}
	return longest
}

func (d *decoder) retention(n *yamldoc.Node) Retention {
	if n == nil || !d.isMap(n, "retention", []string{"runs", "keep", "max_size"}) {
		return Retention{}
	}
	r := Retention{Runs: d.positive(n.Get("runs"), "runs", 0)}
	if keep := d.integer(n.Get("keep"), "keep", 1); keep != nil {
		r.Keep = int(*keep)
	}
	size := n.Get("max_size")
	text := d.text(size)
	if text == "" {
		return r
	}
	var err error
	if r.MaxSize, err = ParseSize(text); err != nil {
		d.report(size.Errorf("size", "%v", err))
	} else if r.MaxSize < MinSize {
		d.report(size.Errorf("range", "max_size must be at least %s", FormatSize(MinSize)))
	}
	return r
}

// ErrSize is wrapped by every error of ParseSize.
var ErrSize = errors.New("not a size")

type sizeUnit struct {
	name  string
	bytes int64
}

// sizeUnits are the units from the largest down. Those of a thousand are what
// disks are sold by.
func sizeUnits() []sizeUnit {
	return []sizeUnit{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}
}

// ParseSize reads a number of bytes: a whole number with a unit of kB, MB, GB,
// TB, KiB, MiB or GiB, in any letter case.
func ParseSize(s string) (int64, error) {
	for _, u := range sizeUnits() {
		digits, found := strings.CutSuffix(strings.ToLower(s), strings.ToLower(u.name))
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err == nil && n >= 0 && n <= math.MaxInt64/u.bytes {
			return n * u.bytes, nil
		}
	}
	return 0, fmt.Errorf("%w: %q; write a whole number with a unit, such as 500MB or 1GB", ErrSize, s)
}

// FormatSize writes a number of bytes the way people read it ("48.2 MB").
func FormatSize(n int64) string {
	for _, u := range sizeUnits()[:4] {
		if n < u.bytes {
			continue
		}
		if n%u.bytes == 0 {
			return fmt.Sprintf("%d %s", n/u.bytes, u.name)
		}
		return fmt.Sprintf("%.1f %s", float64(n)/float64(u.bytes), u.name)
	}
	return fmt.Sprintf("%d B", n)
}
