package guard

import (
	"sync"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Ledger counts the distinct targets a run has changed or is about to change.
// A target counts from its reservation on, so that the limit holds whatever a
// crash leaves open. Judge decides on everything a run would do before its
// first change; Reserve is the last line of defence at each of them.
type Ledger struct {
	rules *Rules

	mu      sync.Mutex
	pairs   map[pair]entry
	allowed map[pair]bool // approved by people whatever the limits
}

// pair is what is counted: a target of one connection. Changing the same
// target twice counts once.
type pair struct{ connection, target string }

type entry struct {
	open    int  // reservations whose result is not known
	changed bool // it was changed, or may have been
}

// NewLedger makes the empty ledger of a new run.
func NewLedger(rules *Rules) *Ledger {
	return &Ledger{rules: rules, pairs: make(map[pair]entry), allowed: make(map[pair]bool)}
}

// Recall enters what the records of an earlier part of the run say.
func (l *Ledger) Recall(records ...engine.StepRecord) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		if r.Target != nil && r.MayHaveChanged() {
			l.pairs[pair{r.Connection, r.Target.ID}] = entry{changed: true}
		}
	}
}

// Allow lets the pending changes of a set pass whatever the limits: people
// have approved exactly that set although it exceeds one.
func (l *Ledger) Allow(set engine.ChangeSet) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range set.Pending() {
		l.allowed[pair{c.Connection, c.Target.ID}] = true
	}
}

// Reserve counts a target before it is changed, or refuses with a failure of
// code max_changes. Every reservation is followed by one Settle.
func (l *Ledger) Reserve(connection string, target engine.Target) *engine.Failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := pair{connection, target.ID}
	e, known := l.pairs[key]
	if !known && !l.allowed[key] && int64(len(l.pairs)) >= l.rules.maxChanges {
		return engine.Fail(engine.ClassRefused, engine.CodeMaxChanges,
			"%s would be target number %d, and a run of this playbook may change at most %s (%s)",
			describe(target), len(l.pairs)+1, targets(l.rules.maxChanges), l.rules.from)
	}
	e.open++
	l.pairs[key] = e
	return nil
}

// Passes reports whether no budget is in the way of a target: people have let
// it pass, or this run has changed it before, so that it counts already.
func (l *Ledger) Passes(connection string, target engine.Target) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := pair{connection, target.ID}
	return l.rules.lifted || l.allowed[key] || l.pairs[key].changed
}

// Settle says how a reserved change ended: whether the target was changed, or
// may have been. One that certainly was not no longer counts.
func (l *Ledger) Settle(connection string, target engine.Target, changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := pair{connection, target.ID}
	e := l.pairs[key]
	e.open, e.changed = e.open-1, e.changed || changed
	if e.open <= 0 && !e.changed {
		delete(l.pairs, key)
		return
	}
	l.pairs[key] = e
}

// Changed reports whether the run has changed the target, or may have.
func (l *Ledger) Changed(connection string, target engine.Target) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pairs[pair{connection, target.ID}].changed
}

// Count is how many targets count now.
func (l *Ledger) Count() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.pairs))
}
