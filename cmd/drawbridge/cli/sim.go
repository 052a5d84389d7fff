package cli

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// simulated is what a client needs to know of a simulated tenant.
type simulated struct {
	URL     string            `json:"url"`
	Account string            `json:"account"`
	Env     map[string]string `json:"env"`
}

func (a *app) simCommand() *cobra.Command {
	var listen string
	var o sim.Options
	cmd := &cobra.Command{
		Use: "sim", Short: "Serve a simulated tenant on this machine", Hidden: true, Args: cobra.NoArgs,
		RunE: work(func(ctx context.Context, _ []string) error { return a.sim(ctx, listen, o) }),
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8787", "the address; only this machine can reach it")
	cmd.Flags().IntVar(&o.Users, "users", sim.DefaultUsers, "how many people the tenant has")
	cmd.Flags().IntVar(&o.Hijacked, "hijacked", 0, "how many accounts look hijacked; three at least")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 0, "decides names, ids and history")
	return cmd
}

// sim serves until it is told to stop. What it prints can be read by a shell.
func (a *app) sim(ctx context.Context, listen string, o sim.Options) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	tenant := sim.New(o)
	server, err := tenant.Start(ctx, listen)
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }() // nothing is lost with it
	if err := a.showTenant(simulatedBy(tenant, server)); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// endpointSecret signs the calls of the examples' webhook. It is as secret as
// the simulated tenant.
const endpointSecret = "simulated-endpoint-alerts"

func simulatedBy(tenant *sim.Tenant, server *sim.Server) simulated {
	c := tenant.Credentials()
	return simulated{URL: server.URL, Account: c.Account, Env: map[string]string{
		"OP_CLIENT_ID": c.ClientID, "OP_CLIENT_SECRET": c.ClientSecret, "OP_EVENTS_TOKEN": c.EventsToken,
		"SCIM_TOKEN": c.SCIMToken, "OKTA_TOKEN": c.OktaToken,
		"SLACK_WEBHOOK": server.SlackURL(), "SIEM_WEBHOOK": server.WebhookURL(), "TEAMS_WEBHOOK": server.TeamsURL(),
		"SLACK_BOT_TOKEN": c.SlackToken, "SLACK_CHANNEL": c.SlackChannel, "PAGERDUTY_ROUTING_KEY": c.PagerDutyKey,
		"ENDPOINT_ALERT_SECRET": endpointSecret,
	}}
}

func (a *app) showTenant(s simulated) error {
	if a.json() {
		if err := a.print(s); err != nil {
			return err
		}
		return a.stdout.Flush()
	}
	fmt.Fprintf(a.stdout, "# a simulated tenant listens on %s; its account is %s; Ctrl-C ends it\n", s.URL, s.Account)
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		fmt.Fprintf(a.stdout, "export %s=%s\n", name, quoted(s.Env[name]))
	}
	return a.stdout.Flush()
}
