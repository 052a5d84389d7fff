package local

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// ErrGrant means that a grant cannot be extended or ended: it is over, or the
// playbook does not let it last so long.
var ErrGrant = errors.New("the grant cannot be changed")

// askAtEnd asks people what shall become of access that was taken for a time.
// Until they answer, it stays taken.
func (e *Engine) askAtEnd(ctx context.Context, g engine.Grant, aliases []string, out *Swept) error {
	run, err := e.config.Store.Run(ctx, g.Run)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return e.keepGrant(ctx, g, "", "its run is not kept any more, so nobody knows whom to ask", out)
	case err != nil:
		return fmt.Errorf("reading the run of %s: %w", g.ID, err)
	}
	a, value, err := e.question(g, aliases)
	if err != nil {
		return err
	}
	g.State, g.Approval, g.Tries, g.Error, g.AlarmedAt = engine.GrantAsking, a.ID, 0, nil, nil
	g.NextTry = *a.ExpiresAt
	if e.config.Tell != nil { // what is not told is told by the next sweep
		g.NextTry = a.CreatedAt
	}
	batch := engine.Batch{
		Values: []engine.StoredValue{value}, Approvals: []engine.Approval{a}, Grants: []engine.Grant{g},
		Audit: []engine.AuditEntry{engine.AuditAsk(a), engine.AuditState(a.CreatedAt, engine.Machinery(), g)},
	}
	if err := e.config.Store.Commit(context.WithoutCancel(ctx), batch); err != nil {
		return fmt.Errorf("asking about the grant %s: %w", g.ID, err)
	}
	out.Asked = append(out.Asked, g)
	return e.tellAsked(ctx, run, g, &a)
}

// question is the request about a grant whose time is up, and what it is about.
func (e *Engine) question(g engine.Grant, aliases []string) (engine.Approval, engine.StoredValue, error) {
	now := instant(e.config.Clock.Now())
	set := endSet(g, aliases)
	value, err := encodeSet(set)
	if err != nil {
		return engine.Approval{}, value, err
	}
	id, err := e.ids.make("apr", now)
	expires := now.Add(askFor)
	return engine.Approval{
		ID: id, Run: g.Run, Path: g.Path, Kind: engine.ApprovalGrant, Needs: 1, Status: engine.ApprovalPending, Round: 1,
		Title: fmt.Sprintf("Take back %s of %s? Its time is up", g.Action, nameOf(g.Target)),
		Set:   value.Ref, Digest: set.Hash(), Shown: set.ShownHash(), CreatedAt: now, ExpiresAt: &expires,
	}, value, err
}

// nameOf is what people call a target.
func nameOf(t engine.Target) string {
	if t.Name == "" {
		return t.ID
	}
	return t.Name
}

// tellAsked tells those who may decide, and looks at the grant again when their
// time is up, or soon where they could not be told.
func (e *Engine) tellAsked(ctx context.Context, run engine.RunRecord, g engine.Grant, a *engine.Approval) error {
	if e.config.Tell == nil {
		return nil
	}
	g.NextTry = *a.ExpiresAt
	if err := e.tell(ctx, run, a); err != nil {
		e.config.Log.Warn("those who may decide could not be told", "grant", g.ID, "approval", a.ID, "error", err)
		g.Tries++
		if again := instant(e.config.Clock.Now()).Add(pauseAfter(g.Tries)); again.Before(g.NextTry) {
			g.NextTry = again
		}
	}
	return e.keepRecord(ctx, g)
}

// endSet is the change set of taking a grant back.
func endSet(g engine.Grant, aliases []string) engine.ChangeSet {
	return engine.ChangeSet{Playbook: g.Playbook, Complete: true, Changes: []engine.PlannedChange{{
		Path: g.Path, Action: "end of " + g.Action, Connection: g.Connection, Fingerprint: g.Fingerprint, Target: g.Target, Aliases: aliases,
		Before: g.After, After: g.Before, Why: fmt.Sprintf("it was for %s, since %s", engine.FormatDuration(g.Lasts), begun(g).UTC().Format(time.RFC3339)),
	}}}
}

// begun is when the change of a grant was made, or is to be made at the latest.
func begun(g engine.Grant) time.Time {
	if g.StartedAt != nil {
		return *g.StartedAt
	}
	return g.EndsAt.Add(-g.Lasts)
}

