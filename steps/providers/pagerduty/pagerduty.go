// Package pagerduty is the provider that opens, acknowledges and resolves alerts
// in PagerDuty through the Events API v2.
//
// The wire format is that of
// https://developer.pagerduty.com/docs/send-alert-event and of the overview
// beside it: response codes, what to repeat, and the limits.
package pagerduty

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/message/hook"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

const (
	keyLength       = 32
	defaultSource   = "drawbridge"
	defaultSeverity = "error"
)

// Provider declares PagerDuty.
func Provider() engine.Provider {
	return engine.Provider{
		Name:    "pagerduty",
		Summary: "Opens, acknowledges and resolves alerts in PagerDuty, through the Events API v2.",
		Setup:   setup,
		Doc:     doc,
		Settings: []engine.Field{
			{
				Name: "routing_key", Type: engine.Type{Kind: engine.KindSecret}, Required: true,
				Doc: "A reference to the *Integration Key* of an Events API v2 integration: 32 characters.", Example: "env://PAGERDUTY_ROUTING_KEY",
			},
			{
				Name: "region", Type: engine.EnumOf("us", "eu"), Default: "us",
				Doc: "Where the account lives: `eu` where its address ends in `.eu.pagerduty.com`.",
			},
			{
				Name: "base_url", Type: engine.Maybe(engine.TypeString()),
				Doc: "The API's address, in place of the region's.", Example: "https://events.pagerduty.com",
			},
			{
				Name: "severity", Type: engine.EnumOf(severities()...), Default: defaultSeverity,
				Doc: "How severe what says nothing of it is: a message without the field `severity`, a run that failed, a request for approval.",
			},
			{
				Name: "source", Type: engine.TypeString(), Default: defaultSource,
				Doc: "What alerts are said to come from, where a message has no field `source`.",
			},
		},
		Capabilities: []engine.Capability{message.CapabilityMessages, engine.CapabilityTest},
		Open: func(o engine.Opening) (*engine.Connection, error) {
			return open(o, transport.Options{})
		},
	}
}

const setup = `1. In PagerDuty, open *Services → Service Directory* and the service whose on-call people are to hear of it, or make a *New Service*. It needs the role *Manager* or higher.
2. Under *Integrations*, choose *Add an integration*, *Events API V2*, *Add*.
3. Open the integration and copy the *Integration Key*. Put it into ` + "`PAGERDUTY_ROUTING_KEY`" + `, and keep it as a secret: whoever has it can wake people.
4. Where the account's address ends in ` + "`.eu.pagerduty.com`" + `, set ` + "`region: eu`" + `.`

const doc = `A message opens an alert. The first line of its text, up to 1,024 characters, is the summary; where there is more, the whole text is among the alert's details. The message's fields say the rest:

| Field | Meaning |
|---|---|
| ` + "`event`" + ` | ` + "`trigger`" + ` (default), ` + "`acknowledge` or `resolve`" + ` |
| ` + "`dedup_key`" + ` | What makes two events the same alert, up to 255 characters. Needed to acknowledge or resolve: the one the alert was opened with. Without it every step of a run opens an alert of its own, and a repeated attempt at it none. |
| ` + "`severity`" + ` | ` + "`critical`, `error`, `warning` or `info`" + ` |
| ` + "`source`" + ` | what it is about: a host, a system |
| ` + "`component`, `group`, `class`" + ` | what people search by |
| any other | stands among the details |

So ` + "`fields: { severity: critical, dedup_key: guessed-sign-ins }`" + ` opens an alert, and ` + "`fields: { event: resolve, dedup_key: guessed-sign-ins }`" + ` closes it.

To acknowledge and to resolve, PagerDuty takes the key only: the text of such a message is not shown anywhere. Interpolated values are stripped of control, bidirectional and invisible characters; PagerDuty knows no markup in them. An event is at most 512 KB: of a larger one the details are left out, and it says so. PagerDuty answers that it has taken an event (202), before it has processed it.

A request for approval carries a link to where it is decided, where the configuration has an ` + "`approval_link`" + `. The link alone decides nothing, and neither does acknowledging the alert.

` + "`connections test`" + ` looks at the key and sends nothing, because every event may wake somebody.`

