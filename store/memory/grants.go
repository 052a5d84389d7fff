package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Grant finds a grant by its id.
func (s *Store) Grant(ctx context.Context, id string) (engine.Grant, error) {
	if err := s.lock(ctx); err != nil {
		return engine.Grant{}, fmt.Errorf("reading grant: %w", err)
	}
	defer s.mu.RUnlock()
	g, found := s.grants[id]
	if !found {
		return engine.Grant{}, fmt.Errorf("reading grant %q: %w", id, engine.ErrNotFound)
	}
	return cloneGrant(g), nil
}

// Grants lists grants, those that end first before the others.
func (s *Store) Grants(ctx context.Context, q engine.GrantQuery) ([]engine.Grant, error) {
	if err := s.lock(ctx); err != nil {
		return nil, fmt.Errorf("listing grants: %w", err)
	}
	defer s.mu.RUnlock()
	after, found := s.grants[q.After]
	if q.After != "" && !found {
		return nil, fmt.Errorf("listing grants: the page after %q: %w", q.After, engine.ErrNotFound)
	}
	known := q.Run == "" || s.runs[q.Run] != nil
	var out []engine.Grant
	for _, g := range s.grants {
		known = known || g.Run == q.Run
		if selects(q, g) && (!found || firstEnding(after, g) < 0) {
			out = append(out, cloneGrant(g))
		}
	}
	if !known {
		return nil, fmt.Errorf("listing grants: run %q: %w", q.Run, engine.ErrNotFound)
	}
	slices.SortFunc(out, firstEnding)
	return page(out, 0, cmp.Or(q.Limit, defaultPage)), nil
}

func selects(q engine.GrantQuery, g engine.Grant) bool {
	due := q.DueBy.IsZero() || !g.State.Final() && !g.NextTry.After(engine.StoredTime(q.DueBy))
	return due && (q.Run == "" || q.Run == g.Run) &&
		(len(q.States) == 0 || slices.Contains(q.States, g.State)) &&
		(q.Connection == "" || q.Connection == g.Connection) &&
		(q.Target == "" || q.Target == g.Target.ID)
}

func firstEnding(a, b engine.Grant) int {
	return cmp.Or(a.EndsAt.Compare(b.EndsAt), cmp.Compare(a.ID, b.ID))
}

// Holds lists the holds that hold, or all of them, newest first.
func (s *Store) Holds(ctx context.Context, released bool) ([]engine.Hold, error) {
	if err := s.lock(ctx); err != nil {
		return nil, fmt.Errorf("listing holds: %w", err)
	}
	defer s.mu.RUnlock()
	var out []engine.Hold
	for _, h := range s.holds {
		if released || h.ReleasedAt == nil {
			out = append(out, cloneHold(h))
		}
	}
	slices.SortFunc(out, func(a, b engine.Hold) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID))
	})
	return out, nil
}

// Signals lists what a run has not heard yet, oldest first.
func (s *Store) Signals(ctx context.Context, id string) ([]engine.Signal, error) {
	r, done, err := s.read(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("listing signals: %w", err)
	}
	defer done()
	var out []engine.Signal
	for _, sig := range r.signals {
		if sig.Taken == 0 {
			out = append(out, cloneSignal(sig))
		}
	}
	slices.SortStableFunc(out, func(a, b engine.Signal) int { return a.At.Compare(b.At) })
	return out, nil
}

// Schedules lists what is remembered of triggers, by id.
func (s *Store) Schedules(ctx context.Context) ([]engine.ScheduleState, error) {
	if err := s.lock(ctx); err != nil {
		return nil, fmt.Errorf("listing schedules: %w", err)
	}
	defer s.mu.RUnlock()
	var out []engine.ScheduleState
	for _, st := range s.schedules {
		out = append(out, cloneSchedule(st))
	}
	slices.SortFunc(out, func(a, b engine.ScheduleState) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// Throttles lists until when connections are not to be called, by connection.
func (s *Store) Throttles(ctx context.Context) ([]engine.Throttle, error) {
	if err := s.lock(ctx); err != nil {
		return nil, fmt.Errorf("listing throttled connections: %w", err)
	}
	defer s.mu.RUnlock()
	var out []engine.Throttle
	for _, t := range s.throttles {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b engine.Throttle) int { return strings.Compare(a.Connection, b.Connection) })
	return out, nil
}

// LastUses finds the newest recorded call through each connection.
func (s *Store) LastUses(ctx context.Context) ([]engine.Use, error) {
	if err := s.lock(ctx); err != nil {
		return nil, fmt.Errorf("reading when connections were used last: %w", err)
	}
	defer s.mu.RUnlock()
	var uses []engine.Use
	for id, r := range s.runs {
		for _, st := range r.steps {
			uses = append(uses, engine.Use{Connection: st.record.Connection, At: st.record.StartedAt, Run: id})
		}
	}
	return engine.NewestUses(uses), nil
}

// Position finds how far a reader of a log has come.
func (s *Store) Position(ctx context.Context, key string) (engine.Position, error) {
	if err := s.lock(ctx); err != nil {
		return engine.Position{}, fmt.Errorf("reading position: %w", err)
	}
	defer s.mu.RUnlock()
	p, found := s.positions[key]
	if !found {
		return engine.Position{}, fmt.Errorf("reading position %q: %w", key, engine.ErrNotFound)
	}
	return p, nil
}

// RunByKey finds a run by its idempotency key.
func (s *Store) RunByKey(ctx context.Context, key string) (engine.RunRecord, error) {
	if err := s.lock(ctx); err != nil {
		return engine.RunRecord{}, fmt.Errorf("reading run by key: %w", err)
	}
	defer s.mu.RUnlock()
	id, found := s.keys[key]
	if !found {
		return engine.RunRecord{}, fmt.Errorf("reading the run with the key %q: %w", key, engine.ErrNotFound)
	}
	return cloneRun(s.runs[id].record), nil
}
