package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/screen"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func (a *app) connectionsShowCommand() *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use: "show [NAME]...", Short: "Show connections as they are configured: references, never secrets",
		Long: "Show what is known of connections without reaching their services. With --as yaml their\n" +
			"configuration is written, with the defaults filled in: secrets stand in it as references.",
		RunE: work(func(ctx context.Context, names []string) error { return a.connectionsShow(ctx, names, as) }),
	}
	cmd.Flags().StringVar(&as, "as", "text", "text or yaml")
	return cmd
}

func (a *app) connectionsShow(ctx context.Context, names []string, as string) error {
	if as != "text" && as != "yaml" {
		return usage("--as is text or yaml, not %q; for JSON there is -o json", as)
	}
	conf, err := a.config()
	if err != nil {
		return err
	}
	chosen, err := chooseConnections(conf, names, "show")
	if err != nil {
		return err
	}
	if as == "yaml" && !a.json() {
		return a.connectionsAsYAML(conf, chosen)
	}
	docs, err := a.documents(ctx, conf, chosen)
	if err != nil {
		return err
	}
	for i := range docs {
		docs[i].Settings = map[string]any{}
		for _, s := range settingsOf(chosen[i]) {
			docs[i].Settings[s.Name] = s.Value
		}
	}
	if a.json() {
		return a.print(map[string]any{"connections": docs})
	}
	for i := range docs {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		a.showConnection(docs[i], chosen[i])
	}
	return nil
}

// connectionsAsYAML writes a configuration that opens the same connections.
func (a *app) connectionsAsYAML(conf *config.Config, chosen []config.Connection) error {
	var list, document []yamldoc.Pair
	for _, c := range chosen {
		settings := append([]yamldoc.Pair{{Name: "provider", Value: c.Provider.Name}}, settingsOf(c)...)
		if c.Rate != nil {
			settings = append(settings, yamldoc.Pair{Name: "rate", Value: rateSettings(*c.Rate)})
		}
		list = append(list, yamldoc.Pair{Name: c.Name, Value: settings})
	}
	if describes(conf, chosen) {
		folders := make([]any, len(conf.ConnectorFolders))
		for i, folder := range conf.ConnectorFolders {
			folders[i] = folder
		}
		document = append(document, yamldoc.Pair{Name: "connectors", Value: folders})
	}
	out, err := yamldoc.Encode(append(document, yamldoc.Pair{Name: "connections", Value: list}))
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	if _, err := a.stdout.Write(out); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return nil
}

// describes reports whether one of the connections is of a connector file.
func describes(conf *config.Config, chosen []config.Connection) bool {
	for _, c := range chosen {
		for _, d := range conf.Connectors {
			if d.Name == c.Provider.Name {
				return true
			}
		}
	}
	return false
}

// settingsOf is what the configuration says, and the defaults of what it does
// not, in the order the provider declares them.
func settingsOf(c config.Connection) []yamldoc.Pair {
	var out []yamldoc.Pair
	for _, f := range c.Provider.Settings {
		value, given := c.Settings[f.Name]
		if !given {
			continue
		}
		switch v := value.(type) {
		case secret.Reference:
			value = string(v)
		case time.Duration:
			value = engine.FormatDuration(v)
		}
		out = append(out, yamldoc.Pair{Name: f.Name, Value: value})
	}
	return out
}

func rateSettings(r config.Rate) []yamldoc.Pair {
	var out []yamldoc.Pair
	if r.PerSecond > 0 {
		out = append(out, yamldoc.Pair{Name: "per_second", Value: r.PerSecond}, yamldoc.Pair{Name: "burst", Value: r.Burst})
	}
	if r.Concurrency > 0 {
		out = append(out, yamldoc.Pair{Name: "concurrency", Value: r.Concurrency})
	}
	return out
}

func (a *app) showConnection(doc connectionDocument, c config.Connection) {
	w := a.stdout
	fmt.Fprintf(w, "%s (%s)  %s\n", a.palette.Bold(screen.Clean(doc.Name, 60)), doc.Provider, c.Provider.Summary)
	line := func(name, value string) { fmt.Fprintf(w, "  %-11s %s\n", name, screen.Clean(value, 0)) }
	line("offers", orNone(join(doc.Offers)))
	line("actions", orNone(join(doc.Actions)))
	used := "never, as far as the history goes back"
	if doc.LastUse != nil {
		used = fmt.Sprintf("%s by %s", lastUse(doc), doc.LastUse.Run)
	}
	line("last use", used)
	line("rate", orElse(rateSaid(doc.Rate), "as often as the service allows"))
	if doc.Paused != nil {
		line("paused", "the service asked not to be called before "+doc.Paused.Local().Format(time.DateTime))
	}
	for _, s := range settingsOf(c) {
		line(s.Name, fmt.Sprint(s.Value))
	}
}

func rateSaid(r *rateDocument) string {
	if r == nil {
		return ""
	}
	said := ""
	if r.PerSecond > 0 {
		said = fmt.Sprintf("%g calls a second, %d at once after a pause", r.PerSecond, r.Burst)
	}
	if r.Concurrency > 0 {
		if said != "" {
			said += "; "
		}
		said += fmt.Sprintf("%d under way at the same time", r.Concurrency)
	}
	return said
}
