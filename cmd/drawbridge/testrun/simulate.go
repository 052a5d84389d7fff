package testrun

import (
	"context"
	"maps"

	"github.com/drawbridge-soar/drawbridge/cmd/drawbridge/config"
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
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
		out.Connections[i] = redirected(c, tenant, safe)
	}
	return &out
}

func redirected(c config.Connection, tenant sim.Credentials, safe *sim.Safe) config.Connection {
	c.Settings = maps.Clone(c.Settings)
	for name, value := range c.Settings {
		if _, isSecret := value.(secret.Reference); isSecret {
			c.Settings[name] = secret.Reference("env://SIMULATED")
		}
	}
	switch c.Provider.Name {
	case "onepassword":
		delete(c.Settings, "region")
		c.Settings["account"], c.Settings["base_url"] = tenant.Account, address
		c.Settings["client_id"], c.Settings["client_secret"] = secret.Reference("env://CLIENT_ID"), secret.Reference("env://CLIENT_SECRET")
	case "onepassword-events":
		delete(c.Settings, "region")
		c.Settings["base_url"], c.Settings["token"] = address, secret.Reference("env://EVENTS_TOKEN")
	case "scim":
		for _, name := range []string{"client_id", "client_secret", "token_url", "scope"} {
			delete(c.Settings, name)
		}
		c.Settings["base_url"], c.Settings["token"] = address+"/scim", secret.Reference("env://SCIM_TOKEN")
	case "slack":
		redirectSlack(c.Settings, tenant)
	case "teams":
		c.Settings["webhook_url"] = secret.Reference("env://TEAMS")
	case "pagerduty":
		delete(c.Settings, "region")
		c.Settings["base_url"], c.Settings["routing_key"] = address, secret.Reference("env://PAGERDUTY")
	case "webhook":
		delete(c.Settings, "url")
		c.Settings["secret_url"] = secret.Reference("env://WEBHOOK")
	case "http": // answered as the test says
		if c.Settings["auth"] == "oauth" {
			for _, name := range []string{"client_id", "client_secret", "token_url", "scopes"} {
				delete(c.Settings, name)
			}
			c.Settings["auth"], c.Settings["token"] = "bearer", secret.Reference("env://SIMULATED")
		}
	case "email":
		for _, name := range []string{"port", "username", "password", "allow_plaintext"} {
			delete(c.Settings, name)
		}
		c.Settings["host"], c.Settings["tls"] = "localhost", "none"
		for name, whom := range map[string]any{"from": "drawbridge@example.com", "to": []any{"security@example.com"}} {
			if c.Settings[name] == nil { // as in no configuration
				c.Settings[name] = whom
			}
		}
	case "onepassword-vault", "onepassword-connect":
		c.Settings = map[string]any{"token": secret.Reference("env://SIMULATED")}
		c.Provider.Open = onepasswordvault.Over(func(context.Context, secret.Value, string) (onepasswordvault.Core, error) {
			return safe, nil
		}).Open
	case "terminal":
	default:
		c.Provider.Open = cannotBeSimulated
	}
	return c
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

func cannotBeSimulated(o engine.Opening) (*engine.Connection, error) {
	return nil, engine.Fail(engine.ClassInvalid, "no_simulator",
		"there is no simulator for the service of the connection %q, so playbooks that use it cannot be tested", o.Name)
}

// secrets are what the references of simulated connections lead to.
func secrets(tenant sim.Credentials) func(string) (string, bool) {
	known := map[string]string{
		"SCIM_TOKEN": tenant.SCIMToken,
		"CLIENT_ID":  tenant.ClientID, "CLIENT_SECRET": tenant.ClientSecret, "EVENTS_TOKEN": tenant.EventsToken,
		"SLACK": address + tenant.SlackPath, "WEBHOOK": address + tenant.WebhookPath,
		"SLACK_BOT": tenant.SlackToken, "TEAMS": address + tenant.TeamsPath, "PAGERDUTY": tenant.PagerDutyKey, "SIMULATED": "a-secret-of-the-simulated-tenant",
	}
	return func(name string) (string, bool) {
		value, ok := known[name]
		return value, ok
	}
}
