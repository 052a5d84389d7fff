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

// webhook posts to one incoming webhook.
type webhook struct{ hook *hook.Hook }

func openWebhook(o engine.Opening, options transport.Options) (*engine.Connection, error) {
	if channel, _ := o.Settings["channel"].(string); channel != "" {
		return nil, engine.Fail(engine.ClassInvalid, "channel",
			"connection %q: the channel of an incoming webhook was chosen in Slack when it was made; take `channel` out, or give a `token`", o.Name)
	}
	reference, _ := o.Settings["webhook_url"].(secret.Reference)
	address := hook.Address{Secret: reference}
	h, err := hook.New(o, "Slack's incoming webhook", address, options)
	if err != nil {
		return nil, err
	}
	return connection(o, address.Fingerprint(), &webhook{hook: h}), nil
}

// Send posts the message.
func (w *webhook) Send(ctx context.Context, msg message.Message) error {
	return w.hook.Send(ctx, hook.Post{Payload: payload(msg), Accept: accepted, Explain: explain})
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

// isWord reports a code of Slack's: what else stands in an answer is not shown,
// because it may repeat what was sent.
func isWord(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz_"
	return s != "" && len(s) <= 60 && strings.Trim(s, letters) == ""
}

// Test resolves the address.
func (w *webhook) Test(ctx context.Context) ([]engine.Finding, error) {
	host, err := w.hook.Host(ctx)
	if err != nil {
		return nil, err
	}
	return []engine.Finding{{
		Works: true, Subject: "webhook URL", Detail: "it leads to " + host + "; nothing was posted, so whether the channel takes messages is not known",
	}}, nil
}
