package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// valuePart is the size in bytes of the parts a large value is stored in.
const valuePart = 256 << 10

// operations is a batch in the making.
type operations []operation

func (o *operations) add(k kind, values ...any) {
	*o = append(*o, operation{kind: k, args: arguments(values...)})
}

// encode turns a batch into operations. It runs in the committer's goroutine,
// so that the writer has nothing to do but to write.
func encode(b engine.Batch) ([]operation, error) {
	ops := make(operations, 0, len(b.Bundles)+len(b.Values)+len(b.Runs)+len(b.Events)+len(b.Steps)+len(b.Items)+
		len(b.Plans)+len(b.Answers)+len(b.Approvals)+len(b.Freezes)+len(b.Grants)+len(b.Holds)+len(b.Signals)+
		len(b.Schedules)+len(b.Deliveries)+len(b.Throttles)+len(b.Positions)+2*len(b.Snapshots)+len(b.Audit))
	for _, bundle := range b.Bundles {
		ops.add(putBundle, bundle.Hash, bundle.Name, required(bundle.Data))
	}
	for _, v := range b.Values {
		ops.addValue(v)
	}
	err := errors.Join( // in the order of the arguments
		addEach(&ops, putRun, b.Runs, runValues),
		addEach(&ops, addEvent, b.Events, eventValues),
		addEach(&ops, putStep, b.Steps, stepValues),
		addEach(&ops, putItem, b.Items, itemValues),
		addEach(&ops, putPlan, b.Plans, planValues),
		addEach(&ops, putAnswer, b.Answers, answerValues),
		addEach(&ops, putApproval, b.Approvals, approvalValues),
		addEach(&ops, putFreeze, b.Freezes, freezeValues),
		addEach(&ops, putGrant, b.Grants, grantValues),
		addEach(&ops, putHold, b.Holds, holdValues),
		addEach(&ops, putSignal, b.Signals, signalValues),
		addEach(&ops, putSchedule, b.Schedules, scheduleValues),
		addEach(&ops, addDelivery, b.Deliveries, deliveryValues),
		addEach(&ops, putThrottle, b.Throttles, throttleValues),
		addEach(&ops, putPosition, b.Positions, positionValues),
	)
	for _, snap := range b.Snapshots {
		ops.add(putSnapshot, snap.Run, int64(snap.Seq), int64(snap.Semantics), required(snap.Data))
		ops.add(trimJournal, snap.Run, int64(snap.Seq))
	}
	for _, h := range b.Held() {
		ops.add(holdValue, h.Run, string(h.Value))
	}
	for i := range b.Audit {
		ops = append(ops, operation{kind: addAudit, entry: &b.Audit[i]})
	}
	return ops, err
}

// addValue adds the parts of a value; one of no bytes has one part.
func (o *operations) addValue(v engine.StoredValue) {
	part := int64(0)
	for data := range slices.Chunk(v.Data, valuePart) {
		o.add(putValue, string(v.Ref), part, required(data))
		part++
	}
	if part == 0 {
		o.add(putValue, string(v.Ref), part, required(nil))
	}
}

// addEach adds records of one kind.
func addEach[T any](ops *operations, k kind, records []T, values func(*T) ([]any, error)) error {
	for i := range records {
		args, err := values(&records[i])
		if err != nil {
			return err
		}
		ops.add(k, args...)
	}
	return nil
}

func eventValues(e *engine.Event) ([]any, error) {
	return []any{e.Run, int64(e.Seq), e.At.UnixMicro(), e.Kind, optional(e.Data)}, nil
}

func itemValues(i *engine.ItemRecord) ([]any, error) {
	failure, err := failureJSON(i.Error)
	return []any{
		i.Run, i.Path, int64(i.Index), i.Key, i.Label, string(i.Outcome), failure, i.EndedAt.UnixMicro(),
	}, err
}

func runValues(r *engine.RunRecord) ([]any, error) {
	failure, err := failureJSON(r.Error)
	starters, unlisted := listJSON(r.Starters)
	return []any{
		r.ID, r.Hash, r.Playbook, string(r.Status), r.Actor.Name, r.Actor.Via,
		optional(r.Inputs), optional(r.Trigger), optional(r.Outputs), failure,
		int64(r.Attempt), int64(r.Semantics), r.CreatedAt.UnixMicro(), micros(r.FinishedAt), micros(r.WakeAt),
		number(r.MaxChanges), optional(r.Connections),
		starters, r.Plan, r.UndoOf, r.RetryOf, r.Lifted, string(r.ChangeSet), boolean(r.Strict), r.Key, r.Series, r.Group,
	}, errors.Join(err, unlisted)
}

func stepValues(s *engine.StepRecord) ([]any, error) {
	var id, name, changed any
	if s.Target != nil {
		id, name = s.Target.ID, s.Target.Name
	}
	if s.MayHaveChanged() {
		changed = int64(1)
	}
	failure, err := failureJSON(s.Error)
	return []any{
		s.Run, s.Path, int64(s.Attempt), s.Form, s.Action, string(s.Effect), s.Connection,
		string(s.Status), string(s.Outcome), id, name, optional(s.Before), optional(s.After),
		s.Arguments, optional(s.Inverse), failure, s.StartedAt.UnixMicro(), micros(s.EndedAt), s.Why,
		s.Of, changed,
	}, err
}

