package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/steps/message"
)

func (a *app) grantsExtendCommand() *cobra.Command {
	var longer, reason string
	cmd := &cobra.Command{
		Use: "extend GRANT", Short: "Let a grant last longer, up to the max: of its playbook", Args: cobra.ExactArgs(1),
		Example: `  drawbridge grants extend gnt_01k8xw --for 2h --reason "the repair takes longer"`,
		RunE: work(func(ctx context.Context, args []string) error {
			by, err := engine.ParseDuration(longer)
			if err != nil || by <= 0 {
				return usage("say how much longer: --for 2h")
			}
			return a.changeGrant(ctx, args[0], reason, func(ctx context.Context, e *local.Engine, g engine.Grant) (engine.Grant, error) {
				return e.ExtendGrant(ctx, g.ID, g.EndsAt.Add(by), a.actor(), reason)
			})
		}),
	}
	cmd.Flags().StringVar(&longer, "for", "", "how much longer than until now, such as 2h")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the history")
	return cmd
}

func (a *app) grantsEndCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "end GRANT", Short: "End a grant now: what it changed is taken back", Args: cobra.ExactArgs(1),
		Example: `  drawbridge grants end gnt_01k8xw --reason "the repair is done"`,
		RunE: work(func(ctx context.Context, args []string) error {
			return a.changeGrant(ctx, args[0], reason, func(ctx context.Context, e *local.Engine, g engine.Grant) (engine.Grant, error) {
				return e.EndGrant(ctx, g.ID, a.actor(), reason)
			})
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the history")
	return cmd
}

// changeGrant changes a grant by hand and shows how it is then. Where its change
// could not be taken back now, the exit code says so.
func (a *app) changeGrant(ctx context.Context, argument, reason string, change func(context.Context, *local.Engine, engine.Grant) (engine.Grant, error)) error {
	if err := needsReason(reason); err != nil {
		return err
	}
	conf, err := a.config()
	if err != nil {
		return err
	}
	return a.withEngine(ctx, conf, func(ctx context.Context, rt *opened) error {
		g, err := resolveGrant(ctx, rt.store, argument)
		if err != nil {
			return err
		}
		g, err = change(ctx, rt.engine, g)
		if errors.Is(err, local.ErrGrant) {
			return &exitError{code: exitFailed, err: err}
		}
		if err != nil {
			return err
		}
		if err := a.printGrant(g); err != nil {
			return err
		}
		if g.Error != nil && !g.State.Final() {
			return quit(exitFailed)
		}
		return nil
	})
}

// sayOfGrant says what has become of the grant that a decision was about. Its
// run is over, or goes on without it.
func (a *app) sayOfGrant(ctx context.Context, one asked) error {
	store, _, err := a.reading() //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return err
	}
	if store == nil {
		return fmt.Errorf("reading what has become of the grant: %w", engine.ErrNotFound)
	}
	defer func() { _ = store.Close() }() // it was only read
	a.say("%s is %s", one.ID, one.Status)
	for g, err := range grants(ctx, store, engine.GrantQuery{Run: one.Run}) {
		if err != nil {
			return fmt.Errorf("reading what has become of the grant: %w", err)
		}
		if g.Approval != one.ID {
			continue
		}
		if err := a.printGrant(g); err != nil {
			return err
		}
		if g.Error != nil && !g.State.Final() { // approved, and tried again
			return quit(exitFailed)
		}
	}
	return nil
}

// sweep ends the grants that are due before an engine's command does its own
// work. That some could not be ended keeps nothing from being done.
func (a *app) sweep(ctx context.Context, rt *opened) {
	swept, err := rt.engine.Sweep(ctx)
	rt.swept, rt.unswept = sweptGrants(swept), err
	if err != nil && !errors.Is(err, context.Canceled) && a.running != sweeping { // which says it as its answer
		a.log.Warn("ending the grants that are due", "error", err)
	}
	if a.running != sweeping {
		a.tellSwept(a.stderr, rt.swept)
	}
	a.notifySwept(ctx, rt)
}

