package local

import (
	"context"
	"fmt"
	"slices"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/machine"
)

// Retry records a run that repeats what failed, was not settled, or had
// drifted in a run that is over, and returns its id; Drive carries it out.
// What was done then is not done again, and nobody is told twice. Errors wrap
// ErrRetry.
func (e *Engine) Retry(ctx context.Context, run string, actor engine.Actor) (string, error) {
	old, err := e.config.Store.Run(ctx, run)
	if err != nil {
		return "", fmt.Errorf("reading run %s: %w", run, err)
	}
	id, err := e.retry(ctx, old, actor)
	if err != nil {
		return "", fmt.Errorf("retrying %s: %w", run, err)
	}
	return id, nil
}

func (e *Engine) retry(ctx context.Context, old engine.RunRecord, actor engine.Actor) (string, error) {
	switch {
	case !old.Status.Final():
		return "", fmt.Errorf("%w: it is %s; resume it", ErrRetry, old.Status)
	case old.Status == engine.RunSucceeded:
		return "", fmt.Errorf("%w: nothing of it failed", ErrRetry)
	case old.UndoOf != "":
		return "", fmt.Errorf("%w: it is an undo; undo %s again", ErrRetry, old.UndoOf)
	}
	prog, err := e.program(ctx, old.Hash)
	if err != nil {
		return "", err
	}
	if err := e.checkMoved(ctx, old, prog); err != nil {
		return "", err
	}
	if err := e.checkPolicy(prog); err != nil {
		return "", err
	}
	now := instant(e.config.Clock.Now())
	id, err := e.ids.make("run", now)
	if err != nil {
		return "", err
	}
	record := engine.RunRecord{
		ID: id, Playbook: old.Playbook, Hash: old.Hash, Status: engine.RunRunning, Actor: actor, Inputs: old.Inputs,
		Trigger: old.Trigger, Group: old.Group, Attempt: old.Attempt + 1, MaxChanges: old.MaxChanges, Connections: old.Connections,
		Starters: e.joined(old.Starters, actor), RetryOf: old.ID, Semantics: machine.Semantics, CreatedAt: now,
	}
	first, err := e.firstOf(ctx, old)
	if err != nil {
		return "", err
	}
	return id, e.record(ctx, &record, prog, beginning{As: first.Actor, At: first.CreatedAt})
}

// firstOf says as whom and when a run began, as its expressions see it.
func (e *Engine) firstOf(ctx context.Context, run engine.RunRecord) (engine.RunRecord, error) {
	for run.RetryOf != "" {
		older, err := e.config.Store.Run(ctx, run.RetryOf)
		if err != nil {
			return run, fmt.Errorf("reading what it retried: %w", err)
		}
		run = older
	}
	if run.Plan != "" {
		plan, err := e.config.Store.Plan(ctx, run.Plan)
		if err != nil {
			return run, fmt.Errorf("reading its plan: %w", err)
		}
		run.Actor, run.CreatedAt = plan.Actor, plan.CreatedAt
	}
	return run, nil
}

// retried are the runs that this one repeats, the oldest first: a retry that
// came to nothing itself has settled nothing, and those before it have.
func (d *drive) retried(ctx context.Context) ([]engine.RunRecord, error) {
	var runs []engine.RunRecord
	for run := d.record.RetryOf; run != ""; {
		older, err := d.engine.config.Store.Run(ctx, run)
		if err != nil {
			return nil, fmt.Errorf("reading the run it retries: %w", err)
		}
		runs = append(runs, older)
		run = older.RetryOf
	}
	slices.Reverse(runs)
	return runs, nil
}

// recallSettled reads what the runs that are retried have done.
func (d *drive) recallSettled(ctx context.Context) error {
	runs, err := d.retried(ctx)
	if err != nil {
		return err
	}
	for i := range runs {
		if err := d.recallRun(ctx, runs[i].ID); err != nil {
			return err
		}
	}
	return nil
}

func (d *drive) recallRun(ctx context.Context, run string) error {
	q := engine.StepQuery{Run: run, Effects: []engine.Effect{engine.Change, engine.Announce}, Limit: recordPage}
	for {
		page, err := d.engine.config.Store.Steps(ctx, q)
		if err != nil {
			return fmt.Errorf("reading what %s has done: %w", run, err)
		}
		for _, s := range page {
			d.recallDone(s)
		}
		if len(page) < q.Limit {
			return nil
		}
		q.After += len(page)
	}
}

func (d *drive) recallDone(s engine.StepRecord) {
	if s.Status != engine.StepSucceeded || s.Action == "" {
		return
	}
	if s.Of == "" {
		s.Of = s.Run
	}
	if s.Effect == engine.Announce {
		d.said[s.Path] = s
		return
	}
	d.settled[inquiry{s.Path, s.Arguments}] = s
}
