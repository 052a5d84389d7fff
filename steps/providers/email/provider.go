// Package email is the provider that sends messages as e-mail, through the mail
// server of an organisation or of a service that relays.
package email

import (
	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/steps/message"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

const doc = `Speaks SMTP with your mail server: over STARTTLS, and with nothing less, unless the settings say otherwise. A server that does not offer it, or whose certificate is not valid for ` + "`host`" + `, gets neither credentials nor message. Credentials never go over a connection that is not encrypted.

The subject is the first line of the text, behind ` + "`subject_prefix`" + `. The text goes out twice in each mail: as plain text, and as HTML for programs that show it; what you write in a playbook is plain text in both, and web addresses in it become links. In interpolated values nothing is markup, nothing becomes a link, and nothing reaches the header but the subject, on one line. Fields beside the text are not sent.

A mail goes to all recipients or to none: where the server refuses one, nothing is sent, and the failure says whom. Attempts at one message have the same ` + "`Message-ID`" + `, so that a mailbox which drops duplicates shows it once where a reply was lost. Mails say ` + "`Auto-Submitted: auto-generated`" + `, so that absence notes do not answer them. A mail that tells of an approval shows where it is decided; neither a reply nor the link alone decides anything.

` + "`connections test`" + ` connects, encrypts and signs in, and sends nothing.

### Setting it up

| Service | ` + "`host`, `port`, `tls`" + ` | ` + "`username`" + ` | ` + "`password`" + ` |
|---|---|---|---|
| Gmail, Google Workspace account | ` + "`smtp.gmail.com`" + `, 587, ` + "`starttls`" + ` | the account's address | an *app password*: turn on 2-Step Verification, then Google Account → Security → App passwords. The account's own password does not work. |
| Google Workspace relay | ` + "`smtp-relay.gmail.com`" + `, 587, ` + "`starttls`" + ` | an account's address, or none with an allowed IP address | Admin console → Apps → Google Workspace → Gmail → Routing → SMTP relay service: allow only your addresses, tick *Require TLS encryption*, and either list your IP address or tick *Require SMTP Authentication* and use an app password. ` + "`helo`" + ` must be one of your domains; it is that of ` + "`from`" + ` by default. |
| Microsoft 365 | ` + "`smtp.office365.com`" + `, 587, ` + "`starttls`" + ` | the mailbox's address | its password. Microsoft 365 admin center → Users → the mailbox → Mail → Manage email apps: tick *Authenticated SMTP*. Security defaults and Conditional Access that block basic authentication block it. ` + "`from`" + ` must be the mailbox, or one it may *Send As*. |
| Amazon SES | ` + "`email-smtp.REGION.amazonaws.com`" + `, 587, ` + "`starttls`" + ` | the SMTP user name | the SMTP password: SES console → SMTP settings → Create SMTP credentials. They are not an access key. ` + "`from`" + ` must be a verified identity; in the sandbox, the recipients too. |
| a relay on this machine | ` + "`localhost`" + `, 25, ` + "`none`" + ` | | |`

// Provider declares e-mail.
func Provider() engine.Provider {
	text := engine.Maybe(engine.TypeString())
	return engine.Provider{
		Name:    "email",
		Summary: "Sends messages as e-mail, over SMTP with TLS.",
		Doc:     doc,
		Settings: []engine.Field{
			{Name: "host", Type: engine.TypeString(), Required: true, Doc: "The mail server. Its certificate must be valid for this name.", Example: "smtp.example.com"},
			{Name: "port", Type: engine.Maybe(engine.TypeInteger()), Doc: "Its port; 587 by default, 465 with `tls: implicit`, 25 with `tls: none`.", Example: "587"},
			{Name: "tls", Type: engine.Maybe(engine.EnumOf(modeSTARTTLS, modeImplicit, modeNone)), Doc: "`starttls` (default) and `implicit` refuse to go on without encryption. `none` is for a relay on this machine, and takes no credentials."},
			{Name: "allow_plaintext", Type: engine.Maybe(engine.TypeBool()), Doc: "With `tls: none`: whether mail may go unencrypted to another machine. Everybody on the way can then read and change it."},
			{Name: "username", Type: text, Doc: "Who signs in, where the server wants it.", Example: "alerts@example.com"},
			{Name: "password", Type: engine.Maybe(engine.Type{Kind: engine.KindSecret}), Doc: "A reference to the password that goes with it.", Example: "env://SMTP_PASSWORD"},
			{Name: "from", Type: engine.TypeString(), Required: true, Doc: "The sender, an address with or without a name.", Example: "Drawbridge <alerts@example.com>"},
			{Name: "to", Type: engine.ListOf(engine.TypeString()), Required: true, Doc: "The recipients.", Example: "[security@example.com]"},
			{Name: "cc", Type: engine.Maybe(engine.ListOf(engine.TypeString())), Doc: "More recipients, in the field Cc."},
			{Name: "helo", Type: text, Doc: "How this machine introduces itself; the domain of `from` by default.", Example: "soar.example.com"},
			{Name: "subject_prefix", Type: text, Doc: "What every subject begins with.", Example: `"[Drawbridge]"`},
		},
		Capabilities: []engine.Capability{message.CapabilityMessages, engine.CapabilityTest},
		Open: func(o engine.Opening) (*engine.Connection, error) {
			return open(o, transport.Options{})
		},
	}
}

func open(o engine.Opening, options transport.Options) (*engine.Connection, error) {
	s, err := readSettings(o)
	if err != nil {
		return nil, err
	}
	m := &messenger{
		settings: s, secrets: o.Secrets, now: o.Now, version: o.Version,
		network: o.Dialer, client: transport.New(options.For(o)),
	}
	if m.network == nil {
		m.network = direct{}
	}
	return &engine.Connection{
		Name:        o.Name,
		Provider:    "email",
		Fingerprint: s.fingerprint(),
		Offers:      map[engine.Capability]any{message.CapabilityMessages: m, engine.CapabilityTest: m},
	}, nil
}
