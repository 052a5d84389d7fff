package local

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
)

// recallApprovals reads what people were asked and have said.
func (d *drive) recallApprovals(ctx context.Context) error {
	q := engine.ApprovalQuery{Run: d.record.ID, Limit: recordPage}
	list, err := d.engine.config.Store.Approvals(ctx, q)
	if err != nil {
		return fmt.Errorf("reading its approvals: %w", err)
	}
	slices.Reverse(list) // the newest of a path counts
	for _, a := range list {
		if a.Kind != engine.ApprovalGrant { // those outlive the run
			d.approvals[a.Path] = &a
		}
	}
	return nil
}

// hear hands the machine what people have said since, in the order in which
// they said it: what was said in time counts, however late it is heard.
func (d *drive) hear(ctx context.Context) error {
	for _, a := range d.decisions() {
		frame, asked := d.machine.Asked(a.Path)
		if !asked {
			continue
		}
		ev := machine.Event{Kind: machine.Decided, Frame: frame, At: *a.DecidedAt}
		if a.Status == engine.ApprovalDenied {
			ev.Failure = denial(a)
		} else if err := d.grant(ctx, a); err != nil {
			return err
		}
		d.events = append(d.events, ev)
	}
	return nil
}

// decisions are the requests of steps that people have decided. Those that are
// over by their time are not among them: the machine knows that itself.
func (d *drive) decisions() []*engine.Approval {
	var decided []*engine.Approval
	for _, path := range sortedKeys(d.approvals) {
		a := d.approvals[path]
		if path != gatePath && a.DecidedAt != nil && (a.Status == engine.ApprovalApproved || a.Status == engine.ApprovalDenied) {
			decided = append(decided, a)
		}
	}
	slices.SortStableFunc(decided, func(a, b *engine.Approval) int { return a.DecidedAt.Compare(*b.DecidedAt) })
	return decided
}

