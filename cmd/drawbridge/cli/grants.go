package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
)

func (a *app) grantsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "grants",
		Short: "Changes for a time: until when access is given or taken, and ending that early",
		Long: `A step with "for:" changes something for a time; the record of it is a grant.
Access it gave is taken back at its time, whatever became of its run; about
access it took, people are asked unless the playbook says otherwise. Something
must be there to do that: "drawbridge serve", or "drawbridge grants sweep" from
cron; every command that carries out runs does it first, too.`,
		Example: `  drawbridge grants list
  drawbridge grants extend gnt_01k8xw --for 2h --reason "the repair takes longer"`,
	}
	cmd.AddCommand(a.grantsListCommand(), a.grantsShowCommand(), a.grantsExtendCommand(), a.grantsEndCommand(), a.grantsSweepCommand())
	return cmd
}

// liveStates are those in which something is still to happen.
func liveStates() []engine.GrantState {
	return []engine.GrantState{engine.GrantArmed, engine.GrantActive, engine.GrantAsking}
}

func (a *app) grantsListCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the grants that are not over, the next to end first", Args: cobra.NoArgs,
		Example: "  drawbridge grants list\n  drawbridge grants list --all",
		RunE:    work(func(ctx context.Context, _ []string) error { return a.grantsList(ctx, all) }),
	}
	cmd.Flags().BoolVar(&all, "all", false, "also those that are over")
	return cmd
}

func (a *app) grantsList(ctx context.Context, all bool) error {
	store, _, err := a.reading() //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return err
	}
	var found []engine.Grant
	if store != nil {
		defer func() { _ = store.Close() }() // it was only read
		q := engine.GrantQuery{States: liveStates()}
		if all {
			q.States = nil
		}
		for g, err := range grants(ctx, store, q) {
			if err != nil {
				return fmt.Errorf("listing grants: %w", err)
			}
			found = append(found, g)
		}
	}
	if a.json() {
		return a.print(map[string]any{"grants": documentsOf(found, a.documentOfGrant)})
	}
	rows := [][]string{}
	for _, g := range found {
		rows = append(rows, []string{
			g.ID, targetOf(g), g.Action, g.Run, g.CreatedAt.UTC().Format(time.DateTime), g.EndsAt.UTC().Format(time.DateTime), a.endsIn(g), a.stateOf(g),
		})
	}
	return a.table([]string{"GRANT", "TARGET", "ACTION", "RUN", "SINCE (UTC)", "ENDS (UTC)", "IN", "STATE"}, rows, "no grant lives")
}

// grants pages through those a query selects.
func grants(ctx context.Context, store engine.Store, q engine.GrantQuery) iter.Seq2[engine.Grant, error] {
	return every(func(after string) ([]engine.Grant, error) {
		q.After, q.Limit = after, pageSize
		return store.Grants(ctx, q)
	}, grantID)
}

func grantID(g engine.Grant) string { return g.ID }

// resolveGrant finds the grant that an argument means: an id, or the beginning of one.
func resolveGrant(ctx context.Context, store engine.Store, argument string) (engine.Grant, error) {
	return chosen(grants(ctx, store, engine.GrantQuery{}), grantID, "grant", argument)
}

func targetOf(g engine.Grant) string { return nameAndID(g.Target) }

// nameAndID is a target as people read it.
func nameAndID(t engine.Target) string {
	if t.Name == "" || t.Name == t.ID {
		return screen.Clean(t.ID, 60)
	}
	return screen.Clean(t.Name, 40) + " (" + screen.Clean(t.ID, 60) + ")"
}

// endsIn is how long a grant still lasts; "" for one that is over.
func (a *app) endsIn(g engine.Grant) string {
	switch {
	case g.State.Final():
		return ""
	case g.EndsAt.After(a.now()):
		return screen.Took(g.EndsAt.Sub(a.now()))
	default:
		return "due"
	}
}

