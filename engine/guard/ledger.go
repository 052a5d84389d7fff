package guard

import (
	"fmt"
	"sync"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Ledger counts the distinct targets a run has changed or is about to change.
// A target counts from its reservation on, so that the limit holds whatever a
// crash leaves open.
type Ledger struct {
	rules *Rules

	mu    sync.Mutex
	pairs map[pair]entry
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
	return &Ledger{rules: rules, pairs: make(map[pair]entry)}
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

// Reserve counts a target before it is changed, or refuses with a failure of
// code max_changes. Every reservation is followed by one Settle.
func (l *Ledger) Reserve(connection string, target engine.Target) *engine.Failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := pair{connection, target.ID}
	e, known := l.pairs[key]
	if !known && int64(len(l.pairs)) >= l.rules.maxChanges {
		return engine.Fail(engine.ClassRefused, engine.CodeMaxChanges,
			"%s would be target number %d, and a run of this playbook may change at most %s (%s)",
			describe(target), len(l.pairs)+1, targets(l.rules.maxChanges), l.rules.from)
	}
	e.open++
	l.pairs[key] = e
	return nil
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

// Count is how many targets count now.
func (l *Ledger) Count() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.pairs))
}

func targets(n int64) string {
	if n == 1 {
		return "1 target"
	}
	return fmt.Sprintf("%d targets", n)
}
