package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/store/sqlite"
)

func (a *app) runsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "runs", Short: "What was run, what it changed, and what is unfinished"}
	cmd.AddCommand(a.runsListCommand(), a.runsShowCommand(), a.runsResumeCommand(), a.runsCancelCommand())
	return cmd
}

// seen is a run as it really stands: one that is recorded as running, although
// no engine has the database open, was left behind.
func seen(r engine.RunRecord, driven bool) engine.RunRecord {
	if !driven && (r.Status == engine.RunRunning || r.Status == engine.RunQueued) {
		r.Status = engine.RunInterrupted
	}
	return r
}

// driven reports whether some engine has the database open.
func (a *app) driven(conf *config.Config) (bool, error) {
	if a.house != nil {
		return true, nil
	}
	_, locked, err := sqlite.Locked(a.database(conf))
	return locked, err
}

// reading opens the history for a command that only reads. Without a database
// there is no history yet, which is no error: the store is nil then.
func (a *app) reading() (engine.Store, bool, error) {
	conf, err := a.config()
	if err != nil {
		return nil, false, err
	}
	driven, err := a.driven(conf)
	if err != nil {
		return nil, false, err
	}
	store, err := a.history(conf)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, false, nil
	}
	return store, driven, err
}

func beginningWith(runs []engine.RunRecord, prefix string) []engine.RunRecord {
	prefix = strings.TrimPrefix(strings.ToLower(prefix), "run_")
	return slices.DeleteFunc(slices.Clone(runs), func(r engine.RunRecord) bool {
		return prefix == "" || !strings.HasPrefix(strings.TrimPrefix(r.ID, "run_"), prefix)
	})
}

func only(found []engine.RunRecord, argument string) (engine.RunRecord, error) {
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return engine.RunRecord{}, usage("there is no run %q", argument)
	default:
		return engine.RunRecord{}, usage("%d runs begin with %q: write more of the id", len(found), argument)
	}
}

func (a *app) runsResumeCommand() *cobra.Command {
	var failed bool
	cmd := &cobra.Command{
		Use: "resume [RUN]", Short: "Continue an unfinished run; without an id, the only one there is",
		Long: `Continues an unfinished run from where it stands; nothing is done twice.
Whoever continues a run has a hand in it, and cannot approve it from then on.

With --failed it begins a new run out of one that is over: it repeats what
failed, was not settled or had drifted, takes everything else over as it was,
and tells nobody twice.`,
		Example: "  drawbridge runs resume\n  drawbridge runs resume --failed last",
		Args:    cobra.MaximumNArgs(1),
		RunE: work(func(ctx context.Context, args []string) error {
			if failed {
				return a.retry(ctx, args)
			}
			return a.continueRun(ctx, args, a.resumed)
		}),
	}
	cmd.Flags().BoolVar(&failed, "failed", false, "repeat what failed in a run that is over")
	return cmd
}

// resumed carries a run on for whoever types the command, who may not approve
// it from then on.
func (a *app) resumed(ctx context.Context, rt *opened, id string) (engine.RunRecord, error) {
	return rt.engine.Resume(ctx, id, a.actor())
}

// retry carries out a new run that repeats what failed in another.
func (a *app) retry(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usage("say which run: runs resume --failed RUN")
	}
	conf, err := a.config()
	if err != nil {
		return err
	}
	return a.carryOut(ctx, conf, func(ctx context.Context, rt *opened) (string, error) {
		run, err := resolveRun(ctx, rt.store, args[0])
		if err != nil {
			return "", err
		}
		a.reportLeftovers(ctx, rt, run.ID)
		a.mentionFreeze(ctx, rt.store)
		return rt.engine.Retry(ctx, run.ID, a.actor())
	}, onward)
}

func (a *app) runsCancelCommand() *cobra.Command {
	return &cobra.Command{
		Use: "cancel [RUN]", Short: "End an unfinished run: open steps are stopped, `finally` blocks run",
		Args: cobra.MaximumNArgs(1),
		RunE: work(func(ctx context.Context, args []string) error {
			return a.continueRun(ctx, args, func(ctx context.Context, rt *opened, id string) (engine.RunRecord, error) {
				return rt.engine.Cancel(ctx, id, "cancelled by "+a.actor().Name)
			})
		}),
	}
}

// continueRun carries an unfinished run on, the way the command wants.
func (a *app) continueRun(ctx context.Context, args []string, way driver) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	return a.carryOut(ctx, conf, func(ctx context.Context, rt *opened) (string, error) {
		return a.chooseRun(ctx, rt, args)
	}, way)
}

func (a *app) chooseRun(ctx context.Context, rt *opened, args []string) (string, error) {
	if len(args) == 0 {
		return a.chooseLeftover(ctx, rt)
	}
	run, err := resolveRun(ctx, rt.store, args[0])
	if err != nil {
		return "", err
	}
	if run.Status.Final() {
		return "", usage("%s is over: %s", run.ID, run.Status)
	}
	a.reportLeftovers(ctx, rt, run.ID)
	return run.ID, nil
}
