package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// sweepOne goes on with one grant, alone among all that change its target.
func (e *Engine) sweepOne(ctx context.Context, g engine.Grant, out *Swept) error {
	if ctx.Err() != nil {
		return fmt.Errorf("sweeping the grants: %w", ctx.Err())
	}
	g, release, err := e.alone(ctx, g)
	if err != nil {
		return err
	}
	defer release()
	if g.State.Final() || g.NextTry.After(e.config.Clock.Now()) { // somebody was here meanwhile
		return nil
	}
	switch {
	case g.State == engine.GrantActive && g.EndsAt.After(e.config.Clock.Now()):
		return e.warn(ctx, g, out)
	case g.State == engine.GrantAsking:
		return e.sweepAsked(ctx, g, out)
	case g.AtEnd == "keep":
		return e.keepGrant(ctx, g, "", "its time is up, and it stays as the playbook says", out)
	default:
		return e.takeBack(ctx, g, out)
	}
}

// alone reads a grant again when nobody else can touch its target.
func (e *Engine) alone(ctx context.Context, g engine.Grant) (engine.Grant, func(), error) {
	_, release, err := e.targets.acquire(ctx, g.Connection, g.Target.ID)
	if err != nil {
		return g, nil, fmt.Errorf("ending %s: %w", g.ID, err)
	}
	again, err := e.config.Store.Grant(ctx, g.ID)
	if err != nil {
		release()
		return g, nil, fmt.Errorf("reading the grant %s: %w", g.ID, err)
	}
	return again, release, nil
}

// takeBack reverses the change of a grant, or asks whether to, and records how
// that went. The caller has the target for itself.
func (e *Engine) takeBack(ctx context.Context, g engine.Grant, out *Swept) error {
	v, err := e.reverse(ctx, g)
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("sweeping the grants: %w", ctx.Err())
	case err != nil:
		return e.tryAgain(ctx, g, err, out)
	case v.state == engine.GrantAsking:
		return e.askAtEnd(ctx, g, v.aliases, out)
	case v.state == engine.GrantKept:
		return e.keepGrant(ctx, g, "", v.reason, out)
	}
	now := instant(e.config.Clock.Now())
	g.State, g.EndedAt, g.Error = v.state, &now, nil
	if g.Reason == "" {
		g.Reason = v.reason
	}
	out.Ended = append(out.Ended, g)
	return e.keepRecord(ctx, g, engine.AuditState(now, engine.Machinery(), g))
}

// tryAgain records why a grant could not be ended now, and when that is tried next.
func (e *Engine) tryAgain(ctx context.Context, g engine.Grant, err error, out *Swept) error {
	now := instant(e.config.Clock.Now())
	failure := engine.AsFailure(err)
	failure.Message = e.config.Redact.String(failure.Message)
	g.Error = failure
	if failure.Class == engine.ClassRefused { // what keeps it was decided by people, and is no failure
		g.NextTry = now.Add(heldRetry)
		out.Held = append(out.Held, g)
		return e.keepRecord(ctx, g)
	}
	g.Tries++
	g.NextTry = now.Add(pauseAfter(g.Tries))
	out.Failed = append(out.Failed, g)
	e.config.Log.Warn("a grant could not be ended and is tried again", "grant", g.ID, "target", g.Target.ID, "tries", g.Tries, "error", failure.Message)
	if g.AlarmedAt != nil || !g.Overdue(now) {
		return e.keepRecord(ctx, g)
	}
	g.AlarmedAt = &now
	out.Overdue = append(out.Overdue, g)
	return e.keepRecord(ctx, g, engine.AuditGrant(now, engine.Machinery(), engine.AuditGrantOverdue, g))
}

func pauseAfter(tries int) time.Duration {
	pause := firstRetry
	for i := 1; i < tries && pause < lastRetry; i++ {
		pause *= 2
	}
	return min(pause, lastRetry)
}

func (e *Engine) keepGrant(ctx context.Context, g engine.Grant, by, reason string, out *Swept) error {
	now := instant(e.config.Clock.Now())
	g.State, g.EndedAt, g.EndedBy, g.Reason = engine.GrantKept, &now, by, reason
	out.Kept = append(out.Kept, g)
	return e.keepRecord(ctx, g, engine.AuditState(now, engine.Machinery(), g))
}

// keepRecord makes a grant durable, with what the audit trail says of it.
func (e *Engine) keepRecord(ctx context.Context, g engine.Grant, entries ...engine.AuditEntry) error {
	batch := engine.Batch{Grants: []engine.Grant{g}, Audit: entries}
	if err := e.config.Store.Commit(context.WithoutCancel(ctx), batch); err != nil {
		return fmt.Errorf("recording the grant %s: %w", g.ID, err)
	}
	return nil
}

