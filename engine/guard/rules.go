package guard

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// Configuration is the limits no playbook can raise, and what playbooks may
// use at all.
type Configuration struct {
	Limits

	Playbooks map[string]Limits // by name; what is set here takes the place of the general limit
	Policies  []Policy          // the first that fits a playbook decides; none at all allows everything
}

// Rules are the limits of one playbook's runs.
type Rules struct {
	maxChanges int64
	from       string // who set maxChanges, and how it could be raised
	percent    percentage
	budget     *Budget
	budgetFrom string
	asks       bool // somebody wants a person to be asked over a limit
	stops      bool // somebody wants the run to stop there, which wins
	lifted     bool // no limit holds
	protect    []pattern
}

// Whose limits they are, in the words of messages.
const (
	inConfiguration = "under `guard:` in the configuration"
	ofPlaybook      = "of the playbook's `guard:`"
)

// NewRules combines the configuration, or the defaults, with what a playbook
// says, which can only lower and add. Errors wrap ErrUnavailable or ErrSetting
// and name every entry that is to blame.
func NewRules(c Configuration, playbook string, own program.Guard) (*Rules, error) {
	rules := &Rules{
		maxChanges: DefaultMaxChanges, from: "the default; max_changes " + inConfiguration + " raises it",
		percent: percentage{value: DefaultMaxPercent, from: "the default; max_percent " + inConfiguration + " raises it"},
	}
	special, ofSpecial := c.Playbooks[playbook], "of "+playbook+" "+inConfiguration
	err := errors.Join(
		rules.add(c.Limits, inConfiguration),
		rules.add(special, ofSpecial),
		rules.add(limitsOf(own), ofPlaybook),
	)
	if err != nil {
		return nil, err
	}
	rules.replace(c.Limits, inConfiguration)
	rules.replace(special, ofSpecial)
	rules.lower(limitsOf(own), ofPlaybook)
	rules.block(orElse(special.OnBlock, c.OnBlock), own.OnBlock)
	rules.percent.strict = own.MaxPercent != nil
	return rules, nil
}

// Calling is the rules of a run that also calls another playbook: what that one
// says, and the configuration says of it, lowers and adds. Errors are those of
// NewRules.
func (r *Rules) Calling(c Configuration, called string, own program.Guard) (*Rules, error) {
	special, ofSpecial := c.Playbooks[called], "of "+called+" "+inConfiguration
	ofCalled := "of the called playbook " + called
	all := *r
	all.protect = slices.Clone(r.protect)
	if err := errors.Join(all.add(special, ofSpecial), all.add(limitsOf(own), ofCalled)); err != nil {
		return nil, err
	}
	all.lower(limitsOf(own), ofCalled)
	all.lower(special, ofSpecial)
	all.block(special.OnBlock, own.OnBlock)
	all.percent.strict = r.percent.strict || own.MaxPercent != nil
	return &all, nil
}

// limitsOf is a playbook's guard as limits; a playbook has no budget.
func limitsOf(g program.Guard) Limits {
	return Limits{MaxChanges: g.MaxChanges, MaxPercent: g.MaxPercent, OnBlock: g.OnBlock, Protect: g.Protect}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// add checks limits and takes over what they protect.
func (r *Rules) add(l Limits, where string) error {
	patterns, err := parsePatterns(l.Protect)
	r.protect = append(r.protect, patterns...)
	return errors.Join(l.check(where), err)
}

// replace takes over the limits that are set.
func (r *Rules) replace(l Limits, where string) {
	if l.MaxChanges != nil {
		r.maxChanges, r.from = *l.MaxChanges, "max_changes "+where
	}
	if l.MaxPercent != nil {
		r.percent.value, r.percent.from, r.percent.explicit = *l.MaxPercent, "max_percent "+where, true
	}
	if l.Budget != nil {
		r.budget, r.budgetFrom = l.Budget, "budget "+where
	}
}

// lower takes over the limits that are set and lower than those that hold.
func (r *Rules) lower(l Limits, where string) {
	if l.MaxChanges != nil && *l.MaxChanges < r.maxChanges {
		r.maxChanges, r.from = *l.MaxChanges, "max_changes "+where
	}
	if l.MaxPercent != nil {
		r.percent.explicit = true
	}
	if l.MaxPercent != nil && *l.MaxPercent < r.percent.value {
		r.percent.value, r.percent.from = *l.MaxPercent, "max_percent "+where
	}
	r.lowerBudget(l.Budget, where)
}

// lowerBudget holds both budgets where one is fewer changes and the other a
// longer time: fewer changes per longer time is within either.
func (r *Rules) lowerBudget(b *Budget, where string) {
	switch {
	case b == nil:
	case r.budget == nil:
		r.budget, r.budgetFrom = b, "budget "+where
	default:
		both := Budget{Changes: min(b.Changes, r.budget.Changes), Per: max(b.Per, r.budget.Per)}
		if both != *r.budget {
			r.budget, r.budgetFrom = &both, "budget "+where
		}
	}
}

// block takes over what shall happen over a limit.
func (r *Rules) block(words ...string) {
	r.asks = r.asks || slices.Contains(words, onBlockAsk)
	r.stops = r.stops || slices.Contains(words, onBlockStop)
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

// ForUndo is the rules for taking back what a run has changed: protection is
// not in its way, the limits are, unless they are lifted. A percentage of
// targets nobody has counted is no limit to it, because it reads no directory
// and never changes more than the run did.
func (r *Rules) ForUndo(lifted bool) *Rules {
	undo := *r
	undo.protect, undo.percent.undo = nil, true
	if lifted {
		undo.lifted, undo.maxChanges, undo.budget = true, math.MaxInt64, nil
	}
	return &undo
}

// MaxChanges is how many distinct targets a run may change.
func (r *Rules) MaxChanges() int64 { return r.maxChanges }

// Budget is how many targets of each connection all runs together may change;
// nil where there is no such limit. Ledger.Judge wants to be told how much of
// it is spent.
func (r *Rules) Budget() *Budget {
	if r.budget == nil {
		return nil
	}
	b := *r.budget
	return &b
}

// Asks reports whether a run that exceeds a limit waits for a person to approve
// it, and does not end. The configuration, the playbook or one it calls may
// want it; where any of them says stop, the run stops.
func (r *Rules) Asks() bool { return r.asks && !r.stops }

// Protects refuses a change of a protected subject; nil lets it pass.
func (r *Rules) Protects(s engine.Subject) *engine.Failure {
	names := make([]string, 0, 1+len(s.Aliases))
	for _, name := range append([]string{s.Target.ID}, s.Aliases...) {
		names = append(names, Fold(name))
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
