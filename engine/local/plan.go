package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

// DefaultPlanAge is how old a plan may be when it is applied.
const DefaultPlanAge = 24 * time.Hour

// Errors of plans, approvals and undo.
var (
	// ErrPlan means that a plan cannot be applied: it is too old, it was made
	// with another playbook or other connections, or it was applied already.
	ErrPlan = errors.New("the plan cannot be applied")
	// ErrDecision means that a decision does not count: the approval is over,
	// or this person may not decide it.
	ErrDecision = errors.New("the decision does not count")
	// ErrRenewed means that what would be done has changed since the request
	// was made. It was made anew and earlier votes are void; whoever wants to
	// approve looks at it again.
	ErrRenewed = errors.New("the request was renewed")
	// ErrUndo means that a run cannot be undone.
	ErrUndo = errors.New("the run cannot be undone")
	// ErrRetry means that a run cannot be retried: it is not over, or nothing
	// of it failed.
	ErrRetry = errors.New("the run cannot be retried")
)

// Plan looks ahead and stores what a playbook would do, with the observations
// it is based on. Nothing is changed and nobody is told. Errors are those of
// Start, and those of the store. What the guard says against it is in the
// record's Blocked, and no error.
func (e *Engine) Plan(ctx context.Context, req StartRequest) (engine.PlanRecord, error) {
	var plan engine.PlanRecord
	err := e.checkPolicy(req.Program)
	if err == nil {
		plan, err = e.plan(ctx, req, engine.PlanRecord{Source: req.Source}, nil)
	}
	if err != nil {
		return plan, fmt.Errorf("planning %s: %w", req.Program.Name, err)
	}
	return plan, nil
}

// plan makes a plan from what kind says of it. adjust may change what was seen
// before it is judged.
func (e *Engine) plan(ctx context.Context, req StartRequest, kind engine.PlanRecord, adjust func(*engine.ChangeSet) error) (engine.PlanRecord, error) {
	record, err := e.newRecord(ctx, req)
	if err != nil {
		return kind, err
	}
	record.UndoOf, record.Lifted = kind.UndoOf, kind.Lifted
	d, err := e.unrecorded(record, req.Program)
	if err != nil {
		return kind, err
	}
	o, err := d.lookAhead(ctx, glance{})
	if err != nil {
		return kind, err
	}
	if adjust != nil {
		if err := adjust(&o.set); err != nil {
			return kind, err
		}
	}
	blocked, err := d.judge(ctx, o.set)
	if err != nil {
		return kind, err
	}
	kind.ID, kind.Playbook, kind.Hash, kind.Actor = planID(record.ID), record.Playbook, record.Hash, record.Actor
	kind.Inputs, kind.MaxChanges, kind.Connections, kind.Semantics = record.Inputs, record.MaxChanges, record.Connections, record.Semantics
	kind.Blocked, kind.CreatedAt = blocked, record.CreatedAt
	err = e.keepPlan(ctx, &kind, o, req.Bundle)
	return kind, err
}

// unrecorded is a drive of a run that stands at its beginning, without a store.
func (e *Engine) unrecorded(record engine.RunRecord, prog *program.Program) (*drive, error) {
	rules, err := e.rulesOf(record, prog)
	if err != nil {
		return nil, err
	}
	started, err := startEvent(record, record.Actor, record.CreatedAt)
	if err != nil {
		return nil, err
	}
	d := newDrive(e, record, prog)
	d.machine, d.rules, d.ledger = machine.New(prog), rules, guard.NewLedger(rules)
	started.Seq, started.At = 1, record.CreatedAt
	if _, err := d.machine.Apply(started); err != nil {
		return nil, fmt.Errorf("starting: %w", err)
	}
	d.last = record.CreatedAt
	return d, nil
}

func (e *Engine) keepPlan(ctx context.Context, plan *engine.PlanRecord, o *outlook, bundle engine.Bundle) error {
	value, err := encodeSet(o.set)
	if err != nil {
		return err
	}
	plan.Set, plan.Digest, plan.Shown = value.Ref, o.set.Hash(), o.set.ShownHash()
	plan.Pending, plan.Complete = len(o.set.Pending()), o.set.Complete
	for i := range o.answers {
		o.answers[i].Owner = plan.ID
	}
	batch := engine.Batch{
		Bundles: []engine.Bundle{bundle}, Values: append(o.values, value),
		Plans: []engine.PlanRecord{*plan}, Answers: o.answers, Audit: []engine.AuditEntry{engine.AuditPlan(*plan)},
	}
	if err := e.config.Store.Commit(ctx, batch); err != nil {
		return fmt.Errorf("storing the plan: %w", err)
	}
	return nil
}

