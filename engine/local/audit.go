package local

import "github.com/drawbridge-soar/drawbridge/engine"

// audit puts an entry into the batch. A drive that only looks ahead tells nobody.
func (d *drive) audit(entry engine.AuditEntry) {
	if d.ahead == nil {
		d.batch.Audit = append(d.batch.Audit, entry)
	}
}

// audited reports whether the audit trail tells how the run begins and ends: a
// run that can change nothing leaves only its history.
func (d *drive) audited() bool { return d.programs[d.record.Hash].Changes }

// auditResult tells what became of a change that was made or may have been, or
// that was refused.
func (d *drive) auditResult(s engine.StepRecord) {
	if s.Effect == engine.Change && s.Of == "" && s.Outcome != engine.OutcomeUnchanged {
		d.audit(engine.AuditResult(d.record.Actor, s))
	}
}
