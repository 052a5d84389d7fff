package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

func (a *app) schedulesPauseCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "pause PLAYBOOK[#N]", Short: "Keep schedules from firing until they are resumed", Args: cobra.ExactArgs(1),
		Long: `Pauses all schedules of a playbook, or the one at a place as "schedules list"
shows it. Runs under way go on, and webhooks still start the playbook.`,
		Example: `  drawbridge schedules pause sweep-dormant-users --reason "the directory moves"
  drawbridge schedules pause sweep-dormant-users#1 --reason "too often"`,
		RunE: work(func(ctx context.Context, args []string) error {
			if err := needsReason(reason); err != nil {
				return err
			}
			return a.changeSchedules(ctx, args[0], func(ctx context.Context, e *local.Engine, p place) (engine.ScheduleState, error) {
				return e.PauseSchedule(ctx, p.active, p.index, a.actor(), reason)
			})
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for everybody who waits for it")
	return cmd
}

func (a *app) schedulesResumeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "resume PLAYBOOK[#N]", Short: "Let paused schedules fire again", Args: cobra.ExactArgs(1),
		Long: `Lets all schedules of a playbook fire again, or the one at a place. The fire
times of the pause were missed; "missed" in the playbook says what is made up for.`,
		RunE: work(func(ctx context.Context, args []string) error {
			return a.changeSchedules(ctx, args[0], func(ctx context.Context, e *local.Engine, p place) (engine.ScheduleState, error) {
				return e.ResumeSchedule(ctx, p.active, p.index, a.actor())
			})
		}),
	}
}

// changeSchedules changes the schedules that an argument means, and shows how
// they are then.
func (a *app) changeSchedules(ctx context.Context, argument string, change func(context.Context, *local.Engine, place) (engine.ScheduleState, error)) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	all, err := a.places(conf)
	if err != nil {
		return err
	}
	found, err := find(all, argument)
	if err != nil {
		return err
	}
	return a.withEngine(ctx, conf, func(ctx context.Context, rt *opened) error {
		docs := []scheduleDocument{}
		for _, p := range found {
			state, err := change(ctx, rt.engine, p)
			if err != nil {
				return err
			}
			doc, err := a.documentOfSchedule(p, state)
			if err != nil {
				return err
			}
			docs = append(docs, doc)
		}
		if a.json() {
			return a.print(map[string]any{"schedules": docs})
		}
		for _, d := range docs {
			a.showChanged(d)
		}
		return nil
	})
}

func (a *app) showChanged(d scheduleDocument) {
	series := local.Series(d.Playbook, d.Trigger)
	switch {
	case d.Paused != nil:
		fmt.Fprintf(a.stdout, "%s is paused since %s by %s: %s\nresume it with %s\n", series, d.Paused.At,
			screen.Clean(d.Paused.By, 60), screen.Clean(d.Paused.Reason, 300), a.command("schedules resume "+series))
	case d.Next != nil:
		fmt.Fprintf(a.stdout, "%s is not paused; it fires next at %s\n", series, d.next.Format("2006-01-02 15:04:05 -07:00"))
	default:
		fmt.Fprintf(a.stdout, "%s is not paused; it does not fire any more\n", series)
	}
}

func (a *app) schedulesTriggerCommand() *cobra.Command {
	return &cobra.Command{
		Use: "trigger PLAYBOOK[#N]", Short: "Start the run of a schedule now, as if it had fired", Args: cobra.ExactArgs(1),
		Long: `Starts a playbook with the inputs that its schedule gives it, whatever else is
under way and also while the schedule is paused, and carries it out like
"drawbridge run". Whoever triggers it has started it, and may not approve it.
The schedule's own fire times stay as they are.`,
		RunE: work(func(ctx context.Context, args []string) error { return a.schedulesTrigger(ctx, args[0]) }),
	}
}

func (a *app) schedulesTrigger(ctx context.Context, argument string) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	all, err := a.places(conf)
	if err != nil {
		return err
	}
	found, err := find(all, argument)
	switch {
	case err != nil:
		return err
	case len(found) > 1:
		return usage("%s has %d schedules: say which of %s", argument, len(found), seriesOf(found))
	}
	return a.carryOut(ctx, conf, func(ctx context.Context, rt *opened) (string, error) {
		a.mentionFreeze(ctx, rt.store)
		return rt.engine.Trigger(ctx, found[0].active, found[0].index, a.actor())
	}, onward)
}