// A plan and the run that applies it have the same number, so that `run.id` is
// the same in both, and no plan is applied twice.
const (
	runPrefix  = "run_"
	planPrefix = "plan_"
)

func planID(run string) string   { return planPrefix + strings.TrimPrefix(run, runPrefix) }
func planRun(plan string) string { return runPrefix + strings.TrimPrefix(plan, planPrefix) }

// ApplyRequest says which plan to apply.
type ApplyRequest struct {
	Plan  string
	Actor engine.Actor
	// Current is the hash of the playbook as it is now; "" where it cannot be
	// known, as of an undo.
	Current string
}

// Apply records a run that does exactly what a plan says and returns its id;
// Drive carries it out. Errors wrap ErrPlan where the plan may not be applied.
func (e *Engine) Apply(ctx context.Context, req ApplyRequest) (string, error) {
	plan, err := e.config.Store.Plan(ctx, req.Plan)
	if err != nil {
		return "", fmt.Errorf("reading the plan %s: %w", req.Plan, err)
	}
	id, err := e.apply(ctx, plan, req)
	if err != nil {
		return "", fmt.Errorf("applying %s: %w", plan.ID, err)
	}
	return id, nil
}

func (e *Engine) apply(ctx context.Context, plan engine.PlanRecord, req ApplyRequest) (string, error) {
	now := instant(e.config.Clock.Now())
	if err := e.checkPlan(ctx, plan, req, now); err != nil {
		return "", err
	}
	prog, err := e.program(ctx, plan.Hash)
	if err != nil {
		return "", err
	}
	if err := e.checkPlanConnections(ctx, plan, prog); err != nil {
		return "", err
	}
	if plan.UndoOf == "" { // the policy has let through what is undone
		if err := e.checkPolicy(prog); err != nil {
			return "", err
		}
	}
	record := engine.RunRecord{
		ID: planRun(plan.ID), Playbook: plan.Playbook, Hash: plan.Hash, Status: engine.RunRunning, Actor: req.Actor,
		Inputs: plan.Inputs, Trigger: json.RawMessage("null"), Attempt: 1, MaxChanges: plan.MaxChanges, Connections: plan.Connections,
		Starters: e.starters(plan.Actor, req.Actor), Plan: plan.ID, UndoOf: plan.UndoOf, Lifted: plan.Lifted,
		ChangeSet: plan.Set, Strict: true, Semantics: machine.Semantics, CreatedAt: now,
	}
	if record.Group, err = e.groupOfPlan(ctx, record, prog); err != nil {
		return "", err
	}
	return record.ID, e.record(ctx, &record, prog, beginning{As: plan.Actor, At: plan.CreatedAt})
}

// groupOfPlan names the group of a run that applies a plan. What takes back
// counts with what it takes back, and waits for no place.
func (e *Engine) groupOfPlan(ctx context.Context, record engine.RunRecord, prog *program.Program) (string, error) {
	if record.UndoOf == "" {
		return groupOf(record, prog)
	}
	undone, err := e.config.Store.Run(ctx, record.UndoOf)
	if err != nil {
		return "", fmt.Errorf("reading the run it takes back: %w", err)
	}
	return undone.Group, nil
}

// checkPlan refuses a plan that does not hold any more.
func (e *Engine) checkPlan(ctx context.Context, plan engine.PlanRecord, req ApplyRequest, now time.Time) error {
	run, err := e.config.Store.Run(ctx, planRun(plan.ID))
	switch {
	case err == nil:
		return fmt.Errorf("%w: %s has applied it already; make a new plan", ErrPlan, run.ID)
	case !errors.Is(err, engine.ErrNotFound):
		return fmt.Errorf("asking whether it was applied: %w", err)
	case plan.Semantics != machine.Semantics:
		return fmt.Errorf("%w: another version of this program has made it", ErrPlan)
	case req.Current != "" && req.Current != plan.Hash:
		return fmt.Errorf("%w: the playbook has changed since; make a new plan", ErrPlan)
	case now.Sub(plan.CreatedAt) > e.config.PlanAge:
		return fmt.Errorf("%w: it was made at %s, and a plan may be %s old; make a new one",
			ErrPlan, plan.CreatedAt.UTC().Format(time.RFC3339), engine.FormatDuration(e.config.PlanAge))
	}
	return nil
}

func (e *Engine) checkPlanConnections(ctx context.Context, plan engine.PlanRecord, prog *program.Program) error {
	now, err := e.fingerprints(ctx, prog)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, plan.Connections) {
		return fmt.Errorf("%w: it was made with the connections %s, and the configuration now has %s; make a new plan", ErrPlan, plan.Connections, now)
	}
	return nil
}
