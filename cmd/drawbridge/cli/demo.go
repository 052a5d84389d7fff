package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine/local"
	"github.com/drawbridge-soar/drawbridge/examples"
	"github.com/drawbridge-soar/drawbridge/playbooks"
	"github.com/drawbridge-soar/drawbridge/steps/providers"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

func (a *app) demoCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a simulated tenant, three hijacked accounts, one playbook",
		Long: `Runs the example contain-suspicious-users against a simulated tenant on this
machine. Nothing real is reached, and nothing is written but a database in a
new temporary folder, or in --dir.`,
		Args: cobra.NoArgs,
		RunE: work(func(ctx context.Context, _ []string) error { return a.demo(ctx, dir) }),
	}
	cmd.Flags().StringVar(&dir, "dir", "", "where to put the database (default a new temporary folder)")
	return cmd
}

func (a *app) demo(ctx context.Context, dir string) error {
	if a.configPath != "" || a.dbPath != "" {
		return usage("demo brings its own configuration and database; --dir says where to put the latter")
	}
	tenant := sim.New(sim.Options{})
	server, err := tenant.Start(ctx, "")
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }() // nothing is lost with it
	s := simulatedBy(tenant, server)
	a.lookup = func(name string) (string, bool) { value, ok := s.Env[name]; return value, ok }
	if a.dbPath, err = demoDatabase(dir); err != nil {
		return err
	}
	conf, err := a.demoConfig(s)
	if err != nil {
		return err
	}
	return a.demoRun(ctx, conf, tenant.Users(), s)
}

func demoDatabase(dir string) (string, error) {
	if dir == "" {
		made, err := os.MkdirTemp("", "drawbridge-demo-")
		if err != nil {
			return "", fmt.Errorf("making a folder for the demo: %w", err)
		}
		return filepath.Join(made, databaseName), nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making a folder for the demo: %w", err)
	}
	return filepath.Join(dir, databaseName), nil
}

// demoConfig is what a drawbridge.yaml for the simulated tenant would say.
func (a *app) demoConfig(s simulated) (*config.Config, error) {
	text := fmt.Sprintf(`
connections:
  1password: { provider: onepassword, account: %s, base_url: %q, client_id: env://OP_CLIENT_ID, client_secret: env://OP_CLIENT_SECRET }
  signins:   { provider: onepassword-events, base_url: %q, token: env://OP_EVENTS_TOKEN }
  team:      { provider: terminal }
guard:
  max_changes: 5
  protect: ["breakglass-*@example.com"]
`, s.Account, s.URL, s.URL)
	conf, problems := config.Parse("demo.yaml", []byte(text), providers.All())
	if conf == nil {
		return nil, a.reject(problems)
	}
	return conf, nil
}

func (a *app) demoRun(ctx context.Context, conf *config.Config, people int, s simulated) error {
	bundle, problems := playbooks.Load(playbooks.FSFiles(examples.Files()), starter)
	playbook, err := a.compileBundle(conf, bundle, problems)
	if err != nil {
		return err
	}
	a.tell("A simulated tenant with %d people listens on %s. Nothing real is touched.", people, s.URL)
	a.tell("Somebody guessed the passwords of a few of them during the night. The playbook")
	a.tell("%s reads the sign-ins of the last 24 hours, suspends whoever signed in", a.palette.Bold(playbook.program.Name))
	a.tell("from the very address that had just been guessing, and tells the team.")
	a.pause("run it")
	err = a.carryOut(ctx, conf, func(ctx context.Context, rt *opened) (string, error) {
		return rt.engine.Start(ctx, local.StartRequest{Program: playbook.program, Bundle: playbook.bundle, Actor: a.actor()})
	}, onward)
	if err != nil {
		return err
	}
	a.tell("")
	a.tell("Everybody else was left alone: who only mistyped a password, who was being guessed")
	a.tell("at without success, and who signed in from home meanwhile. The history stays:")
	a.tell("  %s", a.command("runs list"))
	a.tell("  %s", a.command("runs show last"))
	a.tell("To begin with your own tenant: %s init my-playbooks", calledAs())
	return nil
}

// tell says something about the demo: with the rest of it, or on standard
// error where standard output is one JSON object.
func (a *app) tell(format string, args ...any) {
	if a.json() {
		a.say(format, args...)
		return
	}
	fmt.Fprintf(a.stdout, format+"\n", args...)
}

// pause waits for Enter where somebody is there to press it.
func (a *app) pause(then string) {
	if !a.terminal.interactive || a.json() {
		a.tell("")
		return
	}
	fmt.Fprintf(a.stdout, "\nPress Enter to %s … ", then)
	_ = a.stdout.Flush()
	_, _ = bufio.NewReader(a.stdin).ReadString('\n') // whatever ends the line, or the input, goes on
	fmt.Fprintln(a.stdout)
}