// verdictAtEnd is what becomes of a grant at its end, and why.
type verdictAtEnd struct {
	state   engine.GrantState
	reason  string
	aliases []string // of the target people are to be asked about: who it is must not decide
}

// reverse takes back what a grant gave and reads it back. Where nothing has to
// be taken back, or people are to be asked first, it only says so.
func (e *Engine) reverse(ctx context.Context, g engine.Grant) (verdictAtEnd, error) {
	v, err := e.spared(ctx, g)
	if err != nil || v.state != "" {
		return v, err
	}
	r, err := e.reversal(ctx, g)
	if err != nil {
		return v, err
	}
	before, err := r.readSettled(ctx, g)
	switch {
	case errors.Is(err, &engine.Failure{Class: engine.ClassNotFound}):
		return verdictAtEnd{state: engine.GrantEnded, reason: "its target is gone"}, nil
	case err != nil:
		return v, fmt.Errorf("reading %s: %w", g.Target.ID, err)
	case bytes.Equal(r.state, g.Before) && g.State == engine.GrantArmed:
		return verdictAtEnd{state: engine.GrantVoid, reason: "the change was not made"}, nil
	case bytes.Equal(r.state, g.Before):
		return verdictAtEnd{state: engine.GrantEnded, reason: "it was taken back already"}, nil
	case !bytes.Equal(r.state, g.After):
		return verdictAtEnd{state: engine.GrantEnded, reason: fmt.Sprintf("somebody has changed it since: it was %s and is %s", g.After, r.state)}, nil
	case g.AtEnd == "ask" && g.State != engine.GrantAsking:
		for _, alias := range before.Aliases {
			v.aliases = append(v.aliases, e.config.Redact.String(alias))
		}
		v.state = engine.GrantAsking
		return v, nil
	}
	if err := e.mayReverse(ctx, g, before); err != nil {
		return v, err
	}
	limited, cancel := context.WithTimeout(ctx, e.config.ChangeTimeout)
	defer cancel()
	if _, err := r.action.Perform(limited, r.call, before); err != nil {
		return v, fmt.Errorf("taking back %s of %s: %w", g.Action, g.Target.ID, err)
	}
	return verdictAtEnd{state: engine.GrantEnded, reason: "its time was up"}, r.verify(ctx, g)
}

// spared says why a grant ends without anything being taken back: another one
// lives, or one that lived beside it was kept. Only access that was taken is
// kept by that: containment never lifts itself.
func (e *Engine) spared(ctx context.Context, g engine.Grant) (verdictAtEnd, error) {
	live, err := e.liveGrants(ctx, g.Connection, g.Target.ID, g.After)
	if err != nil {
		return verdictAtEnd{}, err
	}
	for _, other := range live {
		if other.ID != g.ID {
			return verdictAtEnd{state: engine.GrantEnded, reason: fmt.Sprintf("%s still holds it, until %s", other.ID, other.EndsAt.UTC().Format(time.RFC3339))}, nil
		}
	}
	if g.Access == engine.Gives || g.State == engine.GrantAsking {
		return verdictAtEnd{}, nil
	}
	kept, err := e.grantsOn(ctx, g.Connection, g.Target.ID, g.After, engine.GrantKept)
	if err != nil {
		return verdictAtEnd{}, err
	}
	for _, other := range kept {
		if other.EndedAt != nil && other.EndedAt.After(g.CreatedAt) {
			return verdictAtEnd{state: engine.GrantKept, reason: other.ID + ", which lived beside it, was kept"}, nil
		}
	}
	return verdictAtEnd{}, nil
}

// mayReverse refuses what a hold or a freeze keeps as it is. Taking back access
// that was given goes on while changes are frozen.
func (e *Engine) mayReverse(ctx context.Context, g engine.Grant, s engine.Subject) error {
	hold, err := e.held(ctx, g.Connection, append([]string{g.Target.ID, g.Target.Name}, s.Aliases...)...)
	if err != nil {
		return err
	}
	if hold != nil {
		return heldBy(*hold)
	}
	if g.Access == engine.Gives {
		return nil
	}
	freeze, err := e.config.Store.Frozen(ctx)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("asking whether changes are frozen: %w", err)
	default:
		return engine.Fail(engine.ClassRefused, engine.CodeFrozen, "changes are frozen by %s: %s", freeze.By.Name, freeze.Reason)
	}
}

func heldBy(h engine.Hold) *engine.Failure {
	return engine.Fail(engine.ClassRefused, engine.CodeHeld, "%s is held as it is by %s since %s: %s", h.Target, h.By.Name, h.At.UTC().Format(time.RFC3339), h.Reason)
}

// sameTarget reports whether a word names the target: its id, or one of its
// names and addresses in any letter case.
func sameTarget(word string, names []string) bool {
	for _, n := range names {
		if n != "" && strings.EqualFold(strings.TrimSpace(word), n) {
			return true
		}
	}
	return false
}
