package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Verb is what was done, in an audit entry.
type Verb string

// The verbs of the audit trail.
const (
	AuditConfigLoaded      Verb = "config.loaded"      // object: the file
	AuditPlanMade          Verb = "plan.made"          // object: the plan
	AuditUndoPlanned       Verb = "undo.planned"       // object: the plan
	AuditRunStarted        Verb = "run.started"        // object: the run
	AuditPlanApplied       Verb = "plan.applied"       // object: the run
	AuditUndoApplied       Verb = "undo.applied"       // object: the run
	AuditRunRetried        Verb = "run.retried"        // object: the new run
	AuditRunResumed        Verb = "run.resumed"        // object: the run
	AuditRunCancelled      Verb = "run.cancelled"      // object: the run
	AuditRunEnded          Verb = "run.ended"          // object: the run
	AuditChangeIntended    Verb = "change.intended"    // object: RUN/PATH
	AuditChangeEnded       Verb = "change.ended"       // object: RUN/PATH
	AuditApprovalAsked     Verb = "approval.asked"     // object: the approval
	AuditApprovalRenewed   Verb = "approval.renewed"   // object: the approval
	AuditApprovalVoted     Verb = "approval.voted"     // object: the approval
	AuditApprovalExpired   Verb = "approval.expired"   // object: the approval
	AuditApprovalWithdrawn Verb = "approval.withdrawn" // object: the approval
	AuditFrozen            Verb = "changes.frozen"     // object: the freeze
	AuditThawed            Verb = "changes.thawed"     // object: the freeze
	AuditScheduleTriggered Verb = "schedule.triggered" // object: the run
	AuditSchedulePaused    Verb = "schedule.paused"    // object: PLAYBOOK#PLACE
	AuditScheduleResumed   Verb = "schedule.resumed"   // object: PLAYBOOK#PLACE
	AuditPruned            Verb = "history.pruned"     // object: the last run or plan that went
	AuditGrantArmed        Verb = "grant.armed"        // object: the grant, also of those below
	AuditGrantStarted      Verb = "grant.started"
	AuditGrantWarned       Verb = "grant.warned"
	AuditGrantExtended     Verb = "grant.extended"
	AuditGrantClosing      Verb = "grant.closing" // somebody ends it before its time
	AuditGrantAsked        Verb = "grant.asked"
	AuditGrantOverdue      Verb = "grant.overdue"
	AuditGrantEnded        Verb = "grant.ended"
	AuditGrantKept         Verb = "grant.kept"
	AuditGrantVoid         Verb = "grant.void"
	AuditHeld              Verb = "hold.added"    // object: the hold
	AuditReleased          Verb = "hold.released" // object: the hold
	AuditSignalled         Verb = "signal.sent"   // object: the run
)

// AuditEntry is one line of the audit trail, before a store has given it its place.
type AuditEntry struct {
	At     time.Time       `json:"at"`
	Actor  Actor           `json:"actor"`
	Verb   Verb            `json:"verb"`
	Object string          `json:"object"` // id of what it was done to
	Detail json.RawMessage `json:"detail"`
}

// AuditRecord is a line of the audit trail in its place. Each holds the hash of
// the one before it, so that none can be edited, removed, moved or put in later
// without all that follow telling.
type AuditRecord struct {
	AuditEntry

	Seq  uint64 `json:"seq"`  // from 1, without gaps
	Prev string `json:"prev"` // hash of the record before; "" for the first one
	Hash string `json:"hash"` // Sum, as it was when the record was written
}

// AuditQuery selects records of the audit trail, oldest first.
type AuditQuery struct {
	After uint64    // the sequence number behind which they begin
	Since time.Time // only those from then on; all when zero
	Limit int       // 0 means all
}

