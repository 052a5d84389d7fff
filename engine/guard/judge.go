package guard

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// shownTargets is how many of those who would be hit a refusal names.
const shownTargets = 10

// Judge holds everything a run would do against the limits, before the first
// of its changes: nil, or a failure of class refused that says which limits are
// exceeded, by how much, and who would have been hit. Its code is that of the
// first of them: max_changes, max_percent or budget. What the ledger counts
// already counts with it; a set of which people have allowed every target that
// is new passes.
//
// The percentage of each connection is taken of its population in the set.
// Spent is how many targets of each connection all runs, this one included,
// have changed within Rules.Budget().Per; without a budget it is not asked.
func (l *Ledger) Judge(set engine.ChangeSet, spent map[string]int64) *engine.Failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tally(set)
	if l.rules.lifted || t.allowed {
		return nil
	}
	var why []string
	code := ""
	object := func(c, text string) {
		if text != "" {
			why, code = append(why, text), orElse(code, c)
		}
	}
	object(engine.CodeMaxChanges, l.rules.tooMany(t))
	connections := slices.Sorted(maps.Keys(t.fresh))
	for _, name := range connections {
		object(engine.CodeMaxPercent, l.rules.percent.objection(name, t.fresh[name]+t.before[name], t.population(name)))
	}
	for _, name := range connections {
		if l.rules.budget != nil {
			object(engine.CodeBudget, l.rules.budget.objection(name, t.fresh[name], spent[name], l.rules.budgetFrom))
		}
	}
	if code == "" {
		return nil
	}
	return engine.Fail(engine.ClassRefused, code, "%s. It would have hit %s", strings.Join(why, "; "), hit(t.targets))
}

// tally is what a change set adds to what a ledger counts.
type tally struct {
	targets     []engine.Target  // that are new, in the order of the set
	fresh       map[string]int64 // how many of them each connection has
	before      map[string]int64 // what counts already, by connection
	populations []engine.Population
	allowed     bool // all that is new, which may be nothing
}

func (l *Ledger) tally(set engine.ChangeSet) tally {
	t := tally{fresh: map[string]int64{}, before: map[string]int64{}, populations: set.Populations, allowed: true}
	for key := range l.pairs {
		t.before[key.connection]++
	}
	seen := map[pair]bool{}
	for _, c := range set.Pending() {
		key := pair{c.Connection, c.Target.ID}
		if _, counted := l.pairs[key]; counted || seen[key] {
			continue
		}
		seen[key] = true
		t.targets = append(t.targets, c.Target)
		t.fresh[c.Connection]++
		t.allowed = t.allowed && l.allowed[key]
	}
	return t
}

// population is how many targets a connection has; nil where nobody knows. Of
// several listings the largest counts.
func (t tally) population(connection string) *int64 {
	var most *int64
	for _, p := range t.populations {
		if p.Connection == connection && (most == nil || p.Count > *most) {
			most = &p.Count
		}
	}
	return most
}

// tooMany is why the targets are more than a run may change; "" where they are not.
func (r *Rules) tooMany(t tally) string {
	var before int64
	for _, n := range t.before {
		before += n
	}
	total := before + int64(len(t.targets))
	if total <= r.maxChanges {
		return ""
	}
	already := ""
	if before > 0 {
		already = fmt.Sprintf(" (%d of them already are)", before)
	}
	return fmt.Sprintf("%s would be changed%s, %d too many: a run of this playbook may change at most %s (%s)",
		targets(total), already, total-r.maxChanges, targets(r.maxChanges), r.from)
}

// hit names targets, the first of them where they are many.
func hit(list []engine.Target) string {
	var names []string
	for _, t := range list[:min(len(list), shownTargets)] {
		names = append(names, describe(t))
	}
	text := strings.Join(names, ", ")
	if more := len(list) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
