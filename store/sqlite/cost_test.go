package sqlite

import (
	"testing"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// TestWhatAuditingCosts: an entry is one more row in the same transaction, and
// a step that is not audited costs nothing.
func TestWhatAuditingCosts(t *testing.T) {
	s := open(t, newPath(t), Options{Mode: Engine})
	commit(t, s, first("run_1"))
	rows := func(b engine.Batch) Stats {
		before := s.Stats()
		commit(t, s, b)
		return s.Stats().Minus(before)
	}
	plain, audit := numbered("run_1", 1), numbered("run_1", 2)
	audit.Audit = []engine.AuditEntry{engine.AuditIntent(engine.Actor{Name: "alice"}, audit.Steps[0])}
	if got := rows(plain); got.Rows != 2 || got.Transactions != 1 {
		t.Errorf("a step writes %+v", got)
	}
	if got := rows(audit); got.Rows != 3 || got.Transactions != 1 {
		t.Errorf("a step that is audited writes %+v", got)
	}
}
