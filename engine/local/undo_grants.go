package local

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// liveOf are the grants of a run that are not over.
func (e *Engine) liveOf(ctx context.Context, run string) ([]engine.Grant, error) {
	var live []engine.Grant
	q := engine.GrantQuery{Run: run, Limit: recordPage, States: []engine.GrantState{engine.GrantArmed, engine.GrantActive, engine.GrantAsking}}
	for {
		page, err := e.config.Store.Grants(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("reading the grants of %s: %w", run, err)
		}
		live = append(live, page...)
		if len(page) < q.Limit {
			return live, nil
		}
		q.After = page[len(page)-1].ID
	}
}

// joinedBy are the changes that a run found made and keeps in place by its own
// grants, as if it had made them: taking them back goes to what was there before
// the first grant.
func (e *Engine) joinedBy(ctx context.Context, run string, done []engine.StepRecord, only []string) ([]engine.StepRecord, error) {
	live, err := e.liveOf(ctx, run)
	if err != nil {
		return nil, err
	}
	var joined []engine.StepRecord
	for _, g := range live {
		s := engine.StepRecord{
			Run: g.Run, Path: g.Path, Action: g.Action, Effect: engine.Change, Outcome: engine.OutcomeDone, Connection: g.Connection,
			Target: &g.Target, Before: g.Before, After: g.After, Inverse: g.Inverse, StartedAt: g.CreatedAt,
		}
		same := func(other engine.StepRecord) bool {
			return other.Connection == s.Connection && other.Target.ID == s.Target.ID && bytes.Equal(other.After, s.After)
		}
		if wanted(s, only) && !slices.ContainsFunc(done, same) && !slices.ContainsFunc(joined, same) {
			joined = append(joined, s)
		}
	}
	return joined, nil
}

// endUndone ends, with the record of a change that was taken back, the grants of
// the run that is undone for it. Where it is left as it is only because the
// grant of another run holds it, they end as well. Grants on what could not be
// taken back, or was changed since, live on to their time.
func (c *change) endUndone(ctx context.Context, a *answer) *answer {
	if a.fault != nil || a.left || a.open != nil || c.facts.target == nil {
		return a
	}
	failure := a.event.Failure
	held := failure != nil && failure.Code == engine.CodeHeld
	if !held && (failure != nil || c.facts.outcome != engine.OutcomeDone) {
		return a
	}
	mine, others, err := c.undone(ctx)
	if err != nil {
		return &answer{fault: err}
	}
	if held && !others { // by a person: that keeps the grants too
		return a
	}
	now := instant(c.drive.engine.config.Clock.Now())
	for _, g := range mine {
		batch, err := c.drive.engine.withdrawn(ctx, g, now)
		if err != nil {
			return &answer{fault: err}
		}
		g.State, g.EndedAt, g.Reason, g.Error = engine.GrantEnded, &now, "undone by "+c.drive.record.ID, nil
		a.grants, a.withdrawn = append(a.grants, g), append(a.withdrawn, batch.Approvals...)
	}
	return a
}

// undone are the live grants on what was taken back: those of the run that is
// undone, and whether there are any of others.
func (c *change) undone(ctx context.Context) (mine []engine.Grant, others bool, err error) {
	live, err := c.drive.engine.liveGrants(ctx, c.facts.connection, c.facts.target.ID, c.facts.before)
	for _, g := range live {
		if g.Run == c.drive.record.UndoOf {
			mine = append(mine, g)
		} else {
			others = true
		}
	}
	return mine, others, err
}
