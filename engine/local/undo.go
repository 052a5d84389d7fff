package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// UndoRequest says what to take back.
type UndoRequest struct {
	Run   string
	Items []string // keys of items, paths of changes, or targets' ids or names; everything when empty
	Actor engine.Actor
	// Lift is why the guard's limits shall not stop it; "" keeps them.
	Lift string
}

// PlanUndo plans the inverse of what a run really changed, newest first, and
// stores it like Plan; Apply carries it out. What somebody has changed since is
// a line with the outcome skipped. Errors wrap ErrUndo where there is nothing
// to take back, and engine.ErrNotFound.
func (e *Engine) PlanUndo(ctx context.Context, req UndoRequest) (engine.PlanRecord, error) {
	plan, err := e.planUndo(ctx, req)
	if err != nil {
		return plan, fmt.Errorf("planning the undo of %s: %w", req.Run, err)
	}
	return plan, nil
}

func (e *Engine) planUndo(ctx context.Context, req UndoRequest) (engine.PlanRecord, error) {
	var none engine.PlanRecord
	run, err := e.config.Store.Run(ctx, req.Run)
	if err != nil {
		return none, fmt.Errorf("reading it: %w", err)
	}
	if !run.Status.Final() {
		return none, fmt.Errorf("%w: it is %s; let it end first, or cancel it", ErrUndo, run.Status)
	}
	done, err := e.changesOf(ctx, run.ID, req.Items)
	if err != nil {
		return none, err
	}
	start, err := e.undoProgram(ctx, run, done)
	if err != nil {
		return none, err
	}
	start.Actor = req.Actor
	kind := engine.PlanRecord{UndoOf: run.ID, Lifted: e.config.Redact.String(req.Lift)}
	return e.plan(ctx, start, kind, func(set *engine.ChangeSet) error {
		leaveChanged(set, done)
		return e.leaveShared(ctx, set, run.ID)
	})
}

// changesOf are the changes a run really made, newest first, and those of others
// that its live grants keep in place.
func (e *Engine) changesOf(ctx context.Context, run string, only []string) ([]engine.StepRecord, error) {
	var done []engine.StepRecord
	q := engine.StepQuery{Run: run, Effects: []engine.Effect{engine.Change}, Limit: recordPage}
	for {
		page, err := e.config.Store.Steps(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("reading its changes: %w", err)
		}
		for _, s := range page {
			if s.Outcome == engine.OutcomeDone && s.Target != nil && s.Of == "" && wanted(s, only) {
				done = append(done, s)
			}
		}
		if len(page) < q.Limit {
			break
		}
		q.After += len(page)
	}
	joined, err := e.joinedBy(ctx, run, done, only)
	if err != nil {
		return nil, err
	}
	done = append(done, joined...)
	if len(done) == 0 && len(only) > 0 {
		return nil, fmt.Errorf("%w: it changed nothing that is called %s", ErrUndo, strings.Join(only, ", "))
	}
	if len(done) == 0 {
		return nil, fmt.Errorf("%w: it changed nothing", ErrUndo)
	}
	slices.Reverse(done) // of those that began together, the last one written is the newest
	slices.SortStableFunc(done, func(a, b engine.StepRecord) int { return b.StartedAt.Compare(a.StartedAt) })
	return done, nil
}

func wanted(s engine.StepRecord, only []string) bool {
	if len(only) == 0 {
		return true
	}
	return slices.ContainsFunc(only, func(word string) bool {
		return s.Path == word || strings.Contains(s.Path, "["+word+"]") ||
			strings.EqualFold(s.Target.ID, word) || strings.EqualFold(s.Target.Name, word)
	})
}

// undoPath is the path of the step that takes back the n-th change.
func undoPath(n int) string { return fmt.Sprintf("undo_%d", n+1) }

