package engine

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// ErrRecord is wrapped by the errors about a record that no store takes: one
// without a key, with a status nobody knows, or an event that leaves a gap.
var ErrRecord = errors.New("the record cannot be stored")

// StoredTime is a time as every store keeps it: in UTC, to the microsecond.
func StoredTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// Check finds the first record of the batch that no store takes. Every store
// calls it before it writes, so that all refuse the same. Errors wrap ErrRecord.
func (b Batch) Check() error {
	for _, check := range []func() error{
		func() error { return checkEach("bundle", b.Bundles, Bundle.check) },
		func() error { return checkEach("value", b.Values, StoredValue.check) },
		func() error { return checkEach("run", b.Runs, RunRecord.check) },
		func() error { return checkEach("event", b.Events, Event.check) },
		func() error { return checkEach("step", b.Steps, StepRecord.check) },
		func() error { return checkEach("item", b.Items, ItemRecord.check) },
		func() error { return checkEach("plan", b.Plans, PlanRecord.check) },
		func() error { return checkEach("answer", b.Answers, Answer.check) },
		func() error { return checkEach("approval", b.Approvals, Approval.check) },
		func() error { return checkEach("freeze", b.Freezes, Freeze.check) },
		func() error { return checkEach("grant", b.Grants, Grant.check) },
		func() error { return checkEach("hold", b.Holds, Hold.check) },
		func() error { return checkEach("signal", b.Signals, Signal.check) },
		func() error { return checkEach("schedule", b.Schedules, ScheduleState.check) },
		func() error { return checkEach("delivery", b.Deliveries, Delivery.check) },
		func() error { return checkEach("throttle", b.Throttles, Throttle.check) },
		func() error { return checkEach("position", b.Positions, Position.check) },
		func() error { return checkEach("snapshot", b.Snapshots, Snapshot.check) },
		func() error { return checkEach("audit entry", b.Audit, AuditEntry.check) },
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// Holding is a value that a run holds.
type Holding struct {
	Run   string
	Value Reference
}

// Held is what the runs of the batch's events hold of its values.
func (b Batch) Held() []Holding {
	if len(b.Values) == 0 {
		return nil
	}
	var out []Holding
	var runs []string
	for _, e := range b.Events {
		if slices.Contains(runs, e.Run) {
			continue
		}
		runs = append(runs, e.Run)
		for _, v := range b.Values {
			out = append(out, Holding{Run: e.Run, Value: v.Ref})
		}
	}
	return out
}

func checkEach[T any](noun string, records []T, check func(T) string) error {
	for i := range records {
		if wrong := check(records[i]); wrong != "" {
			return fmt.Errorf("%w: %s %d of the batch %s", ErrRecord, noun, i+1, wrong)
		}
	}
	return nil
}

func (b Bundle) check() string {
	if b.Hash == "" {
		return "has no hash"
	}
	return ""
}

func (v StoredValue) check() string {
	if v.Ref == "" {
		return "has no reference"
	}
	return ""
}

func (r RunRecord) check() string {
	switch {
	case r.ID == "":
		return "has no id"
	case !r.Status.Known():
		return fmt.Sprintf("has the unknown status %q", r.Status)
	}
	return ""
}

func (e Event) check() string {
	switch {
	case e.Run == "":
		return "names no run"
	case e.Seq == 0 || e.Seq > math.MaxInt64:
		return fmt.Sprintf("has the sequence number %d", e.Seq)
	}
	return ""
}

func (s StepRecord) check() string {
	switch {
	case s.Run == "" || s.Path == "":
		return "names no run or no path"
	case !s.Status.Known():
		return fmt.Sprintf("has the unknown status %q", s.Status)
	case s.Outcome != "" && !s.Outcome.Known():
		return fmt.Sprintf("has the unknown outcome %q", s.Outcome)
	case s.Effect != "" && !s.Effect.Known():
		return fmt.Sprintf("has the unknown effect %q", s.Effect)
	}
	return ""
}

func (i ItemRecord) check() string {
	switch {
	case i.Run == "" || i.Path == "":
		return "names no run or no path"
	case i.Index < 0:
		return fmt.Sprintf("has the index %d", i.Index)
	case !i.Outcome.Known():
		return fmt.Sprintf("has the unknown outcome %q", i.Outcome)
	}
	return ""
}

func (p PlanRecord) check() string {
	switch {
	case p.ID == "":
		return "has no id"
	case p.Set == "":
		return "has no change set"
	}
	return ""
}

func (a Answer) check() string {
	switch {
	case a.Owner == "" || a.Path == "":
		return "names no owner or no path"
	case a.Value == "":
		return "has no value"
	}
	return ""
}

func (a Approval) check() string {
	switch {
	case a.ID == "" || a.Run == "":
		return "has no id or names no run"
	case !a.Kind.Known():
		return fmt.Sprintf("has the unknown kind %q", a.Kind)
	case !a.Status.Known():
		return fmt.Sprintf("has the unknown status %q", a.Status)
	case a.Set == "":
		return "has no change set"
	}
	return ""
}

func (f Freeze) check() string {
	switch {
	case f.ID == "":
		return "has no id"
	case (f.ThawedAt == nil) != (f.ThawedBy == nil):
		return "says only half of who ended it and when"
	}
	return ""
}

func (g Grant) check() string {
	switch {
	case g.ID == "" || g.Run == "":
		return "has no id or names no run"
	case !g.State.Known():
		return fmt.Sprintf("has the unknown state %q", g.State)
	case !g.Access.Known():
		return fmt.Sprintf("has the unknown access %q", g.Access)
	case !slices.Contains([]string{"", "ask", "keep", "lift"}, g.AtEnd):
		return fmt.Sprintf("has the unknown end %q", g.AtEnd)
	}
	return ""
}

func (h Hold) check() string {
	switch {
	case h.ID == "" || h.Target == "":
		return "has no id or names no target"
	case (h.ReleasedAt == nil) != (h.ReleasedBy == nil):
		return "says only half of who released it and when"
	}
	return ""
}

func (s Signal) check() string {
	switch {
	case s.Run == "" || s.ID == "" || s.Name == "":
		return "names no run or has no id or no name"
	case s.Taken > math.MaxInt64:
		return fmt.Sprintf("was taken as the event %d", s.Taken)
	}
	return ""
}

func (s ScheduleState) check() string {
	if s.ID == "" {
		return "has no id"
	}
	return ""
}

func (d Delivery) check() string {
	if d.Hook == "" || d.ID == "" {
		return "names no hook or has no id"
	}
	return ""
}

func (t Throttle) check() string {
	if t.Connection == "" {
		return "names no connection"
	}
	return ""
}

func (p Position) check() string {
	switch {
	case p.Key == "":
		return "has no key"
	case p.Cursor == "":
		return "has no cursor"
	case p.Revision < 1:
		return fmt.Sprintf("has the revision %d", p.Revision)
	}
	return ""
}

func (s Snapshot) check() string {
	switch {
	case s.Run == "":
		return "names no run"
	case s.Seq == 0 || s.Seq > math.MaxInt64:
		return fmt.Sprintf("has the sequence number %d", s.Seq)
	}
	return ""
}

// Known reports whether it is one of the statuses of a run.
func (s RunStatus) Known() bool {
	return s.Final() || slices.Contains([]RunStatus{RunQueued, RunRunning, RunWaiting, RunUnsettled, RunInterrupted}, s)
}

// Known reports whether it is one of the statuses of a step.
func (s StepStatus) Known() bool {
	switch s {
	case StepStarted, StepWaiting, StepSucceeded, StepPartial, StepFailed, StepSkipped, StepRefused, StepCancelled, StepUnsettled:
		return true
	}
	return false
}

// Known reports whether it is one of the outcomes of items and changes.
func (o Outcome) Known() bool {
	switch o {
	case OutcomeDone, OutcomeUnchanged, OutcomeSkipped, OutcomeRefused, OutcomeFailed, OutcomeUnsettled:
		return true
	}
	return false
}

// Known reports whether it is one of the three effects.
func (e Effect) Known() bool { return e == Observe || e == Change || e == Announce }

// Known reports whether it is one of the statuses of an approval.
func (s ApprovalStatus) Known() bool {
	switch s {
	case ApprovalPending, ApprovalApproved, ApprovalDenied, ApprovalExpired, ApprovalObsolete:
		return true
	}
	return false
}

// Known reports whether it is one of the kinds of approvals.
func (k ApprovalKind) Known() bool {
	return k == ApprovalStep || k == ApprovalPolicy || k == ApprovalGuard || k == ApprovalGrant
}

// Known reports whether it is one of the states of a grant.
func (s GrantState) Known() bool {
	return s.Final() || s == GrantArmed || s == GrantActive || s == GrantAsking
}

// Known reports whether it is one of the two kinds of access.
func (a Access) Known() bool { return a == Gives || a == Takes }
