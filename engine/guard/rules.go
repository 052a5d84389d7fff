package guard

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// DefaultMaxChanges is how many targets a run may change where neither the
// configuration nor the playbook says anything.
const DefaultMaxChanges = 10

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
	MaxChanges *int64   // distinct targets one run may change
	MaxPercent *float64 // share of a directory one run may change
	Budget     *Budget  // changes of all runs of a connection
	OnBlock    string   // "stop" (default) or "ask"
	Protect    []string // ids, e-mail addresses and patterns with * and ?, directory-group: entries
}

// Budget is a number of changes per time, over all runs.
type Budget struct {
	Changes int64
	Per     time.Duration
}

// Configuration is the limits no playbook can raise.
type Configuration struct {
	Limits

	Playbooks map[string]Limits // by name; what is set here takes the place of the general limit
}

// Rules are the limits of one playbook's runs.
type Rules struct {
	maxChanges int64
	from       string // who set maxChanges, and how it could be raised
	protect    []pattern
}

// NewRules combines the configuration, or the defaults, with what a playbook
// says, which can only lower and add. Errors wrap ErrUnavailable or ErrSetting
// and name every entry that is to blame.
func NewRules(c Configuration, playbook string, own program.Guard) (*Rules, error) {
	special := c.Playbooks[playbook]
	rules := &Rules{}
	problems := []error{
		unavailable("the configuration", c.Limits),
		unavailable("the configuration for "+playbook, special),
		unavailable("the playbook", Limits{MaxPercent: own.MaxPercent, OnBlock: own.OnBlock}),
		rules.limit(c, special, playbook, own),
	}
	patterns, err := parsePatterns(c.Protect, special.Protect, own.Protect)
	if err := errors.Join(append(problems, err)...); err != nil {
		return nil, err
	}
	rules.protect = patterns
	return rules, nil
}

// Calling is the rules of a run that also calls another playbook: what that one
// says, and the configuration says of it, lowers and adds. Errors are those of
// NewRules.
func (r *Rules) Calling(c Configuration, called string, own program.Guard) (*Rules, error) {
	special := c.Playbooks[called]
	patterns, err := parsePatterns(special.Protect, own.Protect)
	err = errors.Join(
		unavailable("the configuration for "+called, special),
		unavailable("the called playbook "+called, Limits{MaxPercent: own.MaxPercent, OnBlock: own.OnBlock}),
		err,
	)
	if err != nil {
		return nil, err
	}
	all := *r
	all.protect = slices.Concat(r.protect, patterns)
	if own.MaxChanges != nil && *own.MaxChanges < all.maxChanges {
		all.maxChanges, all.from = *own.MaxChanges, "max_changes of the called playbook "+called
	}
	if special.MaxChanges != nil && *special.MaxChanges < all.maxChanges {
		all.maxChanges, all.from = *special.MaxChanges, "max_changes of "+called+" under `guard:` in the configuration"
	}
	return &all, nil
}

func parsePatterns(lists ...[]string) ([]pattern, error) {
	var patterns []pattern
	var problems []error
	for _, entry := range slices.Concat(lists...) {
		p, err := parsePattern(entry)
		problems = append(problems, err)
		patterns = append(patterns, p)
	}
	return patterns, errors.Join(problems...)
}

func unavailable(where string, l Limits) error {
	var asked []string
	if l.MaxPercent != nil {
		asked = append(asked, "max_percent")
	}
	if l.Budget != nil {
		asked = append(asked, "budget")
	}
	if l.OnBlock == "ask" {
		asked = append(asked, "on_block: ask")
	}
	if len(asked) == 0 {
		return nil
	}
	return fmt.Errorf("guard: %s of %s: %w", strings.Join(asked, ", "), where, ErrUnavailable)
}

func (r *Rules) limit(c Configuration, special Limits, playbook string, own program.Guard) error {
	r.maxChanges, r.from = DefaultMaxChanges, "the default; max_changes under `guard:` in the configuration raises it"
	if c.MaxChanges != nil {
		r.maxChanges, r.from = *c.MaxChanges, "max_changes under `guard:` in the configuration"
	}
	if special.MaxChanges != nil {
		r.maxChanges, r.from = *special.MaxChanges, "max_changes of "+playbook+" under `guard:` in the configuration"
	}
	if own.MaxChanges != nil && *own.MaxChanges < r.maxChanges {
		r.maxChanges, r.from = *own.MaxChanges, "max_changes of the playbook's `guard:`"
	}
	if r.maxChanges < 0 {
		return fmt.Errorf("%w: %s is %d; it cannot be less than 0", ErrSetting, r.from, r.maxChanges)
	}
	return nil
}

// Lowered is the rules with a lower cap, of one run alone. A higher one changes
// nothing.
func (r *Rules) Lowered(limit int64) *Rules {
	if limit >= r.maxChanges {
		return r
	}
	lowered := *r
	lowered.maxChanges, lowered.from = limit, "the limit this run was started with"
	return &lowered
}

// MaxChanges is how many distinct targets a run may change.
func (r *Rules) MaxChanges() int64 { return r.maxChanges }

// Protects refuses a change of a protected subject; nil lets it pass.
func (r *Rules) Protects(s engine.Subject) *engine.Failure {
	names := make([]string, 0, 1+len(s.Aliases))
	for _, name := range append([]string{s.Target.ID}, s.Aliases...) {
		names = append(names, fold(name))
	}
	for _, p := range r.protect {
		if slices.ContainsFunc(names, p.matches) {
			return engine.Fail(engine.ClassRefused, engine.CodeProtected,
				"%s is protected by %q under `guard:`", describe(s.Target), p.entry)
		}
	}
	return nil
}

// describe shows a target with its id; a name is foreign text.
func describe(t engine.Target) string {
	if t.Name == "" || t.Name == t.ID {
		return t.ID
	}
	return fmt.Sprintf("%q (%s)", t.Name, t.ID)
}
