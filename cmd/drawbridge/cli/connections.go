package cli

import (
	"context"
	"errors"
	"fmt"
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
	)
	return cmd
}

// connectionDocument is a connection as -o json prints it.
type connectionDocument struct {
	Name     string              `json:"name"`
	Provider string              `json:"provider"`
	Offers   []engine.Capability `json:"offers"`
	Paused   *time.Time          `json:"paused_until,omitempty"` // the service asked not to be called before
	Works    *bool               `json:"works,omitempty"`        // of a test
	Findings []engine.Finding    `json:"findings,omitempty"`
	Error    string              `json:"error,omitempty"`
}

func documentOf(c config.Connection) connectionDocument {
	doc := connectionDocument{Name: c.Name, Provider: c.Provider.Name, Offers: []engine.Capability{}}
	for _, offered := range c.Provider.Capabilities {
		if offered != engine.CapabilityTest {
			doc.Offers = append(doc.Offers, offered)
		}
	}
	return doc
}

func (a *app) connectionsList(ctx context.Context) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	paused, err := a.paused(ctx, conf)
	if err != nil {
		return err
	}
	docs, rows := []connectionDocument{}, [][]string{}
	for _, c := range conf.Connections {
		doc := documentOf(c)
		doc.Paused = paused[c.Name]
		docs = append(docs, doc)
		rows = append(rows, []string{doc.Name, doc.Provider, join(doc.Offers)})
	}
	if a.json() {
		return a.print(map[string]any{"connections": docs})
	}
	if err := a.table([]string{"CONNECTION", "PROVIDER", "OFFERS"}, rows, "the configuration has no connections"); err != nil {
		return err
	}
	for _, doc := range docs {
		if doc.Paused != nil {
			fmt.Fprintf(a.stdout, "\nThe service of %s asked not to be called before %s.\n", screen.Clean(doc.Name, 60), doc.Paused.Local().Format(time.DateTime))
		}
	}
	return nil
}

// paused says of each connection whose service asked not to be called for a
// while when that is over.
func (a *app) paused(ctx context.Context, conf *config.Config) (map[string]*time.Time, error) {
	store, err := a.history(conf) //nolint:contextcheck // opening a database takes no context
	if errors.Is(err, engine.ErrNotFound) {
		return map[string]*time.Time{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	throttles, err := store.Throttles(ctx)
	if err = errors.Join(err, store.Close()); err != nil {
		return nil, fmt.Errorf("reading until when services are not to be called: %w", err)
	}
	out := make(map[string]*time.Time)
	for _, t := range throttles {
		if t.Until.After(a.now()) {
			out[t.Connection] = &t.Until
		}
	}
	return out, nil
}

func (a *app) connectionsTest(ctx context.Context, names []string) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	chosen, err := chooseConnections(conf, names)
	if err != nil {
		return err
	}
	set, err := a.reached(ctx, conf)
	if err != nil {
		return err
	}
	docs, works := []connectionDocument{}, true
	for _, c := range chosen {
		doc := testConnection(ctx, set, c)
		docs, works = append(docs, doc), works && *doc.Works
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

func chooseConnections(conf *config.Config, names []string) ([]config.Connection, error) {
	if len(names) == 0 {
		if len(conf.Connections) == 0 {
			return nil, usage("the configuration has no connections to test")
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

func testConnection(ctx context.Context, set *config.Connections, c config.Connection) connectionDocument {
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	doc, works := documentOf(c), true
	findings, err := findingsOf(ctx, set, c.Name)
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
