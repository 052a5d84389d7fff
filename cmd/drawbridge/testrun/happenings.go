package testrun

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

// starter is who starts the runs of tests, and sends what nobody is named for.
const starter = "tester"

// request starts the run as the test says: by hand, or by a trigger, whose
// inputs those of the test take the place of.
func (w *world) request() (local.StartRequest, error) {
	out := local.StartRequest{
		Program: w.file.Program, Bundle: w.file.bundle, Inputs: w.test.Inputs,
		Actor: engine.Actor{Name: starter, Via: "cli"},
	}
	t := w.test.Trigger
	if t == nil {
		return out, nil
	}
	trigger := map[string]any{"kind": "schedule", "time": w.test.Time}
	out.Actor = engine.Actor{Name: "schedule", Via: "schedule"}
	if t.Of.Webhook != "" {
		body, err := engine.DecodeJSON(t.Body, engine.TypeAny())
		if err != nil {
			return out, fmt.Errorf("reading the body: %w", err)
		}
		trigger = map[string]any{"kind": "webhook", "time": w.test.Time, "webhook": t.Of.Webhook, "body": body}
		out.Actor = engine.Actor{Name: t.Of.Webhook, Via: "webhook"}
	}
	var err error
	if out.Trigger, err = engine.EncodeJSON(trigger); err != nil {
		return out, fmt.Errorf("encoding the trigger: %w", err)
	}
	if out.Inputs, err = w.engine.TriggerInputs(w.file.Program, t.Of, out.Trigger); err != nil {
		return out, fmt.Errorf("reading what its trigger gives: %w", err)
	}
	maps.Copy(out.Inputs, w.test.Inputs)
	return out, nil
}

// signal sends the first signal of the test that the run waits for, unless its
// waiting is over before. The bool says that one was sent.
func (w *world) signal(ctx context.Context, run string, until *time.Time) (bool, error) {
	if len(w.test.Signals) == 0 {
		return false, nil
	}
	awaits, err := w.engine.Awaits(ctx, run)
	if err != nil {
		return false, fmt.Errorf("reading what it waits for: %w", err)
	}
	for i, s := range w.test.Signals {
		if w.sent[i] || !slices.Contains(awaits, s.Name) {
			continue
		}
		if _, waits := w.awaited[i]; !waits {
			w.awaited[i] = w.clock.Now()
		}
		at := w.awaited[i].Add(s.After)
		if until != nil && !at.Before(*until) {
			continue // too late: the time runs out first
		}
		w.clock.Advance(at)
		w.sent[i] = true
		return true, w.send(ctx, run, i)
	}
	return false, nil
}

// send sends a signal of the test, by its place.
func (w *world) send(ctx context.Context, run string, i int) error {
	s := w.test.Signals[i]
	by := w.actor(s.By)
	if s.By == "" {
		by.Name = starter
	}
	err := w.engine.Signal(ctx, engine.Signal{Run: run, ID: strconv.Itoa(i), Name: s.Name, Body: s.Body, By: by})
	if err != nil {
		return fmt.Errorf("sending %s: %w", s.Name, err)
	}
	return nil
}

// pass lets time pass after the run, as long as the test says. Grants end at
// their time, and people say what the test has for those that ask.
func (w *world) pass(ctx context.Context, run string) error {
	if w.test.Later == 0 {
		return nil
	}
	end := w.clock.Now().Add(w.test.Later)
	for range mostTurns {
		if err := w.decideGrants(ctx, run); err != nil {
			return err
		}
		live, err := w.store.Grants(ctx, engine.GrantQuery{Run: run, States: []engine.GrantState{engine.GrantArmed, engine.GrantActive, engine.GrantAsking}})
		if err != nil {
			return fmt.Errorf("reading the grants: %w", err)
		}
		live = slices.DeleteFunc(live, func(g engine.Grant) bool { return g.NextTry.After(end) })
		if len(live) == 0 {
			w.clock.Advance(end)
			return nil
		}
		w.clock.Advance(slices.MinFunc(live, func(a, b engine.Grant) int { return a.NextTry.Compare(b.NextTry) }).NextTry)
		if _, err := w.engine.Sweep(ctx); err != nil {
			return fmt.Errorf("ending the grants: %w", err)
		}
	}
	return errors.New("the grants of the run do not come to an end")
}

// decideGrants says what the test has for grants whose time is up.
func (w *world) decideGrants(ctx context.Context, run string) error {
	pending, err := w.store.Approvals(ctx, engine.ApprovalQuery{Run: run, Statuses: []engine.ApprovalStatus{engine.ApprovalPending}})
	if err != nil {
		return fmt.Errorf("listing approvals: %w", err)
	}
	for _, a := range pending {
		if _, err := w.decide(ctx, a); err != nil {
			return err
		}
	}
	return nil
}
