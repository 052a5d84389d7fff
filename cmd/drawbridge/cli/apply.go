package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/engine/program"
)

func (a *app) applyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "apply PLAN",
		Short: "Do exactly what a plan says",
		Long: `Carries out a plan, named by its id, by a beginning of it that no other plan
has, or as "last". Each target is read again just before: one that is not as it
was planned is refused, and anything the plan does not say stops the run as
drifted (exit code 4). A plan is refused where the playbook or its connections
were changed since, where it is older than the configuration's max_plan_age (24
hours by default), and a second time.`,
		Example: "  drawbridge apply plan_01k8xw",
		Args:    cobra.ExactArgs(1),
		RunE:    work(func(ctx context.Context, args []string) error { return a.apply(ctx, args[0]) }),
	}
}

func (a *app) apply(ctx context.Context, argument string) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	record, err := a.findPlan(ctx, argument)
	if err != nil {
		return err
	}
	playbook, err := a.asItIsNow(conf, record)
	if err != nil {
		return err
	}
	return a.applyPlan(ctx, conf, record, playbook)
}

func (a *app) findPlan(ctx context.Context, argument string) (engine.PlanRecord, error) {
	store, _, err := a.reading() //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return engine.PlanRecord{}, err
	}
	if store == nil {
		return engine.PlanRecord{}, usage("there is no plan %q: nothing was planned yet", argument)
	}
	defer func() { _ = store.Close() }() // it was only read
	return resolvePlan(ctx, store, argument)
}

// asItIsNow compiles the playbook that a plan was made of. Of an undo there is
// none.
func (a *app) asItIsNow(conf *config.Config, record engine.PlanRecord) (compiled, error) {
	if record.Source == "" {
		return compiled{}, nil
	}
	if a.house != nil && !a.house.owns(record.Source) {
		return a.seenByClient(record)
	}
	if _, err := os.Stat(record.Source); errors.Is(err, fs.ErrNotExist) {
		return compiled{}, usage("%s is refused: its playbook %s is gone, so nobody can tell whether it still says the same", record.ID, record.Source)
	}
	playbook, err := a.compile(conf, record.Source)
	if err != nil {
		return compiled{}, fmt.Errorf("reading the playbook of %s again: %w", record.ID, err)
	}
	return playbook, nil
}

// applyPlan carries a plan out and makes a new one where it has drifted.
func (a *app) applyPlan(ctx context.Context, conf *config.Config, record engine.PlanRecord, now compiled) error {
	request := local.ApplyRequest{Plan: record.ID, Actor: a.actor()}
	request.Current = now.bundle.Hash
	return a.perform(ctx, conf, errand{
		begin: func(ctx context.Context, rt *opened) (string, error) {
			a.reportLeftovers(ctx, rt, "")
			a.mentionFreeze(ctx, rt.store)
			return rt.engine.Apply(ctx, request)
		},
		way: onward,
		after: func(ctx context.Context, rt *opened, run engine.RunRecord) {
			if run.Status == engine.RunDrifted {
				a.planAnew(ctx, rt, record, now)
			}
		},
	})
}

// planAnew makes a new plan where one has drifted. That it cannot be made
// changes nothing about how the run ended.
func (a *app) planAnew(ctx context.Context, rt *opened, old engine.PlanRecord, now compiled) {
	if now.program == nil && old.UndoOf == "" {
		a.say("make a new plan of what is there now: %s", a.command("plan "+quoted(old.Source)))
		return
	}
	if now.program == nil {
		a.say("look at what is left of it: %s", a.command("undo "+old.UndoOf))
		return
	}
	anew, err := a.planAgain(ctx, rt, old, now)
	if err != nil {
		a.say("%s no new plan could be made: %v", a.palette.Warn("note:"), err)
		return
	}
	a.say("a new plan was made of what is there now: %s (%s)\napply it with %s",
		anew.ID, plural(anew.Pending, "change", "changes"), a.command("apply "+anew.ID))
}

// planAgain plans the same playbook with the same inputs.
func (a *app) planAgain(ctx context.Context, rt *opened, old engine.PlanRecord, now compiled) (engine.PlanRecord, error) {
	inputs, err := plannedInputs(now.program, old)
	if err != nil {
		return engine.PlanRecord{}, err
	}
	return rt.engine.Plan(ctx, local.StartRequest{
		Program: now.program, Bundle: now.bundle, Source: now.source, Inputs: inputs, MaxChanges: old.MaxChanges, Actor: a.actor(),
	})
}

// plannedInputs reads the inputs that a plan was made with.
func plannedInputs(p *program.Program, record engine.PlanRecord) (map[string]any, error) {
	v, err := engine.DecodeJSON(orNull(record.Inputs), engine.Maybe(engine.MapOf(p.Inputs...)))
	if err != nil {
		return nil, fmt.Errorf("reading the inputs of %s: %w", record.ID, err)
	}
	inputs, _ := v.(map[string]any)
	return inputs, nil
}