// Sum is the hash that the record must have: hex SHA-256 over the previous hash
// and every field, each with its length before it.
func (r AuditRecord) Sum() string {
	h := sha256.New()
	number := func(n int64) { _ = binary.Write(h, binary.BigEndian, n) } // a hash takes everything
	text := func(s string) {
		number(int64(len(s)))
		h.Write([]byte(s))
	}
	text(r.Prev)
	number(int64(r.Seq))
	number(StoredTime(r.At).UnixMicro())
	for _, s := range []string{r.Actor.Name, r.Actor.Via, string(r.Verb), r.Object, string(r.Detail)} {
		text(s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Chained is the record that an entry becomes behind the last one; behind the
// zero record where there is none.
func (e AuditEntry) Chained(last AuditRecord) AuditRecord {
	r := AuditRecord{AuditEntry: e, Seq: last.Seq + 1, Prev: last.Hash}
	r.At = StoredTime(e.At)
	r.Hash = r.Sum()
	return r
}

func (e AuditEntry) check() string {
	switch {
	case e.Verb == "":
		return "has no verb"
	case e.At.IsZero():
		return "has no time"
	case len(e.Detail) > 0 && !json.Valid(e.Detail):
		return "has a detail that is no JSON"
	}
	return ""
}

// entry makes an entry. Details are maps of plain values, which always encode.
func entry(at time.Time, actor Actor, verb Verb, object string, detail map[string]any) AuditEntry {
	for name, v := range detail {
		if v == "" || v == nil {
			delete(detail, name)
		}
	}
	data, err := json.Marshal(detail)
	if err != nil { // raw JSON that is none
		data = []byte(`{"unreadable":true}`)
	}
	return AuditEntry{At: at, Actor: actor, Verb: verb, Object: object, Detail: data}
}

// AuditConfig is the entry of a configuration that was loaded. hash is that of
// the file's bytes, by its command.
func AuditConfig(at time.Time, by Actor, path, hash, command string) AuditEntry {
	return entry(at, by, AuditConfigLoaded, path, map[string]any{"hash": hash, "command": command})
}

// AuditPlan is the entry of a plan, also of one that takes a run back.
func AuditPlan(p PlanRecord) AuditEntry {
	verb := AuditPlanMade
	if p.UndoOf != "" {
		verb = AuditUndoPlanned
	}
	return entry(p.CreatedAt, p.Actor, verb, p.ID, map[string]any{
		"playbook": p.Playbook, "hash": p.Digest, "changes": p.Pending, "undo_of": p.UndoOf, "lifted": p.Lifted,
	})
}

// AuditStart is the entry of a run that was recorded, by how it came to be.
func AuditStart(r RunRecord) AuditEntry {
	verb := AuditRunStarted
	switch {
	case r.RetryOf != "":
		verb = AuditRunRetried
	case r.UndoOf != "":
		verb = AuditUndoApplied
	case r.Plan != "":
		verb = AuditPlanApplied
	}
	return entry(r.CreatedAt, r.Actor, verb, r.ID, map[string]any{
		"playbook": r.Playbook, "hash": r.Hash, "plan": r.Plan, "undo_of": r.UndoOf, "retry_of": r.RetryOf, "lifted": r.Lifted,
	})
}

// AuditResume is the entry of a run that goes on after it had stopped.
func AuditResume(at time.Time, run string, was RunStatus) AuditEntry {
	return entry(at, Machinery(), AuditRunResumed, run, map[string]any{"was": string(was)})
}

// AuditCancel is the entry of a request to cancel.
func AuditCancel(at time.Time, run, reason string) AuditEntry {
	return entry(at, Machinery(), AuditRunCancelled, run, map[string]any{"reason": reason})
}

// AuditEnd is the entry of a run that is over.
func AuditEnd(r RunRecord) AuditEntry {
	at := r.CreatedAt
	if r.FinishedAt != nil {
		at = *r.FinishedAt
	}
	return entry(at, Machinery(), AuditRunEnded, r.ID, map[string]any{"status": string(r.Status), "code": codeOf(r.Error)})
}

// AuditIntent is the entry of a change that is about to be made, as its
// record has it.
func AuditIntent(by Actor, s StepRecord) AuditEntry {
	detail := changeDetail(s)
	detail["before"], detail["after"] = brief(s.Before), brief(s.After)
	return entry(s.StartedAt, by, AuditChangeIntended, s.Run+"/"+s.Path, detail)
}

// AuditResult is the entry of what became of a change.
func AuditResult(by Actor, s StepRecord) AuditEntry {
	at := s.StartedAt
	if s.EndedAt != nil {
		at = *s.EndedAt
	}
	detail := changeDetail(s)
	detail["outcome"], detail["code"] = string(s.Outcome), codeOf(s.Error)
	return entry(at, by, AuditChangeEnded, s.Run+"/"+s.Path, detail)
}

func changeDetail(s StepRecord) map[string]any {
	detail := map[string]any{"action": s.Action, "connection": s.Connection, "attempt": s.Attempt}
	if s.Target != nil {
		detail["target"] = s.Target.ID
	}
	return detail
}

func codeOf(f *Failure) string {
	if f == nil {
		return ""
	}
	return f.Code
}

// briefLimit is the size in bytes above which a state is only told by its hash.
const briefLimit = 512

func brief(state json.RawMessage) any {
	switch {
	case len(state) == 0:
		return nil
	case len(state) > briefLimit:
		sum := sha256.Sum256(state)
		return "sha256:" + hex.EncodeToString(sum[:])
	default:
		return state
	}
}

// AuditAsk is the entry of a request.
func AuditAsk(a Approval) AuditEntry {
	return entry(a.CreatedAt, Machinery(), AuditApprovalAsked, a.ID, map[string]any{
		"run": a.Run, "path": a.Path, "kind": string(a.Kind), "hash": a.Digest, "needs": a.Needs,
	})
}

// AuditRenewal is the entry of a request that was made anew.
func AuditRenewal(at time.Time, a Approval) AuditEntry {
	return entry(at, Machinery(), AuditApprovalRenewed, a.ID, map[string]any{"run": a.Run, "hash": a.Digest, "round": a.Round})
}

// AuditVote is the entry of one person's decision, and where the request
// stands with it.
func AuditVote(a Approval, v Vote) AuditEntry {
	return entry(v.At, Actor{Name: v.User, Via: v.Via}, AuditApprovalVoted, a.ID, map[string]any{
		"run": a.Run, "person": v.Person, "approve": v.Approve, "proven": v.Proven, "hash": v.Digest, "except": len(v.Except),
		"reason": v.Reason, "status": string(a.Status),
	})
}

// AuditClosing is the entry of a request that nobody decided: its time was
// up, or its run does not wait for it any more.
func AuditClosing(a Approval) AuditEntry {
	verb, at := AuditApprovalWithdrawn, a.CreatedAt
	if a.Status == ApprovalExpired {
		verb = AuditApprovalExpired
	}
	if a.DecidedAt != nil {
		at = *a.DecidedAt
	}
	return entry(at, Machinery(), verb, a.ID, map[string]any{"run": a.Run, "hash": a.Digest})
}

// AuditFreeze is the entry of a freeze that somebody has put up.
func AuditFreeze(f Freeze) AuditEntry {
	return entry(f.At, f.By, AuditFrozen, f.ID, map[string]any{"reason": f.Reason})
}

// AuditThaw is the entry of a freeze that somebody has ended.
func AuditThaw(f Freeze) AuditEntry {
	at, by := f.At, Machinery()
	if f.ThawedAt != nil && f.ThawedBy != nil {
		at, by = *f.ThawedAt, *f.ThawedBy
	}
	return entry(at, by, AuditThawed, f.ID, map[string]any{"reason": f.ThawReason})
}

// AuditPruning is the entry of a part of what a removal has removed. object is
// the last run or plan that went.
func AuditPruning(at time.Time, by Actor, object string, p Pruned) AuditEntry {
	return entry(at, by, AuditPruned, object, map[string]any{"runs": p.Runs, "plans": p.Plans, "first": p.First})
}

// AuditPause is the entry of a schedule that somebody has paused.
func AuditPause(by Actor, s ScheduleState) AuditEntry {
	at := s.LastAt
	if s.PausedAt != nil {
		at = *s.PausedAt
	}
	return entry(at, by, AuditSchedulePaused, s.ID, map[string]any{"schedule": s.Spec, "reason": s.Reason})
}

// AuditUnpause is the entry of a schedule that somebody lets fire again. was is
// its state while it was paused.
func AuditUnpause(at time.Time, by Actor, was ScheduleState) AuditEntry {
	return entry(at, by, AuditScheduleResumed, was.ID, map[string]any{"schedule": was.Spec, "paused_by": was.PausedBy})
}

// AuditTrigger is the entry of a run that somebody has started as if its
// schedule had fired.
func AuditTrigger(r RunRecord) AuditEntry {
	return entry(r.CreatedAt, r.Actor, AuditScheduleTriggered, r.ID, map[string]any{"schedule": r.Series})
}

// AuditGrant is the entry of what has happened with a grant, as it is since.
// The verb is one of those of grants.
func AuditGrant(at time.Time, by Actor, verb Verb, g Grant) AuditEntry {
	return entry(at, by, verb, g.ID, map[string]any{
		"run": g.Run, "path": g.Path, "action": g.Action, "access": string(g.Access), "at_end": g.AtEnd,
		"connection": g.Connection, "target": g.Target.ID, "state": string(g.State), "until": StoredTime(g.EndsAt).Format(time.RFC3339),
		"approval": g.Approval, "tries": g.Tries, "code": codeOf(g.Error), "person": g.EndedBy, "reason": g.Reason,
	})
}

// AuditState is the entry of a grant that has come into its state by the work
// of a run or of a sweep.
func AuditState(at time.Time, by Actor, g Grant) AuditEntry {
	verb := AuditGrantArmed
	switch g.State {
	case GrantActive:
		verb = AuditGrantStarted
	case GrantAsking:
		verb = AuditGrantAsked
	case GrantEnded:
		verb = AuditGrantEnded
	case GrantKept:
		verb = AuditGrantKept
	case GrantVoid:
		verb = AuditGrantVoid
	case GrantArmed:
	}
	return AuditGrant(at, by, verb, g)
}

// Machinery is the actor of what nobody did by hand.
func Machinery() Actor { return Actor{Name: "drawbridge", Via: "engine"} }

// AuditHold is the entry of a hold that somebody has put up.
func AuditHold(h Hold) AuditEntry {
	return entry(h.At, h.By, AuditHeld, h.ID, map[string]any{"connection": h.Connection, "target": h.Target, "reason": h.Reason})
}

// AuditRelease is the entry of a hold that somebody has released.
func AuditRelease(h Hold) AuditEntry {
	at, by := h.At, Machinery()
	if h.ReleasedAt != nil && h.ReleasedBy != nil {
		at, by = *h.ReleasedAt, *h.ReleasedBy
	}
	return entry(at, by, AuditReleased, h.ID, map[string]any{"connection": h.Connection, "target": h.Target, "reason": h.ReleaseReason})
}

// AuditSignal is the entry of a signal that was sent. What came with it stays
// in the run's journal.
func AuditSignal(s Signal) AuditEntry {
	return entry(s.At, s.By, AuditSignalled, s.Run, map[string]any{"id": s.ID, "name": s.Name})
}
