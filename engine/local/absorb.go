package local

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
)

// deniedFor is how long people are not asked again about what one of them has
// denied to a run of a schedule or a webhook, unless there is more of it.
const deniedFor = 24 * time.Hour

// mostDenials is how many denials are looked through for one that still counts.
const mostDenials = 1000

// standing is a request about the same as another, of an earlier run.
type standing struct {
	approval engine.Approval
	run      engine.RunRecord
}

// absorb keeps a run that a trigger has started from asking what was asked or
// denied already: it ends denied where a denial still counts, and cancelled where
// the request of an earlier run of its series says as much. The bool is whether
// it ends; otherwise older are the requests that this run's replaces.
func (d *drive) absorb(ctx context.Context, path string, kind engine.ApprovalKind, set engine.ChangeSet) (older []standing, over bool, err error) {
	if d.record.Series == "" {
		return nil, false, nil
	}
	refusal, err := d.deniedBefore(ctx, path, set)
	if err != nil {
		return nil, false, err
	}
	if refusal != nil {
		d.refuseHeld(refusal)
		d.halt(refusal)
		return nil, true, nil
	}
	older, err = d.olderRequests(ctx, path, kind)
	if err != nil {
		return nil, false, err
	}
	for _, s := range older {
		was, err := d.engine.changeSet(ctx, s.approval.Set)
		if err != nil {
			return nil, false, err
		}
		if nothingNew(set, was) {
			d.giveWay(s)
			return nil, true, nil
		}
	}
	return older, false, nil
}

// giveWay ends the run in favour of a request that stands.
func (d *drive) giveWay(s standing) {
	reason := fmt.Sprintf("it would ask nothing that the request %s of run %s does not ask already: that one stands", s.approval.ID, s.run.ID)
	d.refuseHeld(engine.Fail(engine.ClassCancelled, "cancelled", "%s", reason))
	d.events = append(d.events, machine.Event{Kind: machine.CancelRequested, Reason: reason})
}

// olderRequests are the open requests of earlier runs of the series at the same
// place, where its schedule lets runs begin while those wait.
func (d *drive) olderRequests(ctx context.Context, path string, kind engine.ApprovalKind) ([]standing, error) {
	overlap, err := d.engine.overlapOf(ctx, d.record)
	if err != nil || overlap != overlapSkip {
		return nil, err
	}
	runs, err := d.engine.config.Store.Runs(ctx, engine.RunQuery{
		Series: d.record.Series, Statuses: unfinished(), After: d.record.ID,
	})
	if err != nil {
		return nil, fmt.Errorf("looking for earlier runs of %s: %w", d.record.Series, err)
	}
	var out []standing
	for _, r := range runs {
		pending, err := d.engine.pending(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		for _, a := range pending {
			if a.Path == path && a.Kind == kind && !d.isOver(&a) {
				out = append(out, standing{approval: a, run: r})
			}
		}
	}
	return out, nil
}

// replaces says in a request's title which ones it replaces.
func replaces(title string, older []standing) string {
	parts := []string{title}
	for _, s := range older {
		parts = append(parts, fmt.Sprintf("(replaces %s of %s)", s.approval.ID, s.run.ID))
	}
	return strings.Join(parts, " ")
}

// supersede ends the earlier runs whose requests this run's replace. Those are
// durable: who dies in between finds both again, and ends the earlier one then.
func (d *drive) supersede(ctx context.Context) error {
	if d.record.Series == "" {
		return nil
	}
	for _, path := range sortedKeys(d.approvals) {
		mine := d.approvals[path]
		if mine.Status != engine.ApprovalPending {
			continue
		}
		older, err := d.olderRequests(ctx, path, mine.Kind)
		if err != nil {
			return err
		}
		for _, s := range older {
			reason := fmt.Sprintf("superseded: the request %s of run %s asks about this and more", mine.ID, d.record.ID)
			if _, err := d.engine.Cancel(context.WithoutCancel(ctx), s.run.ID, reason); err != nil {
				d.engine.config.Log.Warn("an earlier run whose request is replaced could not be ended", "run", s.run.ID, "error", err)
			}
		}
	}
	return nil
}

// deniedBefore is the refusal to ask what somebody has denied of late; nil
// where nobody has, or where there is more to it now.
func (d *drive) deniedBefore(ctx context.Context, path string, set engine.ChangeSet) (*engine.Failure, error) {
	now := d.engine.config.Clock.Now()
	q := engine.ApprovalQuery{Statuses: []engine.ApprovalStatus{engine.ApprovalDenied}, Limit: mostDenials}
	list, err := d.engine.config.Store.Approvals(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("looking for what was denied: %w", err)
	}
	for _, a := range list {
		vote, denied := denying(a)
		if a.Path != path || a.Run == d.record.ID || !denied || a.Kind == engine.ApprovalGrant || !now.Before(vote.At.Add(deniedFor)) {
			continue
		}
		covered, err := d.covers(ctx, a, set)
		if err != nil {
			return nil, err
		}
		if covered {
			return engine.Fail(engine.ClassRefused, engine.CodeDenied, "%s denied this at %s (%s)%s; it is not asked again before %s, unless there is more to it",
				vote.Person, vote.At.UTC().Format(time.RFC3339), a.ID, because(vote.Reason), vote.At.Add(deniedFor).UTC().Format(time.RFC3339)), nil
		}
	}
	return nil, nil
}

// denying is the vote by which somebody has denied a request.
func denying(a engine.Approval) (engine.Vote, bool) {
	i := slices.IndexFunc(a.Votes, func(v engine.Vote) bool { return !v.Approve && v.Round == a.Round })
	if i < 0 {
		return engine.Vote{}, false
	}
	return a.Votes[i], true
}

// covers reports whether a request of the same playbook says all that a change
// set says.
func (d *drive) covers(ctx context.Context, a engine.Approval, set engine.ChangeSet) (bool, error) {
	run, err := d.engine.config.Store.Run(ctx, a.Run)
	if err != nil {
		return false, fmt.Errorf("reading the run of %s: %w", a.ID, err)
	}
	if run.Playbook != d.record.Playbook {
		return false, nil
	}
	was, err := d.engine.changeSet(ctx, a.Set)
	return err == nil && nothingNew(set, was), err
}

// nothingNew reports whether each change of a set is in an older one with the
// same evidence, and nothing else is unforeseen in it.
func nothingNew(set, older engine.ChangeSet) bool {
	had := older.Pending()
	for _, c := range set.Pending() {
		if !slices.ContainsFunc(had, func(o engine.PlannedChange) bool { return sameLine(c, o) }) {
			return false
		}
	}
	for _, u := range set.Unforeseen {
		if u.Changes && !slices.Contains(older.Unforeseen, u) {
			return false
		}
	}
	return true
}

// sameLine reports whether two lines are the same change for the same reasons.
// The arguments do not count: what they would do is in before and after, and
// they may hold the time at which they were made.
func sameLine(a, b engine.PlannedChange) bool {
	return a.Path == b.Path && a.Action == b.Action && a.Connection == b.Connection && a.Fingerprint == b.Fingerprint &&
		a.Target.ID == b.Target.ID && a.For == b.For && bytes.Equal(a.Before, b.Before) && bytes.Equal(a.After, b.After) && a.Why == b.Why
}