func planValues(p *engine.PlanRecord) ([]any, error) {
	blocked, err := failureJSON(p.Blocked)
	return []any{
		p.ID, p.Playbook, p.Hash, p.Source, p.UndoOf, p.Actor.Name, p.Actor.Via, optional(p.Inputs),
		number(p.MaxChanges), p.Lifted, optional(p.Connections), int64(p.Semantics), string(p.Set), p.Digest, p.Shown,
		int64(p.Pending), boolean(p.Complete), blocked, p.CreatedAt.UnixMicro(),
	}, err
}

func answerValues(a *engine.Answer) ([]any, error) {
	var connection, count any
	if a.Population != nil {
		connection, count = a.Population.Connection, a.Population.Count
	}
	return []any{a.Owner, a.Path, a.Arguments, string(a.Value), connection, count, a.At.UnixMicro()}, nil
}

func approvalValues(a *engine.Approval) ([]any, error) {
	by, err1 := listJSON(a.By)
	excluded, err2 := listJSON(a.Excluded)
	cast := slices.Clone(a.Votes)
	for i := range cast {
		cast[i].At = engine.StoredTime(cast[i].At)
	}
	votes, err3 := listJSON(cast)
	return []any{
		a.Run, a.ID, a.Path, string(a.Kind), a.Title, by, int64(a.Needs), a.Notify, string(a.Status), int64(a.Round),
		string(a.Set), a.Digest, a.Shown, excluded, votes, a.CreatedAt.UnixMicro(),
		micros(a.ExpiresAt), micros(a.ToldAt), micros(a.DecidedAt),
	}, errors.Join(err1, err2, err3)
}

func freezeValues(f *engine.Freeze) ([]any, error) {
	var name, via any
	if f.ThawedBy != nil {
		name, via = f.ThawedBy.Name, f.ThawedBy.Via
	}
	return []any{f.ID, f.Reason, f.By.Name, f.By.Via, f.At.UnixMicro(), name, via, f.ThawReason, micros(f.ThawedAt)}, nil
}

func grantValues(g *engine.Grant) ([]any, error) {
	failure, err := failureJSON(g.Error)
	return []any{
		g.Run, g.ID, g.Path, g.Playbook, g.Action, string(g.Access), g.AtEnd, g.Connection, g.Fingerprint,
		g.Target.ID, g.Target.Name, optional(g.Inverse), optional(g.Before), optional(g.After), string(g.State),
		g.Lasts.Microseconds(), g.EndsAt.UnixMicro(), g.NextTry.UnixMicro(), int64(g.Tries), failure, g.Approval,
		micros(g.WarnedAt), micros(g.AlarmedAt), g.CreatedAt.UnixMicro(), micros(g.StartedAt), micros(g.EndedAt),
		g.EndedBy, g.Reason, g.Most.Microseconds(), g.Warn.Microseconds(),
	}, err
}

func holdValues(h *engine.Hold) ([]any, error) {
	var name, via any
	if h.ReleasedBy != nil {
		name, via = h.ReleasedBy.Name, h.ReleasedBy.Via
	}
	return []any{
		h.ID, h.Connection, h.Target, h.Reason, h.By.Name, h.By.Via, h.At.UnixMicro(), name, via, h.ReleaseReason,
		micros(h.ReleasedAt),
	}, nil
}

func signalValues(s *engine.Signal) ([]any, error) {
	return []any{s.Run, s.ID, s.Name, optional(s.Body), s.By.Name, s.By.Via, s.At.UnixMicro(), int64(s.Taken)}, nil
}

func scheduleValues(s *engine.ScheduleState) ([]any, error) {
	return []any{s.ID, s.Playbook, s.Spec, s.LastAt.UnixMicro(), micros(s.PausedAt), s.PausedBy, s.Reason}, nil
}

func deliveryValues(d *engine.Delivery) ([]any, error) {
	return []any{d.Hook, d.ID, d.Run, d.At.UnixMicro()}, nil
}

func throttleValues(t *engine.Throttle) ([]any, error) {
	return []any{t.Connection, t.Until.UnixMicro()}, nil
}

func positionValues(p *engine.Position) ([]any, error) {
	return []any{p.Key, p.Connection, p.Log, p.Reader, p.Cursor, p.Revision, p.At.UnixMicro()}, nil
}

// number is a number that may be missing.
func number(n *int64) any {
	if n == nil {
		return nil
	}
	return *n
}

// required is data that exists also where it is empty: the driver takes nil
// for NULL.
func required(data []byte) any {
	if data == nil {
		return []byte{}
	}
	return data
}

func optional(data []byte) any {
	if data == nil {
		return nil
	}
	return data
}

func micros(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMicro()
}

func failureJSON(f *engine.Failure) (any, error) {
	if f == nil {
		return nil, nil
	}
	stored := *f
	stored.NotBefore = engine.StoredTime(f.NotBefore)
	data, err := json.Marshal(stored)
	if err != nil {
		return nil, fmt.Errorf("%w: encoding a failure: %w", engine.ErrRecord, err)
	}
	return data, nil
}

// listJSON is a list as JSON; one that is missing is NULL.
func listJSON[T any](list []T) (any, error) {
	if list == nil {
		return nil, nil
	}
	data, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("%w: encoding a list: %w", engine.ErrRecord, err)
	}
	return data, nil
}

func boolean(b bool) any {
	if b {
		return int64(1)
	}
	return int64(0)
}

// weigh is how many bytes the operations hand to SQLite.
func weigh(ops []operation) int64 {
	var sum int64
	for _, op := range ops {
		for i := range op.args {
			sum += size(op.args[i].Value)
		}
	}
	return sum
}

func size(v driver.Value) int64 {
	switch v := v.(type) {
	case string:
		return int64(len(v))
	case []byte:
		return int64(len(v))
	case nil:
		return 0
	default:
		return 8
	}
}