func denial(a *engine.Approval) *engine.Failure {
	for _, v := range slices.Backward(a.Votes) {
		if !v.Approve {
			return engine.Fail(engine.ClassRefused, engine.CodeDenied, "%s denied it%s", v.Person, because(v.Reason))
		}
	}
	return engine.Fail(engine.ClassRefused, engine.CodeDenied, "it was denied")
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// grant makes what was approved what the run may do.
func (d *drive) grant(ctx context.Context, a *engine.Approval) error {
	set, err := d.engine.changeSet(ctx, a.Set)
	if err != nil {
		return err
	}
	set = set.Without(a.Excluded)
	if d.record.Plan != "" && d.may != nil {
		set = within(d.may.set, set)
	}
	if a.Kind == engine.ApprovalGuard {
		d.ledger.Allow(set)
	}
	return d.license(ctx, &outlook{set: set}, true)
}

// request asks people about what would follow.
func (d *drive) request(ctx context.Context, o *outlook, questions []machine.AskApproval) error {
	for _, q := range questions {
		if a := d.approvals[q.Path]; a != nil && a.Status == engine.ApprovalPending {
			continue // it was asked before a restart
		}
		older, over, err := d.absorb(ctx, q.Path, engine.ApprovalStep, o.set)
		if err != nil || over {
			return err
		}
		a, err := d.newApproval(q.Path, o)
		if err != nil {
			return err
		}
		a.Kind, a.Title, a.By, a.Needs, a.Notify = engine.ApprovalStep, d.engine.config.Redact.String(replaces(q.Title, older)), q.By, q.Needs, q.Notify
		if !q.Expires.IsZero() {
			expires := q.Expires
			a.ExpiresAt = &expires
		}
		d.batch.Approvals = append(d.batch.Approvals, *a)
		d.audit(engine.AuditAsk(*a))
		d.approvals[q.Path] = a
	}
	if _, err := d.apply(ctx, nil); err != nil {
		return err
	}
	d.tellPeople(ctx)
	return d.supersede(ctx)
}

// newApproval makes a request about a change set; value, answers and set are
// put into the batch.
func (d *drive) newApproval(path string, o *outlook) (*engine.Approval, error) {
	value, err := encodeSet(o.set)
	if err != nil {
		return nil, err
	}
	now := instant(d.engine.config.Clock.Now())
	id, err := d.engine.ids.make("apr", now)
	if err != nil {
		return nil, err
	}
	for _, v := range append(o.values, value) {
		d.addValue(v)
	}
	d.batch.Answers = append(d.batch.Answers, o.answers...)
	d.learn(o.answers)
	o.values, o.answers = nil, nil
	return &engine.Approval{
		ID: id, Run: d.record.ID, Path: path, Status: engine.ApprovalPending, Round: 1, Needs: 1,
		Set: value.Ref, Digest: o.set.Hash(), Shown: o.set.ShownHash(), CreatedAt: now,
	}, nil
}

// openGate asks people about the run as a whole, and parks it. The bool is
// whether the run goes on instead, to its end: there is nothing to ask.
func (d *drive) openGate(ctx context.Context, set engine.ChangeSet, kind engine.ApprovalKind, title string) (bool, error) {
	older, over, err := d.absorb(ctx, gatePath, kind, set)
	if err != nil || over {
		return over, err
	}
	a, err := d.newApproval(gatePath, &outlook{set: set})
	if err != nil {
		return false, err
	}
	a.Kind, a.Title = kind, d.engine.config.Redact.String(replaces(title, older))
	timeout := gateTimeout
	if p := d.engine.config.Guard.Approval(d.record.Playbook); p != nil {
		a.By, a.Needs = p.By, max(1, p.Needs)
		if p.Timeout > 0 {
			timeout = p.Timeout
		}
	}
	expires := a.CreatedAt.Add(timeout)
	a.ExpiresAt = &expires
	d.approvals[gatePath] = a
	d.batch.Approvals = append(d.batch.Approvals, *a)
	d.audit(engine.AuditAsk(*a))
	if err := d.park(ctx, expires); err != nil {
		return false, err
	}
	d.tellPeople(ctx)
	return false, d.supersede(ctx)
}

// passGate goes on where people were asked about the run as a whole.
func (d *drive) passGate(ctx context.Context, gate *engine.Approval) (bool, error) {
	switch gate.Status {
	case engine.ApprovalApproved:
		if err := d.grant(ctx, gate); err != nil {
			return false, err
		}
		refusal, err := d.frozen(ctx)
		if refusal != nil && !d.onlyTakesBack(d.may.set.Pending()) {
			d.halt(refusal)
		}
		return true, err
	case engine.ApprovalDenied:
		d.halt(denial(gate))
		return true, nil
	case engine.ApprovalPending:
		if !d.isOver(gate) {
			d.tellPeople(ctx)
			if err := d.park(ctx, *gate.ExpiresAt); err != nil {
				return false, err
			}
			return false, d.supersede(ctx)
		}
		d.expire(gate)
	default:
	}
	d.halt(engine.Fail(engine.ClassRefused, engine.CodeExpired, "nobody approved it in time"))
	return true, nil
}

func (d *drive) isOver(a *engine.Approval) bool {
	return a.ExpiresAt != nil && !d.engine.config.Clock.Now().Before(*a.ExpiresAt)
}

// expire ends an approval whose time is up.
func (d *drive) expire(a *engine.Approval) {
	at := instant(d.engine.config.Clock.Now())
	a.Status, a.DecidedAt = engine.ApprovalExpired, &at
	d.batch.Approvals = append(d.batch.Approvals, *a)
	d.audit(engine.AuditClosing(*a))
}

// closeApprovals ends the requests the machine does not wait for any more.
func (d *drive) closeApprovals() {
	for _, path := range sortedKeys(d.approvals) {
		a := d.approvals[path]
		if a.Status != engine.ApprovalPending {
			continue
		}
		_, asked := d.machine.Asked(path)
		over := d.record.Status.Final()
		switch {
		case path == gatePath && !over, path != gatePath && asked && !over:
		case d.isOver(a):
			d.expire(a)
		default:
			at := instant(d.engine.config.Clock.Now())
			a.Status, a.DecidedAt = engine.ApprovalObsolete, &at
			d.batch.Approvals = append(d.batch.Approvals, *a)
			d.audit(engine.AuditClosing(*a))
		}
	}
}

// park ends this drive: only people can let the run go on. At the latest it
// has to be looked at by the time given.
func (d *drive) park(ctx context.Context, wake time.Time) error {
	d.record.Status, d.record.WakeAt, d.changed = engine.RunWaiting, nil, true
	if !wake.IsZero() {
		at := wake
		d.record.WakeAt = &at
	}
	_, err := d.apply(ctx, nil)
	return err
}

// tellPeople tells those who may decide. What could not be told is told when
// the run is looked at next; it never keeps the run from being approved.
func (d *drive) tellPeople(ctx context.Context) {
	if d.engine.config.Tell == nil {
		return
	}
	for _, path := range sortedKeys(d.approvals) {
		a := d.approvals[path]
		if a.Status != engine.ApprovalPending || a.ToldAt != nil {
			continue
		}
		if err := d.engine.tell(ctx, d.record, a); err != nil {
			d.engine.config.Log.Warn("those who may approve could not be told", "run", d.record.ID, "approval", a.ID, "error", err)
		}
	}
}

// tell tells of one approval, and records that it did.
func (e *Engine) tell(ctx context.Context, run engine.RunRecord, a *engine.Approval) error {
	set, err := e.changeSet(ctx, a.Set)
	if err != nil {
		return err
	}
	if err := e.config.Tell(ctx, *a, set, run); err != nil {
		return fmt.Errorf("telling of %s: %w", a.ID, err)
	}
	at := instant(e.config.Clock.Now())
	a.ToldAt = &at
	if err := e.config.Store.Commit(context.WithoutCancel(ctx), engine.Batch{Approvals: []engine.Approval{*a}}); err != nil {
		return fmt.Errorf("recording that %s was told of: %w", a.ID, err)
	}
	return nil
}
