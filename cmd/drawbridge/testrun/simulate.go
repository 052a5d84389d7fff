package testrun

import (
	"context"
	"maps"
	"slices"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	definition "github.com/drawbridge-soar/drawbridge/playbooks/connector"
	"github.com/drawbridge-soar/drawbridge/playbooks/yamldoc"
	"github.com/drawbridge-soar/drawbridge/steps/providers"
	"github.com/drawbridge-soar/drawbridge/steps/providers/onepasswordvault"
	"github.com/drawbridge-soar/drawbridge/steps/sim"
)

// address is where simulated services are said to be; nobody goes there.
const address = "http://127.0.0.1:1"

// standard is the configuration of playbooks that have none: one connection
// for each capability, or a default among them, so that none has to be named.
const standard = `
connections:
  1password: { provider: onepassword, account: SIMULATED, base_url: "http://127.0.0.1:1", client_id: env://OP_CLIENT_ID, client_secret: env://OP_CLIENT_SECRET }
  signins:   { provider: onepassword-events, base_url: "http://127.0.0.1:1", token: env://OP_EVENTS_TOKEN }
  vault:     { provider: onepassword-vault, token: env://OP_SERVICE_ACCOUNT_TOKEN }
  messages:  { provider: slack, webhook_url: env://SLACK_WEBHOOK }
  web:       { provider: http, base_url: "https://service.example.com" }
  groups:    { provider: scim, base_url: "http://127.0.0.1:1/scim", token: env://SCIM_TOKEN }
defaults: { directory: 1password }
`

// Standard is the configuration of playbooks that have none.
func Standard() (*config.Config, []yamldoc.Diagnostic) {
	return config.Parse("", []byte(standard), providers.All())
}

// simulated is a configuration whose connections all lead to the tenant,
// whatever they lead to otherwise.
func simulated(conf *config.Config, tenant sim.Credentials, safe *sim.Safe) *config.Config {
	out := *conf
	out.Connections = make([]config.Connection, len(conf.Connections))
	for i, c := range conf.Connections {
		if described(conf, c.Provider.Name) {
			c.Settings = withoutSecrets(c.Settings) // answered as the test says
			out.Connections[i] = c
			continue
		}
		out.Connections[i] = redirected(c, tenant, safe)
	}
	return &out
}

// described reports the provider of a connector file whose service has no
// simulator.
func described(conf *config.Config, provider string) bool {
	return provider != "okta" && slices.ContainsFunc(conf.Connectors, func(d *definition.Definition) bool { return d.Name == provider })
}

func redirected(c config.Connection, tenant sim.Credentials, safe *sim.Safe) config.Connection {
	c.Settings = withoutSecrets(c.Settings)
	redirect, known := redirections(tenant, safe)[c.Provider.Name]
	if !known {
		c.Provider.Open = cannotBeSimulated
		return c
	}
	redirect(&c)
	return c
}

// redirections are what makes connections of each provider lead to a simulated
// tenant.
func redirections(tenant sim.Credentials, safe *sim.Safe) map[string]func(*config.Connection) {
	set := func(more map[string]any, without ...string) func(*config.Connection) {
		return func(c *config.Connection) {
			for _, name := range without {
				delete(c.Settings, name)
			}
			maps.Copy(c.Settings, more)
		}
	}
	inMemory := func(c *config.Connection) {
		c.Settings = map[string]any{"token": secret.Reference("env://SIMULATED")}
		c.Provider.Open = onepasswordvault.Over(func(context.Context, secret.Value, string) (onepasswordvault.Core, error) {
			return safe, nil
		}).Open
	}
	return map[string]func(*config.Connection){
		"onepassword": set(map[string]any{
			"account": tenant.Account, "base_url": address,
			"client_id": secret.Reference("env://CLIENT_ID"), "client_secret": secret.Reference("env://CLIENT_SECRET"),
		}, "region"),
		"onepassword-events":  set(map[string]any{"base_url": address, "token": secret.Reference("env://EVENTS_TOKEN")}, "region"),
		"onepassword-vault":   inMemory,
		"onepassword-connect": inMemory,
		"scim": set(map[string]any{"base_url": address + "/scim", "token": secret.Reference("env://SCIM_TOKEN")},
			"client_id", "client_secret", "token_url", "scope"),
		"slack":     func(c *config.Connection) { redirectSlack(c.Settings, tenant) },
		"teams":     set(map[string]any{"webhook_url": secret.Reference("env://TEAMS")}),
		"pagerduty": set(map[string]any{"base_url": address, "routing_key": secret.Reference("env://PAGERDUTY")}, "region"),
		"webhook":   set(map[string]any{"secret_url": secret.Reference("env://WEBHOOK")}, "url"),
		"http":      func(c *config.Connection) { redirectHTTP(c.Settings) },
		"email":     func(c *config.Connection) { redirectMail(c.Settings) },
		"terminal":  set(nil),
		"okta":      redirectOkta,
	}
}

