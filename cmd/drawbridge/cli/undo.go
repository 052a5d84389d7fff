package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

// undoOptions are the flags of undo.
type undoOptions struct {
	items []string
	apply bool
	lift  string
}

func (a *app) undoCommand() *cobra.Command {
	var o undoOptions
	var cmd *cobra.Command
	cmd = &cobra.Command{
		Use:   "undo RUN",
		Short: "Take back what a run changed: plan it, and with --apply do it",
		Long: `Plans the inverse of everything a run really changed, newest first. What
somebody has changed since is left as it is and shown as skipped. Nothing is
changed without --apply, which carries the plan out as a run of its own; the
plan can also be given to "drawbridge apply". The limits of the guard hold for
it unless they are lifted with a reason; what the guard protects does not.`,
		Example: `  drawbridge undo last
  drawbridge undo run_01k8xw --item mara.lindqvist@example.com --apply`,
		Args:        cobra.ExactArgs(1),
		Annotations: map[string]string{markdownMark: ""},
		RunE: work(func(ctx context.Context, args []string) error {
			if cmd.Flags().Changed("lift-limits") && o.lift == "" {
				return usage("--lift-limits needs a reason")
			}
			return a.undo(ctx, args[0], o)
		}),
	}
	cmd.Flags().StringArrayVar(&o.items, "item", nil, "take back only this: an item's key or label, a target's id, or the path of a change; can be given several times")
	cmd.Flags().BoolVar(&o.apply, "apply", false, "do it, and not only plan it")
	cmd.Flags().StringVar(&o.lift, "lift-limits", "", "let no limit stop it, for this reason, which the history keeps")
	return cmd
}

func (a *app) undo(ctx context.Context, argument string, o undoOptions) error {
	if o.apply && a.markdown() {
		return usage("--output markdown shows a plan: it does not go with --apply")
	}
	conf, err := a.config()
	if err != nil {
		return err
	}
	run, err := a.findRun(ctx, argument)
	if err != nil {
		return err
	}
	if o.items, err = a.itemsCalled(ctx, run, o.items); err != nil {
		return err
	}
	record, err := a.planUndo(ctx, conf, local.UndoRequest{Run: run.ID, Items: o.items, Actor: a.actor(), Lift: o.lift}, o.apply)
	if err != nil || !o.apply {
		return err
	}
	return a.applyPlan(ctx, conf, record, compiled{})
}

// itemsCalled turns the labels of items, which is what people read, into the
// keys by which changes are known. Other words stay as they are.
func (a *app) itemsCalled(ctx context.Context, run engine.RunRecord, words []string) ([]string, error) {
	if len(words) == 0 {
		return nil, nil
	}
	store, _, err := a.reading() //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }() // it was only read
	past, err := remember(ctx, store, run, true)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, word := range words {
		out = append(out, keysOf(past.items, word)...)
	}
	return out, nil
}

// keysOf are the keys of the items with that label, as they stand in paths;
// else the word itself.
func keysOf(items []engine.ItemRecord, word string) []string {
	var keys []string
	for _, item := range items {
		if strings.EqualFold(item.Label, word) {
			keys = append(keys, strings.TrimSuffix(strings.TrimPrefix(screen.ItemPath(item), item.Path+"["), "]"))
		}
	}
	if keys == nil {
		return []string{word}
	}
	return keys
}

// planUndo plans and shows it; where it is carried out at once, the one JSON
// object is that of the run.
func (a *app) planUndo(ctx context.Context, conf *config.Config, request local.UndoRequest, applied bool) (engine.PlanRecord, error) {
	var record engine.PlanRecord
	err := a.withEngine(ctx, conf, func(ctx context.Context, rt *opened) error {
		a.mentionFreeze(ctx, rt.store)
		var err error
		if record, err = rt.engine.PlanUndo(ctx, request); err != nil {
			return err
		}
		switch {
		case !applied:
			_, err = a.showPlan(ctx, rt, record, a.planAdvice(record))
			return err
		case a.json():
			a.say("applying %s", record.ID)
			return nil
		default:
			_, err = a.showPlan(ctx, rt, record, nil)
			return err
		}
	})
	return record, err
}

// findRun finds a run for a command that opens the engine only afterwards.
func (a *app) findRun(ctx context.Context, argument string) (engine.RunRecord, error) {
	store, driven, err := a.reading() //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return engine.RunRecord{}, err
	}
	if store == nil {
		return engine.RunRecord{}, usage("there is no run %q: nothing was run yet", argument)
	}
	defer func() { _ = store.Close() }() // it was only read
	run, err := resolveRun(ctx, store, argument)
	return seen(run, driven), err
}
