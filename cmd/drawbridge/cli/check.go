package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
)

func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check PATH...",
		Short: "Check playbooks and connector files: structure, types, names; says file, line and column",
		Long: `Checks playbooks and connector files, and all of them in folders, without running
anything or reaching any service; connector files stand in folders called
connectors. With a configuration it also checks that every action has
a connection, that approvals ask people who exist and hear of it, and that the
configuration's policy allows all of it; without one it skips that and says so.
Exit code 2 when something is wrong.`,
		Args: cobra.MinimumNArgs(1),
		RunE: work(func(_ context.Context, args []string) error { return a.check(args) }),
	}
}

// diagnosticsDocument is what check prints with -o json.
type diagnosticsDocument struct {
	Diagnostics []yamldoc.Diagnostic `json:"diagnostics"`
}

func diagnosticsOf(list []yamldoc.Diagnostic) diagnosticsDocument {
	if list == nil {
		list = []yamldoc.Diagnostic{}
	}
	return diagnosticsDocument{Diagnostics: list}
}

func (a *app) check(paths []string) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	var catalog *engine.Catalog
	if conf.Path != "" {
		c := conf.Catalog()
		catalog = &c
	}
	env, err := a.environment(conf, catalog)
	if err != nil {
		return err
	}
	if conf.Path != "" {
		env.Asking, env.Serving = asking(conf), unattended(conf)
	}
	connectors, paths, found := checkConnectors(conf, paths)
	var checked []playbooks.Checked
	if len(paths) > 0 {
		checked = playbooks.Check(env, paths...)
	}
	found = append(found, append(checkedPolicy(conf, env.Actions, checked), diagnosticsIn(checked)...)...)
	return a.showChecked(len(checked), connectors, yamldoc.Sort(found), conf.Path != "")
}

// unattended is what a configuration says of runs that nobody starts by hand.
func unattended(conf *config.Config) *playbooks.Serving {
	return &playbooks.Serving{Webhooks: conf.WebhookNames(), Notify: conf.Notify}
}

func diagnosticsIn(checked []playbooks.Checked) []yamldoc.Diagnostic {
	var found []yamldoc.Diagnostic
	for _, c := range checked {
		found = append(found, c.Diagnostics...)
	}
	return found
}

func (a *app) showChecked(count, connectors int, found []yamldoc.Diagnostic, configured bool) error {
	if !configured {
		defer a.say("there is no configuration: connections were not checked")
	}
	if a.json() {
		if err := a.print(diagnosticsOf(found)); err != nil {
			return err
		}
	} else {
		fmt.Fprint(a.stdout, yamldoc.Render(found))
	}
	if yamldoc.HasErrors(found) {
		return quit(exitUsage)
	}
	if !a.json() {
		if count > 0 || connectors == 0 {
			fmt.Fprintf(a.stdout, "%s %s\n", a.palette.Good("✓"), plural(count, "playbook is fine", "playbooks are fine"))
		}
		if connectors > 0 {
			fmt.Fprintf(a.stdout, "%s %s\n", a.palette.Good("✓"), plural(connectors, "connector is fine", "connectors are fine"))
		}
	}
	return nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
