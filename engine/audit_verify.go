package engine

import (
	"context"
	"fmt"
)

// auditPage is how many records are read at a time.
const auditPage = 1000

// AuditFault is one place where the audit trail is not as it was written.
type AuditFault struct {
	Seq     uint64 `json:"seq"`
	Message string `json:"message"`
}

// AuditReport is what verifying the audit trail has found.
type AuditReport struct {
	Records uint64       `json:"records"`
	Head    string       `json:"head"`   // hash of the newest record; "" where there is none
	Faults  []AuditFault `json:"faults"` // at most mostFaults
	// Contains reports that a record has the hash that was asked for.
	Contains bool `json:"contains"`
}

// mostFaults is how many faults a report names: more say nothing new.
const mostFaults = 100

// Sound reports whether every record is as it was written.
func (r AuditReport) Sound() bool { return len(r.Faults) == 0 }

// VerifyAudit recomputes the whole audit trail and says which records were
// edited, removed, moved or put in. head is a hash that was kept elsewhere, to
// be found among the records; "" looks for none. That the newest records were
// cut off is only found with it.
func VerifyAudit(ctx context.Context, store Store, head string) (AuditReport, error) {
	var report AuditReport
	var last AuditRecord
	for q := (AuditQuery{Limit: auditPage}); ; q.After = last.Seq {
		page, err := store.Audit(ctx, q)
		if err != nil {
			return report, fmt.Errorf("verifying the audit trail: %w", err)
		}
		for _, r := range page {
			report.add(last, r)
			report.Contains = report.Contains || r.Hash == head
			last = r
		}
		if len(page) < q.Limit {
			report.Head = last.Hash
			return report, nil
		}
	}
}

// add compares a record with the one before it. Each is judged by the hash that
// the one before it has now, so that one fault does not spoil all that follows.
func (r *AuditReport) add(last, next AuditRecord) {
	r.Records++
	next.Prev = last.Hash
	switch {
	case next.Seq == last.Seq+2:
		r.fault(last.Seq+1, "it was removed")
	case next.Seq > last.Seq+1:
		r.fault(last.Seq+1, fmt.Sprintf("it and those up to %d were removed", next.Seq-1))
	case next.Sum() != next.Hash:
		r.fault(next.Seq, "it was edited, moved or put in here, or the one before it was: its hash is not that of its content")
	}
}

func (r *AuditReport) fault(seq uint64, message string) {
	if len(r.Faults) < mostFaults {
		r.Faults = append(r.Faults, AuditFault{Seq: seq, Message: message})
	}
}