// sweepAsked goes on with a grant that people were asked about.
func (e *Engine) sweepAsked(ctx context.Context, g engine.Grant, out *Swept) error {
	a, err := e.config.Store.Approval(ctx, g.Approval)
	if err != nil {
		return fmt.Errorf("reading the request about %s: %w", g.ID, err)
	}
	now := instant(e.config.Clock.Now())
	switch {
	case a.Status == engine.ApprovalApproved:
		return e.takeBack(ctx, g, out)
	case a.Status == engine.ApprovalPending && now.Before(*a.ExpiresAt):
		return e.stillAsking(ctx, g, &a)
	case a.Status == engine.ApprovalPending:
		a.Status, a.DecidedAt = engine.ApprovalExpired, &now
		batch := engine.Batch{Approvals: []engine.Approval{a}, Audit: []engine.AuditEntry{engine.AuditClosing(a)}}
		if err := e.config.Store.Commit(ctx, batch); err != nil {
			return fmt.Errorf("recording that the time is up: %w", err)
		}
	}
	by, reason := "", "nobody said that it shall be taken back"
	if a.Status == engine.ApprovalDenied {
		by, reason = g.EndedBy, denial(&a).Message
	}
	return e.keepGrant(ctx, g, by, reason, out)
}

// stillAsking tells people of a question whom nobody could tell yet.
func (e *Engine) stillAsking(ctx context.Context, g engine.Grant, a *engine.Approval) error {
	if a.ToldAt != nil || e.config.Tell == nil {
		g.NextTry = *a.ExpiresAt
		return e.keepRecord(ctx, g)
	}
	run, err := e.config.Store.Run(ctx, g.Run)
	if err != nil {
		return fmt.Errorf("reading the run of %s: %w", g.ID, err)
	}
	return e.tellAsked(ctx, run, g, a)
}

// decideGrant takes a decision about a grant whose time is up.
func (e *Engine) decideGrant(ctx context.Context, a *engine.Approval, dec Decision) error {
	run, err := e.config.Store.Run(ctx, a.Run)
	if err != nil {
		return fmt.Errorf("reading its run: %w", err)
	}
	if len(dec.Except) > 0 {
		return fmt.Errorf("%w: it is about one change, from which nothing can be left out; deny it to let it stay", ErrDecision)
	}
	d := &drive{engine: e, record: run}
	person, _, err := d.mayDecide(ctx, a, dec)
	if err != nil {
		return err
	}
	g, err := e.config.Store.Grant(ctx, grantID(a.Run, a.Path))
	if err != nil {
		return fmt.Errorf("reading the grant: %w", err)
	}
	g, release, err := e.alone(ctx, g)
	if err != nil {
		return err
	}
	defer release()
	if g.State != engine.GrantAsking || g.Approval != a.ID {
		return fmt.Errorf("%w: %s is %s by now", ErrDecision, g.ID, g.State)
	}
	now := instant(e.config.Clock.Now())
	g.EndedBy, g.NextTry, g.Tries, g.Error = person.Name, now, 0, nil
	if dec.Approve { // from then on it is late
		g.EndsAt = now
	}
	d.batch.Grants = []engine.Grant{g} // with the vote, so that the next sweep acts on it whatever happens here
	if err := d.vote(ctx, a, engine.Vote{
		Person: person.Name, User: dec.Actor.Name, Via: dec.Actor.Via, Proven: dec.Proven, Approve: dec.Approve,
		Round: a.Round, Digest: a.Digest, Reason: e.config.Redact.String(dec.Reason), At: now,
	}); err != nil || a.Status == engine.ApprovalPending {
		return err
	}
	var out Swept
	return e.sweepAsked(ctx, g, &out)
}

// EndGrant ends a grant now, before its time: what it changed is taken back.
// Where that cannot be done now, it is tried again by every sweep. While people
// are asked about it, only those may end it who may answer. Errors wrap ErrGrant
// where it is over or not theirs to end, and engine.ErrNotFound.
func (e *Engine) EndGrant(ctx context.Context, id string, by engine.Actor, reason string) (engine.Grant, error) {
	g, release, err := e.openGrant(ctx, id)
	if err != nil {
		return g, err
	}
	defer release()
	now := instant(e.config.Clock.Now())
	if over := g.EndsAt.Add(-g.Lasts); g.State == engine.GrantArmed && now.Before(over) {
		return g, fmt.Errorf("ending %s: %w: its change may be under way until %s; end it after that", id, ErrGrant, over.UTC().Format(time.RFC3339))
	}
	if err := e.mayEnd(ctx, g, by); err != nil {
		return g, fmt.Errorf("ending %s: %w", id, err)
	}
	batch, err := e.withdrawn(ctx, g, now)
	if err != nil {
		return g, err
	}
	if g.State != engine.GrantArmed {
		g.State, g.EndsAt = engine.GrantActive, now
	}
	g.AtEnd = "lift" // somebody has said what shall become of it
	g.EndedBy, g.Reason, g.NextTry = e.config.People.Who(by), e.config.Redact.String(reason), now
	batch.Grants, batch.Audit = []engine.Grant{g}, append(batch.Audit, engine.AuditGrant(now, by, engine.AuditGrantClosing, g))
	if err := e.config.Store.Commit(context.WithoutCancel(ctx), batch); err != nil {
		return g, fmt.Errorf("recording the grant %s: %w", g.ID, err)
	}
	var out Swept
	if err := e.takeBack(ctx, g, &out); err != nil {
		return g, err
	}
	return e.config.Store.Grant(ctx, id)
}

