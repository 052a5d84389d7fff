package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/store/sqlite"
)

// pruneOptions are the flags of db prune.
type pruneOptions struct {
	olderThan string
	keep      int
	maxSize   string
	dryRun    bool
	compact   bool
}

func (a *app) dbPruneCommand() *cobra.Command {
	var o pruneOptions
	cmd := &cobra.Command{
		Use: "prune", Short: "Forget what retention lets go, and give the room back",
		Long: `Removes runs that have ended, by the configuration's "retention:" or by the
flags, whichever is said; plans that nobody applied in time; and values that
nobody refers to any more. What never goes: runs that are not over, what waits
for approval, freezes, changes that a budget still counts, and the audit trail,
which tells of what was removed.

While "drawbridge serve" has the database, it does that by itself every hour;
the command has it done now, by the limits of serve's own configuration.`,
		Example: `  drawbridge db prune --dry-run
  drawbridge db prune --older-than 30d --max-size 500MB`,
		Args: cobra.NoArgs,
		RunE: work(func(ctx context.Context, _ []string) error { return a.dbPrune(ctx, o) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.olderThan, "older-than", "", "runs that ended longer ago go, such as 90d")
	f.IntVar(&o.keep, "keep", 0, "so many runs stay at most, the newest")
	f.StringVar(&o.maxSize, "max-size", "", "how large the database may be, such as 500MB")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would go, and remove nothing")
	f.BoolVar(&o.compact, "compact", false, "then write the whole file anew; it takes as much room again while it lasts")
	return cmd
}

// limits are the configuration's, but for those that are given.
func (o pruneOptions) limits(a *app, conf *config.Config) (engine.Retention, error) {
	r := conf.Retain(a.now(), a.actor())
	r.DryRun = o.dryRun
	var err error
	if o.olderThan != "" {
		if r.Runs, err = engine.ParseDuration(o.olderThan); err != nil || r.Runs <= 0 {
			return r, usage("--older-than: %q is no time that runs could be kept; write 90d", o.olderThan)
		}
	}
	if o.keep < 0 {
		return r, usage("--keep must be at least 1")
	}
	if o.keep > 0 {
		r.Keep = o.keep
	}
	if o.maxSize != "" {
		if r.Bytes, err = config.ParseSize(o.maxSize); err != nil || r.Bytes <= 0 {
			return r, usage("--max-size: %q is no size; write 500MB or 1GB", o.maxSize)
		}
	}
	if o.dryRun && o.compact {
		return r, usage("--dry-run removes nothing, so there is nothing to compact")
	}
	return r, nil
}

func (a *app) dbPrune(ctx context.Context, o pruneOptions) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	limits, err := o.limits(a, conf)
	if err != nil {
		return err
	}
	if a.house != nil {
		return a.pruneThere(ctx, limits, o)
	}
	var pruned engine.Pruned
	err = a.readDatabase(func(*sqlite.Store) error { return nil }) //nolint:contextcheck // opening a database takes no context
	if err != nil && !errors.Is(err, sqlite.ErrOlder) {
		return err
	}
	store, err := sqlite.Open(a.database(conf), sqlite.Options{Mode: sqlite.Engine, Command: "drawbridge " + a.running}) //nolint:contextcheck // it takes no context
	if err != nil {
		return err
	}
	pruned, err = store.Prune(ctx, limits)
	if err == nil && o.compact {
		err = store.Compact(ctx)
	}
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	return a.showPruned(pruned, limits)
}

// pruneThere has the serving process do it. What may go is not for whoever can
// reach its socket to say.
func (a *app) pruneThere(ctx context.Context, limits engine.Retention, o pruneOptions) error {
	if o.olderThan != "" || o.keep != 0 || o.maxSize != "" || o.compact {
		return usage("while drawbridge serve has the database, its own configuration says what may go: leave out --older-than, --keep, --max-size and --compact, or stop it")
	}
	rt, err := a.house.lend()
	if err != nil {
		return err
	}
	pruned, err := rt.store.Prune(ctx, limits)
	if err != nil {
		return err
	}
	return a.showPruned(pruned, limits)
}

func (a *app) showPruned(p engine.Pruned, limits engine.Retention) error {
	if a.json() {
		return a.print(p)
	}
	if limits.DryRun {
		fmt.Fprintf(a.stdout, "would go: about %d runs and %d plans, with everything of them\n", p.Runs, p.Plans)
		return nil
	}
	fmt.Fprintf(a.stdout, "%d runs, %d plans, %d values and %d playbooks' sources went; the database is %s smaller, and has %s\n",
		p.Runs, p.Plans, p.Values, p.Bundles, config.FormatSize(p.Freed), config.FormatSize(p.Bytes))
	if p.Over {
		a.say("%s it is still larger than %s allows: nothing else may go", a.palette.Warn("note:"), config.FormatSize(limits.Bytes))
	}
	return nil
}
