package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
)

// testTimeout is how long `connections test` waits for one service.
const testTimeout = 30 * time.Second

func (a *app) connectionsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "connections", Short: "The services the configuration reaches"}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List the connections and what they offer", Args: cobra.NoArgs,
			RunE: work(func(ctx context.Context, _ []string) error { return a.connectionsList(ctx) }),
		},
		&cobra.Command{
			Use: "test [NAME]...", Short: "Reach the services with the least privilege and say what works",
			RunE: work(a.connectionsTest),
		},
		a.connectionsShowCommand(),
	)
	return cmd
}

// connectionDocument is a connection as -o json prints it.
type connectionDocument struct {
	Name     string              `json:"name"`
	Provider string              `json:"provider"`
	Offers   []engine.Capability `json:"offers"`
	Actions  []string            `json:"actions"` // that can go through it
	LastUse  *useDocument        `json:"last_use,omitempty"`
	Rate     *rateDocument       `json:"rate,omitempty"`         // of the configuration
	Paused   *time.Time          `json:"paused_until,omitempty"` // the service asked not to be called before
	Settings map[string]any      `json:"settings,omitempty"`     // of show: references, never secrets
	Works    *bool               `json:"works,omitempty"`        // of a test
	Findings []engine.Finding    `json:"findings,omitempty"`
	Error    string              `json:"error,omitempty"`
}

// useDocument is the newest call that a run made through a connection.
type useDocument struct {
	At  time.Time `json:"at"`
	Run string    `json:"run"`
}

// rateDocument is how often a connection's service is called at most.
type rateDocument struct {
	PerSecond   float64 `json:"per_second,omitempty"`
	Burst       int     `json:"burst,omitempty"`
	Concurrency int     `json:"concurrency,omitempty"`
}

func documentOf(c config.Connection, actions *engine.Actions) connectionDocument {
	doc := connectionDocument{Name: c.Name, Provider: c.Provider.Name, Offers: []engine.Capability{}, Actions: []string{}}
	for _, offered := range c.Provider.Capabilities {
		if offered != engine.CapabilityTest {
			doc.Offers = append(doc.Offers, offered)
		}
	}
	for _, name := range actions.Names() {
		action, _ := actions.Named(name)
		if through(action.Spec(), doc.Offers) {
			doc.Actions = append(doc.Actions, name)
		}
	}
	if c.Rate != nil {
		rate := rateDocument(*c.Rate)
		doc.Rate = &rate
	}
	return doc
}

// through reports whether an action goes through a connection with these
// capabilities, alone or together with another connection.
func through(spec engine.ActionSpec, offers []engine.Capability) bool {
	return slices.ContainsFunc(spec.Needs, func(c engine.Capability) bool { return slices.Contains(offers, c) })
}

func (a *app) connectionsList(ctx context.Context) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	docs, err := a.documents(ctx, conf, conf.Connections)
	if err != nil {
		return err
	}
	if a.json() {
		return a.print(map[string]any{"connections": docs})
	}
	actions, err := knownActions(conf)
	if err != nil {
		return err
	}
	rows := [][]string{}
	for _, doc := range docs {
		rows = append(rows, []string{doc.Name, doc.Provider, orNone(join(doc.Offers)), lastUse(doc), rateOf(doc), orNone(shortened(doc.Actions, actions.Names()))})
	}
	header := []string{"CONNECTION", "PROVIDER", "OFFERS", "LAST USE", "RATE", "ACTIONS"}
	if err := a.table(header, rows, "the configuration has no connections"); err != nil {
		return err
	}
	for _, doc := range docs {
		if doc.Paused != nil {
			fmt.Fprintf(a.stdout, "\nThe service of %s asked not to be called before %s.\n", screen.Clean(doc.Name, 60), doc.Paused.Local().Format(time.DateTime))
		}
	}
	return nil
}