// redirectOkta is for the connector file of that name, whatever it calls its
// token.
func redirectOkta(c *config.Connection) {
	c.Settings["base_url"] = address
	for name, value := range c.Settings {
		if _, isSecret := value.(secret.Reference); isSecret {
			c.Settings[name] = secret.Reference("env://OKTA_TOKEN")
		}
	}
}

// redirectHTTP has the test answer; no token is fetched first.
func redirectHTTP(settings map[string]any) {
	if settings["auth"] != "oauth" {
		return
	}
	for _, name := range []string{"client_id", "client_secret", "token_url", "scopes"} {
		delete(settings, name)
	}
	settings["auth"], settings["token"] = "bearer", secret.Reference("env://SIMULATED")
}

// redirectMail sends within this process, without TLS; to whom stays as it is.
func redirectMail(settings map[string]any) {
	for _, name := range []string{"port", "username", "password", "allow_plaintext"} {
		delete(settings, name)
	}
	settings["host"], settings["tls"] = "localhost", "none"
	for name, whom := range map[string]any{"from": "drawbridge@example.com", "to": []any{"security@example.com"}} {
		if settings[name] == nil { // as in no configuration
			settings[name] = whom
		}
	}
}

// redirectSlack keeps a bot a bot, and a webhook a webhook.
func redirectSlack(settings map[string]any, tenant sim.Credentials) {
	if settings["token"] == nil {
		settings["webhook_url"] = secret.Reference("env://SLACK")
		return
	}
	settings["base_url"], settings["channel"] = address, tenant.SlackChannel
	settings["token"] = secret.Reference("env://SLACK_BOT")
}

// withoutSecrets are settings that refer to no secret of whoever runs the tests.
func withoutSecrets(settings map[string]any) map[string]any {
	out := maps.Clone(settings)
	for name, value := range out {
		if _, isSecret := value.(secret.Reference); isSecret {
			out[name] = secret.Reference("env://SIMULATED")
		}
	}
	return out
}

func cannotBeSimulated(o engine.Opening) (*engine.Connection, error) {
	return nil, engine.Fail(engine.ClassInvalid, "no_simulator",
		"there is no simulator for the service of the connection %q, so playbooks that use it cannot be tested", o.Name)
}

// secrets are what the references of simulated connections lead to.
func secrets(tenant sim.Credentials) func(string) (string, bool) {
	known := map[string]string{
		"SCIM_TOKEN": tenant.SCIMToken, "OKTA_TOKEN": tenant.OktaToken,
		"CLIENT_ID": tenant.ClientID, "CLIENT_SECRET": tenant.ClientSecret, "EVENTS_TOKEN": tenant.EventsToken,
		"SLACK": address + tenant.SlackPath, "WEBHOOK": address + tenant.WebhookPath,
		"SLACK_BOT": tenant.SlackToken, "TEAMS": address + tenant.TeamsPath, "PAGERDUTY": tenant.PagerDutyKey, "SIMULATED": "a-secret-of-the-simulated-tenant",
	}
	return func(name string) (string, bool) {
		value, ok := known[name]
		return value, ok
	}
}