// stateOf is the state, marked where the end is overdue or held back.
func (a *app) stateOf(g engine.Grant) string {
	switch {
	case !g.State.Final() && g.Error != nil && g.Error.Code == engine.CodeHeld:
		return string(g.State) + ", held"
	case g.Overdue(a.now()) && g.Tries > 0:
		return fmt.Sprintf("%s, OVERDUE after %s", g.State, plural(g.Tries, "try", "tries"))
	case g.Overdue(a.now()):
		return string(g.State) + ", OVERDUE"
	default:
		return string(g.State)
	}
}

// grantDocument is a grant as -o json prints it.
type grantDocument struct {
	ID         string            `json:"id"`
	Run        string            `json:"run"`
	Path       string            `json:"path"`
	Playbook   string            `json:"playbook"`
	Action     string            `json:"action"`
	Access     engine.Access     `json:"access"`
	AtEnd      string            `json:"at_end"`
	Connection string            `json:"connection"`
	Target     engine.Target     `json:"target"`
	Before     json.RawMessage   `json:"before"` // what it goes back to
	After      json.RawMessage   `json:"after"`
	State      engine.GrantState `json:"state"`
	Overdue    bool              `json:"overdue"`
	CreatedAt  string            `json:"created_at"`
	StartedAt  *string           `json:"started_at"` // null while the change is not known to be made
	EndsAt     string            `json:"ends_at"`
	NextTry    string            `json:"next_try"`
	Lasts      string            `json:"lasts"` // as the playbook says
	Max        *string           `json:"max"`   // how long it may last in all; null: as long as people say
	Warn       *string           `json:"warn"`  // how long before its end people are told; null: they are not
	WarnedAt   *string           `json:"warned_at"`
	AlarmedAt  *string           `json:"alarmed_at"`
	Tries      int               `json:"tries"`
	Error      *failureDocument  `json:"error"` // of the last try
	Approval   string            `json:"approval"`
	EndedAt    *string           `json:"ended_at"`
	EndedBy    string            `json:"ended_by"` // who ended or extended it by hand
	Reason     string            `json:"reason"`
}

func (a *app) documentOfGrant(g engine.Grant) grantDocument {
	return grantDocument{
		ID: g.ID, Run: g.Run, Path: g.Path, Playbook: g.Playbook, Action: g.Action, Access: g.Access, AtEnd: g.AtEnd,
		Connection: g.Connection, Target: g.Target, Before: orNull(g.Before), After: orNull(g.After), State: g.State, Overdue: g.Overdue(a.now()),
		CreatedAt: stamp(g.CreatedAt), StartedAt: stampOf(g.StartedAt), EndsAt: stamp(g.EndsAt), NextTry: stamp(g.NextTry), Tries: g.Tries,
		Lasts: engine.FormatDuration(g.Lasts), Max: spanOf(g.Most), Warn: spanOf(g.Warn), WarnedAt: stampOf(g.WarnedAt), AlarmedAt: stampOf(g.AlarmedAt),
		Error: documentOfFailure(g.Error), Approval: g.Approval, EndedAt: stampOf(g.EndedAt), EndedBy: g.EndedBy, Reason: g.Reason,
	}
}

// spanOf is a duration; null where it is none.
func spanOf(d time.Duration) *string {
	if d <= 0 {
		return nil
	}
	text := engine.FormatDuration(d)
	return &text
}

func (a *app) grantsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show GRANT", Short: "Show a grant: what it changed, until when, and what became of it", Args: cobra.ExactArgs(1),
		Example: "  drawbridge grants show gnt_01k8xw",
		RunE:    work(func(ctx context.Context, args []string) error { return a.grantsShow(ctx, args[0]) }),
	}
}

