// Package slack is the provider that posts messages to a Slack channel, through
// an incoming webhook or as an app's bot.
//
// The wire formats are Slack's: incoming webhooks
// (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks),
// chat.postMessage and auth.test (https://docs.slack.dev/reference/methods), and
// Block Kit (https://docs.slack.dev/reference/block-kit/blocks).
package slack

import (
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

const defaultBase = "https://slack.com"

// Provider declares Slack.
func Provider() engine.Provider {
	secretType := engine.Maybe(engine.Type{Kind: engine.KindSecret})
	return engine.Provider{
		Name:    "slack",
		Summary: "Posts messages to a Slack channel, through an incoming webhook or as an app's bot.",
		Setup:   setup,
		Doc:     doc,
		Settings: []engine.Field{
			{
				Name: "webhook_url", Type: secretType,
				Doc: "A reference to the URL of an incoming webhook.", Example: "env://SLACK_WEBHOOK",
			},
			{
				Name: "token", Type: secretType,
				Doc: "A reference to the *Bot User OAuth Token* of an app, which begins with `xoxb-`.", Example: "env://SLACK_BOT_TOKEN",
			},
			{
				Name: "channel", Type: engine.Maybe(engine.TypeString()),
				Doc: "The channel a bot posts to: its id, at the end of *View channel details*. Needed with `token`; a webhook has its own.", Example: "C0123456789",
			},
			{
				Name: "base_url", Type: engine.TypeString(), Default: defaultBase,
				Doc: "Where Slack's API is, for `token`: another address for GovSlack.", Example: "https://slack-gov.com",
			},
		},
		ExactlyOne:   [][]string{{"webhook_url", "token"}},
		Capabilities: []engine.Capability{message.CapabilityMessages, engine.CapabilityTest},
		Open: func(o engine.Opening) (*engine.Connection, error) {
			return open(o, transport.Options{})
		},
	}
}

const setup = `1. Open <https://api.slack.com/apps>, choose *Create New App → From scratch*, and the workspace. Then either of these:
2. **An incoming webhook** posts to one channel and can do nothing else. Under *Features → Incoming Webhooks*, switch them on, choose *Add New Webhook to Workspace*, and the channel. Put the *Webhook URL* into ` + "`SLACK_WEBHOOK`" + `, and keep it as a secret: whoever has it can post.
3. **A bot** posts under the app's name to the channel you name. Under *Features → OAuth & Permissions → Scopes → Bot Token Scopes*, add ` + "`chat:write`" + `, which is all it needs; *Install to Workspace*; put the *Bot User OAuth Token* (` + "`xoxb-…`" + `) into ` + "`SLACK_BOT_TOKEN`" + ` and name that as ` + "`token`" + `.
4. For a bot, write ` + "`/invite @your-app`" + ` in the channel: one that is not in it is refused (` + "`not_in_channel`" + `). With the scope ` + "`chat:write.public`" + ` too it may post to public channels without. The channel's name at the top, *View channel details*, shows the id at the very end: it is the ` + "`channel`" + `.`

const doc = `What you write in a playbook is [mrkdwn](https://api.slack.com/reference/surfaces/formatting): ` + "`*bold*`, `<https://example.com|links>`, `<!channel>`" + `. In interpolated values ` + "`&`, `<` and `>`" + ` are escaped, and bare addresses make no links and are not looked up, so that a name mentions nobody and hides no link. The message is sent as [blocks](https://docs.slack.dev/reference/block-kit/blocks), with the text beside them for notifications. What is longer than 12,000 characters is cut off. Fields beside the text are not sent.

A request for approval links to where it is decided, where the configuration has an ` + "`approval_link`" + `. The link alone decides nothing, and neither does anything in Slack.

` + "`connections test`" + ` posts nothing, because it would appear in the channel. Of a webhook it looks at the URL; of a bot it asks Slack whose token it is (` + "`auth.test`" + `) and which scopes it has.`

func open(o engine.Opening, options transport.Options) (*engine.Connection, error) {
	token, _ := o.Settings["token"].(secret.Reference)
	if token != "" {
		return openBot(o, token, options)
	}
	return openWebhook(o, options)
}

func connection(o engine.Opening, fingerprint string, m messengerAndTester) *engine.Connection {
	return &engine.Connection{
		Name:        o.Name,
		Provider:    "slack",
		Fingerprint: "slack " + fingerprint,
		Offers:      map[engine.Capability]any{message.CapabilityMessages: m, engine.CapabilityTest: m},
	}
}

type messengerAndTester interface {
	message.Messenger
	engine.Tester
}
