package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
)

// Decision is what one person says to an approval.
type Decision struct {
	Approval string
	Actor    engine.Actor // who says it; mapped to a person by the configuration's `people:`
	Approve  bool
	// Digest is what was looked at: the approval's Digest, or the beginning of
	// it. "" stands for what the request says now.
	Digest string
	Except []string // words as ChangeSet.Find takes them: left out of what is approved
	Reason string
	Proven bool // the actor is proven, and not only who the operating system says
}

// Decide records a decision. An approval first repeats the look-ahead from
// where the run is parked; where that no longer shows what the request shows,
// the request is renewed and the error wraps ErrRenewed. Where the decision is
// the last one needed, Serve lets the run go on, or whoever drives it next. Errors wrap
// ErrDecision where this person may not decide or the time is up, and
// engine.ErrNotFound where there is no such approval.
func (e *Engine) Decide(ctx context.Context, dec Decision) (engine.Approval, error) {
	a, err := e.config.Store.Approval(ctx, dec.Approval)
	if err != nil {
		return a, fmt.Errorf("reading the approval %s: %w", dec.Approval, err)
	}
	if a.Kind == engine.ApprovalGrant {
		if err := e.decideGrant(ctx, &a, dec); err != nil {
			return a, fmt.Errorf("deciding %s: %w", a.ID, err)
		}
		return a, nil
	}
	inbox, err := e.enter(a.Run)
	if err != nil {
		return a, err
	}
	a, asked, err := e.decideAlone(ctx, inbox, dec)
	asked = append(asked, e.leaveWith(a.Run, inbox)...)
	if err == nil && a.Status != engine.ApprovalPending && len(asked) == 0 {
		e.adopt(a.Run)
	}
	if len(asked) > 0 { // somebody wants the run to end, and was told that it will
		_, failed := e.drive(ctx, a.Run, asked...)
		err = errors.Join(err, failed)
	}
	return a, err
}

// decideAlone decides while nobody else carries the run out. What else was asked
// of the run meanwhile is returned.
func (e *Engine) decideAlone(ctx context.Context, inbox <-chan machine.Event, dec Decision) (engine.Approval, []machine.Event, error) {
	a, err := e.config.Store.Approval(ctx, dec.Approval) // as it is now that nobody else decides
	if err != nil {
		return a, nil, fmt.Errorf("reading the approval %s: %w", dec.Approval, err)
	}
	d, err := e.load(ctx, a.Run)
	if err != nil {
		return a, nil, fmt.Errorf("reading the run of %s: %w", a.ID, err)
	}
	d.inbox = inbox
	if err := d.decide(ctx, &a, dec); err != nil {
		return a, d.events, fmt.Errorf("deciding %s: %w", a.ID, err)
	}
	return a, d.events, nil
}

func (d *drive) decide(ctx context.Context, a *engine.Approval, dec Decision) error {
	person, set, err := d.mayDecide(ctx, a, dec)
	if err != nil {
		return err
	}
	vote := engine.Vote{
		Person: person.Name, User: dec.Actor.Name, Via: dec.Actor.Via, Proven: dec.Proven, Approve: dec.Approve,
		Round: a.Round, Digest: a.Digest, Reason: d.engine.config.Redact.String(dec.Reason), At: instant(d.engine.config.Clock.Now()),
	}
	if !dec.Approve {
		return d.vote(ctx, a, vote)
	}
	if vote.Except, err = exceptions(*a, set, dec.Except); err != nil {
		return err
	}
	vote.Digest = set.Without(vote.Except).Hash()
	o, err := d.lookAhead(ctx, glance{reuse: d.record.Plan != "" || d.record.RetryOf != ""})
	if errors.Is(err, errAsked) {
		return fmt.Errorf("%w: its run was asked to end meanwhile", ErrDecision)
	}
	if err != nil {
		return err
	}
	if o.set.Hash() != a.Digest {
		return d.renew(ctx, a, o)
	}
	d.batch.Answers = o.answers
	d.batch.Values = o.values
	return d.vote(ctx, a, vote)
}

// mayDecide refuses a decision that does not count.
func (d *drive) mayDecide(ctx context.Context, a *engine.Approval, dec Decision) (engine.Person, engine.ChangeSet, error) {
	var none engine.ChangeSet
	if err := d.stillOpen(ctx, a); err != nil {
		return engine.Person{}, none, err
	}
	if dec.Digest != "" && !strings.HasPrefix(a.Digest, strings.ToLower(dec.Digest)) {
		return engine.Person{}, none, fmt.Errorf("%w: what you looked at is not what is asked now, which is %.12s; look at it again", ErrDecision, a.Digest)
	}
	set, err := d.engine.changeSet(ctx, a.Set)
	if err != nil {
		return engine.Person{}, none, err
	}
	person, known := d.engine.config.People.Resolve(dec.Actor.Name)
	if !known {
		return person, set, fmt.Errorf("%w: %q is nobody under `people:` in the configuration", ErrDecision, dec.Actor.Name)
	}
	if refusal := d.engine.config.People.MayDecide(*a, set, d.record.Starters, person); refusal != nil {
		return person, set, fmt.Errorf("%w: %s", ErrDecision, refusal.Message)
	}
	if d.engine.config.Standing != nil {
		if err := d.engine.config.Standing(ctx, person); err != nil {
			return person, set, fmt.Errorf("%w: %w", ErrDecision, err)
		}
	}
	return person, set, nil
}