// withdrawn ends the request about a grant that is decided otherwise.
func (e *Engine) withdrawn(ctx context.Context, g engine.Grant, now time.Time) (engine.Batch, error) {
	if g.State != engine.GrantAsking {
		return engine.Batch{}, nil
	}
	a, err := e.config.Store.Approval(ctx, g.Approval)
	if err != nil || a.Status != engine.ApprovalPending {
		return engine.Batch{}, err
	}
	a.Status, a.DecidedAt = engine.ApprovalObsolete, &now
	return engine.Batch{Approvals: []engine.Approval{a}, Audit: []engine.AuditEntry{engine.AuditClosing(a)}}, nil
}

// mayEnd refuses whoever may not answer, while people are asked about a grant: to
// end it by hand is an answer.
func (e *Engine) mayEnd(ctx context.Context, g engine.Grant, by engine.Actor) error {
	if g.State != engine.GrantAsking {
		return nil
	}
	a, err := e.config.Store.Approval(ctx, g.Approval)
	if err != nil || a.Status != engine.ApprovalPending {
		return err
	}
	run, err := e.config.Store.Run(ctx, a.Run)
	if err != nil {
		return fmt.Errorf("reading its run: %w", err)
	}
	d := &drive{engine: e, record: run}
	if _, _, err := d.mayDecide(ctx, &a, Decision{Actor: by}); err != nil {
		return fmt.Errorf("%w: people are asked about it (%s): %w", ErrGrant, a.ID, err)
	}
	return nil
}

// ExtendGrant lets a grant last until another time. Errors wrap ErrGrant where
// it is over or the time is not after now, and engine.ErrNotFound.
func (e *Engine) ExtendGrant(ctx context.Context, id string, until time.Time, by engine.Actor, reason string) (engine.Grant, error) {
	g, release, err := e.openGrant(ctx, id)
	if err != nil {
		return g, err
	}
	defer release()
	until = instant(until)
	switch now := e.config.Clock.Now(); {
	case g.State != engine.GrantActive:
		return g, fmt.Errorf("extending %s: %w: it is %s", id, ErrGrant, g.State)
	case g.EndedBy != "" && !g.EndsAt.After(now):
		return g, fmt.Errorf("extending %s: %w: %s has ended it, and it is being taken back", id, ErrGrant, g.EndedBy)
	case !until.After(now):
		return g, fmt.Errorf("extending %s: %w: %s is not after now", id, ErrGrant, until.Format(time.RFC3339))
	case g.Most > 0 && until.After(g.StartedAt.Add(g.Most)):
		return g, fmt.Errorf("extending %s: %w: the playbook lets it last %s at most, until %s", id, ErrGrant,
			engine.FormatDuration(g.Most), g.StartedAt.Add(g.Most).UTC().Format(time.RFC3339))
	}
	g.EndsAt, g.WarnedAt, g.AlarmedAt, g.Tries, g.Error = until, nil, nil, 0, nil
	g.NextTry = g.NextLook()
	g.EndedBy, g.Reason = e.config.People.Who(by), e.config.Redact.String(reason)
	return g, e.keepRecord(ctx, g, engine.AuditGrant(instant(e.config.Clock.Now()), by, engine.AuditGrantExtended, g))
}

// openGrant reads a grant that is not over, when nobody else can touch its target.
func (e *Engine) openGrant(ctx context.Context, id string) (engine.Grant, func(), error) {
	g, err := e.config.Store.Grant(ctx, id)
	if err != nil {
		return g, nil, fmt.Errorf("reading the grant %s: %w", id, err)
	}
	g, release, err := e.alone(ctx, g)
	if err != nil {
		return g, nil, err
	}
	if g.State.Final() {
		release()
		return g, nil, fmt.Errorf("changing %s: %w: it is %s already", id, ErrGrant, g.State)
	}
	return g, release, nil
}
