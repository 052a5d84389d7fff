package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
)

// signalOptions are the flags of signal.
type signalOptions struct {
	body, id   string
	noContinue bool
}

func (a *app) signalCommand() *cobra.Command {
	var o signalOptions
	cmd := &cobra.Command{
		Use:   "signal RUN NAME",
		Short: "Send a run the signal it waits for, and carry it on",
		Long: `Sends a signal to a run that waits for it at "wait: {signal: NAME}", or will.
What --body says is the step's output "body". A signal sent again with the same
--id is still one signal.`,
		Example: `  drawbridge signal last badge-returned --body '{"by": "the front desk"}'`,
		Args:    cobra.ExactArgs(2),
		RunE:    work(func(ctx context.Context, args []string) error { return a.signal(ctx, args[0], args[1], o) }),
	}
	cmd.Flags().StringVar(&o.body, "body", "null", "what comes with it, as JSON")
	cmd.Flags().StringVar(&o.id, "id", "", "what tells it from other signals to the run; a new id by default")
	cmd.Flags().BoolVar(&o.noContinue, "no-continue", false, "only record it; the run goes on with runs resume, or in drawbridge serve")
	return cmd
}

func (a *app) signal(ctx context.Context, argument, name string, o signalOptions) error {
	if !json.Valid([]byte(o.body)) {
		return usage("--body is no JSON: %s", o.body)
	}
	conf, err := a.config()
	if err != nil {
		return err
	}
	if o.id == "" {
		id, err := ulid.New(ulid.Timestamp(a.now()), rand.Reader)
		if err != nil {
			return fmt.Errorf("making an id: %w", err)
		}
		o.id = "sig_" + strings.ToLower(id.String())
	}
	send := func(ctx context.Context, rt *opened) (string, error) {
		run, err := resolveRun(ctx, rt.store, argument)
		if err != nil {
			return "", err
		}
		err = rt.engine.Signal(ctx, engine.Signal{Run: run.ID, ID: o.id, Name: name, Body: []byte(o.body), By: a.actor()})
		if errors.Is(err, local.ErrSignal) {
			return "", &exitError{code: exitUsage, err: err}
		}
		return run.ID, err
	}
	if !o.noContinue {
		return a.carryOut(ctx, conf, send, onward)
	}
	return a.withEngine(ctx, conf, func(ctx context.Context, rt *opened) error {
		run, err := send(ctx, rt)
		switch {
		case err != nil:
			return err
		case a.json():
			return a.print(map[string]any{"run": run, "id": o.id, "name": name})
		}
		a.say("%s is sent to %s (%s); %s", name, run, o.id, a.next(run))
		return nil
	})
}

// next says who carries a run on that could go on now.
func (a *app) next(run string) string {
	if a.house != nil {
		return "drawbridge serve carries the run on: watch it with " + a.command("runs show "+run)
	}
	return "carry the run on with " + a.command("runs resume "+run)
}
