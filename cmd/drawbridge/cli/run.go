package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

// runOptions are the flags of run.
type runOptions struct {
	inputs     []string
	maxChanges int64
	limited    bool // --max-changes was given
}

func (a *app) runCommand() *cobra.Command {
	var o runOptions
	var cmd *cobra.Command
	cmd = &cobra.Command{
		Use:   "run PLAYBOOK",
		Short: "Run a playbook",
		Long: `Runs a playbook: a path, or a name in the configuration's folders. It looks
ahead, holds what would be changed against the limits before the first change,
asks where approval is needed (exit code 3 until people have decided), and then
does exactly that. Ctrl-C lets what is under way finish and leaves a run that
"drawbridge runs resume" continues; a second Ctrl-C ends at once, and the run
can be resumed all the same.`,
		Example: "  drawbridge run contain-suspicious-users -i window=48h --max-changes 3",
		Args:    cobra.ExactArgs(1),
		RunE: work(func(ctx context.Context, args []string) error {
			o.limited = cmd.Flags().Changed("max-changes")
			return a.run(ctx, args[0], o)
		}),
	}
	cmd.Flags().StringArrayVarP(&o.inputs, "input", "i", nil, "an input, as name=value; lists as a,b or JSON")
	cmd.Flags().Int64Var(&o.maxChanges, "max-changes", 0, "change at most this many targets; it can only lower the limit")
	return cmd
}

func (a *app) run(ctx context.Context, argument string, o runOptions) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	request, err := a.request(conf, argument, o)
	if err != nil {
		return err
	}
	return a.carryOut(ctx, conf, func(ctx context.Context, rt *opened) (string, error) {
		a.reportLeftovers(ctx, rt, "")
		a.mentionFreeze(ctx, rt.store)
		return rt.engine.Start(ctx, request)
	}, onward)
}

// request reads what run and plan take: a playbook, its inputs and a cap.
func (a *app) request(conf *config.Config, argument string, o runOptions) (local.StartRequest, error) {
	playbook, err := a.compile(conf, argument)
	if err != nil {
		return local.StartRequest{}, err
	}
	inputs, err := readInputs(playbook.program.Inputs, o.inputs)
	if err != nil {
		return local.StartRequest{}, err
	}
	var limit *int64
	if o.limited {
		limit = &o.maxChanges
	}
	return local.StartRequest{
		Program: playbook.program, Bundle: playbook.bundle, Source: playbook.source, Inputs: inputs, MaxChanges: limit, Actor: a.actor(),
	}, nil
}

// beginner chooses or makes the run to be carried out.
type beginner func(context.Context, *opened) (id string, err error)

// driver carries a run out.
type driver func(ctx context.Context, rt *opened, id string) (engine.RunRecord, error)

// onward carries a run out from where it stands.
func onward(ctx context.Context, rt *opened, id string) (engine.RunRecord, error) {
	return rt.engine.Drive(ctx, id)
}

// carryOut starts an engine, lets begin choose or make the run, and shows and
// reports it to its end.
func (a *app) carryOut(ctx context.Context, conf *config.Config, begin beginner, way driver) error {
	return a.perform(ctx, conf, errand{begin: begin, way: way})
}

// errand is a run to be carried out, and what is still to be done with the
// engine when it was.
type errand struct {
	begin beginner
	way   driver
	after func(ctx context.Context, rt *opened, run engine.RunRecord) // nil for nothing
}

func (a *app) perform(ctx context.Context, conf *config.Config, e errand) error {
	if a.house != nil {
		return a.performThere(ctx, e)
	}
	f := a.newFollower()
	defer f.close()
	rt, err := a.start(ctx, conf, f.messages(), f.watch)
	if err != nil {
		return err
	}
	ctx, stop := a.interruptible(ctx, f)
	defer stop()
	record, err := a.drive(ctx, rt, e.begin, e.way)
	f.close()
	if err == nil {
		err = a.conclude(context.WithoutCancel(ctx), rt, record)
		if e.after != nil {
			e.after(ctx, rt, record)
		}
	}
	return errors.Join(err, rt.close())
}

// withEngine starts an engine for work that shows nothing while it lasts. The
// first Ctrl-C asks it to stop, the second one ends the process.
func (a *app) withEngine(ctx context.Context, conf *config.Config, work func(context.Context, *opened) error) error {
	rt, err := a.start(ctx, conf, a.stderr, func(local.Progress) {})
	if err != nil {
		return err
	}
	if a.house != nil {
		return asUsage(work(ctx, rt))
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	return errors.Join(asUsage(work(ctx, rt)), rt.close())
}

func (rt *opened) close() error {
	rt.throttles.Close()
	if err := rt.store.Close(); err != nil {
		return fmt.Errorf("closing the database: %w", err)
	}
	return nil
}

func (a *app) drive(ctx context.Context, rt *opened, begin beginner, way driver) (engine.RunRecord, error) {
	id, err := begin(ctx, rt)
	if err != nil {
		return engine.RunRecord{}, asUsage(err)
	}
	record, err := way(ctx, rt, id)
	if err != nil {
		return record, fmt.Errorf("%w\nnothing is lost: continue with %s", err, a.command("runs resume "+id))
	}
	return record, nil
}

// asUsage gives errors that stand before a run the code for wrong usage.
func asUsage(err error) error {
	var exit *exitError
	if err == nil || errors.As(err, &exit) {
		return err
	}
	early := []error{
		&engine.Failure{Class: engine.ClassInvalid}, local.ErrUnavailable, local.ErrInputs, guard.ErrSetting,
		local.ErrPlan, local.ErrUndo, local.ErrRetry,
	}
	if slices.ContainsFunc(early, func(e error) bool { return errors.Is(err, e) }) {
		return &exitError{code: exitUsage, err: err}
	}
	return err
}

// command is a command line of this program that speaks of the same
// configuration and database.
func (a *app) command(words string) string {
	line := calledAs() + " " + words
	if a.configPath != "" {
		line += " --config " + quoted(a.configPath)
	}
	if a.dbPath != "" {
		line += " --db " + quoted(a.dbPath)
	}
	return line
}

// calledAs is how this program was called: whoever has only just cloned the
// repository has no drawbridge on the path yet.
func calledAs() string {
	if self, err := os.Executable(); err == nil && strings.Contains(self, "go-build") && filepath.Base(filepath.Dir(self)) == "exe" {
		return "go run ./cmd/drawbridge"
	}
	return "drawbridge"
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	if strings.ContainsAny(word, " \t\n'\"\\$&|;<>()*?[]#~`!") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}
