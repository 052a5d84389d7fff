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

` + "`connections test`" + ` connects, encrypts and signs in, and sends nothing.`

const setup = `1. Find out what your mail service wants, and put the password into ` + "`SMTP_PASSWORD`" + `:

   | Service | ` + "`host`" + ` | ` + "`username`" + ` | ` + "`password`" + `, and what to switch on |
   |---|---|---|---|
   | Gmail, or an account of Google Workspace | ` + "`smtp.gmail.com`" + ` | the account's address | an *app password*: turn 2-Step Verification on, then *Google Account → Security → App passwords*. The account's own password does not work. |
   | Google Workspace's relay | ` + "`smtp-relay.gmail.com`" + ` | an account's address | an app password of that account. *Admin console → Apps → Google Workspace → Gmail → Routing → SMTP relay service*: allow only addresses of your domains, and tick *Require SMTP Authentication* and *Require TLS encryption*. |
   | Microsoft 365 | ` + "`smtp.office365.com`" + ` | the mailbox's address | the mailbox's password. *Microsoft 365 admin center → Users → Active users → the mailbox → Mail → Manage email apps*: tick *Authenticated SMTP*. Security defaults and Conditional Access policies that block basic authentication block it too. |
   | Amazon SES | ` + "`email-smtp.REGION.amazonaws.com`" + ` | the SMTP user name | the SMTP password: *SES console → SMTP settings → Create SMTP credentials*. They are not an access key. |
   | a relay on this machine | ` + "`localhost`" + `, with ` + "`tls: none`" + ` | none | none |
2. Choose ` + "`from`" + `: the account itself, or an address it may send as (in Microsoft 365 *Send as*, in SES a *verified identity*). An SES account in the sandbox sends to verified recipients only.
3. Write the connection, with ` + "`username`" + ` and ` + "`password: env://SMTP_PASSWORD`" + `. Port 587 with STARTTLS is right for all of these; ` + "`tls: implicit`" + ` uses port 465.
4. ` + "`drawbridge connections test`" + ` says whether it signs in; a playbook with ` + "`message.send`" + ` whether mail arrives. Where it ends up as spam, let the domain of ` + "`from`" + ` name the service in SPF and DKIM.`

// Provider declares e-mail.
func Provider() engine.Provider {
	text := engine.Maybe(engine.TypeString())
	return engine.Provider{
		Name:    "email",
		Summary: "Sends messages as e-mail, over SMTP with TLS.",
		Doc:     doc,
		Setup:   setup,
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
