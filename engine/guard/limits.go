package guard

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// What holds where neither the configuration nor the playbook says anything.
const (
	// DefaultMaxChanges is how many targets a run may change.
	DefaultMaxChanges = 10
	// DefaultMaxPercent is which share of a connection's targets a run may
	// change, where the number of all of them is known.
	DefaultMaxPercent = 5.0
)

// FreeTargets is how many targets of each connection a run may change whatever
// share of all targets they are: in a team of ten, 5 percent would be nobody.
const FreeTargets = 3

// Errors of NewRules.
var (
	// ErrUnavailable means that a limit was asked for that cannot be held yet.
	// A limit is never ignored, so what it guards must not run.
	ErrUnavailable = errors.New("not available in this version yet")
	// ErrSetting means that a limit makes no sense.
	ErrSetting = errors.New("guard setting")
)

// Limits is one `guard:` section of a configuration. A zero field says nothing.
type Limits struct {
	MaxChanges *int64   // distinct targets one run may change; DefaultMaxChanges
	MaxPercent *float64 // share of a connection's targets one run may change, 0 to 100; DefaultMaxPercent
	Budget     *Budget  // targets of a connection that all runs together may change; no limit
	OnBlock    string   // over a limit: "stop" (default), or "ask" a person
	Protect    []string // ids, e-mail addresses and patterns with * and ?, directory-group: entries
}

// Budget is a number of changed targets per time, over all runs of a connection.
type Budget struct {
	Changes int64         // at least 0
	Per     time.Duration // more than 0
}

// The words of on_block.
const (
	onBlockStop = "stop"
	onBlockAsk  = "ask"
)

// check names every limit that makes no sense. Where says whose they are, as
// in "max_changes of the playbook".
func (l Limits) check(where string) error {
	var problems []error
	wrong := func(key, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%w: %s %s %s", ErrSetting, key, where, fmt.Sprintf(format, args...)))
	}
	if n := l.MaxChanges; n != nil && *n < 0 {
		wrong("max_changes", "is %d; it cannot be less than 0", *n)
	}
	if p := l.MaxPercent; p != nil && !(*p >= 0 && *p <= 100) { // so that NaN is wrong too
		wrong("max_percent", "is %s; it must be between 0 and 100", number(*p))
	}
	if b := l.Budget; b != nil && (b.Changes < 0 || b.Per <= 0) {
		wrong("budget", "is %d changes per %s; it needs at least 0 changes and a time", b.Changes, b.Per)
	}
	if l.OnBlock != "" && l.OnBlock != onBlockStop && l.OnBlock != onBlockAsk {
		wrong("on_block", "is %q; it is either stop or ask", l.OnBlock)
	}
	return errors.Join(problems...)
}

// percentage is the limit on the share of a connection's targets.
type percentage struct {
	value    float64 // 0 to 100
	from     string  // who set it
	explicit bool    // somebody set one: where it cannot be measured it blocks
	strict   bool    // a playbook did: then it blocks from the first target on
	undo     bool    // taking back reads no directory: what cannot be measured does not block
}

// objection is why so many targets of a connection are too many, of a
// population that is known or not; "" where they are not.
func (p percentage) objection(connection string, total int64, population *int64) string {
	free := total <= FreeTargets
	switch {
	case population == nil && !p.mustBeMeasured(free):
		return ""
	case population == nil:
		return fmt.Sprintf("%s of %s would be changed, and nobody knows which share that is: no complete listing of %s was read, without which at most %s %% (%s) cannot be held",
			targets(total), connection, connection, number(p.value), p.from)
	case *population <= 0 && (p.explicit || !free):
		return fmt.Sprintf("%s of %s would be changed, and its complete listing is empty: that reading is wrong, and at most %s %% (%s) cannot be held",
			targets(total), connection, number(p.value), p.from)
	case free || !p.exceeded(total, *population):
		return ""
	default:
		return fmt.Sprintf("changing %d of %s (%.1f %%) of %s is %d too many: a run of this playbook may change at most %s %% (%s)",
			total, targets(*population), 100*float64(total)/float64(*population), connection, total-p.most(*population), number(p.value), p.from)
	}
}

// mustBeMeasured reports whether so many targets, few enough to be free or not,
// are too many as long as nobody knows the population.
func (p percentage) mustBeMeasured(free bool) bool {
	return p.explicit && !p.undo && (p.strict || !free)
}

// exceeded compares without dividing; what differs only by how binary
// fractions are rounded is equal.
func (p percentage) exceeded(total, population int64) bool {
	const rounding = 1e-12
	return 100*float64(total) > p.value*float64(population)*(1+rounding)
}

// most is how many targets of a population are within the limit.
func (p percentage) most(population int64) int64 {
	n := int64(math.Floor(p.value * float64(population) / 100))
	if !p.exceeded(n+1, population) {
		n++
	}
	return max(n, FreeTargets)
}

// objection is why so many more targets are too many; "" where they are not.
func (b Budget) objection(connection string, more, spent int64, from string) string {
	left := max(b.Changes-spent, 0)
	if more <= left {
		return ""
	}
	return fmt.Sprintf("%s more of %s would be changed, and its budget of %d changes per %s (%s) has %d left: all runs together have used %d",
		targets(more), connection, b.Changes, engine.FormatDuration(b.Per), from, left, spent)
}

// number is a number as people write it.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func targets(n int64) string {
	if n == 1 {
		return "1 target"
	}
	return fmt.Sprintf("%d targets", n)
}
