package message

import (
	"context"
	"fmt"
	"strings"

	"github.com/drawbridge-soar/drawbridge/engine"
)

// Send is the action message.send.
type Send struct{}

// Spec declares message.send.
func (Send) Spec() engine.ActionSpec {
	return engine.ActionSpec{
		Name:    "message.send",
		Summary: "Tell people something.",
		Doc: `Sends one message through a messenger: Slack, Teams, PagerDuty, a webhook, the terminal.

A message is delivered **at least once**: where a reply is lost or the process dies in between, it may arrive twice, and it never is dropped silently. A plan does not send it.

What ` + "`${{ … }}`" + ` puts into the text is data: it is escaped for the destination, stripped of control, bidirectional and invisible characters, and shortened to 2,000 characters. A display name such as ` + "`<!channel>`" + ` alerts nobody. What you write yourself in the playbook keeps its markup.`,
		Effect: engine.Announce,
		Needs:  []engine.Capability{CapabilityMessages},
		Inputs: []engine.Field{
			{
				Name: "text", Type: engine.TypeText(), Required: true,
				Doc:     "What to say. Markup of the destination is yours to use; interpolated values cannot.",
				Example: `"Suspended ${{ steps.user.user.email }}"`,
			},
			{
				Name: "fields", Type: engine.Maybe(engine.DictOf(engine.TypeAny())),
				Doc:     "More data for destinations that take it: a webhook sends them beside `text`, PagerDuty makes severity, key and details of them, the others leave them out.",
				Example: `{ severity: warning, run: "${{ run.id }}" }`,
			},
		},
		Examples: []engine.Example{{
			Title: "Say what was found",
			YAML: `- id: suspended
  uses: user.list
  with: { state: suspended }
- uses: message.send
  with:
    text: "${{ len(steps.suspended.users) }} accounts are suspended."
    fields: { severity: info }
`,
		}},
	}
}

// Announce sends the message.
func (Send) Announce(ctx context.Context, call engine.Call) (map[string]any, error) {
	messenger, conn, err := engine.Offered[Messenger](call, CapabilityMessages)
	if err != nil {
		return nil, err
	}
	text, _ := call.Inputs["text"].(engine.Text)
	if strings.TrimSpace(Render(text, func(foreign string) string { return foreign })) == "" {
		return nil, engine.Fail(engine.ClassInvalid, "empty_text", "the text of a message must not be empty")
	}
	fields, _ := call.Inputs["fields"].(map[string]any)
	if err := messenger.Send(ctx, Message{Text: text, Fields: fields, Key: call.Key}); err != nil {
		return nil, fmt.Errorf("sending a message through %q: %w", conn.Name, err)
	}
	return map[string]any{}, nil
}