// notifySwept tells the connection under `notify:` of grants that end soon, and
// of those that have become overdue.
func (a *app) notifySwept(ctx context.Context, rt *opened) {
	notices := local.Swept(rt.swept).Notices(a.now())
	if len(notices) == 0 || rt.notify == "" {
		return
	}
	var t text
	key := []string{"grants"}
	t.own("Drawbridge:")
	for i, n := range notices {
		key = append(key, fmt.Sprintf("%s-%s-%d", n.Kind, n.Grant.ID, n.Grant.EndsAt.Unix()))
		if i < mostTold {
			t.own("\n• ").foreign(n.Text)
		}
	}
	if more := len(notices) - mostTold; more > 0 {
		t.own(fmt.Sprintf("\n… and %d more: %s", more, a.command("grants list")))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), notifyTimeout)
	defer cancel()
	if err := send(ctx, rt.connections, rt.notify, message.Message{Text: engine.Text(t), Key: strings.Join(key, "/")}); err != nil {
		a.say("%s %q was not told of grants that end soon or are overdue: %v", a.palette.Warn("note:"), rt.notify, err)
	}
}

// tellSwept says what a sweep has done.
func (a *app) tellSwept(w io.Writer, s sweptGrants) {
	for _, n := range local.Swept(s).Notices(a.now()) {
		fmt.Fprintf(w, "%s %s\n", a.palette.Warn("note:"), screen.Clean(n.Text, 600))
	}
	for _, g := range s.Ended {
		fmt.Fprintf(w, "%s of %s has ended (%s): %s\n", g.Action, targetOf(g), g.ID, screen.Clean(g.Reason, 300))
	}
	for _, g := range s.Kept {
		fmt.Fprintf(w, "%s of %s stays (%s): %s\n", g.Action, targetOf(g), g.ID, screen.Clean(g.Reason, 300))
	}
	for _, g := range s.Asked {
		fmt.Fprintf(w, "%s of %s was for a time that is up (%s); say what shall become of it: %s\n", g.Action, targetOf(g), g.ID, a.command("approvals show "+g.Approval))
	}
	for _, g := range s.Held {
		fmt.Fprintf(w, "%s of %s is kept beyond its time (%s): %s\n", g.Action, targetOf(g), g.ID, screen.Clean(g.Error.Message, 300))
	}
	for _, g := range s.Failed {
		word := "not yet:"
		if g.Overdue(a.now()) {
			word = "OVERDUE:"
		}
		fmt.Fprintf(w, "%s %s of %s could not be ended (%s): %s\n", a.palette.Bad(word), g.Action, targetOf(g), g.ID, screen.Clean(g.Error.Message, 300))
	}
}

// sweeping is the command that only sweeps.
const sweeping = "grants sweep"

// sweptGrants is what the sweep at the start of a command has done.
type sweptGrants local.Swept

func (s sweptGrants) none() bool {
	return len(s.Warned)+len(s.Ended)+len(s.Asked)+len(s.Kept)+len(s.Failed)+len(s.Held) == 0
}

func (a *app) documentOfSwept(rt *opened) map[string]any {
	return map[string]any{
		"ended": documentsOf(rt.swept.Ended, a.documentOfGrant), "asked": documentsOf(rt.swept.Asked, a.documentOfGrant),
		"kept": documentsOf(rt.swept.Kept, a.documentOfGrant), "held": documentsOf(rt.swept.Held, a.documentOfGrant),
		"failed": documentsOf(rt.swept.Failed, a.documentOfGrant), "warned": documentsOf(rt.swept.Warned, a.documentOfGrant),
		"overdue": documentsOf(rt.swept.Overdue, a.documentOfGrant),
	}
}

// lasting says of each grant of a run that lives when it is due, and that
// somebody has to end it then.
func (a *app) lasting(p *past) []string {
	var lines []string
	for _, g := range p.grants {
		if !g.State.Final() {
			lines = append(lines, fmt.Sprintf("%s of %s lasts until %s (%s): then %s", g.Action, targetOf(g), g.EndsAt.UTC().Format(time.RFC3339), g.ID, atEnd(g.AtEnd)))
		}
	}
	if len(lines) > 0 && a.house == nil { // a server does that by itself
		lines = append(lines, "for that `drawbridge serve` must run, or then: "+a.command("grants sweep"))
	}
	return lines
}

// readGrants reads the grants of a run.
func (p *past) readGrants(ctx context.Context, store engine.Store) error {
	for g, err := range grants(ctx, store, engine.GrantQuery{Run: p.run.ID}) {
		if err != nil {
			return fmt.Errorf("reading the grants of %s: %w", p.run.ID, err)
		}
		p.grants = append(p.grants, g)
	}
	return nil
}

// documentOfPast is a run with its history, as -o json prints it.
func (a *app) documentOfPast(p *past, withSteps bool) runDocument {
	doc := p.document(withSteps)
	doc.Grants = documentsOf(p.grants, a.documentOfGrant)
	return doc
}
