package onepasswordevents

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

// The service allows 600 requests a minute and 30,000 an hour. A steady 8 a
// second with 100 at once stays below both.
const (
	perSecond = 8
	atOnce    = 100
)

// Provider declares `provider: onepassword-events`.
func Provider() engine.Provider {
	return engine.Provider{
		Name:       "onepassword-events",
		Summary:    "Sign-in attempts, item usages and audit events of a 1Password Business account, through the Events API.",
		Doc:        doc,
		Setup:      setup,
		Settings:   settings(),
		ExactlyOne: [][]string{{"region", "base_url"}},
		Capabilities: []engine.Capability{
			identity.CapabilitySignIns, identity.CapabilityEvents, identity.CapabilityUnread, engine.CapabilityTest,
		},
		Open: func(o engine.Opening) (*engine.Connection, error) {
			return open(o, transport.Options{})
		},
	}
}

const setup = `1. Sign in to 1Password as an owner or an administrator.
2. Open *Integrations → Directory*, choose *Events Reporting* and add an
   integration.
3. Issue a bearer token. Let it read *sign-in attempts*, *item usages* and
   *audit events*; one that may read fewer works for the rest. Give it an expiry.
4. Put the token, which is shown once, into ` + "`OP_EVENTS_TOKEN`" + ` and refer to
   it.
5. ` + "`region`" + ` is the end of the address you sign in at: ` + "`com`, `ca` or `eu`" + `, or
   ` + "`ent`" + ` for 1Password Enterprise.`

const doc = `The service remembers 120 days and allows 600 requests a minute, 30,000 an hour; Drawbridge keeps to that.

**Only what is new.** ` + "`event.list` with `unread: true`" + ` goes on where its reader stopped. Positions are kept for each token, kind of event and version of the API, in Drawbridge's database; of the token no more than the hash of its id. A new token begins anew: let ` + "`window`" + ` reach back over the change.`

func settings() []engine.Field {
	return []engine.Field{
		{Name: "region", Type: engine.EnumOf("com", "ca", "eu", "ent"), Example: "com",
			Doc: "Where the account lives: the end of its sign-in address, or ent for 1Password Enterprise."},
		{Name: "base_url", Type: engine.TypeString(), Example: "https://events.1password.com",
			Doc: "The API's address, in place of a region."},
		{Name: "token", Type: engine.Type{Kind: engine.KindSecret}, Required: true, Example: "env://OP_EVENTS_TOKEN",
			Doc: "A bearer token that may read sign-in attempts, item usages and audit events."},
		{Name: "api", Type: engine.EnumOf("v2", "v1"), Default: "v2",
			Doc: "The version of the API."},
	}
}

// open makes the connection; it reaches nothing. The options are what tests
// replace: how the transport waits.
func open(o engine.Opening, options transport.Options) (*engine.Connection, error) {
	base, err := baseURL(o.Settings)
	if err != nil {
		return nil, fmt.Errorf("opening connection %s: %w", o.Name, err)
	}
	ref, _ := o.Settings["token"].(secret.Reference)
	options.Limit, options.Burst = perSecond, atOnce // unless the configuration says otherwise
	options = options.For(o)
	r := &reader{
		client:  transport.New(options),
		base:    base,
		version: version(o.Settings),
		token:   &token{secrets: o.Secrets, ref: ref},
		now:     o.Now,
	}
	if r.now == nil {
		r.now = time.Now
	}
	return &engine.Connection{
		Name:        o.Name,
		Provider:    "onepassword-events",
		Fingerprint: "onepassword-events " + account(ref) + " " + base,
		Offers: map[engine.Capability]any{
			identity.CapabilitySignIns: r, identity.CapabilityEvents: r, identity.CapabilityUnread: r, engine.CapabilityTest: r,
		},
	}, nil
}

// account stands for the account in the fingerprint: it is in the token, which
// is not read yet, so the token's reference has to do. The reference itself
// may say more than a record should.
func account(ref secret.Reference) string {
	sum := sha256.Sum256([]byte(ref))
	return hex.EncodeToString(sum[:8])
}

func version(settings map[string]any) string {
	if v, _ := settings["api"].(string); v != "" {
		return v
	}
	return "v2"
}

func baseURL(settings map[string]any) (string, error) {
	if raw, _ := settings["base_url"].(string); raw != "" {
		return transport.BaseURL(raw)
	}
	switch region, _ := settings["region"].(string); region {
	case "ent":
		return "https://events.ent.1password.com", nil
	case "":
		return "https://events.1password.com", nil
	default:
		return "https://events.1password." + region, nil
	}
}
