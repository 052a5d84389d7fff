// Package webhook is the provider that posts messages as JSON to an address of
// yours: a SIEM, a chat that is not supported yet, a function.
package webhook

import (
	"context"
	"fmt"
	"net/http"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/message/hook"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Provider declares the webhook.
func Provider() engine.Provider {
	return engine.Provider{
		Name:    "webhook",
		Summary: "Posts messages as JSON to an address of yours.",
		Setup: "1. Let your receiver take `POST` with a JSON body, over https.\n" +
			"2. Name its address as `url`; where the address itself holds a credential, as `secret_url: env://NAME`.\n" +
			"3. Where it wants a bearer token, put that into a variable and name it as `token: env://NAME`.",
		Doc: `Sends ` + "`POST`" + ` with the body ` + "`{\"text\": …}`" + ` and the message's fields beside it. Every status from 200 to 299 means that it arrived.

The header ` + "`Idempotency-Key`" + ` is the same for every attempt at one message: a receiver that must not count a message twice can tell by it. Text and fields are plain data, times in RFC 3339 and durations as playbooks write them. Controls, bidirectional and invisible characters are taken out of what was interpolated; whoever shows it must escape it for the place.

` + "`connections test`" + ` looks at the address and posts nothing.`,
		Settings: []engine.Field{
			{
				Name: "url", Type: engine.Maybe(engine.TypeString()),
				Doc: "The address, where it is no secret.", Example: "https://siem.example.com/in",
			},
			{
				Name: "secret_url", Type: engine.Maybe(engine.Type{Kind: engine.KindSecret}),
				Doc: "A reference to the address, where it contains a credential.", Example: "env://SIEM_WEBHOOK",
			},
			{
				Name: "token", Type: engine.Maybe(engine.Type{Kind: engine.KindSecret}),
				Doc: "A reference to a token that is sent as `Authorization: Bearer …`.", Example: "env://SIEM_TOKEN",
			},
		},
		ExactlyOne:   [][]string{{"url", "secret_url"}},
		Capabilities: []engine.Capability{message.CapabilityMessages, engine.CapabilityTest},
		Open: func(o engine.Opening) (*engine.Connection, error) {
			return open(o, transport.Options{})
		},
	}
}

func open(o engine.Opening, options transport.Options) (*engine.Connection, error) {
	var address hook.Address
	address.Plain, _ = o.Settings["url"].(string)
	address.Secret, _ = o.Settings["secret_url"].(secret.Reference)
	h, err := hook.New(o, "the webhook", address, options)
	if err != nil {
		return nil, fmt.Errorf("connection %q: %w", o.Name, err)
	}
	m := &messenger{hook: h, secrets: o.Secrets}
	m.token, _ = o.Settings["token"].(secret.Reference)
	return &engine.Connection{
		Name:        o.Name,
		Provider:    "webhook",
		Fingerprint: "webhook " + address.Fingerprint(),
		Offers:      map[engine.Capability]any{message.CapabilityMessages: m, engine.CapabilityTest: m},
	}, nil
}

// messenger posts to one address.
type messenger struct {
	hook    *hook.Hook
	secrets secret.Resolver
	token   secret.Reference
}

// Send posts the message.
func (m *messenger) Send(ctx context.Context, msg message.Message) error {
	body, err := payload(msg)
	if err != nil {
		return err
	}
	header, err := m.header(ctx, msg.Key)
	if err != nil {
		return err
	}
	return m.hook.Send(ctx, hook.Post{Header: header, Payload: body, Secrets: []secret.Reference{m.token}})
}

// payload is the fields and the text.
func payload(msg message.Message) (map[string]any, error) {
	body := message.CleanFields(msg.Fields)
	if _, taken := body["text"]; taken {
		return nil, engine.Fail(engine.ClassInvalid, "text_field", "a message cannot have a field of the name \"text\": the text is there already")
	}
	body["text"] = message.Render(msg.Text, func(foreign string) string { return foreign })
	return body, nil
}

func (m *messenger) header(ctx context.Context, key string) (http.Header, error) {
	header := http.Header{}
	if key != "" {
		header.Set("Idempotency-Key", message.Clean(key, 0))
	}
	if m.token == "" {
		return header, nil
	}
	token, err := m.secrets.Resolve(ctx, m.token)
	if err != nil {
		return nil, fmt.Errorf("resolving the token of the webhook: %w", err)
	}
	header.Set("Authorization", "Bearer "+token.Reveal())
	return header, nil
}

// Test resolves the address and the token.
func (m *messenger) Test(ctx context.Context) ([]engine.Finding, error) {
	host, err := m.hook.Host(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := m.header(ctx, ""); err != nil {
		return nil, err
	}
	return []engine.Finding{{
		Works: true, Subject: "address", Detail: "it leads to " + host + "; nothing was posted, so whether it takes messages is not known",
	}}, nil
}
