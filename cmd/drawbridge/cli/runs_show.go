package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
)

func (a *app) runsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show RUN",
		Short: "Show a run: its steps, what was planned and what it changed, who approved, and what went wrong",
		Long:  "Shows a run, named by its id, by a beginning of it that no other run has, or as `last`.",
		Example: `  drawbridge runs show last
  drawbridge runs show run_01k8xw -o json`,
		Args: cobra.ExactArgs(1),
		RunE: work(func(ctx context.Context, args []string) error { return a.runsShow(ctx, args[0]) }),
	}
}

func (a *app) runsShow(ctx context.Context, argument string) error {
	store, driven, err := a.reading() //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return err
	}
	if store == nil {
		return usage("there is no run %q: nothing was run yet", argument)
	}
	defer func() { _ = store.Close() }() // it was only read
	run, err := resolveRun(ctx, store, argument)
	if err != nil {
		return err
	}
	run = seen(run, driven)
	past, err := remember(ctx, store, run, a.json())
	if err != nil {
		return err
	}
	if a.json() {
		return a.print(a.documentOfPast(past, true))
	}
	screen.Header(a.stdout, run, a.now(), a.palette)
	screen.Kin(a.stdout, run, past.undoneBy)
	screen.Steps(a.stdout, past.steps, a.palette)
	report := past.report(nil)
	report.Detailed = true
	report.Advice = a.lasting(past)
	if !run.Status.Final() {
		report.Advice = a.advice(past)
	}
	screen.Summary(a.stdout, report, a.palette)
	return nil
}