// undoProgram is the playbook that takes the changes back: one step each, which
// a failure of another does not stop.
func (e *Engine) undoProgram(ctx context.Context, run engine.RunRecord, done []engine.StepRecord) (StartRequest, error) {
	var none StartRequest
	original, err := e.program(ctx, run.Hash)
	if err != nil {
		return none, err
	}
	steps := make([]any, 0, len(done))
	for i, s := range done {
		step, err := undoStep(i, s)
		if err != nil {
			return none, err
		}
		steps = append(steps, step)
	}
	doc := map[string]any{
		"name": run.Playbook, "description": "Takes back what " + run.ID + " has changed, newest first.", "steps": steps,
	}
	if limit := original.Guard.MaxChanges; limit != nil {
		doc["guard"] = map[string]any{"max_changes": *limit}
	}
	source, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return none, fmt.Errorf("writing the playbook that takes it back: %w", err)
	}
	prog, bundle, err := e.config.Compose(ctx, run.Playbook, source)
	if err != nil {
		return none, fmt.Errorf("compiling the playbook that takes it back: %w", err)
	}
	return StartRequest{Program: prog, Bundle: bundle}, nil
}

// undoStep takes one change back. One that has no way back fails by itself, and
// the run ends partial.
func undoStep(n int, s engine.StepRecord) (map[string]any, error) {
	step := map[string]any{"id": undoPath(n), "name": literal("take back " + s.Path), "on_error": "continue"}
	if s.Inverse == nil {
		step["fail"] = literal(fmt.Sprintf("%s of %s cannot be taken back: %s has no inverse", s.Action, s.Target.ID, s.Action))
		return step, nil
	}
	var inverse engine.Invocation
	if err := json.Unmarshal(s.Inverse, &inverse); err != nil {
		return nil, fmt.Errorf("reading the inverse of %s: %w", s.Path, err)
	}
	step["uses"], step["with"] = inverse.Action, escaped(inverse.Inputs)
	if s.Connection != "" && !strings.Contains(s.Connection, ",") {
		step["connection"] = s.Connection
	}
	return step, nil
}

// literal is a text in which nothing is evaluated.
func literal(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "${{", "$${{")
}

// escaped is a value in whose strings nothing is evaluated.
func escaped(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "${{", "$${{")
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = escaped(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, name := range sortedKeys(v) {
			out[name] = escaped(v[name])
		}
		return out
	default:
		return v
	}
}

// leaveChanged leaves alone what is not as the run has left it.
func leaveChanged(set *engine.ChangeSet, done []engine.StepRecord) {
	after := make(map[string]engine.StepRecord, len(done))
	for i, s := range done {
		after[undoPath(i)] = s
	}
	for i := range set.Changes {
		line := &set.Changes[i]
		s, mine := after[line.Path]
		if !mine || line.Outcome == engine.OutcomeFailed {
			continue
		}
		line.Item, line.Why = s.Path, "undo of "+s.Path
		if line.Target.ID != s.Target.ID || !bytes.Equal(line.Before, s.After) {
			line.Outcome = engine.OutcomeSkipped
			line.Error = engine.Fail(engine.ClassRefused, engine.CodeDrift,
				"somebody has changed it since: the run left it %s, and it is %s now", s.After, line.Before)
		}
	}
}

// leaveShared leaves alone what the grant of another run still holds.
func (e *Engine) leaveShared(ctx context.Context, set *engine.ChangeSet, run string) error {
	for i := range set.Changes {
		line := &set.Changes[i]
		if line.Outcome != "" {
			continue
		}
		live, err := e.liveGrants(ctx, line.Connection, line.Target.ID, line.Before)
		if err != nil {
			return err
		}
		for _, g := range live {
			if g.Run != run {
				line.Outcome = engine.OutcomeSkipped
				line.Error = engine.Fail(engine.ClassRefused, engine.CodeHeld, "%s of %s still holds it, until %s", g.ID, g.Run, g.EndsAt.UTC().Format(time.RFC3339))
			}
		}
	}
	return nil
}
