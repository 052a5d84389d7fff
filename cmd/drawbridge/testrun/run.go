package testrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/program"
	"github.com/drawbridge-soar/drawbridge/playbooks/playbooktest"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

const (
	longest   = time.Minute // of a test, in real time: something hangs
	mostTurns = 1000        // how often a run may wait for a person or a time
)

// Result is what came of one test.
type Result struct {
	File     *File
	Case     *playbooktest.Case
	Took     time.Duration // in real time
	Failures []yamldoc.Diagnostic
	Notes    []string // what may explain them

	steps []engine.StepRecord
}

// Run carries one test out.
func (r *Runner) Run(ctx context.Context, f *File, c *playbooktest.Case) Result {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	out := Result{File: f, Case: c}
	happened, notes, err := r.carryOut(ctx, f, c)
	out.Took, out.steps, out.Notes = time.Since(began), happened.Steps, notes
	if err != nil {
		out.Failures = []yamldoc.Diagnostic{c.Failed("the test could not be carried out: %v", err)}
		return out
	}
	out.Failures = c.Judge(happened)
	return out
}

func (r *Runner) carryOut(ctx context.Context, f *File, c *playbooktest.Case) (playbooktest.Happened, []string, error) {
	w, err := r.newWorld(f, c)
	if err != nil {
		return playbooktest.Happened{}, nil, err
	}
	happened := playbooktest.Happened{Aliases: w.addresses()}
	if c.Expect.Plans() {
		happened.Plan, happened.PlanErr = r.plan(ctx, f, c)
	}
	request, err := w.request()
	var id string
	if err == nil {
		id, err = w.engine.Start(ctx, request)
	}
	if err != nil {
		happened.Error = engine.AsFailure(err)
		return happened, w.notes, ctx.Err()
	}
	if happened.Run, err = w.drive(ctx, id); err != nil {
		return happened, w.notes, err
	}
	happened.Error = happened.Run.Error
	if err := w.pass(ctx, id); err != nil {
		return happened, w.notes, err
	}
	err = w.remember(ctx, &happened)
	return happened, w.notes, err
}

// addresses are those of all accounts, by id.
func (w *world) addresses() map[string]string {
	out := map[string]string{}
	for a := range w.tenant.Accounts() {
		out[a.ID] = a.Email
	}
	return out
}

// plan looks ahead in a world of its own, so that the run begins untouched.
func (r *Runner) plan(ctx context.Context, f *File, c *playbooktest.Case) (*engine.ChangeSet, error) {
	w, err := r.newWorld(f, c)
	if err != nil {
		return nil, err
	}
	request, err := w.request()
	if err != nil {
		return nil, err
	}
	record, err := w.engine.Plan(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("planning: %w", err)
	}
	data, err := w.store.Value(ctx, record.Set)
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	set := &engine.ChangeSet{}
	if err := json.Unmarshal(data, set); err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	return set, nil
}

// drive carries the run out, and lets people decide and time pass where it
// waits for that.
func (w *world) drive(ctx context.Context, id string) (engine.RunRecord, error) {
	for range mostTurns {
		run, err := w.engine.Drive(ctx, id)
		if err != nil {
			return run, fmt.Errorf("driving: %w", err)
		}
		if run.Status == engine.RunInterrupted {
			return run, errors.Join(errors.New("the run does not come to an end"), ctx.Err())
		}
		if run.Status.Final() || run.Status == engine.RunUnsettled {
			return run, nil
		}
		if moved, err := w.goOn(ctx, run); err != nil || !moved {
			return run, err
		}
	}
	return engine.RunRecord{}, fmt.Errorf("the run has waited %d times and is not over", mostTurns)
}

// goOn does what a waiting run waits for: somebody decides, or time passes.
// The bool is false where it would wait for ever.
func (w *world) goOn(ctx context.Context, run engine.RunRecord) (bool, error) {
	pending, err := w.store.Approvals(ctx, engine.ApprovalQuery{Run: run.ID, Statuses: []engine.ApprovalStatus{engine.ApprovalPending}})
	if err != nil {
		return false, fmt.Errorf("listing approvals: %w", err)
	}
	until := run.WakeAt
	for _, a := range pending {
		if decided, err := w.decide(ctx, a); decided || err != nil {
			return decided, err
		}
		if a.ExpiresAt != nil && (until == nil || a.ExpiresAt.Before(*until)) {
			until = a.ExpiresAt
		}
	}
	if sent, err := w.signal(ctx, run.ID, until); sent || err != nil {
		return sent, err
	}
	if until == nil {
		return false, nil
	}
	w.clock.Advance(*until)
	return true, nil
}

// decide says what the test has for an approval, the first that was not said yet.
func (w *world) decide(ctx context.Context, a engine.Approval) (bool, error) {
	for i, d := range w.test.Approvals {
		if w.said[i] || d.Answer == playbooktest.Withheld || !playbooktest.Matches(d.Step, a.Path) {
			continue
		}
		at := a.CreatedAt.Add(d.After)
		if a.ExpiresAt != nil && !at.Before(*a.ExpiresAt) {
			continue // too late: the time runs out first
		}
		w.clock.Advance(at)
		w.said[i] = true
		_, err := w.engine.Decide(ctx, local.Decision{
			Approval: a.ID, Actor: w.actor(d.By), Approve: d.Answer == playbooktest.Given,
			Except: d.Except, Reason: d.Reason, Proven: true,
		})
		switch {
		case errors.Is(err, local.ErrRenewed):
			w.said[i] = false // it is looked at again
		case errors.Is(err, local.ErrDecision):
			w.notes = append(w.notes, fmt.Sprintf("what %s said does not count: %v", d.By, err))
		case err != nil:
			return false, fmt.Errorf("deciding: %w", err)
		}
		return true, nil
	}
	return false, nil
}

// actor is the user of a person.
func (w *world) actor(person string) engine.Actor {
	for _, p := range w.file.conf.People {
		if p.Name == person && p.OSUser != "" {
			return engine.Actor{Name: p.OSUser, Via: "cli"}
		}
	}
	return engine.Actor{Name: person, Via: "cli"}
}

// remember reads what the run did.
func (w *world) remember(ctx context.Context, h *playbooktest.Happened) error {
	var err error
	if h.Steps, err = w.store.Steps(ctx, engine.StepQuery{Run: h.Run.ID}); err != nil {
		return fmt.Errorf("reading the steps: %w", err)
	}
	if h.Grants, err = w.store.Grants(ctx, engine.GrantQuery{Run: h.Run.ID}); err != nil {
		return fmt.Errorf("reading the grants: %w", err)
	}
	for _, s := range h.Steps {
		if s.Form != string(program.FormForeach) {
			continue
		}
		items, err := w.store.Items(ctx, engine.ItemQuery{Run: h.Run.ID, Path: s.Path})
		if err != nil {
			return fmt.Errorf("reading the items: %w", err)
		}
		h.Items = append(h.Items, items...)
	}
	for _, m := range w.tenant.Messages() {
		h.Messages = append(h.Messages, m.Text)
	}
	h.Messages = append(h.Messages, w.printed.messages...)
	return nil
}