func (a *app) grantsShow(ctx context.Context, argument string) error {
	store, _, err := a.reading() //nolint:contextcheck // opening a database takes no context
	if err != nil {
		return err
	}
	if store == nil {
		return usage("there is no grant %q: nothing was run yet", argument)
	}
	defer func() { _ = store.Close() }() // it was only read
	g, err := resolveGrant(ctx, store, argument)
	if err != nil {
		return err
	}
	return a.printGrant(g)
}

func (a *app) printGrant(g engine.Grant) error {
	if a.json() {
		return a.print(a.documentOfGrant(g))
	}
	w := a.stdout
	fmt.Fprintf(w, "%s  %s of %s  %s\n", a.palette.Bold(g.ID), g.Action, targetOf(g), a.stateOf(g))
	fmt.Fprintf(w, "from %s at %s of %s, through %s\n", g.Run, screen.Clean(g.Path, 100), screen.Clean(g.Playbook, 60), g.Connection)
	fmt.Fprintf(w, "since %s, until %s%s\n", g.CreatedAt.UTC().Format(time.RFC3339), g.EndsAt.UTC().Format(time.RFC3339), atMost(g))
	fmt.Fprintf(w, "was %s, is %s\n", screen.Clean(string(g.Before), 200), screen.Clean(string(g.After), 200))
	fmt.Fprintf(w, "at its end: %s\n", atEnd(g.AtEnd))
	if g.Error != nil {
		fmt.Fprintf(w, "%s %s; next try %s\n", a.palette.Bad("not ended:"), screen.Clean(g.Error.Message, 300), g.NextTry.UTC().Format(time.RFC3339))
	}
	if g.State == engine.GrantAsking {
		fmt.Fprintf(w, "people are asked: %s\n", a.command("approvals show "+g.Approval))
	}
	if g.Reason != "" {
		fmt.Fprintf(w, "%s%s\n", screen.Clean(g.Reason, 300), by(g.EndedBy))
	}
	return nil
}

// atMost is until when a grant can be extended, where the playbook says so.
func atMost(g engine.Grant) string {
	if g.Most <= 0 || g.StartedAt == nil {
		return ""
	}
	return "; can be extended until " + g.StartedAt.Add(g.Most).UTC().Format(time.RFC3339)
}

func by(who string) string {
	if who == "" {
		return ""
	}
	return " (" + screen.Clean(who, 60) + ")"
}

// atEnd says what the word of `at_end` means.
func atEnd(word string) string {
	switch word {
	case "ask":
		return "people are asked; without an answer it stays"
	case "keep":
		return "it stays"
	default:
		return "it is taken back"
	}
}

func (a *app) grantsSweepCommand() *cobra.Command {
	return &cobra.Command{
		Use: "sweep", Short: "End the grants whose time is up, where no server runs", Args: cobra.NoArgs,
		Long: `Takes back the access that was given, and asks people about what was taken,
where the time is up. What cannot be done now is tried again by the next sweep,
and the exit code is 1. Run it from cron where "drawbridge serve" does not run.`,
		Example: "  drawbridge grants sweep",
		RunE:    work(func(ctx context.Context, _ []string) error { return a.grantsSweep(ctx) }),
	}
}

func (a *app) grantsSweep(ctx context.Context) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	return a.withEngine(ctx, conf, func(ctx context.Context, rt *opened) error {
		if a.house != nil { // a serving process was not started by this command
			a.sweep(ctx, rt)
		}
		switch {
		case rt.unswept != nil:
			return rt.unswept
		case a.json():
			err = a.print(a.documentOfSwept(rt))
		case rt.swept.none():
			a.say("no grant was due")
		default:
			a.tellSwept(a.stdout, rt.swept)
		}
		if err == nil && len(rt.swept.Failed) > 0 {
			return quit(exitFailed)
		}
		return err
	})
}

// needsReason refuses a reason of which nothing can be seen.
func needsReason(reason string) error {
	if strings.TrimSpace(screen.Clean(reason, 0)) == "" {
		return usage("say why: --reason REASON")
	}
	return nil
}