// shortened writes user.* where a list has all the actions on users.
func shortened(list, all []string) string {
	family := func(name string) string { kind, _, _ := strings.Cut(name, "."); return kind + "." }
	var out []string
	for _, name := range list {
		missing := slices.ContainsFunc(all, func(other string) bool {
			return family(other) == family(name) && !slices.Contains(list, other)
		})
		if !missing {
			name = family(name) + "*"
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

func orNone(s string) string { return orElse(s, "-") }

func lastUse(doc connectionDocument) string {
	if doc.LastUse == nil {
		return "-"
	}
	return doc.LastUse.At.Local().Format(time.DateTime)
}

// rateOf is the pace in a cell; what the configuration does not say the
// provider decides.
func rateOf(doc connectionDocument) string {
	var parts []string
	if r := doc.Rate; r != nil && r.PerSecond > 0 {
		parts = append(parts, fmt.Sprintf("%g/s", r.PerSecond))
	}
	if r := doc.Rate; r != nil && r.Concurrency > 0 {
		parts = append(parts, fmt.Sprintf("%d at once", r.Concurrency))
	}
	if doc.Paused != nil {
		parts = append(parts, "paused")
	}
	return orNone(strings.Join(parts, ", "))
}

// documents is what is known of connections without reaching their services:
// from the configuration, and from the database where there is one.
func (a *app) documents(ctx context.Context, conf *config.Config, chosen []config.Connection) ([]connectionDocument, error) {
	actions, err := knownActions(conf)
	if err != nil {
		return nil, err
	}
	docs := []connectionDocument{}
	for _, c := range chosen {
		docs = append(docs, documentOf(c, actions))
	}
	store, err := a.history(conf) //nolint:contextcheck // opening a database takes no context
	if errors.Is(err, engine.ErrNotFound) {
		return docs, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	err = a.remember(ctx, store, docs)
	if err = errors.Join(err, store.Close()); err != nil {
		return nil, fmt.Errorf("reading what is known of the connections: %w", err)
	}
	return docs, nil
}

// remember adds when connections were used last, and until when their services
// are not to be called.
func (a *app) remember(ctx context.Context, store engine.Store, docs []connectionDocument) error {
	throttles, err := store.Throttles(ctx)
	if err != nil {
		return err
	}
	uses, err := store.LastUses(ctx)
	if err != nil {
		return err
	}
	for i := range docs {
		for _, t := range throttles {
			if t.Connection == docs[i].Name && t.Until.After(a.now()) {
				docs[i].Paused = &t.Until
			}
		}
		for _, u := range uses {
			if u.Connection == docs[i].Name {
				docs[i].LastUse = &useDocument{At: u.At, Run: u.Run}
			}
		}
	}
	return nil
}

func (a *app) connectionsTest(ctx context.Context, names []string) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	chosen, err := chooseConnections(conf, names, "test")
	if err != nil {
		return err
	}
	set, err := a.reached(ctx, conf)
	if err != nil {
		return err
	}
	docs, err := a.documents(ctx, conf, chosen)
	if err != nil {
		return err
	}
	works := true
	for i := range docs {
		doc := testConnection(ctx, set, docs[i])
		docs[i], works = doc, works && *doc.Works
		if !a.json() {
			a.showFindings(doc)
		}
	}
	if a.json() {
		if err := a.print(map[string]any{"connections": docs}); err != nil {
			return err
		}
	}
	if !works {
		return quit(exitFailed)
	}
	return nil
}

// reached is the connections of the configuration, as this process has them.
func (a *app) reached(ctx context.Context, conf *config.Config) (*config.Connections, error) {
	if a.house != nil {
		return a.house.rt.connections, nil
	}
	return a.connections(ctx, conf, a.stderr, nil)
}

func chooseConnections(conf *config.Config, names []string, verb string) ([]config.Connection, error) {
	if len(names) == 0 {
		if len(conf.Connections) == 0 {
			return nil, usage("the configuration has no connections to %s", verb)
		}
		return conf.Connections, nil
	}
	byName, known := map[string]config.Connection{}, []string{}
	for _, c := range conf.Connections {
		byName[c.Name], known = c, append(known, c.Name)
	}
	var chosen []config.Connection
	for _, name := range names {
		c, ok := byName[name]
		if !ok {
			return nil, usage("there is no connection %q%s", name, didYouMean(name, known))
		}
		chosen = append(chosen, c)
	}
	return chosen, nil
}

func testConnection(ctx context.Context, set *config.Connections, doc connectionDocument) connectionDocument {
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	works := true
	findings, err := findingsOf(ctx, set, doc.Name)
	doc.Findings = findings
	if err != nil {
		doc.Error, works = engine.AsFailure(err).Message, false
	}
	for _, f := range findings {
		works = works && f.Works
	}
	doc.Works = &works
	return doc
}

func findingsOf(ctx context.Context, set *config.Connections, name string) ([]engine.Finding, error) {
	conn, err := set.Connection(ctx, name)
	if err != nil {
		return nil, err
	}
	tester, ok := conn.Offers[engine.CapabilityTest].(engine.Tester)
	if !ok {
		return nil, fmt.Errorf("the provider %s cannot be tested", conn.Provider)
	}
	findings, err := tester.Test(ctx)
	if err != nil {
		return findings, fmt.Errorf("testing: %w", err)
	}
	return findings, nil
}

func (a *app) showFindings(doc connectionDocument) {
	verdict := a.palette.Good("works")
	if !*doc.Works {
		verdict = a.palette.Bad("does not work")
	}
	fmt.Fprintf(a.stdout, "%s (%s): %s\n", a.palette.Bold(screen.Clean(doc.Name, 60)), doc.Provider, verdict)
	for _, f := range doc.Findings {
		sign := a.palette.Good("✓")
		if !f.Works {
			sign = a.palette.Bad("✗")
		}
		fmt.Fprintf(a.stdout, "  %s %s: %s\n", sign, screen.Clean(f.Subject, 60), screen.Clean(f.Detail, 300))
	}
	if doc.Error != "" {
		fmt.Fprintf(a.stdout, "  %s %s\n", a.palette.Bad("✗"), screen.Clean(doc.Error, 500))
	}
}