func open(o engine.Opening, options transport.Options) (*engine.Connection, error) {
	base, err := baseURL(o.Settings)
	if err != nil {
		return nil, fmt.Errorf("opening connection %s: %w", o.Name, err)
	}
	h, err := hook.New(o, "PagerDuty's Events API", hook.Address{Plain: base + "/v2/enqueue"}, options)
	if err != nil {
		return nil, err
	}
	m := &messenger{hook: h, secrets: o.Secrets}
	m.key, _ = o.Settings["routing_key"].(secret.Reference)
	m.defaults.severity, _ = o.Settings["severity"].(string)
	m.defaults.source, _ = o.Settings["source"].(string)
	return &engine.Connection{
		Name:        o.Name,
		Provider:    "pagerduty",
		Fingerprint: "pagerduty " + base + " " + hook.Address{Secret: m.key}.Fingerprint(),
		Offers:      map[engine.Capability]any{message.CapabilityMessages: m, engine.CapabilityTest: m},
	}, nil
}

func baseURL(settings map[string]any) (string, error) {
	if given, _ := settings["base_url"].(string); given != "" {
		return transport.BaseURL(given)
	}
	if region, _ := settings["region"].(string); region == "eu" {
		return "https://events.eu.pagerduty.com", nil
	}
	return "https://events.pagerduty.com", nil
}

// messenger sends events with one routing key.
type messenger struct {
	hook     *hook.Hook
	secrets  secret.Resolver
	key      secret.Reference
	defaults defaults
}

// Send sends the message as an event.
func (m *messenger) Send(ctx context.Context, msg message.Message) error {
	event, err := eventOf(msg, m.defaults)
	if err != nil {
		return err
	}
	key, err := m.routingKey(ctx)
	if err != nil {
		return err
	}
	event["routing_key"] = key.Reveal()
	body, err := fitting(event)
	if err != nil {
		return err
	}
	var hide secret.Redactor
	hide.Learn(key)
	return m.hook.Send(ctx, hook.Post{
		Payload: body, Accept: accepted, Secrets: []secret.Reference{m.key},
		Explain: func(r transport.Response) transport.Explanation { return explain(r, &hide) },
	})
}

func (m *messenger) routingKey(ctx context.Context) (secret.Value, error) {
	key, err := m.secrets.Resolve(ctx, m.key)
	if err != nil {
		return secret.Value{}, fmt.Errorf("resolving the routing key of PagerDuty: %w", err)
	}
	plain := strings.TrimSpace(key.Reveal())
	if n := len(plain); n != keyLength {
		return secret.Value{}, engine.Fail(engine.ClassInvalid, "routing_key",
			"the routing key has %d characters and should have %d: it is the Integration Key of an *Events API V2* integration, under Integrations of the service", n, keyLength)
	}
	return secret.New(plain), nil
}

// result is what the Events API answers.
type result struct {
	Status  string   `json:"status"`
	Message string   `json:"message"`
	Errors  []string `json:"errors"`
}

// accepted takes nothing but what the API says when it has taken an event.
func accepted(r transport.Response) error {
	if r.Status == http.StatusAccepted {
		return nil
	}
	return engine.Fail(engine.ClassPermanent, "not_accepted", "the answer is not the 202 of PagerDuty's Events API; is `base_url` right, or a proxy in between?")
}

// explain reads why an event is refused, without the key it was sent with.
func explain(r transport.Response, hide *secret.Redactor) transport.Explanation {
	var body result
	if json.Unmarshal(r.Body, &body) != nil {
		return transport.Explanation{}
	}
	words := strings.Join(body.Errors, "; ")
	words = hide.String(cmp.Or(words, body.Message, body.Status))
	said := transport.Explanation{Message: words}
	if r.Status != http.StatusBadRequest {
		return said
	}
	said.Code = "invalid_event"
	if about := strings.ToLower(words); strings.Contains(about, "routing_key") || strings.Contains(about, "routing key") {
		said.Class, said.Code = engine.ClassAuth, "routing_key"
		said.Message += "; the routing key is the Integration Key of an Events API V2 integration of a service that is not disabled"
	}
	return said
}

// Test resolves the key.
func (m *messenger) Test(ctx context.Context) ([]engine.Finding, error) {
	if _, err := m.routingKey(ctx); err != nil {
		return nil, err
	}
	host, err := m.hook.Host(ctx)
	if err != nil {
		return nil, err
	}
	return []engine.Finding{{
		Works: true, Subject: "routing key",
		Detail: "it has the form of one, and events go to " + host + "; nothing was sent, so whether PagerDuty takes it is not known",
	}}, nil
}
