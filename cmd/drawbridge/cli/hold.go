package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/guard"
)

func (a *app) holdCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hold",
		Short: "Hold a target as it is: nothing is taken back, and nothing gives it access",
		Long: `A hold keeps a target as it is until somebody under "people:" in the
configuration releases it: no grant on it ends, no undo takes anything back, and
nothing gives it access. Access can still be taken. It can be set and released
while "drawbridge serve" or a run is at work.`,
		Example: `  drawbridge hold add mara.lindqvist@example.com --reason "evidence is being saved"`,
	}
	cmd.AddCommand(a.holdAddCommand(), a.holdListCommand(), a.holdReleaseCommand())
	return cmd
}

func (a *app) holdAddCommand() *cobra.Command {
	var connection, reason string
	cmd := &cobra.Command{
		Use: "add TARGET", Short: "Hold a target, by its id or e-mail address", Args: cobra.ExactArgs(1),
		Example: `  drawbridge hold add mara.lindqvist@example.com --reason "evidence is being saved"`,
		RunE: work(func(ctx context.Context, args []string) error {
			if err := needsReason(reason); err != nil {
				return err
			}
			return a.holdAdd(ctx, engine.Hold{Target: strings.TrimSpace(args[0]), Connection: connection, Reason: reason})
		}),
	}
	cmd.Flags().StringVar(&connection, "connection", "", "only on this connection; on every one by default")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for everybody whose work it stops")
	return cmd
}

func (a *app) holdAdd(ctx context.Context, h engine.Hold) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	known := func(c engine.ConnectionInfo) bool { return c.Name == h.Connection }
	if h.Target == "" {
		return usage("say which target: its id or e-mail address")
	}
	if h.Connection != "" && !slices.ContainsFunc(conf.Catalog().Connections, known) {
		return usage("the configuration has no connection %q", h.Connection)
	}
	id, err := ulid.New(ulid.Timestamp(a.now()), rand.Reader)
	if err != nil {
		return fmt.Errorf("making an id: %w", err)
	}
	if _, err := a.secrets(ctx, conf); err != nil { // so that no secret gets into the reason
		return err
	}
	h.Target, h.Reason = a.redactor.String(h.Target), a.redactor.String(h.Reason)
	h.ID, h.By, h.At = "hld_"+strings.ToLower(id.String()), a.actor(), a.now().UTC().Truncate(time.Microsecond)
	if err := a.writeHold(ctx, conf, func(context.Context, engine.Store) (engine.Hold, error) { return h, nil }); err != nil {
		return err
	}
	if a.json() {
		return a.print(documentOfHold(h))
	}
	fmt.Fprintf(a.stdout, "%s is held as it is (%s): %s\nrelease it with %s\n", screen.Clean(h.Target, 100), h.ID, screen.Clean(h.Reason, 300),
		a.command("hold release "+h.ID+" --reason REASON"))
	return nil
}

// writeHold writes a hold beside whatever engine has the database open.
func (a *app) writeHold(ctx context.Context, conf *config.Config, hold func(context.Context, engine.Store) (engine.Hold, error)) error {
	store, err := a.beside(conf) //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return err
	}
	h, err := hold(ctx, store)
	if err == nil {
		entry := engine.AuditHold(h)
		if h.ReleasedAt != nil {
			entry = engine.AuditRelease(h)
		}
		err = store.Commit(ctx, engine.Batch{Holds: []engine.Hold{h}, Audit: []engine.AuditEntry{entry}})
	}
	return errors.Join(err, store.Close())
}

