package onepassword

import (
	"fmt"

	"github.com/drawbridge-soar/drawbridge/engine"
	"github.com/drawbridge-soar/drawbridge/engine/secret"
	"github.com/drawbridge-soar/drawbridge/steps/identity"
	"github.com/drawbridge-soar/drawbridge/steps/transport"
)

const (
	maxPageSize = 1000
	maxID       = 200

	// The Users API documents no limit. This one is far above what a listing
	// needs and keeps a mistake from becoming a flood.
	perSecond = 500
	atOnce    = 100
)

// Provider declares `provider: onepassword`.
func Provider() engine.Provider {
	return engine.Provider{
		Name:         "onepassword",
		Summary:      "The people of a 1Password Business account, through the Users API.",
		Doc:          doc,
		Setup:        setup,
		Settings:     settings(),
		ExactlyOne:   [][]string{{"region", "base_url"}},
		Capabilities: []engine.Capability{identity.CapabilityDirectory, identity.CapabilityUserPages, engine.CapabilityTest},
		Open: func(o engine.Opening) (*engine.Connection, error) {
			return open(o, transport.Options{})
		},
	}
}

const setup = `1. Sign in to 1Password as an owner, an administrator or a member of the
   Security group. The account must be 1Password Business, and its people must
   not come from automated provisioning: where they do, use the provider
   ` + "`scim`" + `.
2. Open *Integrations → OAuth Applications* and create an application. The
   redirect URL is mandatory and not used: any https address will do.
3. Grant it *List users* and *Get user*; to contain accounts also *Suspend
   users* and *Reactivate users*. What is not granted here cannot be asked for
   later: ` + "`drawbridge connections test`" + ` names what is missing.
4. Put the client id into ` + "`OP_CLIENT_ID`" + ` and the secret, which is shown once,
   into ` + "`OP_CLIENT_SECRET`" + `, or into files or a vault, and refer to them.
5. ` + "`account`" + ` is the account's UUID; ` + "`region`" + ` is the end of the address you
   sign in at: ` + "`com`, `ca` or `eu`" + `.`

const doc = `The Users API does not work for accounts under automated provisioning (SCIM); the test recognises them. Use ` + "`provider: scim`" + ` there: the same playbooks run on it.

**Who cannot be suspended**: the last owner (code ` + "`last_owner`" + `), people that another system manages (` + "`externally_managed`" + `), and oneself (` + "`self`" + `). They are permanent failures; the message has the service's own words.

**Beside Elastic's 1Password connector**

| Elastic's connector | Here |
|---|---|
| ` + "`listUsers` with `filter`, `maxPageSize`, `pageToken`" + ` | ` + "`user.list` with `state`, `page_size`, `page_token`" + `; without the last two every page, or an error |
| ` + "`getUser` with `uuid`" + ` | ` + "`user.get` with `id`" + `, or with ` + "`email`" + ` |
| ` + "`suspendUser`, `reactivateUser` with `uuid`" + ` | ` + "`user.suspend`, `user.reactivate` with `id` or `email`" + `; previewed, guarded, undone, for a time |
| the *test* action: lists one user | ` + "`connections test`" + `: the credentials, and each right by itself |
| 1password.com, v1beta1 | com, ca and eu or ` + "`base_url`" + `; v1 and v1beta1 |
| the error's body as it came | a class, a code, and what to grant where |`

func settings() []engine.Field {
	one, thousand := int64(1), int64(maxPageSize)
	secretType := engine.Type{Kind: engine.KindSecret}
	return []engine.Field{
		{Name: "account", Type: engine.TypeString(), Required: true, Example: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
			Doc: "The account's UUID: 26 upper-case characters."},
		{Name: "region", Type: engine.EnumOf("com", "ca", "eu"), Example: "com",
			Doc: "Where the account lives: the end of its sign-in address."},
		{Name: "base_url", Type: engine.TypeString(), Example: "https://api.1password.com",
			Doc: "The API's address, in place of a region."},
		{Name: "api", Type: engine.EnumOf("v1", "v1beta1"), Default: "v1",
			Doc: "The version of the API."},
		{Name: "client_id", Type: secretType, Required: true, Example: "env://OP_CLIENT_ID",
			Doc: "The application's client id."},
		{Name: "client_secret", Type: secretType, Required: true, Example: "env://OP_CLIENT_SECRET",
			Doc: "The application's client secret."},
		{Name: "settle", Type: engine.TypeDuration(), Default: engine.DefaultSettle,
			Doc: "How long a read may still show the state before a change. `0s` means never."},
		{Name: "page_size", Type: engine.TypeInteger(), Default: thousand, Minimum: &one, Maximum: &thousand,
			Doc: "How many users one request asks for."},
	}
}

// open makes the connection; it reaches nothing. The options are what tests
// replace: how the transport waits.
func open(o engine.Opening, options transport.Options) (*engine.Connection, error) {
	base, err := baseURL(o.Settings)
	if err != nil {
		return nil, fmt.Errorf("opening connection %s: %w", o.Name, err)
	}
	account := setting(o.Settings, "account", "")
	if !validID(account) {
		return nil, engine.Fail(engine.ClassInvalid, "account", "opening connection %s: the account must be its UUID, such as ABCDEFGHIJKLMNOPQRSTUVWXYZ", o.Name)
	}
	options.Limit, options.Burst = perSecond, atOnce // unless the configuration says otherwise
	options = options.For(o)
	client := transport.New(options)
	api := setting(o.Settings, "api", "v1")
	d := &directory{
		client:   client,
		account:  account,
		base:     base + "/" + api + "/accounts/" + account + "/users",
		route:    "/" + api + "/accounts/{account}/users",
		pageSize: int(setting(o.Settings, "page_size", int64(maxPageSize))),
		tokens:   newTokens(o, client, base, api),
	}
	return &engine.Connection{
		Name:        o.Name,
		Provider:    "onepassword",
		Fingerprint: "onepassword " + account + " " + base,
		Settle:      new(setting(o.Settings, "settle", engine.DefaultSettle)),
		Offers:      map[engine.Capability]any{identity.CapabilityDirectory: d, identity.CapabilityUserPages: d, engine.CapabilityTest: d},
	}, nil
}

func baseURL(settings map[string]any) (string, error) {
	if raw := setting(settings, "base_url", ""); raw != "" {
		return transport.BaseURL(raw)
	}
	return "https://api.1password." + setting(settings, "region", "com"), nil
}

// setting is a setting's value, or what holds without it.
func setting[T any](settings map[string]any, name string, absent T) T {
	if v, ok := settings[name].(T); ok {
		return v
	}
	return absent
}

// validID reports whether a string can be the id of an account or a user, so
// that one from a playbook cannot become another path.
func validID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return id != "" && len(id) <= maxID
}

func reference(settings map[string]any, name string) secret.Reference {
	return setting(settings, name, secret.Reference(""))
}
