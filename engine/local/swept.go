package local

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

const (
	// sweepPage is how many due grants are read at a time.
	sweepPage = 200
	// mostFailures is after how many failures in a row that may pass, such as a
	// service that does not answer, a sweep leaves a connection to the next one.
	mostFailures = 3
)

// Swept says what a sweep of the grants has done.
type Swept struct {
	Warned  []engine.Grant // they end soon, and nobody was told yet
	Ended   []engine.Grant // taken back, or nothing was left to take back
	Asked   []engine.Grant // people are asked
	Kept    []engine.Grant
	Failed  []engine.Grant // not taken back yet; tried again
	Held    []engine.Grant // a hold or a freeze keeps them as they are; tried again
	Overdue []engine.Grant // of those that failed, the ones that have become overdue by now
}

func (s *Swept) add(part Swept) {
	s.Warned, s.Ended, s.Asked = append(s.Warned, part.Warned...), append(s.Ended, part.Ended...), append(s.Asked, part.Asked...)
	s.Kept, s.Failed, s.Held = append(s.Kept, part.Kept...), append(s.Failed, part.Failed...), append(s.Held, part.Held...)
	s.Overdue = append(s.Overdue, part.Overdue...)
}

// Notices are what somebody should know of a sweep: grants that end soon, and
// those that have become overdue. Each grant is told of once for each.
func (s Swept) Notices(at time.Time) []Notice {
	var out []Notice
	for _, g := range s.Warned {
		out = append(out, Notice{Kind: NoticeExpiry, At: at, Grant: &g, Text: fmt.Sprintf(
			"%s of %s (%s) ends at %s, in %s: then %s. Longer: drawbridge grants extend %s", g.Action, nameOf(g.Target), g.Target.ID,
			g.EndsAt.UTC().Format(time.RFC3339), engine.FormatDuration(g.EndsAt.Sub(at).Round(time.Second)), thenOf(g), g.ID)})
	}
	for _, g := range s.Overdue {
		out = append(out, Notice{Kind: NoticeOverdue, At: at, Grant: &g, Text: fmt.Sprintf(
			"%s of %s (%s) should have ended at %s, and could not be taken back in %d tries: %s. It is tried again; see drawbridge grants show %s",
			g.Action, nameOf(g.Target), g.Target.ID, g.EndsAt.UTC().Format(time.RFC3339), g.Tries, g.Error.Message, g.ID)})
	}
	return out
}

// thenOf is what happens at the end of a grant.
func thenOf(g engine.Grant) string {
	switch g.AtEnd {
	case "ask":
		return "people are asked, and without an answer it stays"
	case "keep":
		return "it stays"
	default:
		return "it is taken back"
	}
}

// Sweep ends the grants whose time is up: access that was given is taken back,
// whatever became of the run; of access that was taken, people are asked, as
// the grant says. Those that end soon are in Swept.Warned, once. What cannot be
// done now is tried again by a later sweep, for ever. Connections do not wait
// for each other. Errors are those of the store and of ctx.
func (e *Engine) Sweep(ctx context.Context) (Swept, error) {
	var out Swept
	failures := map[string]*int{}
	q := engine.GrantQuery{
		States: []engine.GrantState{engine.GrantArmed, engine.GrantActive, engine.GrantAsking}, DueBy: e.config.Clock.Now(), Limit: sweepPage,
	}
	for {
		due, err := e.config.Store.Grants(ctx, q)
		if err != nil {
			return out, fmt.Errorf("reading the grants that are due: %w", err)
		}
		if err := e.sweepAll(ctx, due, failures, &out); err != nil || len(due) < q.Limit {
			return out, err
		}
		q.After = due[len(due)-1].ID
	}
}

// sweepAll goes on with the grants of a page, connection beside connection.
func (e *Engine) sweepAll(ctx context.Context, due []engine.Grant, failures map[string]*int, out *Swept) error {
	groups := map[string][]engine.Grant{}
	for _, g := range due {
		groups[g.Connection] = append(groups[g.Connection], g)
		if failures[g.Connection] == nil {
			failures[g.Connection] = new(int)
		}
	}
	names := sortedKeys(groups)
	parts, errs := make([]Swept, len(names)), make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		failed := failures[name]
		all.Go(func() { errs[i] = e.sweepThrough(ctx, groups[name], failed, &parts[i]) })
	}
	all.Wait()
	for _, part := range parts {
		out.add(part)
	}
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}

// sweepThrough goes on with grants of one connection, in turn, unless its
// service has failed too often in a row.
func (e *Engine) sweepThrough(ctx context.Context, group []engine.Grant, failed *int, out *Swept) error {
	for _, g := range group {
		if *failed >= mostFailures {
			return nil
		}
		before := len(out.Failed)
		if err := e.sweepOne(ctx, g, out); err != nil {
			return err
		}
		if len(out.Failed) > before && out.Failed[before].Error.Retryable() {
			*failed++
		} else {
			*failed = 0
		}
	}
	return nil
}

// warn notes that people are told of the end of a grant, unless another one
// holds its target for longer.
func (e *Engine) warn(ctx context.Context, g engine.Grant, out *Swept) error {
	live, err := e.liveGrants(ctx, g.Connection, g.Target.ID, g.After)
	if err != nil {
		return err
	}
	g.NextTry = g.EndsAt
	if slices.ContainsFunc(live, func(other engine.Grant) bool { return other.EndsAt.After(g.EndsAt) }) {
		return e.keepRecord(ctx, g)
	}
	now := instant(e.config.Clock.Now())
	g.WarnedAt = &now
	out.Warned = append(out.Warned, g)
	return e.keepRecord(ctx, g, engine.AuditGrant(now, engine.Machinery(), engine.AuditGrantWarned, g))
}