func (a *app) holdReleaseCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "release HOLD", Short: "Release a held target", Args: cobra.ExactArgs(1),
		Example: `  drawbridge hold release hld_01k8xw --reason "the evidence is saved"`,
		RunE: work(func(ctx context.Context, args []string) error {
			if err := needsReason(reason); err != nil {
				return err
			}
			return a.holdRelease(ctx, args[0], reason)
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the history")
	return cmd
}

func (a *app) holdRelease(ctx context.Context, argument, reason string) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	if _, err := a.secrets(ctx, conf); err != nil { // so that no secret gets into the reason
		return err
	}
	me := a.actor()
	if _, known := guard.People(conf.People).Resolve(me.Name); !known {
		return fmt.Errorf("%q is nobody under `people:` in the configuration, and cannot release a hold", me.Name)
	}
	var h engine.Hold
	err = a.writeHold(ctx, conf, func(ctx context.Context, store engine.Store) (engine.Hold, error) {
		if h, err = resolveHold(ctx, store, argument); err != nil {
			return h, err
		}
		now := a.now().UTC().Truncate(time.Microsecond)
		h.ReleasedBy, h.ReleaseReason, h.ReleasedAt = &me, a.redactor.String(reason), &now
		return h, nil
	})
	switch {
	case err != nil:
		return err
	case a.json():
		return a.print(documentOfHold(h))
	}
	fmt.Fprintf(a.stdout, "%s is released; it was held by %s for %s: %s\n", screen.Clean(h.Target, 100), screen.Clean(h.By.Name, 60),
		screen.Took(h.ReleasedAt.Sub(h.At)), screen.Clean(h.Reason, 300))
	return nil
}

func resolveHold(ctx context.Context, store engine.Store, argument string) (engine.Hold, error) {
	holding, err := store.Holds(ctx, false)
	if err != nil {
		return engine.Hold{}, fmt.Errorf("reading the holds: %w", err)
	}
	all := func(yield func(engine.Hold, error) bool) {
		for _, h := range holding {
			if !yield(h, nil) {
				return
			}
		}
	}
	return chosen(all, func(h engine.Hold) string { return h.ID }, "hold", argument)
}

func (a *app) holdListCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "list", Short: "List what is held, the newest first", Args: cobra.NoArgs,
		RunE: work(func(ctx context.Context, _ []string) error { return a.holdList(ctx, all) }),
	}
	cmd.Flags().BoolVar(&all, "all", false, "also what was released")
	return cmd
}

func (a *app) holdList(ctx context.Context, all bool) error {
	store, _, err := a.reading() //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return err
	}
	var found []engine.Hold
	if store != nil {
		defer func() { _ = store.Close() }() // it was only read
		if found, err = store.Holds(ctx, all); err != nil {
			return fmt.Errorf("reading the holds: %w", err)
		}
	}
	if a.json() {
		return a.print(map[string]any{"holds": documentsOf(found, documentOfHold)})
	}
	rows := [][]string{}
	for _, h := range found {
		released := ""
		if h.ReleasedAt != nil {
			released = h.ReleasedAt.UTC().Format(time.DateTime)
		}
		rows = append(rows, []string{h.ID, h.Target, orElse(h.Connection, "every connection"), h.At.UTC().Format(time.DateTime), h.By.Name, h.Reason, released})
	}
	return a.table([]string{"HOLD", "TARGET", "ON", "SINCE (UTC)", "BY", "REASON", "RELEASED (UTC)"}, rows, "nothing is held")
}

// holdDocument is a hold as -o json prints it.
type holdDocument struct {
	ID            string        `json:"id"`
	Connection    string        `json:"connection"` // "" for every one
	Target        string        `json:"target"`
	Reason        string        `json:"reason"`
	By            engine.Actor  `json:"by"`
	At            string        `json:"at"`
	ReleasedBy    *engine.Actor `json:"released_by"`
	ReleaseReason string        `json:"release_reason"`
	ReleasedAt    *string       `json:"released_at"`
}

func documentOfHold(h engine.Hold) holdDocument {
	return holdDocument{
		ID: h.ID, Connection: h.Connection, Target: h.Target, Reason: h.Reason, By: h.By, At: stamp(h.At),
		ReleasedBy: h.ReleasedBy, ReleaseReason: h.ReleaseReason, ReleasedAt: stampOf(h.ReleasedAt),
	}
}
