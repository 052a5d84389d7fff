// Package slack is the provider that posts messages to a Slack channel through
// an incoming webhook.
package slack

import (
	"context"
	"net/http"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/message/hook"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Provider declares Slack.
func Provider() engine.Provider {
	return engine.Provider{
		Name:    "slack",
		Summary: "Posts messages to a Slack channel through an incoming webhook.",
		Setup: "1. Open api.slack.com/apps, choose *Create New App → From scratch*, and the workspace.\n" +
			"2. Under *Incoming Webhooks*, switch them on and choose *Add New Webhook to Workspace*; name the channel.\n" +
			"3. Put the URL into `SLACK_WEBHOOK`, and keep it as a secret: whoever has it can post.",
		Doc: `What you write in a playbook is [mrkdwn](https://api.slack.com/reference/surfaces/formatting): ` + "`*bold*`, `<https://example.com|links>`, `<!channel>`" + `. In interpolated values ` + "`&`, `<` and `>`" + ` are escaped, so that they mention nobody and hide no link. Fields beside the text are not sent.

` + "`connections test`" + ` looks at the URL and posts nothing, because every request would appear in the channel.`,
		Settings: []engine.Field{{
			Name: "webhook_url", Type: engine.Type{Kind: engine.KindSecret}, Required: true,
			Doc:     "A reference to the webhook's URL.",
			Example: "env://SLACK_WEBHOOK",
		}},
		Capabilities: []engine.Capability{message.CapabilityMessages, engine.CapabilityTest},
		Open: func(o engine.Opening) (*engine.Connection, error) {
			return open(o, transport.Options{})
		},
	}
}

func open(o engine.Opening, options transport.Options) (*engine.Connection, error) {
	reference, _ := o.Settings["webhook_url"].(secret.Reference)
	address := hook.Address{Secret: reference}
	h, err := hook.New(o, "Slack's incoming webhook", address, options)
	if err != nil {
		return nil, err
	}
	m := &messenger{hook: h}
	return &engine.Connection{
		Name:        o.Name,
		Provider:    "slack",
		Fingerprint: "slack " + address.Fingerprint(),
		Offers:      map[engine.Capability]any{message.CapabilityMessages: m, engine.CapabilityTest: m},
	}, nil
}

// messenger posts to one webhook.
type messenger struct{ hook *hook.Hook }

// Send posts the message.
func (m *messenger) Send(ctx context.Context, msg message.Message) error {
	return m.hook.Send(ctx, hook.Post{
		Payload: map[string]any{"text": message.Render(msg.Text, escape)},
		Accept:  accepted,
		Explain: explain,
	})
}

// escape makes foreign text inert: these three characters begin everything in
// Slack's markup that mentions or links.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// accepted looks for the "ok" without which the message was not posted.
func accepted(r transport.Response) error {
	if strings.TrimSpace(string(r.Body)) == "ok" {
		return nil
	}
	return engine.Fail(engine.ClassPermanent, "not_accepted", "the answer is not the \"ok\" of an incoming webhook; is the URL one?")
}

// explain reads the word a refusal consists of, such as channel_is_archived.
func explain(r transport.Response) transport.Explanation {
	said := transport.Explanation{}
	switch r.Status {
	case http.StatusForbidden, http.StatusNotFound:
		said.Class = engine.ClassPermanent // about the channel, not about a user or our credentials
	}
	if word := strings.TrimSpace(string(r.Body)); isWord(word) {
		said.Code, said.Message = word, word
	}
	return said
}

func isWord(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz_"
	return s != "" && len(s) <= 60 && strings.Trim(s, letters) == ""
}

// Test resolves the address.
func (m *messenger) Test(ctx context.Context) ([]engine.Finding, error) {
	host, err := m.hook.Host(ctx)
	if err != nil {
		return nil, err
	}
	return []engine.Finding{{
		Works: true, Subject: "webhook URL", Detail: "it leads to " + host + "; nothing was posted, so whether the channel takes messages is not known",
	}}, nil
}