// stillOpen refuses to decide what is over. A decision after its time counts as
// none, whoever notices.
func (d *drive) stillOpen(ctx context.Context, a *engine.Approval) error {
	asked := a.Path == gatePath || a.Kind == engine.ApprovalGrant
	if d.machine != nil && !asked {
		_, asked = d.machine.Asked(a.Path)
	}
	switch {
	case a.Status != engine.ApprovalPending:
		return fmt.Errorf("%w: it is %s already", ErrDecision, a.Status)
	case d.isOver(a):
		d.expire(a)
		batch := engine.Batch{Approvals: []engine.Approval{*a}, Audit: []engine.AuditEntry{engine.AuditClosing(*a)}}
		if err := d.engine.config.Store.Commit(ctx, batch); err != nil {
			return fmt.Errorf("recording that the time is up: %w", err)
		}
		return fmt.Errorf("%w: its time was up at %s, so it counts as denied", ErrDecision, a.ExpiresAt.UTC().Format(time.RFC3339))
	case a.Kind != engine.ApprovalGrant && d.record.Status.Final() || !asked:
		return fmt.Errorf("%w: its run does not wait for it any more", ErrDecision)
	}
	return nil
}

// exceptions are the paths that a vote leaves out. All votes of a round leave
// out the same.
func exceptions(a engine.Approval, set engine.ChangeSet, words []string) ([]string, error) {
	var paths []string
	for _, word := range words {
		found := set.Find(word)
		if len(found) == 0 {
			return nil, fmt.Errorf("%w: nothing in the change set is called %q", ErrDecision, word)
		}
		paths = append(paths, found...)
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	if approvals(a) == 0 {
		return paths, nil
	}
	if len(words) > 0 && !slices.Equal(paths, a.Excluded) {
		return nil, fmt.Errorf("%w: the first who approved left out %q; approve the same, or deny", ErrDecision, a.Excluded)
	}
	return a.Excluded, nil
}

// approvals counts the approving votes of this round.
func approvals(a engine.Approval) int {
	n := 0
	for _, v := range a.Votes {
		if v.Approve && v.Round == a.Round {
			n++
		}
	}
	return n
}

// vote records a vote, and what the request comes to with it.
func (d *drive) vote(ctx context.Context, a *engine.Approval, v engine.Vote) error {
	a.Votes = append(a.Votes, v)
	if v.Approve {
		a.Excluded = v.Except
	}
	switch {
	case !v.Approve:
		a.Status, a.DecidedAt = engine.ApprovalDenied, &v.At
	case approvals(*a) >= max(1, a.Needs):
		a.Status, a.DecidedAt = engine.ApprovalApproved, &v.At
	}
	d.batch.Approvals = []engine.Approval{*a}
	if a.Status != engine.ApprovalPending && a.Kind != engine.ApprovalGrant && d.record.Status == engine.RunWaiting {
		d.record.WakeAt = &v.At // with the vote, so that the run goes on whatever happens here
		d.batch.Runs = []engine.RunRecord{d.record}
	}
	d.audit(engine.AuditVote(*a, v))
	if err := d.engine.config.Store.Commit(context.WithoutCancel(ctx), d.batch); err != nil {
		return fmt.Errorf("recording the decision: %w", err)
	}
	return nil
}

// renew asks anew about what would be done now.
func (d *drive) renew(ctx context.Context, a *engine.Approval, o *outlook) error {
	value, err := encodeSet(o.set)
	if err != nil {
		return err
	}
	a.Round++
	a.Set, a.Digest, a.Shown, a.Excluded, a.ToldAt = value.Ref, o.set.Hash(), o.set.ShownHash(), nil, nil
	batch := engine.Batch{Values: append(o.values, value), Answers: o.answers, Approvals: []engine.Approval{*a}}
	batch.Audit = []engine.AuditEntry{engine.AuditRenewal(instant(d.engine.config.Clock.Now()), *a)}
	if err := d.engine.config.Store.Commit(context.WithoutCancel(ctx), batch); err != nil {
		return fmt.Errorf("renewing the request: %w", err)
	}
	err = fmt.Errorf("%w: what would be done has changed since it was asked; earlier votes are void", ErrRenewed)
	if d.engine.config.Tell != nil {
		err = errors.Join(err, d.engine.tell(ctx, d.record, a))
	}
	return err
}
