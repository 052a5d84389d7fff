// Package teams is the provider that posts messages to a Microsoft Teams chat or
// channel, through a workflow that waits for a webhook request.
//
// The wire format is that of the Workflows template "When a Teams webhook
// request is received": a message with an Adaptive Card attached
// (https://learn.microsoft.com/connectors/teams/ and
// https://adaptivecards.io/explorer/). Workflows answer 202 before they have
// posted anything.
package teams

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/message/hook"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// Provider declares Teams.
func Provider() engine.Provider {
	return engine.Provider{
		Name:    "teams",
		Summary: "Posts messages to a Microsoft Teams chat or channel, through a workflow.",
		Setup:   setup,
		Doc:     doc,
		Settings: []engine.Field{{
			Name: "webhook_url", Type: engine.Type{Kind: engine.KindSecret}, Required: true,
			Doc:     "A reference to the URL of the workflow.",
			Example: "env://TEAMS_WEBHOOK",
		}},
		Capabilities: []engine.Capability{message.CapabilityMessages, engine.CapabilityTest},
		Open: func(o engine.Opening) (*engine.Connection, error) {
			return open(o, transport.Options{})
		},
	}
}

const setup = `1. In Teams, at the channel or chat, choose *… → Workflows* and the template *Send webhook alerts to a channel* (or *to a chat*); in the Workflows app it is the trigger *When a Teams webhook request is received* with the action *Post card in a chat or channel*. Whoever makes it must be a member there, and *Anyone* must be allowed to trigger it.
2. Choose the team and the channel, *Save*, and copy the URL that is shown. It ends in ` + "`&sig=…`" + ` and is a secret: whoever has it can post. Put it into ` + "`TEAMS_WEBHOOK`" + `, in single quotes.
3. Give the workflow a second owner (*Edit → Share*): it stops when the account of its only owner is closed.`

const doc = `A workflow takes the messages and posts them. The webhooks of Office 365 connectors (` + "`….webhook.office.com`" + `) are retired, and are refused.

What you write in a playbook is [the Markdown of Adaptive Cards](https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features): ` + "`**bold**`, `_italic_`, `- lists`, `[links](https://example.com)`" + `. In interpolated values everything that could begin markup is escaped, so that a name makes no link and mentions nobody. Fields beside the text are not sent. A card is at most 28 KB: what is longer is cut off, and the card says so.

A request for approval has a button that opens where it is decided, where the configuration has an ` + "`approval_link`" + `. The link alone decides nothing, and neither does anything in Teams.

A workflow says that it has taken a message, not that it was posted: whether it was shows only in its *run history*. ` + "`connections test`" + ` looks at the URL and posts nothing.`

func open(o engine.Opening, options transport.Options) (*engine.Connection, error) {
	reference, _ := o.Settings["webhook_url"].(secret.Reference)
	address := hook.Address{Secret: reference}
	h, err := hook.New(o, "the Teams workflow", address, options)
	if err != nil {
		return nil, err
	}
	m := &messenger{hook: h}
	return &engine.Connection{
		Name:        o.Name,
		Provider:    "teams",
		Fingerprint: "teams " + address.Fingerprint(),
		Offers:      map[engine.Capability]any{message.CapabilityMessages: m, engine.CapabilityTest: m},
	}, nil
}

// messenger posts to one workflow.
type messenger struct{ hook *hook.Hook }

// Send posts the message.
func (m *messenger) Send(ctx context.Context, msg message.Message) error {
	if _, err := m.host(ctx); err != nil {
		return err
	}
	body, err := payload(msg)
	if err != nil {
		return err
	}
	return m.hook.Send(ctx, hook.Post{Payload: body, Accept: accepted, Explain: explain})
}

// host is the host of the workflow. That of a retired connector is refused: it
// would answer, and post nothing.
func (m *messenger) host(ctx context.Context) (string, error) {
	address, err := m.hook.Host(ctx)
	if err != nil {
		return "", err
	}
	host := strings.ToLower(address)
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "outlook.office.com" || host == "outlook.office365.com" || strings.HasSuffix(host, ".webhook.office.com") {
		return "", engine.Fail(engine.ClassInvalid, "retired_connector",
			"the address is that of an Office 365 connector, and those are retired: make a workflow in Teams (… → Workflows → Send webhook alerts to a channel) and use its URL")
	}
	return address, nil
}

// accepted tells the answer of a workflow from a page.
func accepted(r transport.Response) error {
	if r.Status == http.StatusAccepted || r.Status == http.StatusOK && !looksLikePage(r) {
		return nil
	}
	return engine.Fail(engine.ClassPermanent, "not_accepted", "the answer is not that of a workflow, which is 202 Accepted; is the URL one?")
}

func looksLikePage(r transport.Response) bool {
	return strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "text/html") || strings.HasPrefix(strings.TrimSpace(string(r.Body)), "<")
}

// explain reads the code of a refusal, such as WorkflowTriggerIsNotEnabled. Its
// words are not shown, because they may repeat parts of the URL.
func explain(r transport.Response) transport.Explanation {
	said := transport.Explanation{}
	var body struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	if json.Unmarshal(r.Body, &body) == nil && isCode(body.Error.Code) {
		said.Code = body.Error.Code
	}
	switch r.Status {
	case http.StatusBadRequest:
		said.Message = "the workflow does not take it; is it switched on, and its trigger *When a Teams webhook request is received*?"
	case http.StatusUnauthorized, http.StatusForbidden:
		said.Message = "the URL must be whole, with all behind `?` up to `sig=…`, and *Anyone* must be allowed to trigger the workflow"
	case http.StatusNotFound, http.StatusGone:
		said.Class = engine.ClassPermanent // about the workflow, not about a user
		said.Message = "there is no such workflow any more; copy the URL of one that is there"
	case http.StatusRequestEntityTooLarge:
		said.Message = "the card is too large"
	}
	if said.Code != "" {
		said.Message = strings.TrimSuffix(said.Code+": "+said.Message, ": ")
	}
	return said
}

// isCode reports a code as Azure's services have them: one word in CamelCase.
func isCode(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return s != "" && len(s) <= 80 && strings.Trim(s, letters) == ""
}

// Test resolves the address.
func (m *messenger) Test(ctx context.Context) ([]engine.Finding, error) {
	host, err := m.host(ctx)
	if err != nil {
		return nil, err
	}
	return []engine.Finding{{
		Works: true, Subject: "webhook URL", Detail: "it leads to " + host + "; nothing was posted, so whether the workflow takes messages is not known",
	}}, nil
}
