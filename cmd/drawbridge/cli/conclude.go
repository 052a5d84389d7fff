package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
)

// conclude reports a run that was carried out and turns its status into the
// exit code.
func (a *app) conclude(ctx context.Context, rt *opened, run engine.RunRecord) error {
	past, err := remember(ctx, rt.store, run, a.json())
	if err != nil {
		return err
	}
	if run.Status == engine.RunWaiting {
		if past.awaits, err = rt.engine.Awaits(ctx, run.ID); err != nil {
			a.log.Warn("looking for what the run waits for", "error", err)
		}
	}
	advice := a.advice(past)
	if a.json() {
		err = a.print(a.documentOfPast(past, false))
		for _, line := range advice {
			a.say("%s", line)
		}
	} else {
		if a.terminal.drawable { // elsewhere the steps were told while they ran
			screen.Steps(a.stdout, past.steps, a.palette)
		}
		screen.Summary(a.stdout, past.report(advice), a.palette)
	}
	if err != nil {
		return err
	}
	if a.house == nil { // a serving process tells also of the runs that nobody follows
		a.notify(ctx, rt, run)
	}
	if code := exitOfRun(run); code != 0 {
		return quit(code)
	}
	return nil
}

// leftovers are the runs that are not over although no engine carries them out.
func leftovers(ctx context.Context, rt *opened, except string) ([]engine.RunRecord, error) {
	all, err := rt.engine.Leftovers(ctx)
	if err != nil {
		return nil, err
	}
	var out []engine.RunRecord
	for _, r := range all {
		if r.ID != except {
			out = append(out, r)
		}
	}
	return out, nil
}

// reportLeftovers says which runs wait to be resumed. Not knowing keeps
// nothing from being run, so it is only logged. A serving process carries them
// on by itself.
func (a *app) reportLeftovers(ctx context.Context, rt *opened, except string) {
	if a.house == nil {
		a.listLeftovers(ctx, rt, except)
	}
}

func (a *app) listLeftovers(ctx context.Context, rt *opened, except string) {
	found, err := leftovers(ctx, rt, except)
	if err != nil && !errors.Is(err, context.Canceled) {
		a.log.Warn("looking for unfinished runs", "error", err)
	}
	for _, r := range found {
		a.say("%s %s (%s) is unfinished since %s: continue it with %s, or end it with %s",
			a.palette.Warn("note:"), screen.Clean(r.Playbook, 60), r.ID, stamp(r.CreatedAt),
			a.command("runs resume "+r.ID), a.command("runs cancel "+r.ID))
	}
}

// chooseLeftover is the run that a command without an id means: the only one
// that is unfinished.
func (a *app) chooseLeftover(ctx context.Context, rt *opened) (string, error) {
	found, err := leftovers(ctx, rt, "")
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", usage("no run is unfinished in %s", rt.path)
	case len(found) > 1:
		a.listLeftovers(ctx, rt, "")
		return "", usage("%d runs are unfinished: name one", len(found))
	default:
		return found[0].ID, nil
	}
}

// resolveRun finds the run that an argument means: an id, the beginning of one
// (with or without run_), or `last`.
func resolveRun(ctx context.Context, store engine.Store, argument string) (engine.RunRecord, error) {
	run, err := store.Run(ctx, argument)
	if err == nil || !errors.Is(err, engine.ErrNotFound) {
		return run, err
	}
	var found []engine.RunRecord
	q := engine.RunQuery{Limit: pageSize}
	for {
		page, err := store.Runs(ctx, q)
		if err != nil {
			return run, fmt.Errorf("looking for the run %s: %w", argument, err)
		}
		if argument == "last" && len(page) > 0 {
			return page[0], nil
		}
		found = append(found, beginningWith(page, argument)...)
		if len(page) < q.Limit {
			return only(found, argument)
		}
		q.After = page[len(page)-1].ID
	}
}
