package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// How grants behave over time.
const (
	// firstRetry and lastRetry are the pauses between tries to end a grant: the
	// first, and the longest it is doubled to. Nobody gives up.
	firstRetry = 5 * time.Second
	lastRetry  = 5 * time.Minute
	// heldRetry is the pause until a grant is looked at again that a hold or a
	// freeze keeps as it is.
	heldRetry = 10 * time.Second
	// askFor is how long people have to say what shall become of a temporary
	// change that took access; without an answer it stays.
	askFor = 24 * time.Hour
)

// grantID is the same however often the change of a step is begun.
func grantID(run, path string) string { return "gnt_" + callKey(run, path)[:26] }

// arm is the grant of a temporary change that is about to be made. Until it is
// known to be made, it ends when it would at the latest.
func (c *change) arm(begun time.Time) engine.Grant {
	call := c.job.step.Call
	due := instant(begun.Add(c.limit() + call.For))
	return engine.Grant{
		ID: grantID(c.drive.record.ID, call.Path), Run: c.drive.record.ID, Path: call.Path, Playbook: c.drive.record.Playbook,
		Action: call.Action, Access: c.access(), AtEnd: c.atEnd(),
		Connection: c.facts.connection, Fingerprint: c.fingerprint(),
		Target: *c.facts.target, Inverse: c.facts.inverse, Before: c.facts.before, After: c.facts.after,
		State: engine.GrantArmed, Lasts: call.For, Most: call.Most, Warn: call.Warn, EndsAt: due, NextTry: due, CreatedAt: instant(begun),
	}
}

// fingerprint is that of the connection the change goes through, also where only
// an earlier drive has read its target.
func (c *change) fingerprint() string {
	for _, conn := range c.input.Connections {
		if conn.Name == c.facts.connection {
			return c.drive.engine.config.Redact.String(conn.Fingerprint)
		}
	}
	return ""
}

func (c *change) access() engine.Access { return c.action.Spec().Access }

// atEnd is what becomes of the change at its end: access that was given is taken
// back, and access that was taken asks.
func (c *change) atEnd() string {
	switch {
	case c.job.step.Call.AtEnd != "":
		return c.job.step.Call.AtEnd
	case c.access() == engine.Takes:
		return "ask"
	default:
		return "lift"
	}
}

// granted confirms the grant of a change that was made: its time begins now, or
// when the earlier call began that has made it.
func (c *change) granted(a *answer) *answer {
	g := c.arm(c.drive.engine.config.Clock.Now())
	begun := g.CreatedAt
	if !c.since.IsZero() && c.since.Before(begun) {
		begun = instant(c.since)
		g.CreatedAt = begun
	}
	g.State, g.StartedAt, g.EndsAt = engine.GrantActive, &begun, begun.Add(g.Lasts)
	g.NextTry = g.NextLook()
	a.grants = []engine.Grant{g}
	return a
}

// endedMeanwhile answers for a change whose grant has run out while nobody
// carried the run out: it was made and taken back, and is not made again. It is
// nil where that is not so.
func (c *change) endedMeanwhile(ctx context.Context) *answer {
	if c.job.step.Call.For == 0 {
		return nil
	}
	g, err := c.drive.engine.config.Store.Grant(ctx, grantID(c.drive.record.ID, c.job.step.Call.Path))
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil
	case err != nil:
		return &answer{fault: fmt.Errorf("reading the grant of %s: %w", c.job.step.Call.Path, err)}
	case g.State != engine.GrantEnded && g.State != engine.GrantKept:
		return nil
	}
	subject, err := c.read(ctx)
	if err != nil {
		return c.drive.failed(c.job, c.facts, c.drive.failure(ctx, c.job, err))
	}
	c.ended = true
	return c.happened(*c.job.intent, subject)
}

// voided gives up the grant of a change that certainly was not made.
func (c *change) voided(a *answer) *answer {
	now := instant(c.drive.engine.config.Clock.Now())
	g := c.arm(now)
	g.State, g.EndedAt, g.Reason = engine.GrantVoid, &now, "the change was not made"
	a.grants = []engine.Grant{g}
	return a
}

// joined adds a grant to those that live on a target which is as the change
// makes it: it goes back to what was there before the first of them. Where none
// lives, the state was there before, and stays. It is durable while nobody else
// can touch the target, so that the end of the others cannot overlook it.
func (c *change) joined(ctx context.Context, a *answer) *answer {
	if c.job.step.Call.For == 0 || a.event.Failure != nil || c.facts.outcome != engine.OutcomeUnchanged {
		return a
	}
	live, err := c.drive.engine.liveGrants(ctx, c.facts.connection, c.facts.target.ID, c.facts.after)
	if err != nil {
		return &answer{fault: err}
	}
	g := c.arm(c.drive.engine.config.Clock.Now())
	mine := func(other engine.Grant) bool { return other.ID == g.ID }
	if len(live) == 0 || slices.ContainsFunc(live, mine) { // an earlier try of this step has joined already
		return a
	}
	now := g.CreatedAt
	g.State, g.StartedAt, g.EndsAt = engine.GrantActive, &now, now.Add(g.Lasts)
	g.NextTry, g.Inverse, g.Before = g.NextLook(), live[0].Inverse, live[0].Before
	if err := c.drive.engine.keepRecord(ctx, g, engine.AuditState(now, c.drive.record.Actor, g)); err != nil {
		return &answer{fault: err}
	}
	return a
}

// liveGrants are those that keep a target in a state, the first given first.
func (e *Engine) liveGrants(ctx context.Context, connection, target string, after []byte) ([]engine.Grant, error) {
	return e.grantsOn(ctx, connection, target, after, engine.GrantArmed, engine.GrantActive, engine.GrantAsking)
}

// grantsOn are the grants for a state of a target, the first given first.
func (e *Engine) grantsOn(ctx context.Context, connection, target string, after []byte, states ...engine.GrantState) ([]engine.Grant, error) {
	all, err := e.config.Store.Grants(ctx, engine.GrantQuery{Connection: connection, Target: target, Limit: recordPage, States: states})
	if err != nil {
		return nil, fmt.Errorf("reading the grants of %s: %w", target, err)
	}
	var live []engine.Grant
	for _, g := range all {
		if bytes.Equal(g.After, after) {
			live = append(live, g)
		}
	}
	return sortedBy(live, func(g engine.Grant) string { return g.CreatedAt.Format(time.RFC3339Nano) }), nil
}

// held is the hold that keeps a target as it is; nil where none does.
func (e *Engine) held(ctx context.Context, connection string, names ...string) (*engine.Hold, error) {
	holds, err := e.config.Store.Holds(ctx, false)
	if err != nil {
		return nil, fmt.Errorf("reading the holds: %w", err)
	}
	for _, h := range holds {
		if (h.Connection == "" || h.Connection == connection) && sameTarget(h.Target, names) {
			return &h, nil
		}
	}
	return nil, nil
}
